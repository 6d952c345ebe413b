// SPDX-License-Identifier: Apache-2.0

package index

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/server/application/attention"
)

// Entry is one application as it was at one moment.
type Entry struct {
	App *v1alpha1.Application // not to be changed
	// Object is how policies name it; Right is the number of that name.
	Object string
	Right  uint32
	// Slot is a number that the application has as long as it lives, and no other ever has.
	Slot uint32
	// Deleted says that the application is gone, and that this was its last state.
	Deleted bool
	// Project is never empty.
	Project string
	// Owner is what made the application, as KIND/NAME; "" if nothing is known to have.
	Owner string

	settled bool // its verdict is always the same, as long as its cluster answers and somebody acts
	verdict attention.Verdict
	synced  time.Time // since when, as far as is known, its sync status is what it is
	// What every look at all entries asks for is here: to go to each application for it takes longer than all else.
	health, sync    string
	namespace       string // of the destination
	server, cluster string
	repos, labels   []string
	operation, auto string
	search          string
	version         version
	shown           *shown
}

func (x *Index) entryOf(app *v1alpha1.Application) *Entry {
	e := &Entry{
		App: app, Object: x.opts.Object(app), Project: cmp.Or(app.Spec.Project, v1alpha1.DefaultAppProjectName),
		operation: operationOf(app), auto: autoOf(app), namespace: app.Spec.Destination.Namespace, version: parseVersion(app.ResourceVersion), shown: &shown{},
	}
	e.health = cmp.Or(string(app.Status.Health.Status), string(v1alpha1.HealthStatusUnknown))
	e.sync = cmp.Or(string(app.Status.Sync.Status), string(v1alpha1.SyncStatusCodeUnknown))
	e.server, e.cluster = x.opts.Cluster(app.Spec.Destination)
	for _, s := range SourcesOf(app) {
		if s.RepoURL != "" && !slices.Contains(e.repos, s.RepoURL) {
			e.repos = append(e.repos, s.RepoURL)
		}
	}
	for key, value := range app.Labels {
		e.labels = append(e.labels, key+"="+value)
	}
	e.Owner, e.search = ownerOf(app), e.text()
	if e.settled = attention.Settled(app); e.settled {
		e.verdict = attention.Of(app, attention.Around{})
	}
	return e
}

// Judge says what the application asks of people.
func (e *Entry) Judge(around attention.Around) attention.Verdict {
	if e.settled && around.Cluster == nil && around.Unattended == nil {
		return e.verdict
	}
	around.Same = e.synced
	return attention.Of(e.App, around)
}

// continues takes over from the entry before since when the sync status is what it is: the comparison that a status is of moves
// with every refresh.
func (e *Entry) continues(old *Entry) {
	switch at := e.App.Status.ReconciledAt; {
	case old != nil && old.App.UID == e.App.UID && old.Sync() == e.Sync() && !old.synced.IsZero():
		e.synced = old.synced
	case at != nil:
		e.synced = at.Time
	}
}

// ownerOf is the controller among the owners of an application, which is how applications of an ApplicationSet name it. An
// application of applications marks its own by the annotation of tracking, which names the object that it is about: a copy of
// it elsewhere does not count. The label of tracking is no proof, as many a chart writes it.
func ownerOf(app *v1alpha1.Application) string {
	for _, o := range app.OwnerReferences {
		if o.Controller != nil && *o.Controller {
			return o.Kind + "/" + o.Name
		}
	}
	id, ok := object.ParseTrackingID(app.Annotations[v1alpha1.AnnotationKeyAppInstance])
	own := object.Key{Group: v1alpha1.SchemeGroupVersion.Group, Kind: "Application", Namespace: app.Namespace, Name: app.Name}
	if !ok || id.Key != own || id.App == "" {
		return ""
	}
	return "Application/" + strings.ReplaceAll(id.App, "_", "/")
}

// SourcesOf returns the sources of an application; of one that is hydrated what it is made from.
func SourcesOf(app *v1alpha1.Application) []v1alpha1.ApplicationSource {
	if len(app.Spec.Sources) > 0 {
		return app.Spec.Sources
	}
	if app.Spec.Source != nil {
		return []v1alpha1.ApplicationSource{*app.Spec.Source}
	}
	if h := app.Spec.SourceHydrator; h != nil {
		return []v1alpha1.ApplicationSource{{RepoURL: h.DrySource.RepoURL}}
	}
	return nil
}

// operationOf is the phase of the operation that was asked for last; "" if there never was one.
func operationOf(app *v1alpha1.Application) string {
	switch {
	case app.Operation != nil:
		return string(v1alpha1.OperationRunning)
	case app.Status.OperationState != nil:
		return string(app.Status.OperationState.Phase)
	}
	return ""
}

// The values of the facet for automated sync.
const (
	autoOn  = "on"
	autoOff = "off"
)

func autoOf(app *v1alpha1.Application) string {
	if p := app.Spec.SyncPolicy; p != nil && p.Automated != nil && (p.Automated.Enabled == nil || *p.Automated.Enabled) {
		return autoOn
	}
	return autoOff
}

// text is what is searched, in lower case; parts are separated by what no search has in it.
func (e *Entry) text() string {
	parts := []string{e.App.Name, e.App.Namespace, e.Project, e.App.Spec.Destination.Namespace, e.server, e.cluster}
	parts = append(parts, e.repos...)
	for _, source := range SourcesOf(e.App) {
		parts = append(parts, source.Path, source.Chart)
	}
	parts = append(parts, e.labels...)
	return strings.ToLower(strings.Join(parts, "\n"))
}

// Health and Sync are never empty: what is not known is Unknown.
func (e *Entry) Health() string { return e.health }

// Sync is how the application compares.
func (e *Entry) Sync() string { return e.sync }

// Destination is the name of the cluster, or its address if it has none. Server is its address as far as that is known.
func (e *Entry) Destination() string { return cmp.Or(e.cluster, e.server) }

// shown is an entry as streams show it, which is made once for all that are told at the same time.
type shown struct {
	mu     sync.Mutex
	made   time.Time
	events map[string]*v1alpha1.ApplicationWatchEvent
}

// freshness is for how long an event that was made for one stream is told to others: what it adds to the application (the
// health of its objects) may change without the application changing.
const freshness = time.Second

// Event returns the element of a stream about the entry: the same one for all streams that ask at about the same time. It must
// not be changed. form makes of the application what is shown of it.
func (e *Entry) Event(kind string, now time.Time, form func(*v1alpha1.Application) *v1alpha1.Application) *v1alpha1.ApplicationWatchEvent {
	s := e.shown
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events == nil || now.Sub(s.made) > freshness {
		s.made, s.events = now, map[string]*v1alpha1.ApplicationWatchEvent{}
	}
	known := s.events[kind]
	if known == nil {
		known = &v1alpha1.ApplicationWatchEvent{Type: kind, Application: *form(e.App)}
		s.events[kind] = known
	}
	return known
}

// Operation is the phase of the operation that was asked for last; "" if there never was one.
func (e *Entry) Operation() string { return e.operation }
