// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

func TestRootsOfReads(t *testing.T) {
	set := readsOf(tree.ReadSet{
		Paths: map[string]string{"a/x": "1", "a-b": "2", "a.yaml": "", "b/deep/x": "3", "b/deep/x/y": ""},
		Lists: map[string]string{"a": "4", "a/sub": "5", "c d": "6"},
	})
	if got := strings.Join(set.roots(), " "); got != "a a-b a.yaml b/deep/x c d" {
		t.Errorf("roots %q", got)
	}
	all := readsOf(tree.ReadSet{Paths: map[string]string{"a": "1"}, Lists: map[string]string{"": "2"}})
	if got := all.roots(); len(got) != 1 || got[0] != "" || !all.touched("x/y") {
		t.Errorf("of the root: %q", got)
	}
}

// A packed read set says the same as the one that it was made of.
func TestPackedReadsAreTheReadSet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	name := func() string { return []string{"a", "a-b", "a.b", "b", "b!"}[r.IntN(5)] }
	path := func() string {
		p := name()
		for range r.IntN(3) {
			p += "/" + name()
		}
		return p
	}
	for range 300 {
		files := map[string]tree.MemoryFile{}
		for range 8 {
			files[path()+"/f"] = tree.MemoryFile{Content: name()}
		}
		tracer := tree.Trace(tree.Memory(files))
		for range r.IntN(8) {
			_, _ = tracer.Lookup(context.Background(), path()+"/f")
			_, _ = tracer.List(context.Background(), path())
		}
		set := tracer.ReadSet()
		packed := readsOf(set)
		for range 30 {
			p := path() + "/f"
			if set.Touched(p) != packed.touched(p) {
				t.Fatalf("touched by %s: %t, packed %t\n%v", p, set.Touched(p), packed.touched(p), packed)
			}
			within := func(roots []string) bool {
				for _, root := range roots {
					if root == "" || p == root || strings.HasPrefix(p, root+"/") {
						return true
					}
				}
				return false
			}
			if within(set.Roots()) != within(packed.roots()) {
				t.Fatalf("%s below %v, packed %v", p, set.Roots(), packed.roots())
			}
		}
		for range 10 {
			other := map[string]tree.MemoryFile{}
			for p, f := range files {
				other[p] = f
			}
			other[path()+"/f"] = tree.MemoryFile{Content: name()}
			holds, err := set.Holds(context.Background(), tree.Memory(other))
			if err != nil {
				t.Fatal(err)
			}
			where, differs, err := packed.differs(context.Background(), tree.Memory(other))
			if err != nil || differs == holds || differs && where == "" {
				t.Fatalf("holds %t, packed differs %t at %q, %v", holds, differs, where, err)
			}
		}
	}
}

func TestWhatIsMissingIsAskedForMoreWidelyEachTime(t *testing.T) {
	for _, c := range []struct {
		path    string
		fetches int
		want    string
	}{
		{"a/b/c/x", 0, "a/b/c/x"}, {"a/b/c/x", 1, "a/b/c"}, {"a/b/c/x", 2, "a/b/c"}, {"a/b/c/x", 3, "a/b"}, {"a/b/c/x", 9, "a"}, {"a/b/c/x", 10, ""},
		{"x", 0, "x"}, {"x", 9, "x"}, {"x", 10, ""},
	} {
		if got := widened(c.path, c.fetches); got != c.want {
			t.Errorf("%s after %d fetches: %q, want %q", c.path, c.fetches, got, c.want)
		}
	}
}

func TestPlannedPaths(t *testing.T) {
	in := render.Input{Source: from("r", "main", "charts/web")}
	in.Source.Helm = &v1alpha1.ApplicationSourceHelm{
		ValueFiles:     []string{"values-prod.yaml", "../shared.yaml", "/env/prod.yaml", "$v/teams/a.yaml", "$v/globs/*.yaml", "$v/*.yaml", "$other/x.yaml", "https://x/y.yaml", "$v", "env-$ARGOCD_APP_NAME.yaml", "../../../../etc/passwd"},
		FileParameters: []v1alpha1.HelmFileParameter{{Path: "/files/cert.pem"}, {Path: "$v/cert.pem"}},
	}
	expect(t, "own", []string{"charts/web", "charts/shared.yaml", "env/prod.yaml", "files/cert.pem"}, planned(in, ""))
	expect(t, "of $v", []string{"teams/a.yaml", "globs", "cert.pem"}, planned(in, "v"))
	in.Source.Helm, in.Source.Plugin = nil, &v1alpha1.ApplicationSourcePlugin{}
	expect(t, "of a plugin", []string{""}, planned(in, ""))
}
