// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

type files map[string]tree.MemoryFile

// fakeSources is repositories in memory. Every repository has a branch "main", which an empty revision means too.
type fakeSources struct {
	mu                 sync.Mutex
	repos              map[string]*fakeRepo
	reads              atomic.Int64 // of file contents: a render reads, a memo does not
	trees              atomic.Int64
	resolves, verified atomic.Int64
	unsigned           map[string]bool // commits
}

type fakeRepo struct {
	down    bool // does not answer
	refused bool // nobody may read it
	lost    bool // answers what its revisions are, but sends nothing
	large   bool // sends only what it is asked for
	refs    map[string]string
	commits map[string]tree.Tree
	content map[string]files
}

func newSources() *fakeSources { return &fakeSources{repos: map[string]*fakeRepo{}} }

func (s *fakeSources) repo(url string) *fakeRepo {
	if s.repos[url] == nil {
		s.repos[url] = &fakeRepo{refs: map[string]string{}, commits: map[string]tree.Tree{}, content: map[string]files{}}
	}
	return s.repos[url]
}

// commit makes a commit on a branch: the files of its last one with the changes, of which empty ones delete. It
// returns the paths that differ.
func (s *fakeSources) commit(url, branch, id string, change files) (changed []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repo(url)
	content := maps.Clone(r.content[r.refs[branch]])
	if content == nil {
		content = files{}
	}
	for p, f := range change {
		if content[p] == f {
			continue
		}
		changed = append(changed, p)
		if f == (tree.MemoryFile{}) {
			delete(content, p)
		} else {
			content[p] = f
		}
	}
	r.content[id], r.commits[id], r.refs[branch] = content, tree.Memory(content), id
	return changed
}

func (s *fakeSources) set(url string, change func(*fakeRepo)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.repo(url))
}

// address is where the fake keeps what is wanted: charts are repositories of their own.
func address(c Commit) string {
	if c.Kind == KindChart {
		return c.Repo.URL + "#" + c.Chart
	}
	return c.Repo.URL
}

func (s *fakeSources) Resolve(_ context.Context, wanted Commit, _ string) (c Commit, err error) {
	s.resolves.Add(1)
	wanted.ID, err = s.resolve(Repo{URL: address(wanted)}, wanted.Revision)
	if err == nil && wanted.Kind != KindGit {
		wanted.Digest = "sha256:" + s.repos[address(wanted)].commits[wanted.ID].Root()
	}
	return wanted, err
}

func (s *fakeSources) Verify(_ context.Context, c Commit, _ string) error {
	s.verified.Add(1)
	if s.unsigned[c.ID] {
		return fmt.Errorf("commit %s is not signed", c.ID)
	}
	return nil
}

func (s *fakeSources) resolve(repo Repo, revision string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repos[repo.URL]
	switch {
	case r == nil:
		return "", fmt.Errorf("no repository %s", repo.URL)
	case r.refused:
		return "", fmt.Errorf("the project does not permit %s", repo.URL)
	case r.down:
		return "", fmt.Errorf("%s does not answer: %w", repo.URL, ErrUnreachable)
	case revision == "":
		revision = "main"
	}
	if id, ok := r.refs[revision]; ok {
		return id, nil
	}
	if _, ok := r.commits[revision]; ok {
		return revision, nil
	}
	return "", fmt.Errorf("no revision %s", revision)
}

func (s *fakeSources) Tree(_ context.Context, commit Commit, paths []string) (tree.Tree, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trees.Add(1)
	r := s.repos[address(commit)]
	if r.lost {
		return nil, fmt.Errorf("%s sent half of a pack: %w", commit.Repo.URL, ErrUnreachable)
	}
	t, ok := r.commits[commit.ID]
	if !ok {
		return nil, fmt.Errorf("no commit %s", commit.ID)
	}
	if !r.large {
		paths = []string{""}
	}
	return &fetchedTree{t, s, paths}, nil
}

// fetchedTree holds the content of the paths that were asked for.
type fetchedTree struct {
	tree.Tree
	sources *fakeSources
	paths   []string
}

type missingError struct{ path string }

func (e missingError) Error() string       { return e.path + " was not fetched" }
func (e missingError) MissingPath() string { return e.path }

func (t *fetchedTree) Read(ctx context.Context, p string, limit int64) ([]byte, error) {
	t.sources.reads.Add(1)
	if !slices.ContainsFunc(t.paths, func(dir string) bool { return dir == "" || p == dir || strings.HasPrefix(p, dir+"/") }) {
		return nil, missingError{p}
	}
	return t.Tree.Read(ctx, p, limit)
}

// readsOf returns how many files f made the engine read.
func (s *fakeSources) readsOf(f func()) int64 {
	before := s.reads.Load()
	f()
	return s.reads.Load() - before
}

func configMap(name, value string) tree.MemoryFile {
	return tree.MemoryFile{Content: fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {x: %q}\n", name, value)}
}

func link(target string) tree.MemoryFile { return tree.MemoryFile{Content: target, Mode: tree.Link} }

func application(name string, sources ...v1alpha1.ApplicationSource) *v1alpha1.Application {
	app := &v1alpha1.Application{}
	app.Namespace, app.Name = "argocd", name
	app.Spec.Project = "default"
	if len(sources) == 1 {
		app.Spec.Source = &sources[0]
	} else {
		app.Spec.Sources = sources
	}
	return app
}

func from(url, revision, path string) v1alpha1.ApplicationSource {
	return v1alpha1.ApplicationSource{RepoURL: url, TargetRevision: revision, Path: path}
}

// clusterKinds are the kinds the fake cluster knows as cluster-scoped.
var clusterKinds = map[string]bool{"Namespace": true, "ClusterRole": true, "CustomResourceDefinition": true}

func newTarget(instance string) Target {
	return Target{
		Instance:  instance,
		Namespace: "shop",
		Scope: func(gvk schema.GroupVersionKind) Scope {
			switch {
			case clusterKinds[gvk.Kind]:
				return ScopeCluster
			case strings.HasSuffix(gvk.Group, ".example.org"):
				return ScopeUnknown
			default:
				return ScopeNamespaced
			}
		},
		Permit:   func(object.Key, bool) error { return nil },
		Excluded: func(string, string) bool { return false },
		Version:  "1",
	}
}

// bench is an engine over one set of sources.
type bench struct {
	t       *testing.T
	sources *fakeSources
	engine  *Engine
}

func newBench(t *testing.T) *bench {
	t.Helper()
	s := newSources()
	return &bench{t: t, sources: s, engine: NewEngine(s, fakeRenderer{}, nil, nil)}
}

func id(app *v1alpha1.Application) string { return app.Namespace + "/" + app.Name }

// get asks for an application and expects an answer.
func (b *bench) get(app *v1alpha1.Application) *State {
	b.t.Helper()
	state, err := b.engine.For(context.Background(), id(app), app, newTarget(app.Name))
	if err != nil {
		b.t.Fatal(err)
	}
	return state
}

// unreachable asks for an application and expects the repository not to answer.
func (b *bench) unreachable(app *v1alpha1.Application) (*State, *UnreachableError) {
	b.t.Helper()
	state, err := b.engine.For(context.Background(), id(app), app, newTarget(app.Name))
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || !errors.Is(err, ErrUnreachable) {
		b.t.Fatalf("got %v, want an *UnreachableError", err)
	}
	return state, unreachable
}

func names(s *State) string {
	if s == nil {
		return "none"
	}
	var out []string
	for _, o := range s.Objects {
		out = append(out, o.Key.Name)
	}
	return strings.Join(out, " ")
}

func follows(url, revision string) func(Commit) bool {
	return func(c Commit) bool { return c.Repo.URL == url && c.Revision == revision }
}

// fakeRenderer renders plain directories, and refuses the rest.
type fakeRenderer struct{}

func (fakeRenderer) Render(ctx context.Context, in render.Input) (render.Output, error) {
	prepared, err := render.Prepare(ctx, in, nil)
	if err != nil {
		return render.Output{}, err
	}
	if prepared.Type != v1alpha1.ApplicationSourceTypeDirectory {
		return render.Output{}, fmt.Errorf("%s is not rendered here", prepared.Type)
	}
	return render.Directory(ctx, prepared.Input, nil)
}
