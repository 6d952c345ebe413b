// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/plan"
)

// dependencyAgain is how soon an application that waits asks again should it not be woken.
const dependencyAgain = 30 * time.Second

// awaited returns which application that this one depends on is not ready, and why; "" if all are, or if nothing would be
// synced by itself anyway. Applications that depend on each other are told so, and wait.
func (p *pass) awaited(ctx context.Context) string {
	id := p.st.id
	on, changed := p.depends.note(id, p.app.Annotations[v1alpha1.AnnotationDependsOn])
	p.Enqueue(changed...)
	if on.err != nil {
		p.found.add(v1alpha1.ApplicationConditionDependencyError, on.err.Error())
		return on.err.Error()
	}
	if len(on.list) == 0 {
		p.depends.await(id, false)
		return ""
	}
	p.depends.await(id, true)
	if way := plan.Cycle(id, p.depends.names); way != nil {
		message := fmt.Sprintf("applications depend on each other: %s: take the next one's name out of annotation %s of one of them",
			strings.Join(way, " → "), v1alpha1.AnnotationDependsOn)
		p.found.add(v1alpha1.ApplicationConditionDependencyError, message)
		return message
	}
	why := ""
	if p.mightSync() {
		why = p.unready(ctx, on.list)
	}
	p.depends.await(id, why != "")
	if why != "" {
		p.requeue(dependencyAgain)
	}
	return why
}

// mightSync reports whether a sync may begin by itself, or one that has may go on at a newer revision.
func (p *pass) mightSync() bool {
	last := p.next.Status.OperationState
	return plan.Automated(p.app.Spec.SyncPolicy) && (p.code == v1alpha1.SyncStatusCodeOutOfSync || last != nil && !last.Phase.Completed())
}

// unready returns the first application that is not ready.
func (p *pass) unready(ctx context.Context, on []plan.Dependency) string {
	behind := p.Engine.Behind(p.st.id)
	for _, d := range on {
		up, err := p.upstream(ctx, sibling(p.st.id, d.Name), behind)
		if err != nil {
			return fmt.Sprintf("application %s cannot be read: %v", d.Name, err)
		}
		up.Foreign = up.App != nil && desired.ProjectOf(up.App) != desired.ProjectOf(p.app)
		if why := d.Unready(up); why != "" {
			return why
		}
	}
	return ""
}

// upstream returns what is known of an application that another depends on; behind are those that are known at another
// commit than that one.
func (c *Controller) upstream(ctx context.Context, id string, behind []string) (plan.Upstream, error) {
	app, err := c.application(ctx, id)
	if app == nil || err != nil {
		return plan.Upstream{}, err
	}
	up := plan.Upstream{App: app}
	if app.Annotations[v1alpha1.AnnotationKeyAppSkipReconcile] != "true" {
		st := c.states.peek(id)
		up.Late = st == nil || !st.isTold(app) || slices.Contains(behind, id) ||
			!equality.Semantic.DeepEqual(app.Status.Sync.ComparedTo, comparedTo(app))
	}
	return up, nil
}

// application returns an Application as it was last seen; nil if there is none. It is not to be changed.
func (c *Controller) application(ctx context.Context, id string) (*v1alpha1.Application, error) {
	app := &v1alpha1.Application{}
	err := c.Client.Get(ctx, c.nameOf(id), app, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return app, err
}

// isTold reports whether what was last found of an application is what this version of its resource says, and is about its
// newest sources.
func (s *appState) isTold(app *v1alpha1.Application) bool {
	if s.isLate() || olderThan(app.ResourceVersion, s.lastWrite()) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.foundCode == app.Status.Sync.Status
}

// olderThan compares versions of one object; one that is no number is not older.
func olderThan(a, b string) bool {
	x, errX := strconv.ParseUint(a, 10, 64)
	y, errY := strconv.ParseUint(b, 10, 64)
	return errX == nil && errY == nil && x < y
}

// noteDependencies takes notice of an Application as it is now, and wakes who waits for news of it.
func (c *Controller) noteDependencies(app client.Object) {
	id := c.IDOf(app)
	_, changed := c.depends.note(id, app.GetAnnotations()[v1alpha1.AnnotationDependsOn])
	c.Enqueue(changed...)
	c.hasNews(id)
}

// hasNews wakes who waits for news of an application: of its resource.
func (c *Controller) hasNews(id string) { c.Enqueue(c.depends.interested(id)...) }

// wasLooked wakes who waits until an application was looked at, if what is known of it is another by that. It wakes only those that
// depend on it: two that wait would wake each other for ever.
func (c *Controller) wasLooked(id string, news bool) {
	if news {
		c.Enqueue(c.depends.waitingFor(id)...)
	}
}

// gatherTime is how long an application that others depend on waits, once it is being deleted, whether they are to be deleted
// too: whoever deletes many does so one after the other.
const gatherTime = 3 * time.Second

// awaitsDependents returns what is waited for before this application is taken apart: an application that depends on it and
// is being deleted, too. "" if there is none.
func (p *pass) awaitsDependents(ctx context.Context) (string, error) {
	id := p.st.id
	dependents := p.depends.dependents(id)
	p.depends.await(id, len(dependents) > 0)
	var living bool
	for _, name := range dependents {
		app, err := p.application(ctx, name)
		if err != nil {
			return "", err
		}
		switch {
		case app == nil, p.depends.leads(id, name), p.isAbove(ctx, name):
		case app.DeletionTimestamp.IsZero():
			living = true
		default:
			return "waits until application " + name + ", which depends on it and is being deleted too, is gone", nil
		}
	}
	if left := gatherTime - p.Clock.Since(p.app.DeletionTimestamp.Time); living && left > 0 {
		p.requeue(left)
		return "waits a moment for applications that depend on it and may be about to be deleted too", nil
	}
	p.depends.await(id, false)
	return "", nil
}

// maxAncestors bounds the way up from an application to those that it is an object of.
const maxAncestors = 100

// isAbove reports whether this application is an object of another one, or of one of its objects: then it goes with that one.
func (p *pass) isAbove(ctx context.Context, name string) bool {
	at := p.st.id
	for range maxAncestors {
		if at = p.parent(ctx, at); at == "" || at == name {
			return at == name
		}
	}
	return false
}

// parent returns the application that an Application is an object of; "" if there is none, or if that is not known.
func (c *Controller) parent(ctx context.Context, id string) string {
	here, err := c.Clusters.Find(v1alpha1.ApplicationDestination{Server: v1alpha1.KubernetesInternalAPIServerAddr})
	if err != nil {
		return ""
	}
	live := here.Get(ctx, c.keyOf(id), "")
	if live.Presence != cluster.Present {
		return ""
	}
	return live.Owner
}

// dependentsFirst leaves out the Applications that others of a list depend on, unless these depend on them in turn.
func (c *Controller) dependentsFirst(list []doomed) []doomed {
	ids := map[string]bool{}
	for _, d := range list {
		if id, ok := c.childOf(d.key); ok {
			ids[id] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(list), func(d doomed) bool {
		id, ok := c.childOf(d.key)
		return ok && slices.ContainsFunc(c.depends.above(id), func(other string) bool {
			return ids[other] && !c.depends.leads(id, other)
		})
	})
}
