// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// syncPhases are the phases of a sync in their order.
var syncPhases = []v1alpha1.SyncPhase{v1alpha1.SyncPhasePreSync, v1alpha1.SyncPhaseSync, v1alpha1.SyncPhasePostSync}

// placed is a step and where it belongs.
type placed struct {
	Step
	phase v1alpha1.SyncPhase
	wave  int
}

func (b *builder) place(step Step, phase v1alpha1.SyncPhase, wave int) {
	b.placed = append(b.placed, &placed{Step: step, phase: phase, wave: wave})
}

// order makes phases and waves. The rules are those of Argo CD ("Sync Phases and Waves" of its manual): by phase, then
// wave, then kind, then name; but what makes a namespace or a kind comes no later than its first user, prunes go in
// mirrored waves, and what asks to be pruned last goes when all else has ended well.
func (b *builder) order(phases []v1alpha1.SyncPhase) {
	b.advance(phases)
	b.mirror()
	b.last()
	b.skips()
	failure := slices.DeleteFunc(slices.Clone(b.placed), func(p *placed) bool { return p.phase != v1alpha1.SyncPhaseSyncFail })
	for _, name := range phases {
		if phase := assemble(name, b.placed); phase != nil {
			b.plan.Phases = append(b.plan.Phases, *phase)
		}
	}
	if len(b.plan.Phases) > 0 {
		b.plan.OnFailure = assemble(v1alpha1.SyncPhaseSyncFail, failure)
	}
	b.plan.gate()
	slices.SortFunc(b.plan.Conditions, func(x, y v1alpha1.ApplicationCondition) int { return cmp.Compare(x.Message, y.Message) })
}

// advance moves what makes a namespace or a kind to the first step that uses it, if that is earlier: into its wave and,
// unless it is a hook, into its phase. In a wave the order of kinds puts it first.
func (b *builder) advance(phases []v1alpha1.SyncPhase) {
	users := map[string]*placed{}
	earlier := func(x, y *placed) bool {
		return cmp.Or(cmp.Compare(slices.Index(phases, x.phase), slices.Index(phases, y.phase)), cmp.Compare(x.wave, y.wave)) < 0
	}
	use := func(thing string, p *placed) {
		if known, ok := users[thing]; !ok || earlier(p, known) {
			users[thing] = p
		}
	}
	for _, p := range b.placed {
		if p.Desired == nil || p.phase == v1alpha1.SyncPhaseSyncFail {
			continue
		}
		use("kind "+p.Key.GroupKind().String(), p)
		if p.Key.Namespace != "" {
			use("namespace "+p.Key.Namespace, p)
		}
	}
	for _, p := range b.placed {
		thing, ok := makes(p)
		if !ok || p.phase == v1alpha1.SyncPhaseSyncFail {
			continue
		}
		first := users[thing]
		if first != nil && earlier(first, p) && (p.Hook == nil || p.phase == first.phase) {
			p.phase, p.wave = first.phase, first.wave
		}
	}
}

// makes returns what a step makes that other objects need to be there.
func makes(p *placed) (thing string, ok bool) {
	switch {
	case p.Desired == nil:
		return "", false
	case p.Key.GroupKind() == schema.GroupKind{Kind: "Namespace"}:
		return "namespace " + p.Key.Name, true
	case p.Key.GroupKind() == schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:
		group, _, _ := unstructured.NestedString(p.Desired.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(p.Desired.Object, "spec", "names", "kind")
		return "kind " + schema.GroupKind{Group: group, Kind: kind}.String(), true
	}
	return "", false
}

// mirror gives prunes the waves of one another: those of the first wave that has prunes go in the place of the last, and
// so on, since what was made last may need what was made first.
func (b *builder) mirror() {
	prunes := b.filter(func(p *placed) bool { return p.Action == Prune && !p.Options.PruneLast })
	var waves []int
	for _, p := range prunes {
		waves = append(waves, p.wave)
	}
	slices.Sort(waves)
	waves = slices.Compact(waves)
	for _, p := range prunes {
		i, _ := slices.BinarySearch(waves, p.wave)
		p.wave = waves[len(waves)-1-i]
	}
}

// last gives prunes that are to go last a wave of their own, behind all others of the phase Sync.
func (b *builder) last() {
	wave := 0
	for _, p := range b.filter(func(p *placed) bool { return p.phase == v1alpha1.SyncPhaseSync && p.Action != Skip }) {
		wave = max(wave, p.wave)
	}
	for _, p := range b.filter(func(p *placed) bool { return p.Action == Prune && p.Options.PruneLast }) {
		p.wave = wave + 1
	}
}

// skips puts what is only said, and not done, into the first wave of the phase Sync: it needs no wave of its own, that
// others would wait for.
func (b *builder) skips() {
	wave, found := 0, false
	for _, p := range b.filter(func(p *placed) bool { return p.phase == v1alpha1.SyncPhaseSync && p.Action != Skip }) {
		if !found || p.wave < wave {
			wave, found = p.wave, true
		}
	}
	for _, p := range b.filter(func(p *placed) bool { return p.Action == Skip }) {
		p.wave = wave
	}
}

func (b *builder) filter(want func(*placed) bool) []*placed {
	var out []*placed
	for _, p := range b.placed {
		if want(p) {
			out = append(out, p)
		}
	}
	return out
}

// assemble cuts the steps of a phase into its waves; nil if it has none.
func assemble(name v1alpha1.SyncPhase, all []*placed) *Phase {
	var steps []*placed
	for _, p := range all {
		if p.phase == name {
			steps = append(steps, p)
		}
	}
	if len(steps) == 0 {
		return nil
	}
	slices.SortStableFunc(steps, compare)
	phase := &Phase{Name: name}
	for _, p := range steps {
		if n := len(phase.Waves); n == 0 || phase.Waves[n-1].Number != p.wave {
			phase.Waves = append(phase.Waves, Wave{Number: p.wave})
		}
		wave := &phase.Waves[len(phase.Waves)-1]
		wave.Steps = append(wave.Steps, p.Step)
	}
	return phase
}

// compare orders the steps of one phase: by wave; in a wave what is made in kind order, then prunes in the opposite order,
// then what is only said.
func compare(x, y *placed) int {
	if order := cmp.Or(cmp.Compare(x.wave, y.wave), cmp.Compare(x.Action.turn(), y.Action.turn())); order != 0 {
		return order
	}
	if x.Action == Prune {
		x, y = y, x
	}
	return object.CompareForApply(x.Key, y.Key)
}

// turn is the place of an action within a wave.
func (a Action) turn() int {
	switch a {
	case Prune:
		return 1
	case Skip:
		return 2
	default:
		return 0
	}
}

// gate says which waves are awaited until healthy, by Argo CD's rule: none if there is one wave that does anything,
// which has succeeded as soon as it is applied and its hooks have ended; else each that another follows, and the last if
// it holds hooks. It is asked again when prunes come to wait, or are approved.
func (p *Plan) gate() {
	var working []*Wave
	for _, phase := range p.all() {
		for i := range phase.Waves {
			phase.Waves[i].AwaitHealth = false
		}
	}
	for i := range p.Phases {
		working = append(working, p.Phases[i].working()...)
	}
	awaitHealth(working)
	if p.OnFailure != nil {
		awaitHealth(p.OnFailure.working())
	}
}

func awaitHealth(waves []*Wave) {
	for i, w := range waves {
		w.AwaitHealth = len(waves) > 1 && (i < len(waves)-1 || w.runs())
	}
}

// all returns the phases, that after a failure included.
func (p *Plan) all() []*Phase {
	var out []*Phase
	for i := range p.Phases {
		out = append(out, &p.Phases[i])
	}
	if p.OnFailure != nil {
		out = append(out, p.OnFailure)
	}
	return out
}

// working returns the waves with a step that does anything.
func (p *Phase) working() []*Wave {
	var out []*Wave
	for i := range p.Waves {
		if slices.ContainsFunc(p.Waves[i].Steps, func(s Step) bool { return s.acts() }) {
			out = append(out, &p.Waves[i])
		}
	}
	return out
}

// acts reports whether the step does anything, or records it as done.
func (s *Step) acts() bool {
	return s.Action == Apply || s.Action == Keep || s.Action == Run || s.Action == Prune && !s.Waiting
}

// runs reports whether the wave holds hooks.
func (w *Wave) runs() bool {
	return slices.ContainsFunc(w.Steps, func(s Step) bool { return s.Action == Run })
}
