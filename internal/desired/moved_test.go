// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// commitAndTell makes a commit and says what Moved made of it: "touched: …; unchanged: …".
func (b *bench) commitAndTell(url, branch, id string, change files) string {
	b.t.Helper()
	before, err := b.sources.resolve(Repo{URL: url}, branch)
	if err != nil {
		b.t.Fatal(err)
	}
	changed := b.sources.commit(url, branch, id, change)
	return told(b.engine.Moved(follows(url, branch), before, id, changed))
}

func told(touched, unchanged []string) string {
	short := func(ids []string) string { return strings.ReplaceAll(strings.Join(ids, " "), "argocd/", "") }
	return fmt.Sprintf("touched: %s; unchanged: %s", short(touched), short(unchanged))
}

func TestMoved(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"a/a.yaml": configMap("a", "1"), "b/b.yaml": configMap("b", "1"), "b-2/x.yaml": configMap("x", "1"), "readme": {Content: "x"}})
	b.sources.commit("s", "main", "d1", files{"a/s.yaml": configMap("s", "1")})
	apps := map[string]*v1alpha1.Application{
		"a":    application("a", from("r", "main", "a")),
		"b":    application("b", from("r", "main", "b")),
		"root": application("root", from("r", "main", ".")),
		"s":    application("s", from("s", "main", "a")),
		"both": application("both", from("r", "main", "a"), from("s", "main", "a")),
	}
	for _, app := range apps {
		b.get(app)
	}
	for i, c := range []struct {
		name, url string
		change    files
		want      string
	}{
		{"a folder", "r", files{"a/a.yaml": configMap("a", "2")}, "touched: a both root; unchanged: b"},
		{"another", "r", files{"b/new.yaml": configMap("nn", "1")}, "touched: b root; unchanged: a both"},
		{"one with a similar name", "r", files{"b-2/x.yaml": configMap("x", "2")}, "touched: root; unchanged: a b both"},
		{"nothing", "r", files{}, "touched: ; unchanged: a b both root"},
		{"the other repository", "s", files{"a/s.yaml": configMap("s", "2")}, "touched: both s; unchanged: "},
	} {
		commit := fmt.Sprintf("%s%d", c.url, i)
		if got := b.commitAndTell(c.url, "main", commit, c.change); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		for name, app := range apps {
			var state *State
			n := b.sources.readsOf(func() { state = b.get(app) })
			touched, unchanged, _ := strings.Cut(c.want, ";")
			if n > 0 && !slices.Contains(strings.Fields(touched), name) {
				t.Errorf("%s: %s was rendered again", c.name, name)
			}
			if slices.Contains(strings.Fields(touched+unchanged), name) && !strings.Contains(fmt.Sprint(state.Commits), commit) {
				t.Errorf("%s: %s stands at %v", c.name, name, state.Commits)
			}
		}
	}
}

func TestMovedNamesTheNewCommit(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"a/a.yaml": configMap("a", "1")})
	app := application("a", from("r", "main", "a"))
	before := b.get(app)
	if got := b.commitAndTell("r", "main", "c2", files{"x": configMap("x", "1")}); got != "touched: ; unchanged: a" {
		t.Fatal(got)
	}
	after := b.engine.Peek(id(app))
	if after.Commits[0].ID != "c2" || after.Digest != before.Digest || before.Commits[0].ID != "c1" {
		t.Errorf("before %s, after %s", before.Commits[0].ID, after.Commits[0].ID)
	}
}

// Two revisions may be at one commit. When one moves on, who follows the other stays.
func TestMovedGoesByRevision(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"a/a.yaml": configMap("a", "1")})
	b.sources.set("r", func(r *fakeRepo) { r.refs["release"] = "c1" })
	main, release, pinned := application("main", from("r", "main", "a")), application("release", from("r", "release", "a")), application("pinned", from("r", "c1", "a"))
	for _, app := range []*v1alpha1.Application{main, release, pinned} {
		b.get(app)
	}
	if got := b.commitAndTell("r", "main", "c2", files{"x": configMap("x", "1")}); got != "touched: ; unchanged: main" {
		t.Error(got)
	}
	for app, want := range map[*v1alpha1.Application]string{main: "c2", release: "c1", pinned: "c1"} {
		if got := b.engine.Peek(id(app)).Commits[0].ID; got != want {
			t.Errorf("%s stands at %s", app.Name, got)
		}
	}
}

// An application that stands at neither commit is looked at: nothing is known of the way between.
func TestMovedBetweenCommits(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"a/a.yaml": configMap("a", "1")})
	old, newer := application("old", from("r", "main", "a")), application("newer", from("r", "main", "a"))
	b.get(old)
	b.sources.commit("r", "main", "c2", files{"a/a.yaml": configMap("a", "2")})
	changed := b.sources.commit("r", "main", "c3", files{"x": configMap("x", "1")})
	b.get(newer)
	if got := told(b.engine.Moved(follows("r", "main"), "c2", "c3", changed)); got != "touched: old; unchanged: " {
		t.Error(got)
	}
	if state := b.engine.Peek(id(old)); state.Commits[0].ID != "c1" {
		t.Errorf("it stands at %s unseen", state.Commits[0].ID)
	}
}

// After an error the last State is not what the newest commit asks for, however little the next one changes.
func TestMovedAfterAnError(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"a/a.yaml": configMap("a", "1")})
	app, never := application("a", from("r", "main", "a")), application("never", from("r", "main", "gone"))
	b.get(app)
	b.fails(never)
	broken := files{"a/b.yaml": {Content: "apiVersion: v1\nkind: X\nmetadata: {"}}
	if got := b.commitAndTell("r", "main", "c2", broken); got != "touched: a never; unchanged: " {
		t.Error(got)
	}
	b.fails(app)
	b.sources.set("r", func(r *fakeRepo) { r.refs["main"] = "c1" })
	if got := told(b.engine.Moved(follows("r", "main"), "c2", "c1", []string{"a/b.yaml"})); got != "touched: a never; unchanged: " {
		t.Errorf("back to the commit it stands at: %s", got)
	}
	b.get(app)
	if got := b.commitAndTell("r", "main", "c3", files{"x": configMap("x", "1")}); got != "touched: never; unchanged: a" {
		t.Error(got)
	}
}

func (b *bench) fails(app *v1alpha1.Application) {
	b.t.Helper()
	if state, err := b.engine.For(context.Background(), id(app), app, newTarget(app.Name)); err == nil || state != nil {
		b.t.Fatalf("got %s, %v", names(state), err)
	}
}

// interrupting calls a function once in the middle of a render.
type interrupting struct {
	Sources
	middle func()
}

func (i *interrupting) Resolve(ctx context.Context, wanted Commit, tagPrefix string) (Commit, error) {
	commit, err := i.Sources.Resolve(ctx, wanted, tagPrefix)
	if i.middle != nil {
		middle := i.middle
		i.middle = nil
		middle()
	}
	return commit, err
}

// A move that comes while an application is being asked for is not lost: its answer may be about the older commit.
func TestMovedWhileAsked(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"a/a.yaml": configMap("a", "1")})
	sources := &interrupting{Sources: b.sources}
	b.engine.sources = sources
	app := application("a", from("r", "main", "a"))
	var got string
	sources.middle = func() { got = b.commitAndTell("r", "main", "c2", files{"x": configMap("x", "1")}) }
	b.get(app)
	if got != "touched: a; unchanged: " {
		t.Errorf("at the first call: %s", got)
	}
	sources.middle = func() { got = b.commitAndTell("r", "main", "c3", files{"x": configMap("x", "2")}) }
	if state := b.get(app); got != "touched: a; unchanged: " || state.Commits[0].ID != "c2" {
		t.Errorf("later: %s at %s", got, state.Commits[0].ID)
	}
	sources.middle = func() { _ = b.engine.Forget(id(app)) }
	b.get(app)
	if b.engine.Peek(id(app)) != nil || len(b.engine.index) != 0 {
		t.Error("a forgotten application is remembered again")
	}
}

func TestFollowing(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"a/a.yaml": configMap("a", "1")})
	b.sources.commit("s", "main", "d1", files{"a/a.yaml": configMap("a", "1")})
	b.get(application("a", from("r", "main", "a")))
	b.get(application("pinned", from("r", "c1", "a")))
	b.get(application("both", from("s", "main", "a"), from("r", "main", "a")))
	b.get(application("s", from("s", "main", "a")))
	b.fails(application("failed", from("r", "main", "gone")))
	if got := told(b.engine.Following(follows("r", "main")), nil); got != "touched: a both failed; unchanged: " {
		t.Error(got)
	}
	b.get(application("a", from("s", "main", "a")))
	if got := told(b.engine.Following(follows("r", "main")), nil); got != "touched: both failed; unchanged: " {
		t.Errorf("after a new spec: %s", got)
	}
}

func TestBehind(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r.git", "main", "c1", files{"a/a.yaml": configMap("a", "1"), "b/b.yaml": configMap("b", "1")})
	apps := []*v1alpha1.Application{application("a", from("r.git", "main", "a")), application("b", from("R", "main", "b"))}
	b.sources.commit("R", "main", "c1", files{"b/b.yaml": configMap("b", "1")})
	for _, app := range apps {
		b.get(app)
	}
	requireBehind := func(when string, want ...string) {
		t.Helper()
		if got := b.engine.Behind("argocd/a"); !slices.Equal(got, want) {
			t.Errorf("%s: %v are behind, want %v", when, got, want)
		}
	}
	requireBehind("at the same commit")
	b.sources.commit("r.git", "main", "c2", files{"a/a.yaml": configMap("a", "2")})
	b.get(apps[0])
	requireBehind("a went on", "argocd/b")
	b.sources.commit("R", "main", "c2", files{"b/b.yaml": {Content: "apiVersion: v1\nkind: X\nmetadata: {"}})
	b.fails(apps[1])
	requireBehind("b was asked and is broken")
}
