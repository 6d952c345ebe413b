// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/render"
	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/source"
	"github.com/bowline-cd/bowline/internal/tree"
)

// renderer renders in this process, with the controller's own rooms, and writes nothing: what `bowline render` shows is
// what the controller would apply, before it adds namespace and mark.
func renderer(ctx context.Context, req render.Request) (render.Result, error) {
	dir, err := os.MkdirTemp("", "bowline-render-")
	if err != nil {
		return render.Result{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if req.Live != "" {
		return renderLive(ctx, req, dir)
	}
	return renderOffline(ctx, req, dir)
}

// renderLive renders an Application of the cluster.
func renderLive(ctx context.Context, req render.Request, dir string) (render.Result, error) {
	kube, err := req.Session.Config()
	if err != nil {
		return render.Result{}, err
	}
	namespace := req.Session.Namespace
	name, err := served("render", req.Live, namespace)
	if err != nil {
		return render.Result{}, err
	}
	p, err := newPreview(ctx, tuned(kube), namespace, dir, req.Plugins)
	if err != nil {
		return render.Result{}, err
	}
	defer p.close()
	if req.Local != "" {
		local, err := p.standIn(ctx, client.ObjectKey{Namespace: namespace, Name: name}, req)
		if err != nil {
			return render.Result{}, err
		}
		defer local.close()
	}
	return explained(req, p.sources, func(revisions []string) (*desired.State, error) { return p.desired(ctx, name, revisions) })
}

// standIn makes a folder the repository of a source of an Application in the cluster.
func (p *preview) standIn(ctx context.Context, key client.ObjectKey, req render.Request) (*local, error) {
	app := &v1alpha1.Application{}
	if err := p.client.Get(ctx, key, app); err != nil {
		return nil, fault.Wrap(fault.Mistake, "read", "application "+key.String(), err, "see `bowline app list`")
	}
	local, err := openLocal(req.Local)
	if err != nil {
		return nil, err
	}
	if err := local.standIn(app, req.LocalSource); err != nil {
		local.close()
		return nil, err
	}
	local.elsewhere = true
	p.sources.local = local
	return local, nil
}

// desired waits until the cluster has said what it can do, and returns what an application asks for.
func (p *preview) desired(ctx context.Context, name string, revisions []string) (*desired.State, error) {
	for {
		state, err := p.apps.Desired(ctx, name, revisions)
		if err == nil || !fault.Is(err, fault.Retry) {
			return state, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-p.changed:
		case <-realClock.After(patience):
			return nil, err
		}
	}
}

// renderOffline renders an Application that no cluster knows.
func renderOffline(ctx context.Context, req render.Request, dir string) (render.Result, error) {
	log := slog.New(slog.DiscardHandler)
	snapshot, err := settingsOf(ctx, req.Settings)
	if err != nil {
		return render.Result{}, err
	}
	current := func() *configuration.Snapshot { return snapshot }
	store, err := source.NewStore(dir, source.Options{
		AllowFile:    req.Local != "" && req.Since != "", // what the folder was is read from its own repository
		AllowPrivate: privateHosts(current), ArtifactLimits: artifactLimits(snapshot.Settings), Logger: log,
	})
	if err != nil {
		return render.Result{}, err
	}
	defer func() { _ = store.Close() }()
	pool, err := newPool(newPlugins(current, req.Plugins, log), log)
	if err != nil {
		return render.Result{}, err
	}
	defer pool.Close()
	sources := newSources(ctx, store, current, log)
	sources.projects = anything{}
	app := req.Application.DeepCopy()
	if req.Local != "" {
		local, err := openLocal(req.Local)
		if err != nil {
			return render.Result{}, err
		}
		defer local.close()
		if err := local.standIn(app, req.LocalSource); err != nil {
			return render.Result{}, err
		}
		sources.local = local
	}
	engine := desired.NewEngine(sources, pool, nil, nil)
	return explained(req, sources, func(revisions []string) (*desired.State, error) {
		return engine.At(ctx, app.Name, desired.ProjectOf(app), desired.SourcesOf(app), revisions, offlineTarget(app, req, snapshot.Settings))
	})
}

// offlineTarget is a destination of which nothing is known but what was given.
func offlineTarget(app *v1alpha1.Application, req render.Request, s settings.Settings) desired.Target {
	version := req.KubeVersion
	if version == "" {
		version = render.DefaultKubeVersion
	}
	return desired.Target{
		Instance: app.Name, Release: app.Name, Namespace: app.Spec.Destination.Namespace, Tracker: s.Tracker,
		Facts: given{version, slices.Sorted(slices.Values(req.APIVersions))}, PermitSource: func(string) error { return nil },
		Options: application.RenderOptions(s.Rendering), Limits: application.RenderLimits(s.Rendering),
		Scope:    func(schema.GroupVersionKind) desired.Scope { return desired.ScopeUnknown },
		Permit:   func(object.Key, bool) error { return nil },
		Excluded: func(string, string) bool { return false },
	}
}

// given are facts that somebody wrote down.
type given struct {
	version string
	served  []string
}

func (g given) KubeVersion(context.Context) (string, error)   { return g.version, nil }
func (g given) APIVersions(context.Context) ([]string, error) { return g.served, nil }

// anything is what is permitted where there are no projects.
type anything struct{}

func (anything) PermitSource(context.Context, string, string) error { return nil }
func (anything) ProjectSpec(context.Context, string) (v1alpha1.AppProjectSpec, error) {
	return v1alpha1.AppProjectSpec{}, nil
}

// local is a folder of this disk that stands in for a repository.
type local struct {
	folder    *source.Folder
	given     tree.Tree // what stands in if there is no folder
	root      string
	within    string // where in it the folder is that was named
	url       string // of the repository that it stands in for
	committed bool   // what was committed stands in, and not what lies there
	elsewhere bool   // what was committed is read from where the Application says
}

func openLocal(dir string) (*local, error) {
	root, within, err := source.RepositoryOf(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Mistake, "open", "the folder "+dir, err, "name a folder of this disk")
	}
	folder, err := source.OpenFolder(root)
	if err != nil {
		return nil, fault.Wrap(fault.Mistake, "open", "the folder "+dir, err, "name a folder of this disk")
	}
	return &local{folder: folder, root: root, within: within}, nil
}

func (l *local) close() { _ = l.folder.Close() }

// standIn makes the folder the repository of one of an application's sources. A bare source without a repository is the
// folder itself.
func (l *local) standIn(app *v1alpha1.Application, index int) error {
	bare := app.Spec.Source != nil && len(app.Spec.Sources) == 0 && app.Spec.Source.RepoURL == ""
	if bare {
		app.Spec.Source.RepoURL = l.root
		app.Spec.Source.Path = filepath.ToSlash(filepath.Join(l.within, app.Spec.Source.Path))
	}
	sources := desired.SourcesOf(app)
	if len(sources) == 0 {
		return fault.New(fault.Mistake, "render", "the application", "spec.source", "it names no source", "set spec.source.repoURL and spec.source.path")
	}
	if index < 0 || index >= len(sources) {
		return fault.New(fault.Mistake, "render", "the application", "--local-source", "it has no source of that number", "count from 0")
	}
	if desired.WantedOf(sources[index], "").Kind != desired.KindGit {
		return fault.New(fault.Mistake, "render", "the application", "--local-source", fmt.Sprintf("its source %d is not in Git: a folder cannot stand in for it", index),
			"give the number of one that is, from 0")
	}
	l.url = sources[index].RepoURL
	if bare {
		return nil
	}
	return l.holds(sources[index].Path)
}

// holds returns an error if the folder has nothing at the path of a source. Which folder counts as the repository is easily
// mistaken, and whoever reads of a missing path looks for it elsewhere.
func (l *local) holds(path string) error {
	at := filepath.FromSlash(path)
	if !filepath.IsLocal(at) {
		return nil // it is judged with the others
	}
	if _, err := os.Stat(filepath.Join(l.root, at)); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fault.New(fault.Mistake, "render", "the folder "+l.root, "--local", fmt.Sprintf("it stands in for the repository, and has no %q, which is the path of the source", path),
		"name a folder in a checkout of the repository; outside of a checkout the current folder counts as the repository")
}

// standsIn reports whether the folder stands in for what is asked for. Nobody is in the place of a nil folder.
func (l *local) standsIn(c desired.Commit) bool {
	return l != nil && c.Kind == desired.KindGit && (object.SameRepo(c.Repo.URL, l.url) || c.Repo.URL == l.url)
}

// files returns the folder for what it stands in for.
func (l *local) files(c desired.Commit) (tree.Tree, bool) {
	if !l.standsIn(c) || l.committed {
		return nil, false
	}
	if l.given != nil {
		return l.given, true
	}
	return l.folder, true
}

// repository returns the folder's own repository for what it stands in for, once that is to be read.
func (l *local) repository(c desired.Commit) (source.Repository, bool) {
	if !l.standsIn(c) || !l.committed || l.elsewhere {
		return source.Repository{}, false
	}
	return source.Repository{URL: (&url.URL{Scheme: "file", Path: l.root}).String()}, true
}

// explained renders, and says what of.
func explained(req render.Request, sources *sources, at func(revisions []string) (*desired.State, error)) (render.Result, error) {
	state, err := at(req.Revisions)
	if err != nil {
		return render.Result{}, err
	}
	result := render.Result{Sources: explain(state)}
	for _, w := range state.Warnings {
		result.Warnings = append(result.Warnings, w.Message)
	}
	for _, o := range state.Objects {
		result.Objects = append(result.Objects, render.Object{Content: o.Rendered().Object, File: o.Origin.File, Line: o.Origin.Line})
	}
	if req.Since == "" {
		return result, nil
	}
	if sources.local != nil {
		sources.local.committed = true
	}
	before, err := at(revisionsSince(req, state, sources.local))
	if err != nil {
		return render.Result{}, &fault.Error{Kind: fault.KindOf(err), Op: "compare with", Thing: "revision " + req.Since, Err: err}
	}
	compareInputs(result.Sources, explain(before))
	return result, nil
}

// revisionsSince returns the revisions to compare with: Since for the only source or for those in Git, of which only those
// that a folder stands in for if there is one, and for the others what they are at.
func revisionsSince(req render.Request, state *desired.State, local *local) []string {
	revisions := make([]string, len(state.Commits))
	for i, c := range state.Commits {
		switch {
		case local == nil && len(state.Commits) == 1, c.Kind == desired.KindGit && (local == nil || local.standsIn(c)):
			revisions[i] = req.Since
		case i < len(req.Revisions):
			revisions[i] = req.Revisions[i]
		}
	}
	return revisions
}
