// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// Both ways in which a repository does not answer: not at all, and with half of a fetch.
var outages = map[string]func(*fakeRepo){
	"down":         func(r *fakeRepo) { r.down = true },
	"half a fetch": func(r *fakeRepo) { r.lost = true },
}

func TestUnreachableKeepsWhatStands(t *testing.T) {
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
			b.sources.commit("s", "main", "d1", files{"app/b.yaml": configMap("b", "1")})
			app := application("web", from("s", "main", "app"), from("r", "main", "app"))
			before := b.get(app)
			b.sources.commit("r", "main", "c2", files{"app/a.yaml": configMap("new", "1")})
			b.sources.commit("s", "main", "d2", files{"app/b.yaml": configMap("b", "2")})
			b.sources.set("r", outage)
			state, err := b.unreachable(app)
			if state.Digest != before.Digest || strings.Join(idsOf(state.Commits), " ") != "d1 c1" {
				t.Errorf("%s at %v stands", names(state), idsOf(state.Commits))
			}
			if len(err.Standing) != 2 || err.Standing[1].ID != "c1" {
				t.Errorf("it says that %v stands", err.Standing)
			}
			target := newTarget("web")
			target.Namespace, target.Version = "prod", "2"
			state, _ = b.engine.For(context.Background(), id(app), app, target)
			if state == nil || state.Objects[0].Key.Namespace != "prod" {
				t.Error("what stands is not made for the present target")
			}
			b.sources.set("r", func(r *fakeRepo) { r.down, r.lost = false, false })
			if state := b.get(app); names(state) != "b new" || strings.Join(idsOf(state.Commits), " ") != "d2 c2" {
				t.Errorf("afterwards: %s at %v", names(state), idsOf(state.Commits))
			}
		})
	}
}

func TestUnreachableWithNothingStanding(t *testing.T) {
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1"), "other/b.yaml": configMap("b", "1")})
			b.sources.set("r", outage)
			app := application("web", from("r", "main", "app"))
			if state, err := b.unreachable(app); state != nil || err.Standing != nil {
				t.Errorf("never resolved: %s stands at %v", names(state), err.Standing)
			}
			b.sources.set("r", func(r *fakeRepo) { r.down, r.lost = false, false })
			b.get(app)
			b.sources.set("r", outage)
			changed := application("web", from("r", "main", "other"))
			if name == "half a fetch" {
				changed.Spec.Source.TargetRevision = "c1"
			}
			if state, err := b.unreachable(changed); state != nil || err.Standing != nil {
				t.Errorf("another spec: %s stands at %v", names(state), err.Standing)
			}
		})
	}
}

// Only what says that it is unreachable is: a revision that is gone is a fact.
func TestGoneIsNotUnreachable(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "feature", "c1", files{"app/a.yaml": configMap("a", "1")})
	app := application("web", from("r", "feature", "app"))
	b.get(app)
	b.sources.set("r", func(r *fakeRepo) { delete(r.refs, "feature") })
	state, err := b.engine.For(context.Background(), id(app), app, newTarget("web"))
	if state != nil || err == nil || errors.Is(err, ErrUnreachable) {
		t.Errorf("got %s, %v", names(state), err)
	}
}

func TestUnreachableIsToBeLookedAtWhenItMoves(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
	app := application("web", from("r", "main", "app"))
	b.get(app)
	b.sources.set("r", func(r *fakeRepo) { r.down = true })
	b.unreachable(app)
	b.sources.set("r", func(r *fakeRepo) { r.down = false })
	if got := b.commitAndTell("r", "main", "c2", files{"x": configMap("x", "1")}); got != "touched: web; unchanged: " {
		t.Error(got)
	}
}

func TestUnreachableErrorKeepsItsKind(t *testing.T) {
	cause := fault.Wrap(fault.Stalled, "reach", "repository r", ErrUnreachable, "start it")
	err := error(&UnreachableError{Err: cause})
	if fault.KindOf(err) != fault.Stalled || err.Error() != cause.Error() {
		t.Errorf("%s: %v", fault.KindOf(err), err)
	}
}

// mapMemory is a Memory that outlives engines.
type mapMemory struct {
	mu      sync.Mutex
	records map[string][]byte
	saves   int
	loadErr error
	saveErr error
}

func (m *mapMemory) Load(id string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[id], m.loadErr
}

func (m *mapMemory) Save(id string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.saveErr != nil {
		return m.saveErr
	}
	m.saves++
	if data == nil {
		delete(m.records, id)
	} else {
		m.records[id] = data
	}
	return nil
}

func remembering(t *testing.T) (*bench, *mapMemory) {
	b := newBench(t)
	memory := &mapMemory{records: map[string][]byte{}}
	b.engine = NewEngine(b.sources, fakeRenderer{}, memory, nil)
	return b, memory
}

// restart gives the bench an engine that knows only what is in memory.
func (b *bench) restart(memory *mapMemory) {
	b.engine = NewEngine(b.sources, fakeRenderer{}, memory, nil)
}

func TestStandingStateOutlivesTheProcess(t *testing.T) {
	b, memory := remembering(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
	app := application("web", from("r", "main", "app"))
	before := b.get(app)
	b.sources.commit("r", "main", "c2", files{"app/a.yaml": configMap("new", "1")})
	b.sources.set("r", func(r *fakeRepo) { r.down = true })
	b.restart(memory)
	state, err := b.unreachable(app)
	if state == nil || state.Digest != before.Digest || state.Commits[0].ID != "c1" || err.Standing[0] != before.Commits[0] {
		t.Fatalf("%s at %v stands", names(state), err.Standing)
	}
	if n := b.sources.readsOf(func() { b.unreachable(app) }); n != 0 {
		t.Errorf("it is rendered again each time: %d files", n)
	}
	b.sources.set("r", func(r *fakeRepo) { r.down = false })
	if state := b.get(app); names(state) != "new" || state.Commits[0].ID != "c2" {
		t.Errorf("when Git answers: %s at %s", names(state), state.Commits[0].ID)
	}
}

func TestMemoryIsNotAskedWhenGitAnswers(t *testing.T) {
	b, memory := remembering(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
	app := application("web", from("r", "main", "app"))
	b.get(app)
	b.sources.commit("r", "main", "c2", files{"app/a.yaml": configMap("new", "1")})
	b.restart(memory)
	memory.loadErr = errors.New("asked")
	if state := b.get(app); names(state) != "new" {
		t.Errorf("got %s", names(state))
	}
	b.sources.set("r", func(r *fakeRepo) { delete(r.refs, "main") })
	b.restart(memory)
	if state, err := b.engine.For(context.Background(), id(app), app, newTarget("web")); state != nil || err == nil || errors.Is(err, ErrUnreachable) {
		t.Errorf("the branch is gone: %s, %v", names(state), err)
	}
}

func TestRecordsThatDoNotFit(t *testing.T) {
	for name, spoil := range map[string]struct {
		do   func(b *bench, m *mapMemory, app *v1alpha1.Application)
		says string
	}{
		"none":            {func(_ *bench, m *mapMemory, app *v1alpha1.Application) { delete(m.records, id(app)) }, ""},
		"another spec":    {func(_ *bench, _ *mapMemory, app *v1alpha1.Application) { app.Spec.Source.Path = "other" }, ""},
		"another project": {func(_ *bench, _ *mapMemory, app *v1alpha1.Application) { app.Spec.Project = "team" }, ""},
		"damaged":         {func(_ *bench, m *mapMemory, app *v1alpha1.Application) { m.records[id(app)] = []byte(`{"spec`) }, "damaged"},
		"unreadable":      {func(_ *bench, m *mapMemory, _ *v1alpha1.Application) { m.loadErr = errors.New("disk on fire") }, "disk on fire"},
		"a number too many": {func(_ *bench, m *mapMemory, app *v1alpha1.Application) {
			var r record
			_ = json.Unmarshal(m.records[id(app)], &r)
			r.Commits = append(r.Commits, "c1")
			m.records[id(app)], _ = json.Marshal(r)
		}, ""},
		"the mirror has lost it": {func(b *bench, _ *mapMemory, _ *v1alpha1.Application) {
			b.sources.set("r", func(r *fakeRepo) { delete(r.commits, "c1") })
		}, "no commit c1"},
	} {
		t.Run(name, func(t *testing.T) {
			b, memory := remembering(t)
			b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1"), "other/b.yaml": configMap("b", "1")})
			app := application("web", from("r", "main", "app"))
			b.get(app)
			b.sources.set("r", func(r *fakeRepo) { r.down = true })
			b.restart(memory)
			spoil.do(b, memory, app)
			state, err := b.unreachable(app)
			if state != nil || err.Standing != nil {
				t.Errorf("%s stands", names(state))
			}
			if !strings.Contains(err.Error(), "r does not answer") || !strings.Contains(err.Error(), spoil.says) {
				t.Errorf("it says %v", err)
			}
		})
	}
}

func TestRecordsAreWrittenOnlyWhenTheyDiffer(t *testing.T) {
	b, memory := remembering(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
	app := application("web", from("r", "main", "app"))
	expect := func(what string, saves int, commit string) {
		t.Helper()
		if memory.saves != saves || commit != "" && !strings.Contains(string(memory.records[id(app)]), `"`+commit+`"`) {
			t.Errorf("%s: %d saves, %s", what, memory.saves, memory.records[id(app)])
		}
	}
	b.get(app)
	expect("first", 1, "c1")
	b.get(app)
	expect("again", 1, "c1")
	b.commitAndTell("r", "main", "c2", files{"x": configMap("x", "1")})
	expect("moved, not yet written", 1, "c1")
	if err := b.engine.Flush(); err != nil {
		t.Error(err)
	}
	expect("flushed", 2, "c2")
	if err := b.engine.Flush(); err != nil {
		t.Error(err)
	}
	expect("flushed again", 2, "c2")
	memory.saveErr = errors.New("disk full")
	b.sources.commit("r", "main", "c3", files{"app/a.yaml": configMap("new", "1")})
	if state := b.get(app); names(state) != "new" {
		t.Error("a record that cannot be written stops the application")
	}
	if err := b.engine.Flush(); err == nil || !strings.Contains(err.Error(), "disk full") || !strings.Contains(err.Error(), id(app)) {
		t.Errorf("the flush says %v", err)
	}
	memory.saveErr = nil
	if err := b.engine.Flush(); err != nil {
		t.Error(err)
	}
	expect("written after all", 3, "c3")
	if err := b.engine.Forget(id(app)); err != nil {
		t.Error(err)
	}
	expect("forgotten", 4, "")
	if len(memory.records) != 0 {
		t.Errorf("left behind: %v", memory.records)
	}
	if err := b.engine.Flush(); err != nil {
		t.Error(err)
	}
	expect("nothing more", 4, "")
}

func TestAfreshKeepsWhatStandsUntilThereIsAnAnswer(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"a/a.yaml": configMap("a", "1")})
	app := application("a", from("r", "main", "a"))
	b.get(app)
	b.sources.set("r", func(r *fakeRepo) { r.down = true })
	b.engine.Afresh(id(app))
	if state, _ := b.unreachable(app); state == nil || state.Commits[0].ID != "c1" {
		t.Fatalf("got %v, want what stands at c1", state)
	}
	b.sources.set("r", func(r *fakeRepo) { r.down = false })
	reads := b.sources.reads.Load()
	b.get(app)
	if b.sources.reads.Load() == reads {
		t.Error("nothing was rendered")
	}
	reads = b.sources.reads.Load()
	b.get(app)
	if b.sources.reads.Load() != reads {
		t.Error("it was rendered again although nobody asked for that")
	}
}

// A request that comes while an answer is made is about the next one.
func TestAfreshWhileAsked(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"a/a.yaml": configMap("a", "1")})
	app := application("a", from("r", "main", "a"))
	b.get(app)
	sources := &slowTree{Sources: b.sources}
	b.engine.sources = sources
	sources.middle = func() { b.engine.Afresh(id(app)) }
	b.sources.commit("r", "main", "c2", files{"a/a.yaml": configMap("a", "2")})
	b.get(app)
	if b.sources.readsOf(func() { b.get(app) }) == 0 {
		t.Error("the request is forgotten")
	}
}

// slowTree calls a function once while a tree is fetched.
type slowTree struct {
	Sources
	middle func()
}

func (s *slowTree) Tree(ctx context.Context, commit Commit, paths []string) (tree.Tree, error) {
	if middle := s.middle; middle != nil {
		s.middle = nil
		middle()
	}
	return s.Sources.Tree(ctx, commit, paths)
}

func TestAStatusFromASourceIsDropped(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"a/child.yaml": {Content: `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: child, namespace: argocd}
spec: {project: default}
status: {sync: {status: Synced}}
`}})
	state := b.get(application("a", from("r", "main", "a")))
	if _, there := state.Objects[0].Decode().Object["status"]; there {
		t.Error("the status is part of what is desired")
	}
}
