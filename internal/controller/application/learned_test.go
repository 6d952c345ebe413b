// SPDX-License-Identifier: Apache-2.0

package application

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
)

// fakeStore keeps what is learned, by application and server.
type fakeStore map[string]map[object.Key]diff.Accepted

func (s fakeStore) Load(app, server string) map[object.Key]diff.Accepted {
	return maps.Clone(s[app+" "+server])
}

func (s fakeStore) Save(app, server string, changed map[object.Key]diff.Accepted) {
	of := s[app+" "+server]
	if of == nil {
		of = map[object.Key]diff.Accepted{}
		s[app+" "+server] = of
	}
	for key, form := range changed {
		if of[key] = form; form == (diff.Accepted{}) {
			delete(of, key)
		}
	}
}

// A process that was told what an API server made of an object asks for no dry run of it.
func TestWhatWasLearnedSparesADryRunAfterARestart(t *testing.T) {
	store := fakeStore{}
	mutated := deployment(1)
	mutate := func(w *world) { w.change(mutated, set("by a webhook", "metadata", "labels", "team")) }

	first := newWorld(t, 3, nil)
	c := first.st.comparer.Load()
	first.st.learned = newLearned(store, shop, server)
	c.learned = first.st.learned
	mutate(first)
	first.serve(t)
	if first.dryRuns != 1 {
		t.Fatalf("%d dry runs of an object that does not look as desired", first.dryRuns)
	}
	in, err := c.input(t.Context(), first.st.table.rows[mutated], first.read(mutated))
	if err != nil {
		t.Fatal(err)
	}
	_, form, err := diff.Project(in)
	if err != nil {
		t.Fatal(err)
	}
	c.learned.note(mutated, diff.Accepted{Desired: in.DesiredDigest, Form: form}) // as a sync does
	c.learned.save()

	second := newWorld(t, 3, nil)
	mutate(second)
	second.dryRuns = 0
	second.st.table.clear()
	second.st.learned = newLearned(store, shop, server)
	c = second.st.comparer.Load()
	c.learned = second.st.learned
	c.bringUpToDate(t.Context(), second.st.state, nil, true)
	if r := second.st.table.rows[mutated]; r.verdict != Same || second.dryRuns != 0 {
		t.Errorf("it is %v (%s) after %d dry runs", r.verdict, r.reason, second.dryRuns)
	}
}

func TestWhatIsGoneIsForgotten(t *testing.T) {
	a, b, c := configMap("a"), configMap("b"), configMap("c")
	form := func(text string) diff.Accepted { return diff.Accepted{Desired: object.Digest(text), Form: "f"} }
	store := fakeStore{shop + " " + server: {a: form("a"), b: form("b"), c: form("c")}}
	l := newLearned(store, shop, server)
	if got := l.recall(a); got == nil || *got != form("a") {
		t.Errorf("of a it knows %v", got)
	}
	l.forget(b, nil)
	if l.recall(b) != nil {
		t.Error("b is remembered")
	}
	rows := map[object.Key]*row{a: {key: a, accepted: l.recall(a)}}
	l.settle(rows) // c was not met
	l.note(a, form("a2"))
	l.save()
	if d := cmp.Diff(fakeStore{shop + " " + server: {a: form("a2")}}, store); d != "" {
		t.Errorf("(- want, + got):\n%s", d)
	}
	l.forgetAll(rows)
	if len(store[shop+" "+server]) > 0 {
		t.Errorf("of an application that is gone: %v", store)
	}
}

func TestWithoutAStoreNothingIsKept(t *testing.T) {
	l := newLearned(nil, shop, server)
	l.note(configMap("a"), diff.Accepted{Desired: "a"})
	l.forget(configMap("b"), &row{accepted: &diff.Accepted{}})
	l.settle(nil)
	l.save() // does not fail
	if len(l.news) > 0 {
		t.Error("what nobody takes piles up")
	}
}
