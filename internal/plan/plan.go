// SPDX-License-Identifier: Apache-2.0

// Package plan turns what is desired and what is live into ordered work, and decides when work is begun by itself.
// It is pure: data in, data out. The same functions serve a sync, its preview and the approval of a deletion.
//
// The words of this room:
//
//   - Item: one object that an application desires, or has in the cluster, or both.
//   - Step: what is to be done to one object: apply, prune, keep (recorded, nothing is sent), skip or refuse.
//   - Wave: steps that belong together; a wave begins when the one before has ended.
//   - Phase: waves that belong together, as Argo CD names them (PreSync, Sync, PostSync; SyncFail after a failure; PreDelete
//     and PostDelete when the application itself is deleted).
//   - Hook: an object that is made once in each sync, for what it does, and whose outcome is awaited.
//   - Gate: what a wave waits for after its steps: its hooks have ended, what it applied is healthy, what it pruned is gone.
//   - Try: one attempt of an operation. A retry is another try, and has hooks of its own.
//   - Hold: a rollback that keeps automated sync from applying again what was taken back.
//   - Window: a time in which a project permits, or forbids, syncs.
//   - Dependency: another application that has to be ready before this one is synced by itself.
//   - Option: a word of syncOptions or of an object's sync-options annotation that changes how it is handled.
//   - Waiting: said of a prune that a person has to approve first: for the option Prune=confirm, or by the guard.
//   - Guard: the rule that keeps automated syncs from deleting much at once, or what holds something else.
//   - Note: what is remembered of a plan with waiting prunes, so that an approval counts for exactly that plan.
//   - Selection: the objects a sync is limited to. A sync with a selection is partial: it enters no history.
//   - Self-heal: an automated sync to a revision that was synced before, because the cluster changed.
package plan

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// Item is one object of an application.
type Item struct {
	Key object.Key
	// Desired is the object as it is to be applied, with its namespace and tracking mark; nil if the source does not
	// have it.
	Desired *unstructured.Unstructured
	// Origin is where the source has it.
	Origin object.Origin
	// Live is the object in the cluster; nil if it is known not to be there, or if nothing is known about it, which
	// LiveUnknown tells.
	Live        *Live
	LiveUnknown bool
	// Same says that a comparison came to its end and found no difference.
	Same bool
	// SharedWith is the name of another living application that desires the object too and has its mark on it; "" if
	// there is none.
	SharedWith string
	// Cascade is how many objects go with this one if it is deleted: for an Application with a finalizer all that it holds.
	Cascade int
}

// Live is an object in the cluster whose tracking mark was read from this very version of it.
type Live struct {
	UID             types.UID
	ResourceVersion string
	// Object is the object, or at least its metadata: the annotations of an object to be pruned are read from it.
	Object *unstructured.Unstructured
}

// Action is what a step does.
type Action string

// The actions.
const (
	// Apply makes the object as it is desired.
	Apply Action = "apply"
	// Keep records an object as synced without sending anything: its live form is known to be the accepted one.
	Keep Action = "keep"
	// Prune deletes an object that is no longer desired, unless the step is Waiting.
	Prune Action = "prune"
	// Skip leaves an object that could be pruned where it is, for the step's Reason.
	Skip Action = "skip"
	// Refuse leaves an object alone that another application desires.
	Refuse Action = "refuse"
	// Run makes the object of a hook and waits for its outcome.
	Run Action = "run"
)

// Step is what is to be done to one object.
type Step struct {
	Action  Action
	Key     object.Key
	Version string // API version of the object, without its group
	Desired *unstructured.Unstructured
	Origin  object.Origin // of Desired
	Live    *Live
	Options Options // what holds for this object
	// Reason says why, for a skip, a refusal and a waiting prune.
	Reason string
	// Waiting is set on prunes that a person has to approve.
	Waiting bool
	// Shared is set on an apply that takes an object from another application, which the settings permit.
	Shared string
	// LiveUnknown says that nothing is known about the live object; Live is nil then.
	LiveUnknown bool
	// Hook is set on the steps of action Run.
	Hook *Hook

	weight int // objects that a prune takes away, this one included
}

// Creates reports whether the step makes an object that is known not to be there.
func (s *Step) Creates() bool { return s.Action == Apply && s.Live == nil && !s.LiveUnknown }

// Hook says how an object of action Run is a hook. An object with several types has a step for each.
type Hook struct {
	Type v1alpha1.HookType
	// Policies say when its object is deleted. None: it stays, and is changed in place. See DeletePolicies.
	Policies []v1alpha1.HookDeletePolicy
	// Generated says that its name was made for this try, from metadata.generateName.
	Generated bool

	template *unstructured.Unstructured // the object without its name, if that was made
}

// Has reports whether the hook's object is deleted by a policy.
func (h *Hook) Has(policy v1alpha1.HookDeletePolicy) bool { return slices.Contains(h.Policies, policy) }

// Wave is a set of steps in order.
type Wave struct {
	Number int
	Steps  []Step
	// AwaitHealth asks, once the steps are done, that what the wave applied is healthy and what it pruned is gone before
	// anything else begins. The hooks of a wave are awaited in any case.
	AwaitHealth bool
}

// Phase is a part of a sync.
type Phase struct {
	Name  v1alpha1.SyncPhase
	Waves []Wave
}

// Namespace is the destination namespace that a sync makes sure of before anything else. It carries no tracking mark.
type Namespace struct {
	Name     string
	Metadata *v1alpha1.ManagedNamespaceMetadata // nil: labels and annotations are left alone
}

// Plan is the ordered work of one sync.
type Plan struct {
	// Namespace is created if missing; nil if that is not asked for.
	Namespace *Namespace
	Phases    []Phase
	// OnFailure is the phase SyncFail: it is carried out if one of Phases fails, and never otherwise. nil if there is none.
	OnFailure *Phase
	// Options are those of the application.
	Options Options
	// Partial says that the sync is limited to a selection.
	Partial bool
	// Conditions are warnings that belong on the application.
	Conditions []v1alpha1.ApplicationCondition
	// Notes are sentences for the operation's message: options nobody knows, what the guard held back.
	Notes []string

	weight int // of all live objects of the application, selected or not
}

// Steps returns all steps in order, those of OnFailure last. They are the plan's own: a caller must not change them.
func (p *Plan) Steps() []*Step {
	var out []*Step
	for i := range p.Phases {
		out = append(out, p.Phases[i].steps()...)
	}
	if p.OnFailure != nil {
		out = append(out, p.OnFailure.steps()...)
	}
	return out
}

func (p *Phase) steps() []*Step {
	var out []*Step
	for j := range p.Waves {
		for k := range p.Waves[j].Steps {
			out = append(out, &p.Waves[j].Steps[k])
		}
	}
	return out
}

// Waiting returns the prunes that a person has to approve.
func (p *Plan) Waiting() []*Step {
	return slices.DeleteFunc(p.Steps(), func(s *Step) bool { return !s.Waiting })
}

// Approve returns the plan with nothing waiting any more.
func (p *Plan) Approve() Plan {
	out := p.clone()
	for _, s := range out.Waiting() {
		s.Waiting, s.Reason = false, ""
	}
	out.gate()
	return out
}

// Digest names the work: plans that would do the same to the same objects, in the same order, have the same digest.
func (p *Plan) Digest() object.Digest {
	var lines []string
	if p.Namespace != nil {
		lines = append(lines, fmt.Sprint("namespace ", p.Namespace.Name, object.DigestOf(p.Namespace.Metadata)))
	}
	for _, phase := range p.all() {
		for i := range phase.Waves {
			wave := &phase.Waves[i]
			lines = append(lines, fmt.Sprintf("%s %d", phase.Name, wave.Number))
			for j := range wave.Steps {
				lines = append(lines, wave.Steps[j].identity())
			}
		}
	}
	return object.DigestOf(lines)
}

// identity names the work of a step. The names that hooks were given for this try are no part of it, nor is what an
// earlier one left behind.
func (s *Step) identity() string {
	key, desired, uid := s.Key, s.Desired, liveUID(s.Live)
	var policies []v1alpha1.HookDeletePolicy
	if s.Hook != nil {
		policies, uid = s.Hook.Policies, ""
		if s.Hook.Generated {
			desired = s.Hook.template
			key.Name = desired.GetGenerateName()
		}
	}
	line := fmt.Sprintf("%s %t %s %s %s", s.Action, s.Waiting, key, uid, policies)
	if desired != nil {
		line += string(object.DigestOf(desired.Object))
	}
	return line
}

func liveUID(l *Live) types.UID {
	if l == nil {
		return ""
	}
	return l.UID
}

// clone copies the plan down to its steps.
func (p *Plan) clone() Plan {
	out := *p
	out.Phases = slices.Clone(p.Phases)
	for i := range out.Phases {
		out.Phases[i].clone()
	}
	if p.OnFailure != nil {
		failure := *p.OnFailure
		failure.clone()
		out.OnFailure = &failure
	}
	out.Notes = slices.Clone(p.Notes)
	out.Conditions = slices.Clone(p.Conditions)
	return out
}

// clone copies what the phase holds, in place.
func (p *Phase) clone() {
	p.Waves = slices.Clone(p.Waves)
	for j := range p.Waves {
		p.Waves[j].Steps = slices.Clone(p.Waves[j].Steps)
	}
}
