// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"slices"
	"testing"

	"github.com/bowline-cd/bowline/internal/tree"
)

func TestSecondCallRendersNothing(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
	app := application("web", from("r", "main", "app"))
	var first, second *State
	if n := b.sources.readsOf(func() { first = b.get(app) }); n != 1 {
		t.Errorf("the first call read %d files", n)
	}
	trees := b.sources.trees.Load()
	if n := b.sources.readsOf(func() { second = b.get(app) }); n != 0 || b.sources.trees.Load() != trees {
		t.Errorf("the second call read %d files of %d trees", n, b.sources.trees.Load()-trees)
	}
	if first != second {
		t.Error("the second call made a new State")
	}
	if revision, revisions := first.Revision(false); revision != "c1" || revisions != nil || names(first) != "a" {
		t.Errorf("%s %v: %s", revision, revisions, names(first))
	}
	// A list of one source has a list of one revision.
	if revision, revisions := first.Revision(true); revision != "" || !slices.Equal(revisions, []string{"c1"}) {
		t.Errorf("%s %v", revision, revisions)
	}
}

// What a commit does to a remembered render.
func TestNewCommit(t *testing.T) {
	base := files{
		"app/a.yaml":    configMap("a", "1"),
		"app/l.yaml":    link("../shared/l.yaml"),
		"shared/l.yaml": configMap("l", "1"),
		"shared/m.yaml": configMap("m", "1"),
		"other/x.yaml":  configMap("x", "1"),
		"current":       link("app"),
		"next/n.yaml":   configMap("nn", "1"),
	}
	gone := tree.MemoryFile{}
	for _, c := range []struct {
		name    string
		path    string
		change  files
		renders bool
		want    string
	}{
		{"nothing changed", "app", files{}, false, "a l"},
		{"another folder", "app", files{"other/x.yaml": configMap("x", "2"), "new/y.yaml": configMap("y", "1")}, false, "a l"},
		{"beside a linked file", "app", files{"shared/m.yaml": configMap("m", "2")}, false, "a l"},
		{"a file changed", "app", files{"app/a.yaml": configMap("b", "1")}, true, "b l"},
		{"a file added", "app", files{"app/0.yaml": configMap("new", "1")}, true, "new a l"},
		{"a file removed", "app", files{"app/a.yaml": gone}, true, "l"},
		{"a linked file changed", "app", files{"shared/l.yaml": configMap("k", "2")}, true, "a k"},
		{"a link changed", "app", files{"app/l.yaml": link("../shared/m.yaml")}, true, "a m"},
		{"a link became a file", "app", files{"app/l.yaml": configMap("f", "1")}, true, "a f"},
		{"the path goes through a link", "current", files{"next/n.yaml": configMap("nn", "2")}, false, "a l"},
		{"a file behind the path's link", "current", files{"app/a.yaml": configMap("b", "1")}, true, "b l"},
		{"the path's link changed", "current", files{"current": link("next")}, true, "nn"},
		{"the folder became a link", "app", files{"app/a.yaml": gone, "app/l.yaml": gone, "app": link("next")}, true, "nn"},
		{"a mode changed", "app", files{"app/a.yaml": {Content: base["app/a.yaml"].Content, Mode: tree.Executable}}, true, "a l"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.sources.commit("r", "main", "c1", base)
			app := application("web", from("r", "main", c.path))
			before := b.get(app)
			b.sources.commit("r", "main", "c2", c.change)
			var after *State
			n := b.sources.readsOf(func() { after = b.get(app) })
			if (n > 0) != c.renders {
				t.Errorf("%d files were read", n)
			}
			if after.Commits[0].ID != "c2" || before.Commits[0].ID != "c1" {
				t.Errorf("revisions %s, %s", before.Commits[0].ID, after.Commits[0].ID)
			}
			if names(after) != c.want {
				t.Errorf("objects %s, want %s", names(after), c.want)
			}
			if same := before.Digest == after.Digest; same != (names(before) == c.want) {
				t.Errorf("digests are the same: %v", same)
			}
		})
	}
}

// What is wrong with a render may be what its cluster lacks.
func TestAnErrorMayBeAboutTheCluster(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
	app := application("web", from("r", "main", "app"))
	b.get(app)
	if b.engine.AsksCluster(id(app)) {
		t.Error("plain manifests ask for nothing")
	}
	b.sources.commit("r", "main", "c2", files{"app/kustomization.yaml": {Content: "- x"}})
	if _, err := b.engine.For(context.Background(), id(app), app, newTarget("web")); err == nil || !b.engine.AsksCluster(id(app)) {
		t.Errorf("it is not looked at again when the cluster changes: %v", err)
	}
}

// What makes a source another kind of source is an input too, though it is not there yet.
func TestAbsentFileAppears(t *testing.T) {
	for _, file := range []string{"kustomization.yaml", "Chart.yaml", ".argocd-source.yaml", ".argocd-source-web.yaml"} {
		t.Run(file, func(t *testing.T) {
			b := newBench(t)
			b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
			app := application("web", from("r", "main", "app"))
			b.get(app)
			b.sources.commit("r", "main", "c2", files{"app/" + file: {Content: "- x"}})
			state, err := b.engine.For(context.Background(), id(app), app, newTarget("web"))
			if err == nil || state != nil {
				t.Errorf("got %s", names(state))
			}
			if b.engine.Peek(id(app)).Commits[0].ID != "c1" {
				t.Error("what stood is forgotten")
			}
		})
	}
}

func TestSpecIsAnInput(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1"), "other/b.yaml": configMap("b", "1")})
	b.sources.commit("s", "main", "d1", files{"app/c.yaml": configMap("c", "1")})
	app := application("web", from("r", "main", "app"))
	b.get(app)
	for _, c := range []struct {
		source []string
		want   string
	}{{[]string{"r", "main", "other"}, "b"}, {[]string{"s", "", "app"}, "c"}, {[]string{"r", "c1", "app"}, "a"}} {
		app := application("web", from(c.source[0], c.source[1], c.source[2]))
		if got := names(b.get(app)); got != c.want {
			t.Errorf("%v gives %s", c.source, got)
		}
	}
}

func TestTargetIsAnInput(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
	app := application("web", from("r", "main", "app"))
	b.get(app)
	target := newTarget("web")
	target.Namespace, target.Version = "prod", "2"
	var state *State
	n := b.sources.readsOf(func() {
		var err error
		if state, err = b.engine.For(context.Background(), id(app), app, target); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 || state.Objects[0].Key.Namespace != "prod" {
		t.Errorf("%d files were read for %s", n, state.Objects[0].Key)
	}
	b.sources.commit("r", "main", "c2", files{"other": configMap("x", "1")})
	if state := b.get(app); state.Objects[0].Key.Namespace != "shop" || state.Commits[0].ID != "c2" {
		t.Errorf("at another commit and target at once: %s at %s", state.Objects[0].Key, state.Commits[0].ID)
	}
}

func TestSeveralSources(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
	b.sources.commit("s", "main", "d1", files{"app/b.yaml": configMap("b", "1"), "values.yaml": {Content: "x: y"}})
	values := from("s", "main", "")
	values.Ref = "values"
	app := application("web", from("r", "main", "app"), from("s", "main", "app"), values)
	state := b.get(app)
	if _, revisions := state.Revision(true); !slices.Equal(revisions, []string{"c1", "d1", "d1"}) {
		t.Errorf("revisions %v", revisions)
	}
	if names(state) != "a b" || len(state.Types) != 3 || state.Types[2] != "" || state.Objects[1].Origin.Source != 1 {
		t.Errorf("objects %s of %v, origins %+v", names(state), state.Types, state.Objects[1].Origin)
	}
	b.sources.commit("s", "main", "d2", files{"app/b.yaml": configMap("b2", "1")})
	if n := b.sources.readsOf(func() { state = b.get(app) }); n != 1 || names(state) != "a b2" {
		t.Errorf("%d files were read: %s at %v", n, names(state), idsOf(state.Commits))
	}
	b.sources.commit("s", "main", "d3", files{"values.yaml": {Content: "x: z"}})
	if n := b.sources.readsOf(func() { state = b.get(app) }); n != 0 || idsOf(state.Commits)[2] != "d3" {
		t.Errorf("%d files were read at %v", n, idsOf(state.Commits))
	}
}

func TestErrors(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
	for name, c := range map[string]struct {
		sources []string
		want    string
	}{
		"no source":   {nil, "cannot read the application at spec.source: it names no source; set spec.source.repoURL and spec.source.path"},
		"no revision": {[]string{"r", "gone", "app"}, "no revision gone"},
		"no folder":   {[]string{"r", "main", "gone"}, `cannot render path "gone" at spec.source.path: there is no such folder in the repository at this revision; check the path and the targetRevision`},
		"climbs out":  {[]string{"r", "main", "../x"}, `cannot render path "../x" at spec.source.path: ../x leads out of the repository; keep paths and links inside the repository`},
	} {
		t.Run(name, func(t *testing.T) {
			app := application("web")
			if c.sources != nil {
				app = application("web", from(c.sources[0], c.sources[1], c.sources[2]))
			}
			state, err := b.engine.For(context.Background(), id(app), app, newTarget("web"))
			if err == nil || err.Error() != c.want || state != nil {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// A commit that cannot be rendered leaves the last State in place, and the next one is rendered.
func TestBrokenCommit(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
	app := application("web", from("r", "main", "app"))
	b.get(app)
	b.sources.commit("r", "main", "c2", files{"app/b.yaml": {Content: "apiVersion: v1\nkind: X\nmetadata: {"}})
	if state, err := b.engine.For(context.Background(), id(app), app, newTarget("web")); err == nil || state != nil {
		t.Errorf("got %s, %v", names(state), err)
	}
	if state := b.engine.Peek(id(app)); state.Commits[0].ID != "c1" || names(state) != "a" {
		t.Errorf("%s at %s stands", names(state), state.Commits[0].ID)
	}
	b.sources.commit("r", "main", "c3", files{"app/b.yaml": configMap("b", "1")})
	if state := b.get(app); names(state) != "a b" {
		t.Errorf("after the mend: %s", names(state))
	}
}

func TestAt(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
	b.sources.commit("r", "main", "c2", files{"app/a.yaml": configMap("b", "1")})
	b.sources.commit("s", "main", "d1", files{"app/c.yaml": configMap("c", "1")})
	b.sources.commit("s", "main", "d2", files{"app/c.yaml": configMap("d", "1")})
	app := application("web", from("r", "main", "app"), from("s", "main", "app"))
	if got := names(b.get(app)); got != "b d" {
		t.Fatalf("at the newest: %s", got)
	}
	for _, c := range []struct {
		revisions []string
		want      string
	}{{[]string{"c1", "d1"}, "a c"}, {[]string{"c1"}, "a d"}, {[]string{"", "d1"}, "b c"}, {nil, "b d"}} {
		state, err := b.engine.At(context.Background(), id(app), "default", app.Spec.Sources, c.revisions, newTarget("web"))
		if err != nil || names(state) != c.want {
			t.Errorf("%v: %s, %v", c.revisions, names(state), err)
		}
	}
	if state := b.engine.Peek(id(app)); names(state) != "b d" {
		t.Errorf("it is remembered: %s", names(state))
	}
	if _, err := b.engine.At(context.Background(), id(app), "default", app.Spec.Sources, []string{"gone"}, newTarget("web")); err == nil {
		t.Error("a revision that is not there was found")
	}
	if _, err := b.engine.At(context.Background(), id(app), "default", nil, nil, newTarget("web")); err == nil {
		t.Error("no source gives a State")
	}
}

// A large repository sends only what is asked for; where links lead is asked for once it is known.
func TestPlannedFetches(t *testing.T) {
	b := newBench(t)
	b.sources.set("r", func(r *fakeRepo) { r.large = true })
	b.sources.commit("r", "main", "c1", files{
		"current": link("app"), "app/a.yaml": configMap("a", "1"), "app/b.yaml": link("../shared/b.yaml"), "app/c.yaml": link("../shared/hop"),
		"shared/b.yaml": configMap("b", "1"), "shared/hop": link("../far/c.yaml"), "far/c.yaml": configMap("c", "1"),
	})
	app := application("web", from("r", "main", "current"))
	if state := b.get(app); names(state) != "a b c" {
		t.Errorf("got %s", names(state))
	}
	b.sources.commit("r", "main", "c2", files{"far/c.yaml": configMap("c2", "1")})
	trees := b.sources.trees.Load()
	if state := b.get(app); names(state) != "a b c2" {
		t.Errorf("got %s", names(state))
	}
	if n := b.sources.trees.Load() - trees; n != 2 { // one to see whether it holds, one to render
		t.Errorf("what was read before is asked for piece by piece: %d fetches", n)
	}
}

// What is still missing after it was asked for is an error, not a loop and not an absence.
func TestMissingForGood(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
	b.engine.sources = lossy{b.sources}
	app := application("web", from("r", "main", "app"))
	state, err := b.engine.For(context.Background(), id(app), app, newTarget("web"))
	if state != nil || err == nil || err.Error() != "app/a.yaml was not fetched" {
		t.Errorf("got %s, %v", names(state), err)
	}
}

// lossy never has any content.
type lossy struct{ *fakeSources }

func (l lossy) Tree(ctx context.Context, commit Commit, paths []string) (tree.Tree, error) {
	t, err := l.fakeSources.Tree(ctx, commit, paths)
	if err != nil {
		return nil, err
	}
	return &fetchedTree{t, l.fakeSources, nil}, nil
}

func TestForget(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "1")})
	app := application("web", from("r", "main", "app"))
	b.get(app)
	if err := b.engine.Forget(id(app)); err != nil {
		t.Fatal(err)
	}
	if b.engine.Peek(id(app)) != nil || len(b.engine.index) != 0 || len(b.engine.asked) != 0 {
		t.Errorf("left behind: %v %v", b.engine.index, b.engine.asked)
	}
	if touched, unchanged := b.engine.Moved(follows("r", "main"), "c1", "c2", []string{"app/a.yaml"}); touched != nil || unchanged != nil {
		t.Errorf("%v %v", touched, unchanged)
	}
	if n := b.sources.readsOf(func() { b.get(app) }); n != 1 {
		t.Errorf("afterwards %d files were read", n)
	}
	if err := b.engine.Forget("nobody"); err != nil {
		t.Error(err)
	}
}
