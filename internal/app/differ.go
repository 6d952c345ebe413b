// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/internal/cli/app/diff"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/source"
	"github.com/bowline-cd/bowline/internal/worker"
)

// differ compares an application in this process, with the controller's own rooms, and writes nothing: what `app diff`
// shows is what the controller would find.
func differ(ctx context.Context, req diff.Request) ([]diff.Resource, error) {
	kube, err := req.Session.Config()
	if err != nil {
		return nil, err
	}
	namespace := req.Session.Namespace
	name, err := served("compare", req.Name, namespace)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bowline-diff-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p, err := newPreview(ctx, tuned(kube), namespace, dir, "")
	if err != nil {
		return nil, err
	}
	defer p.close()
	rows, err := p.inspect(ctx, name, req)
	if err != nil {
		return nil, err
	}
	out := resourcesOf(rows)
	if req.Forms {
		err = p.addForms(ctx, name, out)
	}
	return out, err
}

// addForms adds the whole forms to each resource whose comparison came to an end.
func (p *preview) addForms(ctx context.Context, app string, resources []diff.Resource) (err error) {
	sensitive := p.settings.Current().Settings.MaskAnnotations
	for i := range resources {
		r := &resources[i]
		if r.State == diff.Unknown {
			continue
		}
		key := object.Key{Group: r.Group, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}
		if r.Forms, err = formsOf(ctx, p.apps, app, key, sensitive); err != nil {
			return err
		}
	}
	return nil
}

// preview is a controller that nobody leads and that writes nothing.
type preview struct {
	apps     *application.Controller
	client   client.Client
	clusters *clusters
	store    *source.Store
	pool     *worker.Pool
	sources  *sources
	engine   *desired.Engine
	settings *configuration.Reader
	changed  chan struct{}
}

// idle follows no repository: a preview asks once.
type idle struct{}

func (idle) Want(string, []application.Followed)                  {}
func (idle) Forget(string)                                        {}
func (idle) Refresh(context.Context, string) error                { return nil }
func (idle) Keep(context.Context, string, []desired.Commit) error { return nil }

func newPreview(ctx context.Context, kube *rest.Config, namespace, dir, plugins string) (*preview, error) {
	c, err := hubClient(kube)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	judge := &judges{log: log}
	p := &preview{client: c, changed: make(chan struct{}, 1), clusters: newClusters(ctx, kube, log, newMetrics(), judge)}
	p.clusters.onFeed = func(string, cluster.Change) {
		select {
		case p.changed <- struct{}{}:
		default:
		}
	}
	settings := configuration.NewReader(c, namespace, log, p.clusters.Apply)
	p.settings = settings
	if err := settings.Load(ctx); err != nil {
		p.close()
		return nil, err
	}
	if p.store, err = source.NewStore(dir, source.Options{
		AllowPrivate: privateHosts(settings.Current), ArtifactLimits: artifactLimits(settings.Current().Settings), Logger: log,
	}); err != nil {
		p.close()
		return nil, err
	}
	if p.pool, err = newPool(newPlugins(settings.Current, plugins, log), log); err != nil {
		p.close()
		return nil, err
	}
	p.sources = newSources(ctx, p.store, settings.Current, log)
	p.engine = desired.NewEngine(p.sources, p.pool, nil, nil)
	p.apps = application.New(application.Deps{
		Client: c, Namespace: namespace, Observe: true, Engine: p.engine,
		Clusters: p.clusters, Poller: idle{}, Keeper: idle{}, FindPaths: p.pool.Paths,
		Settings: momentary(settings),
		Rules: func() *application.Rules {
			s := settings.Current()
			return &application.Rules{Settings: s.Settings, Version: s.Version, Health: judge.of(s)}
		},
		Alone: func() (bool, string) { return true, "" }, Bus: &event.Bus{}, Metrics: newMetrics(), Clock: realClock, Log: log,
	})
	p.sources.projects = p.apps
	return p, nil
}

// inspect compares until nothing of ours in the cluster is unknown, or until that is final.
func (p *preview) inspect(ctx context.Context, name string, req diff.Request) ([]application.Finding, error) {
	revisions := req.Revisions
	if req.Revision != "" {
		revisions = []string{req.Revision}
	}
	for {
		found, settled, err := p.apps.Inspect(ctx, name, revisions)
		if err != nil || settled {
			return found, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the cluster's objects are not all known yet: %w", ctx.Err())
		case <-p.changed:
		}
	}
}

func (p *preview) close() {
	p.clusters.Close()
	if p.pool != nil {
		p.pool.Close()
	}
	if p.store != nil {
		_ = p.store.Close()
	}
}

// resourcesOf keeps what is not known to be the same.
func resourcesOf(rows []application.Finding) []diff.Resource {
	var out []diff.Resource
	for _, f := range rows {
		r := diff.Resource{Group: f.Key.Group, Kind: f.Key.Kind, Namespace: f.Key.Namespace, Name: f.Key.Name, Reason: f.Reason}
		switch f.Verdict {
		case application.Same:
			continue
		case application.Different:
			r.State = diff.Different
		case application.Missing:
			r.State, r.Reason = diff.Missing, ""
		case application.Extra:
			r.State = diff.Extra
		default:
			r.State = diff.Unknown
		}
		for _, c := range f.Changes {
			r.Changes = append(r.Changes, diff.Change{Path: c.Path, Live: plain(c.Live), Desired: plain(c.Desired), Owners: c.Managers()})
		}
		out = append(out, r)
	}
	return out
}

// plain turns a value shown as short JSON back into data; text that is no JSON (cut short, redacted) stays text.
func plain(text string) any {
	if text == "" {
		return nil
	}
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	return v
}
