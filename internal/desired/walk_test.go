// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// walk is a random history of several repositories, and applications made of refs, remotes, variables and facts of them.
type walk struct {
	*theatre
	r    *rand.Rand
	apps []*v1alpha1.Application
	n    int
	own  string // the repository that the last move was of
}

func newWalk(t *testing.T, seed uint64) *walk {
	w := &walk{theatre: newTheatre(t), r: rand.New(rand.NewPCG(seed, 11))}
	w.sources.commit("r", "main", "r0", files{
		"plain/script": text("read a\nlist sub\nread ../shared/x"), "plain/a": text("1"), "shared/x": text("1"),
		"ref/script":    text("ref v prod\nvar ARGOCD_APP_NAME"),
		"base/script":   text("git b main x/script\nread a"),
		"exact/script":  text("git b " + exactBase + " x/script\nread a"),
		"named/script":  text("var ARGOCD_APP_REVISION\nread a"),
		"facts/script":  text("kube\napis\nread a"),
		"remote/script": text("chart c n ^1 values\nfile https://f\ngit r main shared/x"),
	})
	w.sources.commit("v", "main", "v0", files{"prod": text("1"), "dev": text("1"), "app/script": text("read a")})
	w.sources.commit("b", "main", "b0", files{"x/script": text("read a"), "x/a": text("1")})
	w.sources.commit("b", exactBase, exactBase, files{"x/script": text("read a"), "x/a": text("0")})
	w.sources.commit("c#n", "^1", "c0", files{"values": text("1")})
	w.sources.commit("https://f", "main", "f0", files{"file": text("1")})
	for _, name := range []string{"plain", "base", "exact", "named", "facts", "remote"} {
		w.apps = append(w.apps, application(name, from("r", "main", name)))
	}
	values, both := from("v", "main", ""), from("v", "main", "app")
	values.Ref, both.Ref = "v", "v"
	w.apps = append(w.apps, application("ref", from("r", "main", "ref"), values), application("both", from("r", "main", "ref"), both, from("r", "main", "plain")))
	return w
}

var exactBase = strings.Repeat("e", 40)

// step changes something and tells the engine, or not. It returns those that are proven unchanged.
func (w *walk) step() (unchanged []string) {
	w.n++
	value := text(fmt.Sprint(w.r.IntN(3)))
	w.own = ""
	move := func(url string, paths ...string) {
		before, _ := w.sources.resolve(Repo{URL: url}, "main")
		to := fmt.Sprintf("%s%d", url, w.n)
		changed := w.sources.commit(url, "main", to, files{paths[w.r.IntN(len(paths))]: value})
		// What moves besides the own sources is not noticed unless somebody says so.
		if url == "b" || url == "r" || w.r.IntN(4) > 0 {
			_, unchanged = w.engine.Moved(follows(url, "main"), before, to, changed)
			w.own = url
		}
	}
	switch w.r.IntN(8) {
	case 0, 1, 2:
		move("r", "plain/a", "plain/sub/x", "shared/x", "base/a", "named/a", "facts/a", "exact/a", "readme")
	case 3:
		move("v", "prod", "dev", "app/a", "plain/a")
	case 4:
		move("b", "x/a", "x/b", "plain/a", "a")
	case 5:
		w.sources.commit("c#n", "^1", fmt.Sprintf("c%d", w.n), files{[]string{"values", "other"}[w.r.IntN(2)]: value})
		w.engine.Following(func(c Commit) bool { return c.Kind == KindChart })
	case 6:
		w.sources.commit("https://f", "main", fmt.Sprintf("f%d", w.n), files{"file": value})
		w.engine.Following(func(c Commit) bool { return c.Kind == KindFile })
	case 7:
		w.facts.version = "v1." + value.Content + ".0"
	}
	return unchanged
}

// For any history, whatever is told by Moved and however often the process starts again: the remembering engine answers
// as one that knows nothing, and who is proven unchanged is.
func TestRememberedEqualsFresh(t *testing.T) {
	seeds := uint64(10)
	if os.Getenv("BOWLINE_SOAK") != "" {
		seeds = 300
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWalk(t, seed)
			for range 60 {
				unchanged := w.step()
				if w.r.IntN(15) == 0 {
					w.begin()
					unchanged = nil
				}
				for _, app := range w.apps {
					proven := slices.Contains(unchanged, id(app))
					if proven {
						w.assertProven(app)
					}
					if proven || w.r.IntN(3) > 0 {
						w.assertFresh(app)
					}
				}
			}
		})
	}
}

func (w *walk) of(app *v1alpha1.Application) Target {
	target := w.target
	target.Instance, target.Release = app.Name, app.Name
	return target
}

// assertProven checks that a state that was never looked at again is what its source set gives.
func (w *walk) assertProven(app *v1alpha1.Application) {
	w.t.Helper()
	state := w.engine.Peek(id(app))
	for _, c := range slices.Concat(state.Commits, state.Remotes) {
		now, _ := w.sources.resolve(Repo{URL: address(c)}, c.Revision)
		if c.Repo.URL == w.own && c.ID != now {
			w.t.Fatalf("%s stands at %s of %s, which is at %s", app.Name, c.ID, c.Repo.URL, now)
		}
	}
	record, err := json.Marshal(record{Commits: idsOf(state.Commits), Remotes: state.Remotes})
	if err != nil {
		w.t.Fatal(err)
	}
	fresh := NewEngine(w.sources, w.play, &mapMemory{records: map[string][]byte{id(app): record}}, nil)
	target := w.of(app)
	if app.Name == "facts" {
		target.Facts = &fakeFacts{version: state.Explain().Sources[0].KubeVersion, apis: w.facts.apis} // clusters say by themselves what they can do
	}
	want, err := fresh.At(context.Background(), id(app), ProjectOf(app), SourcesOf(app), idsOf(state.Commits), target)
	if err != nil {
		w.t.Fatal(err)
	}
	if want.Digest != state.Digest || want.Inputs != state.Inputs || !slices.Equal(want.Remotes, state.Remotes) {
		w.t.Fatalf("%s was proven unchanged with %v:\n%s\nand is with %v\n%s", app.Name, remotesAt(state), seenBy(state), remotesAt(want), seenBy(want))
	}
}

func (w *walk) assertFresh(app *v1alpha1.Application) {
	w.t.Helper()
	state, err := w.engine.For(context.Background(), id(app), app, w.of(app))
	if err != nil {
		w.t.Fatal(err)
	}
	want, err := NewEngine(w.sources, w.play, nil, nil).For(context.Background(), id(app), app, w.of(app))
	if err != nil {
		w.t.Fatal(err)
	}
	compare(w.t, app, want, state)
}

// In a repository of many applications a commit renders those that it touches, and no others.
func TestACommitRendersOnlyWhatItTouches(t *testing.T) {
	const n, sharing = 300, 30
	th := newTheatre(t)
	all := files{"base/a": text("1")}
	apps := make([]*v1alpha1.Application, n)
	for i := range n {
		script := "read a"
		if i%(n/sharing) == 0 {
			script = "read a\nread /base/a"
		}
		all[fmt.Sprintf("app%d/script", i)], all[fmt.Sprintf("app%d/a", i)] = text(script), text("1")
		apps[i] = application(fmt.Sprintf("app%d", i), from("r", "main", fmt.Sprintf("app%d", i)))
	}
	th.sources.commit("r", "main", "c0", all)
	show := func() {
		for _, app := range apps {
			if _, err := th.engine.For(context.Background(), id(app), app, newTarget(app.Name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	show()
	for i, c := range []struct {
		path string
		want int
	}{{"app7/a", 1}, {"readme", 0}, {"base/a", sharing}, {"base/b", 0}} {
		from, to := fmt.Sprintf("c%d", i), fmt.Sprintf("c%d", i+1)
		touched, unchanged := th.engine.Moved(follows("r", "main"), from, to, th.sources.commit("r", "main", to, files{c.path: text("2")}))
		if len(touched) != c.want || len(unchanged) != n-c.want {
			t.Errorf("%s: %d touched, %d unchanged", c.path, len(touched), len(unchanged))
		}
		trees := th.sources.trees.Load()
		if got := th.rendersOf(show); got != c.want {
			t.Errorf("%s: %d renders, want %d", c.path, got, c.want)
		}
		if got := th.sources.trees.Load() - trees; got > int64(2*c.want) {
			t.Errorf("%s: %d trees were looked at", c.path, got)
		}
	}
}
