// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

func TestRefs(t *testing.T) {
	th := newTheatre(t)
	values := from("v", "main", "")
	values.Ref = "values"
	both := from("v", "main", "app")
	both.Ref = "both"
	app := application("web", from("r", "main", "app"), values, both)
	th.sources.commit("r", "main", "r1", files{"app/script": text("ref values prod.yaml\nref both prod.yaml")})
	th.sources.commit("v", "main", "v1", files{"prod.yaml": text("a: 1"), "dev.yaml": text("a: 1"), "app/script": text("read x")})
	state := th.expectRenders("first", 2, app)
	if !strings.Contains(seenBy(state), "prod.yaml=a: 1") || len(state.Types) != 3 || len(state.Objects) != 2 {
		t.Errorf("%d types, %d objects, %s", len(state.Types), len(state.Objects), seenBy(state))
	}
	for i, c := range []struct {
		change  files
		touched string
		renders int
	}{
		{files{"dev.yaml": text("a: 2")}, "touched: ; unchanged: web", 0},
		{files{"prod.yaml": text("a: 2")}, "touched: web; unchanged: ", 1},
		{files{"app/x": text("1")}, "touched: web; unchanged: ", 1},
		{files{"app/y": text("1")}, "touched: ; unchanged: web", 0},
	} {
		commit := fmt.Sprintf("v%d", i+2)
		if got := th.commitAndTell("v", "main", commit, c.change); got != c.touched {
			t.Errorf("%v: %s", c.change, got)
		}
		state := th.expectRenders(fmt.Sprint(c.change), c.renders, app)
		expect(t, "revisions", []string{"r1", commit, commit}, idsOf(state.Commits))
	}
	// The same path in another repository is another file.
	if got := th.commitAndTell("r", "main", "r2", files{"prod.yaml": text("mine")}); got != "touched: ; unchanged: web" {
		t.Error(got)
	}
}

func TestRefsThatCannotBe(t *testing.T) {
	ref := func(name, chart string) v1alpha1.ApplicationSource {
		s := from("v", "main", "")
		s.Ref, s.Chart = name, chart
		return s
	}
	th := newTheatre(t)
	th.sources.commit("r", "main", "r1", files{"app/script": text("ref values x")})
	for want, sources := range map[string][]v1alpha1.ApplicationSource{
		`cannot read ref "a" at spec.sources[1].ref: a source that is a chart cannot be a ref; put the files into a Git repository of their own source`: {from("r", "main", "app"), ref("a", "nginx")},
		`cannot read ref "a" at spec.sources[0].ref: another source has the same ref; give each source a ref of its own`:                                {ref("a", ""), ref("a", "")},
		`cannot read ref "a/b" at spec.sources[0].ref: a ref is made of letters, digits, - and _ only; choose another name`:                             {ref("a/b", ""), ref("a", "")},
		`no source has ref values`: {from("r", "main", "app"), from("r", "main", "app")},
	} {
		_, err := th.ask(application("web", sources...))
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// Charts and artifacts are sources like any other, and known by their content.
func TestArtifactsAsSources(t *testing.T) {
	th := newTheatre(t)
	chart := from("charts", "^1", "")
	chart.Chart = "nginx"
	oci := from("oci://registry/app", "main", ".")
	app := application("web", chart, oci)
	th.sources.commit("charts#nginx", "^1", "1.0.0", files{"script": text("read x"), "x": text("1")})
	th.sources.commit("oci://registry/app", "main", "sha256:1", files{"script": text("var ARGOCD_APP_REVISION")})
	state := th.expectRenders("first", 2, app)
	expect(t, "revisions", []string{"1.0.0", "sha256:1"}, idsOf(state.Commits))
	if state.Commits[0].Kind != KindChart || state.Commits[1].Kind != KindOCI || state.Commits[0].Digest == "" {
		t.Errorf("commits %+v", state.Commits)
	}
	th.sources.commit("charts#nginx", "^1", "1.0.1", nil)
	th.expectRenders("the same under a newer version", 0, app)
	th.sources.commit("charts#nginx", "^1", "1.0.1", files{"x": text("2")})
	th.expectRenders("other content under the same version", 1, app)
	th.sources.commit("charts#nginx", "^1", "1.0.1", files{"unread": text("2")})
	th.expectRenders("other content that is not read", 0, app)
	th.sources.commit("oci://registry/app", "main", "sha256:2", nil)
	th.expectRenders("the same under another digest, which it names", 1, app)
	before := th.show(app)
	th.begin()
	th.sources.set("charts#nginx", func(r *fakeRepo) { r.down = true })
	after, err := th.ask(app)
	if after == nil || !cmp.Equal(before.Commits, after.Commits) {
		t.Errorf("after a restart %v, %v", after, err)
	}
}

func TestSignaturesAreAskedFor(t *testing.T) {
	th := newTheatre(t)
	th.sources.commit("r", "main", "r1", files{"app/script": text("read x")})
	app := application("web", from("r", "main", "app"))
	th.show(app)
	n := th.sources.verified.Load()
	th.show(app)
	if th.sources.verified.Load() != n || n != 1 {
		t.Errorf("asked %d times, then %d", n, th.sources.verified.Load()-n)
	}
	th.sources.unsigned = map[string]bool{"r2": true}
	if got := th.commitAndTell("r", "main", "r2", files{"readme": text("1")}); got != "touched: ; unchanged: web" {
		t.Error(got)
	}
	if state, err := th.ask(app); err == nil || state != nil {
		t.Errorf("a commit that was proven unchanged is not verified: %v, %v", state, err)
	}
	if _, err := th.engine.At(context.Background(), id(app), "default", SourcesOf(app), []string{"r2"}, th.target); err == nil {
		t.Error("a named commit is not verified")
	}
	th.sources.commit("r", "main", "r3", files{"readme": text("2")})
	th.expectRenders("a signed commit", 0, app)
	th.sources.unsigned["r3"] = true
	th.target.Version = "2"
	if state, err := th.ask(app); err == nil || state != nil {
		t.Errorf("with another policy: %v, %v", state, err)
	}
	th.sources.set("r", func(r *fakeRepo) { r.down = true })
	if state, err := th.ask(app); err == nil || state != nil {
		t.Errorf("with another policy and no repository: %v, %v", state, err)
	}
}

func TestLimitsAreOfAllSourcesTogether(t *testing.T) {
	th := newTheatre(t)
	th.sources.commit("r", "main", "r1", files{"a/script": text("object x\nobject y"), "b/script": text("object z")})
	app := application("web", from("r", "main", "a"), from("r", "main", "b"))
	th.target.Limits.Objects = 5
	th.show(app)
	th.target.Limits.Objects = 4
	if _, err := th.ask(app); !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "it has 5 objects, and an application may have 4; split it, or raise bowline.render.maxObjects") {
		t.Errorf("objects: %v", err)
	}
	th.target.Limits = render.Limits{OutputBytes: 300}
	if _, err := th.ask(app); !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "an application may have 300; split it, or raise bowline.render.maxOutput") {
		t.Errorf("bytes: %v", err)
	}
}

func TestTheSameObjectInTwoSources(t *testing.T) {
	th := newTheatre(t)
	th.sources.commit("r", "main", "r1", files{"a/script": text("object same"), "b/script": text("object same")})
	state := th.show(application("web", from("r", "main", "a"), from("r", "main", "b")))
	expect(t, "warnings", []string{"RepeatedResourceWarning: ConfigMap shop/same is defined at f1 of spec.sources[0] and again at f1 of spec.sources[1]: the last one counts; remove one"}, warnings(state))
	if o := state.Objects[1]; o.Key.Name != "same" || o.Origin.Source != 1 {
		t.Errorf("%s of source %d", o.Key, o.Origin.Source)
	}
}

func TestFactsThatWereNotKnown(t *testing.T) {
	th, tool := newTheatre(t), &forgiving{}
	th.engine.renderer = tool
	th.sources.commit("r", "main", "r1", files{"app/a": text("1")})
	app := application("web", from("r", "main", "app"))
	steps := []struct {
		facts   render.Facts
		renders int
	}{{nil, 1}, {nil, 1}, {&fakeFacts{err: errors.New("no route")}, 1}, {th.facts, 2}, {th.facts, 2}, {nil, 2}}
	for i, c := range steps {
		th.target.Facts = c.facts
		th.show(app)
		if tool.renders != c.renders {
			t.Errorf("step %d: %d renders, want %d", i, tool.renders, c.renders)
		}
	}
}
