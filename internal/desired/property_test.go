// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/tree"
)

// randomChange changes a few of a small set of paths, so that folders, links and kinds of sources come and go.
func randomChange(r *rand.Rand) files {
	change := files{}
	for range 1 + r.IntN(3) {
		dir := []string{"a", "b", "a/sub", "shared"}[r.IntN(4)]
		p := dir + "/" + []string{"x.yaml", "y.yaml", "z.json"}[r.IntN(3)]
		switch r.IntN(8) {
		case 0, 1, 2, 3:
			change[p] = configMap(fmt.Sprintf("c%d", r.IntN(4)), fmt.Sprint(r.IntN(3)))
			if p[len(p)-4:] == "json" {
				change[p] = tree.MemoryFile{Content: fmt.Sprintf(`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "j%d"}}`, r.IntN(3))}
			}
		case 4:
			change[p] = tree.MemoryFile{}
		case 5:
			change[p] = link([]string{"../shared/x.yaml", "../b/y.yaml", "../nowhere"}[r.IntN(3)])
		case 6:
			change["current"] = link([]string{"a", "b", "nowhere"}[r.IntN(3)])
		case 7:
			change[[]string{"a", "b"}[r.IntN(2)]+"/kustomization.yaml"] = []tree.MemoryFile{{}, {}, {Content: "x"}}[r.IntN(3)]
		}
	}
	return change
}

func randomApplications() []*v1alpha1.Application {
	recursive := from("r", "main", "a")
	recursive.Directory = &v1alpha1.ApplicationSourceDirectory{Recurse: true}
	excluding := from("r", "main", ".")
	excluding.Directory = &v1alpha1.ApplicationSourceDirectory{Recurse: true, Exclude: "{b/*,*.json}"}
	return []*v1alpha1.Application{
		application("a", from("r", "main", "a")), application("sub", from("r", "main", "a/sub")), application("recursive", recursive),
		application("excluding", excluding), application("current", from("r", "main", "current")), application("pinned", from("r", "r0", "b")),
		application("both", from("r", "main", "b"), from("s", "main", "a")), application("s", from("s", "", "b")),
	}
}

// For any history, and whatever is told by Moved, the remembering engine answers as one that knows nothing.
func TestMemoEqualsFreshRender(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			b := newBench(t)
			b.sources.commit("r", "main", "r0", files{"a/x.yaml": configMap("a", "1"), "b/x.yaml": configMap("b", "1"), "shared/x.yaml": configMap("s", "1")})
			b.sources.commit("s", "main", "s0", files{"a/x.yaml": configMap("sa", "1"), "b/x.yaml": configMap("sb", "1")})
			apps := randomApplications()
			for i := 1; i < 40; i++ {
				url := []string{"r", "s"}[r.IntN(2)]
				from, _ := b.sources.resolve(Repo{URL: url}, "main")
				to := fmt.Sprintf("%s%d", url, i)
				changed := b.sources.commit(url, "main", to, randomChange(r))
				var unchanged []string
				if r.IntN(4) > 0 { // some moves are not told of
					_, unchanged = b.engine.Moved(followsAny(url), from, to, changed)
				}
				for _, app := range apps {
					proven := slices.Contains(unchanged, id(app))
					if proven {
						assertStands(t, b, app, Commit{Repo: Repo{URL: url}, ID: to})
					}
					if proven || r.IntN(3) > 0 { // not every application is asked for at every commit
						state, err := b.engine.For(context.Background(), id(app), app, newTarget(app.Name))
						assertSame(t, b, app, state, err)
					}
				}
			}
		})
	}
}

// followsAny matches main under both of its names.
func followsAny(url string) func(Commit) bool {
	return func(c Commit) bool { return c.Repo.URL == url && (c.Revision == "main" || c.Revision == "") }
}

// assertStands checks that an application that was proven unchanged is what a render at its commits gives.
func assertStands(t *testing.T, b *bench, app *v1alpha1.Application, moved Commit) {
	t.Helper()
	state := b.engine.Peek(id(app))
	var ids []string
	for _, c := range state.Commits {
		ids = append(ids, c.ID)
		if c.Repo.URL == moved.Repo.URL && c.ID != moved.ID {
			t.Fatalf("%s stands at %s after a move to %s", app.Name, c.ID, moved.ID)
		}
	}
	fresh, err := b.engine.At(context.Background(), id(app), ProjectOf(app), SourcesOf(app), ids, newTarget(app.Name))
	if err != nil {
		t.Fatalf("%s: %v", app.Name, err)
	}
	compare(t, app, fresh, state, cmpopts.IgnoreFields(Commit{}, "Revision"))
}

func assertSame(t *testing.T, b *bench, app *v1alpha1.Application, state *State, err error) {
	t.Helper()
	fresh, freshErr := NewEngine(b.sources, fakeRenderer{}, nil, nil).For(context.Background(), id(app), app, newTarget(app.Name))
	if fmt.Sprint(err) != fmt.Sprint(freshErr) {
		t.Fatalf("%s: %v, fresh %v", app.Name, err, freshErr)
	}
	compare(t, app, fresh, state)
}

func compare(t *testing.T, app *v1alpha1.Application, fresh, state *State, opts ...cmp.Option) {
	t.Helper()
	bare := func(s *State) *State { // why something was rendered is no part of the answer
		if s == nil {
			return nil
		}
		c := *s
		c.made = nil
		return &c
	}
	fresh, state = bare(fresh), bare(state)
	if reflect.DeepEqual(fresh, state) {
		return // much faster than what explains a difference
	}
	opts = append(opts, cmp.AllowUnexported(State{}, Object{}, placement{}), cmpopts.EquateEmpty())
	if diff := cmp.Diff(fresh, state, opts...); diff != "" {
		t.Fatalf("%s (-fresh +remembered)\n%s", app.Name, diff)
	}
}

// Moves, questions, outages and farewells at the same time; afterwards the answers are the right ones.
func TestConcurrency(t *testing.T) {
	sources := newSources()
	b := &bench{t: t, sources: sources, engine: NewEngine(sources, fakeRenderer{}, &mapMemory{records: map[string][]byte{}}, nil)}
	sources.commit("r", "main", "r0", files{"a/x.yaml": configMap("a", "1"), "b/x.yaml": configMap("b", "1")})
	sources.commit("s", "main", "s0", files{"a/x.yaml": configMap("a", "1"), "b/x.yaml": configMap("b", "1")})
	apps := randomApplications()
	var work sync.WaitGroup
	for n, app := range apps {
		work.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 2))
			for range 200 {
				_, _ = b.engine.For(context.Background(), id(app), app, newTarget(app.Name))
				if r.IntN(20) == 0 {
					_ = b.engine.Forget(id(app))
				}
				if state := b.engine.Peek(id(app)); state != nil && len(state.Objects) > 0 {
					_ = state.Objects[0].Decode()
				}
			}
		})
	}
	work.Go(func() {
		r := rand.New(rand.NewPCG(9, 3))
		for i := 1; i < 200; i++ {
			url := []string{"r", "s"}[r.IntN(2)]
			sources.set(url, func(repo *fakeRepo) { repo.down = false })
			from, _ := sources.resolve(Repo{URL: url}, "main")
			to := fmt.Sprintf("%s%d", url, i)
			b.engine.Moved(followsAny(url), from, to, sources.commit(url, "main", to, randomChange(r)))
			b.engine.Following(followsAny(url))
			_ = b.engine.Flush()
			sources.set(url, func(repo *fakeRepo) { repo.down = r.IntN(5) == 0 })
		}
	})
	work.Wait()
	sources.set("r", func(repo *fakeRepo) { repo.down = false })
	sources.set("s", func(repo *fakeRepo) { repo.down = false })
	for _, app := range apps {
		state, err := b.engine.For(context.Background(), id(app), app, newTarget(app.Name))
		assertSame(t, b, app, state, err)
	}
}
