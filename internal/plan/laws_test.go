// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// draw makes an input from bytes, any bytes: a few objects of kinds, waves, namespaces and hooks that get into each other's
// way.
func draw(data []byte) Input {
	next := func(n int) int {
		if len(data) == 0 {
			return 0
		}
		b := int(data[0])
		data = data[1:]
		return b % n
	}
	pick := func(texts ...string) string { return texts[next(len(texts))] }
	c := testCase{Prune: next(4) > 0, KeepSame: next(2) > 0, NoHooks: next(8) == 1}
	if next(8) == 1 {
		c.Selection = []v1alpha1.SyncOperationResource{{Group: "*", Kind: "*", Name: "*", Namespace: pick("a", "b")}}
	}
	for n := 0; len(data) > 0 && n < 60; n++ {
		i := testItem{Kind: pick("ConfigMap", "Secret", "Service"), NS: pick("a", "b", "c"), Name: "n" + strconv.Itoa(n), Annotations: map[string]string{}}
		switch next(6) {
		case 0:
			i.Kind, i.NS, i.Name = "Namespace", "", pick("a", "b", "c")
		case 1:
			i.Group, i.Kind, i.NS, i.Name, i.Makes = "apiextensions.k8s.io", "CustomResourceDefinition", "", "widgets.example.com", "Widget"
		case 2:
			i.Group, i.Kind = "example.com", "Widget"
		}
		switch next(4) {
		case 0:
			i.Live = true
		case 1:
			i.Live, i.Desired, i.Same = true, true, next(2) == 0
		default:
			i.Desired = true
		}
		if next(2) == 0 {
			i.Annotations[v1alpha1.AnnotationSyncWave] = strconv.Itoa(next(7) - 3)
		}
		if next(4) == 0 {
			i.Annotations[v1alpha1.AnnotationKeyHook] = pick("PreSync", "Sync", "PostSync", "SyncFail", "PreSync,PostSync", "Skip", "PreDelete", "Nonsense")
		}
		if next(4) == 0 {
			i.Annotations[v1alpha1.AnnotationSyncOptions] = pick("PruneLast=true", "Prune=false", "Prune=confirm", "Replace=true")
		}
		c.Items = append(c.Items, i)
	}
	in := Input{Namespace: "a", Prune: c.Prune, KeepSame: c.KeepSame, NoHooks: c.NoHooks, Selection: c.Selection}
	seen := map[object.Key]bool{}
	for _, i := range c.Items {
		for _, item := range i.items() {
			if !seen[item.Key] {
				seen[item.Key] = true
				in.Items = append(in.Items, item)
			}
		}
	}
	return in
}

// at is the place of a step in a plan.
type at struct{ phase, wave, index int }

func (a at) before(b at) bool {
	return slices.Compare([]int{a.phase, a.wave, a.index}, []int{b.phase, b.wave, b.index}) < 0
}

// laws checks what has to be true of every plan and returns what is not.
func laws(in Input, p Plan) (broken []string) {
	complain := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	places := map[*Step]at{}
	last := at{phase: -1}
	for i, phase := range p.Phases {
		order := slices.Index(syncPhases, phase.Name)
		if order <= last.phase {
			complain("phase %s is out of order", phase.Name)
		}
		for j, wave := range phase.Waves {
			if j > 0 && wave.Number <= phase.Waves[j-1].Number {
				complain("wave %d of %s is out of order", wave.Number, phase.Name)
			}
			for k := range wave.Steps {
				places[&p.Phases[i].Waves[j].Steps[k]] = at{order, wave.Number, k}
			}
		}
		last.phase = order
	}
	complain2 := func(text string) { complain("%s", text) }
	everythingOnce(in, &p, complain2)
	makersFirst(places, complain2)
	prunesMirrored(places, complain2)
	gates(&p, complain2)
	return broken
}

// everythingOnce: each object is handled once, and a hook once in each of its phases.
func everythingOnce(in Input, p *Plan, complain func(string)) {
	want := map[object.Key]int{}
	for _, item := range in.Items {
		obj := item.Desired
		if obj == nil {
			obj = item.Live.Object
		}
		hooks, takesPart := Hooks(obj)
		switch {
		case len(hooks) == 0 && takesPart && Selected(in.Selection, item.Key):
			want[item.Key] = 1
		case item.Desired != nil && !in.NoHooks && len(in.Selection) == 0:
			for _, t := range hooks {
				if _, ok := phaseOf(t); ok {
					want[item.Key]++
				}
			}
		}
	}
	got := map[object.Key]int{}
	for _, s := range p.Steps() {
		got[s.Key]++
		if s.Action == Prune && s.Live == nil {
			complain("a prune of what is not there: " + s.Key.String())
		}
	}
	for key, n := range want {
		if got[key] != n && (got[key] != 0 || len(p.Phases) > 0) {
			complain(fmt.Sprintf("%s has %d steps, want %d", key, got[key], n))
		}
	}
	for key := range got {
		if want[key] == 0 {
			complain(key.String() + " has a step that nobody asked for")
		}
	}
}

// makersFirst: what makes a namespace or a kind comes before all that uses it, unless it is a hook, or what uses it is.
func makersFirst(places map[*Step]at, complain func(string)) {
	for maker, from := range places {
		if maker.Action == Prune || maker.Action == Skip || maker.Hook != nil {
			continue
		}
		for user, to := range places {
			uses := maker.Key.Kind == "Namespace" && user.Key.Namespace == maker.Key.Name ||
				maker.Key.Kind == "CustomResourceDefinition" && user.Key.Kind == "Widget"
			if uses && user.Desired != nil && to.before(from) {
				complain(fmt.Sprintf("%s comes before %s", user.Key, maker.Key))
			}
		}
	}
}

// prunesMirrored: of two prunes, the one of the later wave goes first; those that go last come after everything.
func prunesMirrored(places map[*Step]at, complain func(string)) {
	for s, place := range places {
		if s.Action != Prune {
			continue
		}
		wave, _ := WaveOf(s.Live.Object)
		for other, there := range places {
			switch {
			case s.Options.PruneLast && !other.Options.PruneLast && there.phase == place.phase && other.Action != Skip && place.wave <= there.wave:
				complain(fmt.Sprintf("%s is not pruned last, but before %s", s.Key, other.Key))
			case other.Action != Prune || s.Options.PruneLast || other.Options.PruneLast:
				if other.Action == Apply && there.wave == place.wave && there.phase == place.phase && place.index < there.index {
					complain(fmt.Sprintf("%s is pruned before %s is applied, in one wave", s.Key, other.Key))
				}
			default:
				if theirs, _ := WaveOf(other.Live.Object); wave < theirs && place.wave <= there.wave {
					complain(fmt.Sprintf("%s of wave %d is pruned no later than %s of wave %d", s.Key, wave, other.Key, theirs))
				}
			}
		}
	}
}

// gates: with one wave that does something nothing is awaited but hooks; with more, each but the last.
func gates(p *Plan, complain func(string)) {
	var working []Wave
	for _, phase := range p.Phases {
		for _, wave := range phase.Waves {
			if slices.ContainsFunc(wave.Steps, func(s Step) bool { return s.Action != Skip && s.Action != Refuse && !s.Waiting }) {
				working = append(working, wave)
			} else if wave.AwaitHealth {
				complain("a wave that does nothing is awaited")
			}
		}
	}
	for i, wave := range working {
		hooks := slices.ContainsFunc(wave.Steps, func(s Step) bool { return s.Hook != nil })
		if want := len(working) > 1 && (i < len(working)-1 || hooks); wave.AwaitHealth != want {
			complain(fmt.Sprintf("wave %d of %d awaits health: %v, want %v", i+1, len(working), wave.AwaitHealth, want))
		}
	}
}

// checkLaws builds a plan, also with the objects in another order and approved, and reports what is wrong with it.
func checkLaws(t *testing.T, in Input) {
	t.Helper()
	p, err := Build(in)
	if err != nil {
		t.Fatalf("%v", err)
	}
	approved := p.Approve()
	for _, text := range slices.Concat(laws(in, p), laws(in, approved)) {
		t.Errorf("%s\n%s", text, p.String())
	}
	if len(approved.Waiting()) > 0 {
		t.Errorf("an approved plan waits:\n%s", approved.String())
	}
	digest := p.Digest()
	slices.Reverse(in.Items)
	again, err := Build(in)
	if err != nil || again.Digest() != digest {
		t.Errorf("another order of the objects makes another plan (%v):\n%s\n%s", err, p.String(), again.String())
	}
	guarded := Guard(p, GuardInput{Automated: true})
	if len(guarded.Steps()) != len(p.Steps()) {
		t.Errorf("the guard lost steps")
	}
	for _, text := range laws(in, guarded) {
		t.Errorf("guarded: %s\n%s", text, guarded.String())
	}
}

// TestLawsOfOrder checks generated plans. BOWLINE_SEED repeats one run.
func TestLawsOfOrder(t *testing.T) {
	seed := rand.Uint64()
	if text := os.Getenv("BOWLINE_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	random := rand.New(rand.NewPCG(seed, 0))
	cases := 400
	if os.Getenv("BOWLINE_SOAK") != "" {
		cases = 20000
	}
	for range cases {
		data := make([]byte, random.IntN(200))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		if checkLaws(t, draw(data)); t.Failed() {
			t.Fatalf("BOWLINE_SEED=%d", seed)
		}
	}
}

func FuzzBuild(f *testing.F) {
	f.Add([]byte{1, 1, 1, 0})
	f.Add([]byte("a namespace, a hook, a prune: any bytes are some input, and its plan keeps the laws"))
	f.Fuzz(func(t *testing.T, data []byte) { checkLaws(t, draw(data)) })
}

// TestTheLawsAreNoticed breaks plans on purpose: a check that finds nothing is none.
func TestTheLawsAreNoticed(t *testing.T) {
	item := func(i testItem) Item { return i.items()[0] }
	wave := func(n string) map[string]string { return map[string]string{v1alpha1.AnnotationSyncWave: n} }
	in := Input{Prune: true, Items: []Item{
		item(testItem{Kind: "ConfigMap", NS: "a", Name: "one", Desired: true}),
		item(testItem{Kind: "Namespace", Name: "a", Desired: true}),
		item(testItem{Kind: "ConfigMap", NS: "a", Name: "two", Desired: true, Annotations: wave("1")}),
		item(testItem{Kind: "ConfigMap", NS: "a", Name: "old-zero", Live: true}),
		item(testItem{Kind: "ConfigMap", NS: "a", Name: "old-one", Live: true, Annotations: wave("1")}),
	}}
	for reason, spoil := range map[string]func(p *Plan){
		"a gate is open":            func(p *Plan) { p.Phases[0].Waves[0].AwaitHealth = false },
		"waves change places":       func(p *Plan) { slices.Reverse(p.Phases[0].Waves) },
		"a step is lost":            func(p *Plan) { p.Phases[0].Waves[0].Steps = p.Phases[0].Waves[0].Steps[1:] },
		"a user comes first":        func(p *Plan) { slices.Reverse(p.Phases[0].Waves[0].Steps[:2]) },
		"a prune comes first":       func(p *Plan) { slices.Reverse(p.Phases[0].Waves[0].Steps) },
		"prunes are not mirrored":   func(p *Plan) { swapLast(p) },
		"a phase is not in its row": func(p *Plan) { p.Phases = append(p.Phases, Phase{Name: v1alpha1.SyncPhasePreSync}) },
	} {
		p, err := Build(in)
		if err != nil || len(laws(in, p)) > 0 {
			t.Fatal(err, laws(in, p))
		}
		if spoil(&p); len(laws(in, p)) == 0 {
			t.Errorf("%s, and no law says so:\n%s", reason, p.String())
		}
	}
}

// swapLast exchanges the last steps of the first two waves.
func swapLast(p *Plan) {
	a, b := p.Phases[0].Waves[0].Steps, p.Phases[0].Waves[1].Steps
	a[len(a)-1], b[len(b)-1] = b[len(b)-1], a[len(a)-1]
}
