// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// withRemotes is an application that needs a base, which needs a chart and a file in turn.
func withRemotes(t *testing.T) (*theatre, *v1alpha1.Application) {
	th := newTheatre(t)
	th.sources.commit("r", "main", "r1", files{"app/script": text("read a\ngit base main x/script"), "app/a": text("1")})
	th.sources.commit("base", "main", "b1", files{"x/script": text("read b\nchart charts nginx ^1 values.yaml\nfile https://files/v"), "x/b": text("1"), "other": text("1")})
	th.sources.commit("charts#nginx", "^1", "1.2.0", files{"values.yaml": text("n: 1"), "Chart.yaml": text("1")})
	th.sources.commit("https://files/v", "main", "f1", files{"file": text("v: 1")})
	return th, application("web", from("r", "main", "app"))
}

func TestNeedsAreResolvedToAFixpoint(t *testing.T) {
	th, app := withRemotes(t)
	state := th.expectRenders("first", 1, app)
	expect(t, "remotes", []string{"base@b1", "chartsnginx@1.2.0", "https://files/v@f1"}, remotesAt(state))
	for _, want := range []string{"app/a=1", "x/b=1", "values.yaml=n: 1", "file=v: 1"} {
		if !strings.Contains(seenBy(state), want) {
			t.Errorf("%q was not read: %s", want, seenBy(state))
		}
	}
	if state.Commits[0].ID != "r1" {
		t.Errorf("the revision is %q: remotes are no sources", state.Commits[0].ID)
	}
	resolves := th.sources.resolves.Load()
	if again := th.expectRenders("again", 0, app); again != state || th.sources.resolves.Load() != resolves+1 {
		t.Errorf("the second answer is another one, or asked for remotes: %d", th.sources.resolves.Load()-resolves)
	}
}

// Remotes that moved are not looked at until something says so.
func TestPinsAreKept(t *testing.T) {
	th, app := withRemotes(t)
	th.show(app)
	changed := th.sources.commit("base", "main", "b2", files{"x/b": text("2")})
	th.expectRenders("the base moved, and nobody said so", 0, app)

	if got := told(th.engine.Moved(follows("base", "main"), "b1", "b2", changed)); got != "touched: web; unchanged: " {
		t.Errorf("the poller says so: %s", got)
	}
	state := th.expectRenders("the poller said so", 1, app)
	expect(t, "remotes", []string{"base@b2", "chartsnginx@1.2.0", "https://files/v@f1"}, remotesAt(state))

	changed = th.sources.commit("base", "main", "b3", files{"other": text("2")})
	th.sources.commit("charts#nginx", "^1", "1.2.1", files{"values.yaml": text("n: 2")})
	if got := told(th.engine.Moved(follows("base", "main"), "b2", "b3", changed)); got != "touched: ; unchanged: web" {
		t.Errorf("the base moved in what nobody reads: %s", got)
	}
	state = th.expectRenders("the base moved in what nobody reads", 0, app)
	expect(t, "remotes", []string{"base@b3", "chartsnginx@1.2.0", "https://files/v@f1"}, remotesAt(state))

	th.sources.commit("https://files/v", "main", "f2", files{"file": text("v: 2")})
	if got := th.commitAndTell("r", "main", "r2", files{"readme": text("1")}); got != "touched: web; unchanged: " {
		t.Errorf("remotes are to be resolved anew with every commit: %s", got)
	}
	state = th.expectRenders("the own commit moved", 1, app)
	expect(t, "remotes", []string{"base@b3", "chartsnginx@1.2.1", "https://files/v@f2"}, remotesAt(state))

	th.sources.commit("https://files/v", "main", "f3", files{"file": text("v: 3")})
	th.engine.Afresh(id(app))
	state = th.expectRenders("a fresh answer was asked for", 1, app)
	expect(t, "remotes", []string{"base@b3", "chartsnginx@1.2.1", "https://files/v@f3"}, remotesAt(state))

	th.sources.commit("https://files/v", "main", "f4", files{"file": text("v: 4")})
	if got := th.engine.Following(func(c Commit) bool { return c.Kind == KindFile && c.ID == "" && c.Digest == "" }); !slices.Equal(got, []string{id(app)}) {
		t.Errorf("who needs a file: %v", got)
	}
	state = th.expectRenders("what changed of a remote is not known", 1, app)
	expect(t, "remotes", []string{"base@b3", "chartsnginx@1.2.1", "https://files/v@f4"}, remotesAt(state))
}

// A remote that moved in files nobody reads costs no render.
func TestRemoteMovedElsewhere(t *testing.T) {
	th := newTheatre(t)
	commit := strings.Repeat("a", 40)
	th.sources.commit("r", "main", "r1", files{"app/script": text("git base " + commit + " x\nchart charts nginx 1.2.3 Chart.yaml")})
	th.sources.commit("base", commit, commit, files{"x": text("1")})
	th.sources.commit("charts#nginx", "1.2.3", "1.2.3", files{"Chart.yaml": text("1")})
	app := application("web", from("r", "main", "app"))
	th.show(app)
	changed := th.sources.commit("r", "main", "r2", files{"readme": text("1")})
	if got := told(th.engine.Moved(follows("r", "main"), "r1", "r2", changed)); got != "touched: ; unchanged: web" {
		t.Errorf("exact remotes: %s", got)
	}
	resolves := th.sources.resolves.Load()
	state := th.expectRenders("exact remotes", 0, app)
	if th.sources.resolves.Load() != resolves+1 || state.Commits[0].ID != "r2" || len(state.Remotes) != 2 {
		t.Errorf("%d resolved, at %s with %v", th.sources.resolves.Load()-resolves, state.Commits[0].ID, state.Remotes)
	}
	th.sources.commit("r", "main", "r3", files{"readme": text("2")})
	resolves = th.sources.resolves.Load()
	if th.expectRenders("exact remotes, at a commit nobody told of", 0, app); th.sources.resolves.Load() != resolves+1 {
		t.Errorf("what is the same at all times was resolved: %d", th.sources.resolves.Load()-resolves)
	}
}

func TestRemotesThatArePinnedTwiceAreTheSame(t *testing.T) {
	th := newTheatre(t)
	th.sources.commit("r", "main", "r1", files{"a/script": text("git base main x"), "b/script": text("git base main x")})
	th.sources.commit("base", "main", "b1", files{"x": text("1")})
	app := application("web", from("r", "main", "a"), from("r", "main", "b"))
	th.show(app)
	th.sources.commit("base", "main", "b2", files{"x": text("2")})
	th.sources.commit("r", "main", "r2", files{"a/script": text("git base main x\nvar ARGOCD_APP_NAME")})
	state := th.expectRenders("one source changed", 2, app)
	expect(t, "remotes", []string{"base@b2"}, remotesAt(state))
}

func TestARemoteThatIsNotNeededAnyMore(t *testing.T) {
	th, app := withRemotes(t)
	th.show(app)
	th.sources.set("base", func(r *fakeRepo) { r.down = true })
	th.sources.commit("r", "main", "r2", files{"app/script": text("read a")})
	state, err := th.ask(app)
	var unreachable *UnreachableError
	if err != nil && !errors.As(err, &unreachable) {
		t.Fatal(err)
	}
	if err == nil && len(state.Remotes) != 0 || state == nil {
		t.Errorf("remotes %v", state.Remotes)
	}
	if err != nil {
		t.Errorf("a repository that is needed no more keeps the application from its newest commit: %v", err)
	}
}

func TestAnUnreachableRemoteKeepsWhatStands(t *testing.T) {
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			th, app := withRemotes(t)
			before := th.show(app)
			th.sources.set("base", outage)
			th.sources.commit("r", "main", "r2", files{"app/a": text("2")})
			th.sources.commit("base", "main", "b2", files{"x/b": text("2")})
			state, err := th.ask(app)
			var unreachable *UnreachableError
			if !errors.As(err, &unreachable) || state == nil || state.Digest != before.Digest || state.Commits[0].ID != "r1" {
				t.Fatalf("%v stands, %v", state, err)
			}
			if !strings.Contains(err.Error(), "base") || !strings.Contains(err.Error(), "app/script:1") {
				t.Errorf("who asks for what is not said: %v", err)
			}
			expect(t, "remotes", []string{"base@b1", "chartsnginx@1.2.0", "https://files/v@f1"}, remotesAt(state))
			th.begin()
			th.sources.set("r", func(r *fakeRepo) { r.down = true })
			th.sources.set("base", func(r *fakeRepo) { r.lost = false })
			state, err = th.ask(app)
			if !errors.As(err, &unreachable) || state == nil || state.Digest != before.Digest || len(state.Remotes) != 3 {
				t.Errorf("after a restart: %v stands, %v", state, err)
			}
		})
	}
}

func TestNeedsHaveToBePermitted(t *testing.T) {
	th, app := withRemotes(t)
	th.target.PermitSource = func(url string) error {
		if url == "charts" {
			return fault.New(fault.Forbidden, "use", "repository "+url, "", "project default does not permit it", "")
		}
		return nil
	}
	_, err := th.ask(app)
	if !fault.Is(err, fault.Forbidden) || err.Error() != "cannot read chart nginx of charts at ^1 at x/script:2: cannot use repository charts: project default does not permit it" {
		t.Errorf("got %v", err)
	}
	th.target.PermitSource = func(string) error { return nil }
	th.show(app)
	th.target.PermitSource = func(string) error { return errors.New("not any more") }
	if state, err := th.ask(app); err == nil || state != nil {
		t.Errorf("what is remembered is shown: %v, %v", state, err)
	}
	th.target.PermitSource = nil
	if state, err := th.ask(app); err == nil || state != nil {
		t.Errorf("nobody permits it: %v, %v", state, err)
	}
	th.sources.set("r", func(r *fakeRepo) { r.down = true })
	th.target.Version = "2"
	if state, err := th.ask(app); err == nil || state != nil {
		t.Errorf("what stands is shown: %v, %v", state, err)
	}
}

func TestNeedsAreBounded(t *testing.T) {
	th := newTheatre(t)
	for i := range 30 {
		th.sources.commit(fmt.Sprintf("base%d", i), "main", fmt.Sprintf("b%d", i), files{"script": text(fmt.Sprintf("git base%d main script", i+1))})
	}
	th.sources.commit("r", "main", "r1", files{"deep/script": text("git base0 main script"), "wide/script": text(strings.Repeat("file https://x/"+"\n", 1))})
	_, err := th.ask(application("web", from("r", "main", "deep")))
	if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "10 times over") || !strings.Contains(err.Error(), "base10") {
		t.Errorf("too deep: %v", err)
	}
	var wide strings.Builder
	for i := range 101 {
		fmt.Fprintf(&wide, "git base main%d x\n", i)
		th.sources.commit("base", fmt.Sprintf("main%d", i), "b", files{"x": text("1")})
	}
	th.sources.commit("r", "main", "r2", files{"wide/script": text(wide.String())})
	_, err = th.ask(application("web", from("r", "main", "wide")))
	if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "more than 100") {
		t.Errorf("too wide: %v", err)
	}
}

// insatiable asks for the same thing again and again.
type insatiable struct{}

func (insatiable) Render(context.Context, render.Input) (render.Output, error) {
	return render.Output{Needs: []render.Need{{Kind: render.NeedGit, URL: "https://user:pass@base", Where: "k.yaml:1"}}}, nil
}

func TestARendererThatIsNeverSatisfied(t *testing.T) {
	th := newTheatre(t)
	th.sources.commit("r", "main", "r1", files{"app/x": text("1")})
	th.sources.commit("https://user:pass@base", "main", "b1", files{"x": text("1")})
	th.engine.renderer = insatiable{}
	_, err := th.ask(application("web", from("r", "main", "app")))
	if !fault.Is(err, fault.Bug) || strings.Contains(err.Error(), "pass") || !strings.Contains(err.Error(), "k.yaml:1") {
		t.Errorf("got %v", err)
	}
}

// A way back to an earlier commit is made of what the application needed then.
func TestAtUsesThePinsOfThen(t *testing.T) {
	th, app := withRemotes(t)
	first := th.show(app)
	th.sources.commit("base", "main", "b2", files{"x/b": text("2")})
	th.sources.commit("r", "main", "r2", files{"app/a": text("2")})
	second := th.show(app)
	th.sources.commit("base", "main", "b3", files{"x/b": text("3")})
	for _, when := range []string{"in the same process", "after a restart", "after a restart and a look"} {
		for commit, want := range map[string]*State{"r1": first, "r2": second} {
			got, err := th.engine.At(context.Background(), id(app), "default", SourcesOf(app), []string{commit}, th.target)
			if err != nil || got.Digest != want.Digest || !slices.Equal(got.Remotes, want.Remotes) {
				t.Errorf("%s at %s: remotes %v, %v", when, commit, remotesAt(got), err)
			}
		}
		th.begin()
		if when == "after a restart" {
			th.sources.commit("r", "main", "r3", files{"app/a": text("3")})
			expect(t, "remotes", []string{"base@b3", "chartsnginx@1.2.0", "https://files/v@f1"}, remotesAt(th.show(app)))
		}
	}
	if got := th.engine.Peek(id(app)); got != nil {
		t.Errorf("a look back is remembered: %s", got.Commits[0].ID)
	}
}

// A chart repository may go by the name that a Secret gives it: then resolving it asks the project.
func TestNamedRepositoriesArePermittedAgainWithEachTarget(t *testing.T) {
	th := newTheatre(t)
	th.sources.commit("r", "main", "r1", files{"app/script": text("chart @charts nginx ^1 Chart.yaml")})
	th.sources.commit("@charts#nginx", "^1", "1.0.0", files{"Chart.yaml": text("1")})
	app := application("web", from("r", "main", "app"))
	th.show(app)
	th.expectRenders("again", 0, app)
	th.sources.set("@charts#nginx", func(r *fakeRepo) { r.refused = true })
	th.expectRenders("under the same rules", 0, app)
	th.target.Version = "2"
	if state, err := th.ask(app); err == nil || state != nil {
		t.Errorf("the project permits it no more: %v, %v", state, err)
	}
	th.sources.set("r", func(r *fakeRepo) { r.down = true })
	if state, err := th.ask(app); err == nil || errors.Is(err, ErrUnreachable) || state != nil {
		t.Errorf("what stands is shown: %v, %v", state, err)
	}
	th.sources.set("@charts#nginx", func(r *fakeRepo) { r.refused, r.down = false, true })
	if state, err := th.ask(app); !errors.Is(err, ErrUnreachable) || state == nil {
		t.Errorf("neither answers: %v, %v", state, err)
	}
}

// What a commit shows depends on settings and project too: they say whether submodules are followed.
func TestTreesAreLookedAtAgainWithEachTarget(t *testing.T) {
	th := newTheatre(t)
	th.sources.commit("r", "main", "r1", files{"app/script": text("list sub"), "app/sub/x": text("1")})
	app := application("web", from("r", "main", "app"))
	th.show(app)
	th.sources.commit("r", "main", "r1", files{"app/sub/y": text("1")}) // the same commit shows something else
	th.expectRenders("under the same rules", 0, app)
	th.target.Version = "2"
	th.expectRenders("under other rules", 1, app)
	trees := th.sources.trees.Load()
	if th.expectRenders("again", 0, app); th.sources.trees.Load() != trees {
		t.Error("the tree is looked at again each time")
	}
}

// A remote whose pinned commit is gone is resolved anew. Whoever looks back is told instead.
func TestAPinThatIsGone(t *testing.T) {
	th, app := withRemotes(t)
	th.show(app)
	th.sources.commit("base", "main", "b2", files{"x/b": text("2")})
	th.sources.commit("r", "main", "r2", files{"app/a": text("2")})
	th.show(app)
	th.sources.set("base", func(r *fakeRepo) { delete(r.commits, "b1"); delete(r.commits, "b2") })
	th.sources.commit("base", "main", "b3", files{"x/script": text("read b"), "x/b": text("3")})
	if state, err := th.engine.At(context.Background(), id(app), "default", SourcesOf(app), []string{"r1"}, th.target); err == nil || !strings.Contains(err.Error(), "no commit b1") {
		t.Errorf("a look back shows something else: %v, %v", remotesAt(state), err)
	}
	app.Spec.Source.Kustomize = &v1alpha1.ApplicationSourceKustomize{}
	expect(t, "remotes", []string{"base@b3"}, remotesAt(th.expectRenders("another spec at the same commit", 1, app)))
}

func TestPinned(t *testing.T) {
	th, app := withRemotes(t)
	th.show(app)
	if got := th.engine.Pinned("nobody"); got != nil {
		t.Errorf("of nobody: %v", got)
	}
	for i := range 15 {
		th.sources.commit("base", "main", fmt.Sprintf("b%d", i+2), files{"x/b": text(fmt.Sprint(i))})
		th.sources.commit("r", "main", fmt.Sprintf("r%d", i+2), files{"app/a": text(fmt.Sprint(i))})
		th.show(app)
	}
	var bases []string
	for _, c := range th.engine.Pinned(id(app)) {
		if c.Repo.URL == "base" {
			bases = append(bases, c.ID)
		}
	}
	if len(bases) != maxPast+1 || !slices.Contains(bases, "b16") || !slices.Contains(bases, "b6") {
		t.Errorf("kept: %v", bases)
	}
}

// careless takes what it cannot read for absent.
type careless struct{}

func (careless) Render(ctx context.Context, in render.Input) (render.Output, error) {
	for _, t := range []tree.Tree{in.Tree, in.Refs["v"]} {
		_, _ = tree.ReadFile(ctx, t, "far/x", -1)
	}
	return render.Output{Type: v1alpha1.ApplicationSourceTypePlugin}, nil
}

// What could not be read is never taken for absent, whatever a tool makes of it.
func TestAToolThatSwallowsErrors(t *testing.T) {
	th := newTheatre(t)
	th.engine.renderer = careless{}
	th.sources.commit("r", "main", "r1", files{"app/a": text("1"), "far/x": text("1")})
	th.sources.commit("v", "main", "v1", files{"far/x": text("1")})
	values := from("v", "main", "")
	values.Ref = "v"
	app := application("web", from("r", "main", "app"), values)
	for _, url := range []string{"r", "v"} {
		th.sources.set(url, func(r *fakeRepo) { r.large = true })
	}
	state := th.show(app)
	if reads := state.Explain().Sources[0].Reads; len(reads) != 2 {
		t.Errorf("it read %v", reads)
	}
	th.engine.sources = lossy{th.sources}
	th.engine.Afresh(id(app))
	if state, err := th.ask(app); state != nil || err == nil || err.Error() != "far/x was not fetched" {
		t.Errorf("got %v, %v", state, err)
	}
}

// forgiving asks the cluster and goes on without an answer.
type forgiving struct{ renders int }

func (f *forgiving) Render(ctx context.Context, in render.Input) (render.Output, error) {
	f.renders++
	_, _ = in.KubeVersion(ctx)
	_, _ = in.APIVersions(ctx)
	return render.Output{Type: v1alpha1.ApplicationSourceTypeHelm, Used: in.Trace.Used()}, nil
}
