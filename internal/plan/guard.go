// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/object"
)

// GuardMode is what the deletion guard does (key bowline.deletionGuard of argocd-cm).
type GuardMode string

// The modes. Enforce is the default.
const (
	GuardEnforce GuardMode = "enforce"
	GuardWarn    GuardMode = "warn"
	GuardOff     GuardMode = "off"
)

// The guard acts when an automated sync would delete more than this many objects and more than half of the application.
const guardCount = 10

// GuardInput is what the guard decides by.
type GuardInput struct {
	Mode      GuardMode // "" means enforce
	Automated bool      // the operation was begun by automated sync
	// Remains returns objects that are inside an object (a Namespace, a PersistentVolumeClaim, a custom resource
	// definition) and that the plan does not delete itself, in words for people; deleted tells what it deletes. If the
	// inside is not known it must return a sentence that says so. A nil function means that nothing is known.
	Remains func(container object.Key, deleted func(object.Key) bool) []string
}

// containers are the kinds whose deletion takes other things along.
var containers = []schema.GroupKind{
	{Kind: "Namespace"},
	{Kind: "PersistentVolumeClaim"},
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"},
}

// Guard makes prunes wait for an approval that an automated sync must not do by itself: all of them if they are more
// than ten objects and more than half of what the application has in the cluster, and each Namespace,
// PersistentVolumeClaim and CustomResourceDefinition that still holds what the plan does not delete. An object does
// not count towards the ten if the plan creates another of its kind, as happens when a generated name changes; an
// Application counts with all that it would take along. Everything else in the plan goes on.
//
// In mode warn nothing waits, but the plan's notes say what would have.
func Guard(p Plan, in GuardInput) Plan {
	if !in.Automated || in.Mode == GuardOff {
		return p
	}
	p = p.clone()
	g := guard{in: in, plan: &p}
	g.many()
	g.containers()
	p.gate()
	return p
}

type guard struct {
	in   GuardInput
	plan *Plan
}

// prunes returns the steps that delete.
func (g *guard) prunes() []*Step {
	return slices.DeleteFunc(g.plan.Steps(), func(s *Step) bool { return s.Action != Prune })
}

// many holds back all prunes if they are too many.
func (g *guard) many() {
	successors := map[schema.GroupKind]int{}
	for _, s := range g.plan.Steps() {
		if s.Creates() {
			successors[s.Key.GroupKind()]++
		}
	}
	gone := 0
	prunes := g.prunes()
	for _, s := range prunes {
		if gk := s.Key.GroupKind(); s.weight == 1 && successors[gk] > 0 {
			successors[gk]--
			continue
		}
		gone += s.weight
	}
	if gone <= guardCount || 2*gone <= g.plan.weight {
		return
	}
	reason := fmt.Sprintf("this sync would delete %d of the application's %d objects", gone, g.plan.weight)
	for _, s := range prunes {
		g.hold(s, reason)
	}
	g.note(reason)
}

// containers holds back each prune of an object that still holds something else.
func (g *guard) containers() {
	deleted := map[object.Key]bool{}
	for _, s := range g.prunes() {
		deleted[s.Key] = !s.Waiting
	}
	for _, s := range g.prunes() {
		if s.Waiting || !slices.Contains(containers, s.Key.GroupKind()) {
			continue
		}
		remains := []string{"what it holds is not known"}
		if g.in.Remains != nil {
			remains = g.in.Remains(s.Key, func(k object.Key) bool { return deleted[k] })
		}
		if len(remains) == 0 {
			continue
		}
		reason := fmt.Sprintf("%s still holds what this sync does not delete itself: %s", s.Key, first(remains))
		g.hold(s, reason)
		g.note(reason)
	}
}

func (g *guard) hold(s *Step, reason string) {
	if g.in.Mode == GuardWarn || s.Waiting {
		return
	}
	s.Waiting = true
	s.Reason = "not pruned: " + reason + "; it waits for an approval"
}

func (g *guard) note(reason string) {
	if g.in.Mode == GuardWarn {
		g.plan.Notes = append(g.plan.Notes, "deletion guard (warn): "+reason)
		return
	}
	g.plan.Notes = append(g.plan.Notes, "deletion guard: "+reason)
}
