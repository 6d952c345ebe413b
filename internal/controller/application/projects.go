// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/topology"
)

// projects compiles AppProjects and keeps them until they change.
type projects struct {
	deps  Deps
	mu    sync.Mutex
	cache map[string]compiledProject
}

type compiledProject struct {
	of      projectVersion
	version string // the same as a text
	project *access.Project
	spec    v1alpha1.AppProjectSpec
	orphans *topology.OrphanRules // nil: nobody asks for orphans
	broken  error                 // what of orphans cannot be used
	windows plan.Windows
}

// projectVersion is what a compiled project was made of.
type projectVersion struct {
	uid             types.UID
	resourceVersion string
	scoped          access.Scoped
	globals         string // which projects it inherits from, and their versions
}

func (v projectVersion) equal(w projectVersion) bool {
	return v.uid == w.uid && v.resourceVersion == w.resourceVersion && v.globals == w.globals && slices.Equal(v.scoped.Repositories, w.scoped.Repositories) &&
		slices.Equal(v.scoped.Clusters, w.scoped.Clusters)
}

func newProjects(deps Deps) *projects {
	return &projects{deps: deps, cache: map[string]compiledProject{}}
}

// get returns a project and a version that changes with any of its rules. A missing project permits nothing. It is asked for
// every object of every sync.
func (p *projects) get(ctx context.Context, name string) (*access.Project, string, error) {
	var found v1alpha1.AppProject
	err := p.deps.Client.Get(ctx, client.ObjectKey{Namespace: p.deps.Namespace, Name: name}, &found, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return nil, "", fault.New(fault.Forbidden, "use", "project "+name, "spec.project", "there is no such AppProject in namespace "+p.deps.Namespace,
			"create it, or name one that exists")
	}
	if err != nil {
		return nil, "", fmt.Errorf("read project %s: %w", name, err)
	}
	names := p.deps.Settings().GlobalsOf(&found)
	find := p.finder(ctx)
	globals, err := versionOf(names, find)
	if err != nil {
		return nil, "", err
	}
	of := projectVersion{found.UID, found.ResourceVersion, p.deps.Clusters.ScopedTo(name), globals}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.cache[name]; ok && known.of.equal(of) {
		return known.project, known.version, nil
	}
	own, _, err := access.Inherit(&found, names, find)
	if err != nil {
		return nil, "", err
	}
	compiled := compiledProject{of: of, version: string(object.DigestOf([]any{of.uid, of.resourceVersion, of.scoped, of.globals})),
		spec: own.Spec, project: access.Compile(own, of.scoped)}
	compiled.windows = plan.CompileWindows(own.Spec.SyncWindows)
	compiled.orphans, compiled.broken = topology.CompileOrphanRules(own.Spec.OrphanedResources)
	p.cache[name] = compiled
	return compiled.project, compiled.version, nil
}

// finder returns what finds a project by its name; nil if there is none.
func (p *projects) finder(ctx context.Context) func(string) (*v1alpha1.AppProject, error) {
	return func(name string) (*v1alpha1.AppProject, error) {
		found := &v1alpha1.AppProject{}
		err := p.deps.Client.Get(ctx, client.ObjectKey{Namespace: p.deps.Namespace, Name: name}, found, client.UnsafeDisableDeepCopy)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the global project %s: %w", name, err)
		}
		return found, nil
	}
}

// versionOf returns a text that changes with any of the projects named.
func versionOf(names []string, find func(string) (*v1alpha1.AppProject, error)) (string, error) {
	var out strings.Builder
	for _, name := range names {
		p, err := find(name)
		if err != nil {
			return "", err
		}
		if p != nil {
			fmt.Fprintf(&out, "%s %s %s\n", name, p.UID, p.ResourceVersion)
		}
	}
	return out.String(), nil
}

// heirs returns the names of the projects that inherit from one.
func (p *projects) heirs(ctx context.Context, name string) ([]string, error) {
	s := p.deps.Settings()
	if !slices.ContainsFunc(s.Globals, func(g settings.Global) bool { return g.Project == name }) {
		return nil, nil
	}
	var all v1alpha1.AppProjectList
	if err := p.deps.Client.List(ctx, &all, client.InNamespace(p.deps.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the projects that inherit from %s: %w", name, err)
	}
	var out []string
	for i := range all.Items {
		if slices.Contains(s.GlobalsOf(&all.Items[i]), name) {
			out = append(out, all.Items[i].Name)
		}
	}
	return out, nil
}

// orphans returns what a project says of objects that belong to nobody; nil if it does not ask for them. Call it after get.
func (p *projects) orphans(name string) (*topology.OrphanRules, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cache[name].orphans, p.cache[name].broken
}

// windows returns the sync windows of a project.
func (p *projects) windows(ctx context.Context, name string) (plan.Windows, error) {
	if _, _, err := p.get(ctx, name); err != nil {
		return plan.Windows{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cache[name].windows, nil
}

// PermitSource says whether a project permits to read from an address; nil means yes.
func (c *Controller) PermitSource(ctx context.Context, project, url string) error {
	compiled, _, err := c.projects.get(ctx, project)
	if err != nil {
		return err
	}
	return compiled.Source(url)
}

// ProjectSpec returns what a project says, with what it inherits.
func (c *Controller) ProjectSpec(ctx context.Context, name string) (v1alpha1.AppProjectSpec, error) {
	if _, _, err := c.projects.get(ctx, name); err != nil {
		return v1alpha1.AppProjectSpec{}, err
	}
	c.projects.mu.Lock()
	defer c.projects.mu.Unlock()
	return c.projects.cache[name].spec, nil
}
