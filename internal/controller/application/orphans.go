// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
)

// orphansPause is how soon after a change orphans are counted again: what is installed by hand comes in handfuls.
const orphansPause = time.Second

// orphanSearch is what an application looks for besides its own objects: those of its namespace that belong to nobody,
// if its project asks for that (spec.orphanedResources). It does not change.
type orphanSearch struct {
	cluster   searched
	namespace string
	alive     func(app string) bool
	counts    func(object.Key) bool
}

// searched is a cluster in which orphans are looked for.
type searched interface {
	SeekOrphans(who string, namespaces ...string)
	Orphans(namespaces []string, alive func(app string) bool, counts func(object.Key) bool) cluster.Orphans
}

// orphans is what one application knows of them.
type orphans struct {
	search *orphanSearch // nil: none
	told   int           // how many the status tells of; -1 if that is not known
}

// count returns how many there are; known is false if there may be more.
func (s *orphanSearch) count() (n int, known bool) {
	found := s.cluster.Orphans([]string{s.namespace}, s.alive, s.counts)
	return len(found.Objects), found.Complete
}

// seekOrphans begins or ends the search as the project says, and tells what it found.
func (p *pass) seekOrphans(ctx context.Context) {
	rules, err := p.projects.orphans(p.project.Name())
	if err != nil {
		p.found.add(conditionWarning, err.Error()+", in project "+p.project.Name())
	}
	namespace := p.app.Spec.Destination.Namespace
	if rules == nil || namespace == "" {
		p.st.seek(nil)
		return
	}
	project, dest := p.project, destinationOf(p.app, p.cluster)
	search := &orphanSearch{cluster: p.cluster, namespace: namespace, alive: p.exists(context.WithoutCancel(ctx)), counts: func(key object.Key) bool {
		return rules.Counts(key) && project.Object(key, true, access.Cluster{Server: dest.Server, Name: dest.Name}) == nil
	}}
	p.st.seek(search)
	if !rules.Warn {
		return // they are shown in the tree only
	}
	n, known := search.count()
	switch {
	case !known:
		n = -1 // so that the first answer is news
		p.standing(v1alpha1.ApplicationConditionOrphanedResourceWarning)
	case n > 0:
		p.found.add(v1alpha1.ApplicationConditionOrphanedResourceWarning, fmt.Sprintf("Application has %d orphaned resources", n))
	}
	p.st.tellOrphans(n)
}

// tellOrphans notes how many orphans the status tells of.
func (s *appState) tellOrphans(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orphans.told = n
}

// standing lets a condition stand as it is: there is no newer answer yet.
func (p *pass) standing(t v1alpha1.ApplicationConditionType) {
	i := slices.IndexFunc(p.app.Status.Conditions, func(c v1alpha1.ApplicationCondition) bool { return c.Type == t })
	if i >= 0 {
		p.found.add(t, p.app.Status.Conditions[i].Message)
	}
}

// exists returns whether an Application is there; one of which that is not known counts as there.
func (c *Controller) exists(ctx context.Context) func(string) bool {
	return func(id string) bool {
		err := c.Client.Get(ctx, c.nameOf(id), &v1alpha1.Application{}, client.UnsafeDisableDeepCopy)
		return !apierrors.IsNotFound(err)
	}
}

// seek replaces the search; nil ends it.
func (s *appState) seek(search *orphanSearch) {
	s.mu.Lock()
	before := s.orphans.search
	s.orphans.search, s.orphansAt = search, time.Time{}
	s.mu.Unlock()
	if before != nil && (search == nil || search.cluster != before.cluster) {
		before.cluster.SeekOrphans(s.id)
	}
	if search != nil {
		search.cluster.SeekOrphans(s.id, search.namespace)
	}
}

// noteOrphans takes notice that the orphans of a namespace ("" for any) may be others now; wake says that they are to be counted after
// a pause.
func (s *appState) noteOrphans(namespace string, now time.Time) (wake bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	search := s.orphans.search
	if search == nil || namespace != "" && search.namespace != namespace || !s.orphansAt.IsZero() {
		return false
	}
	s.orphansAt = now.Add(orphansPause)
	return true
}

// otherOrphans counts orphans again if that is due, and reports whether there are others than the status tells of. wait is
// when it will be due; zero if nothing changed.
func (s *appState) otherOrphans(now time.Time) (other bool, wait time.Duration) {
	s.mu.Lock()
	search, told, at := s.orphans.search, s.orphans.told, s.orphansAt
	if at.IsZero() || search == nil {
		s.mu.Unlock()
		return false, 0
	}
	if left := at.Sub(now); left > 0 {
		s.mu.Unlock()
		return false, left
	}
	s.orphansAt = time.Time{}
	s.mu.Unlock()
	n, known := search.count()
	return known && n != told, 0
}
