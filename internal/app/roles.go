// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/controller/applicationset"
	"github.com/bowline-cd/bowline/internal/controller/company"
	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/controller/project"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/source"
	"github.com/bowline-cd/bowline/internal/worker"
	"github.com/bowline-cd/bowline/internal/worker/plugin"
)

// roles is everything that runs, in the order it depends on each other:
//
//	settings ──▶ clusters ──▶ ┐
//	settings ──▶ sources ───▶ ├─ applications ──▶ events
//	company ────────────────▶ ┘
type roles struct {
	log      *slog.Logger
	lead     *lead
	metrics  *metrics
	store    *source.Store
	poller   *source.Poller
	sources  *sources
	renders  *sealedFolder
	kept     *sealedFolder // of accepted
	accepted *acceptedForms
	plugins  *plugin.Client
	pool     *worker.Pool
	engine   *desired.Engine
	clusters *clusters
	settings *configuration.Reader
	judges   *judges
	company  *company.Watcher
	apps     *application.Controller
	projects *project.Reconciler
	sets     *applicationset.Reconciler
	events   *eventWriter
	bus      *event.Bus
	hub      client.Client // reads from the cache that the controllers share
	fresh    client.Reader // reads from the API server
	cache    cache.Cache   // what hub reads from
	served   namespaces
	idle     bool // nothing is reconciled in this process: who wants a comparison makes it
}

func newRoles(ctx context.Context, opts RunOptions, kube *rest.Config, mgr ctrl.Manager, served namespaces, lead *lead, log *slog.Logger) (*roles, error) {
	bus := &event.Bus{}
	r := &roles{
		log: log, lead: lead, metrics: newMetrics(), judges: &judges{log: log}, bus: bus, hub: mgr.GetClient(), fresh: mgr.GetAPIReader(), cache: mgr.GetCache(), served: served,
	}
	r.clusters = newClusters(ctx, kube, log, r.metrics, r.judges)
	r.clusters.onFeed = func(server string, change cluster.Change) { r.apps.Changed(server, change) }
	r.settings = configuration.NewReader(mgr.GetAPIReader(), opts.Namespace, log, r.changed)
	r.company = company.NewWatcher(mgr.GetAPIReader(), opts.Namespace, log, func() { r.apps.EnqueueAll() })

	if err := r.openSources(ctx, opts, log); err != nil {
		r.close()
		return nil, err
	}
	r.apps = application.New(application.Deps{
		Client: mgr.GetClient(), Namespace: opts.Namespace, Serves: served.serves(), Observe: opts.Observe,
		Engine: r.engine, Clusters: r.clusters, Poller: r.sources, Keeper: r.sources,
		Accepted: r.accepted, FindPaths: r.pool.Paths, Rules: r.rules, Settings: momentary(r.settings), Alone: r.mayAct, Bus: bus, Metrics: r.metrics, Clock: realClock, Log: log,
	})
	r.sources.applications, r.sources.projects = r.apps, r.apps
	lead.regained = r.apps.EnqueueAll
	// The first settings are read before anything depends on them.
	if err := r.settings.Load(ctx); err != nil {
		r.close()
		return nil, err
	}
	s := r.settings.Current().Settings
	r.poller = source.NewPoller(r.store, source.PollerOptions{Interval: s.PollInterval, Jitter: s.PollJitter, OnMove: r.sources.moved})
	r.sources.poller = r.poller
	mayWrite := func() bool { may, _ := r.mayAct(); return may && !opts.Observe }
	r.projects = &project.Reconciler{Client: mgr.GetClient(), Serves: served.has, Log: log, MayWrite: mayWrite}
	r.sets = &applicationset.Reconciler{Client: mgr.GetClient(), Log: log, Inert: r.metrics.inert}
	if !opts.Observe {
		r.events = newEventWriter(mgr.GetClient(), bus, log)
	}
	return r, nil
}

// openSources opens what fetches, what renders, and what remembers both.
func (r *roles) openSources(ctx context.Context, opts RunOptions, log *slog.Logger) (err error) {
	r.store, err = source.NewStore(mirrorsDir(opts.Data), source.Options{
		AllowFile: opts.AllowFileRepos, AllowPrivate: privateHosts(r.settings.Current), Observe: r.metrics.requested, Clock: realClock, Logger: log,
	})
	if err != nil {
		return err
	}
	memory, err := newFileMemory(opts.Data)
	if err != nil {
		return err
	}
	if r.renders, err = newSealedFolder(opts.Data, rendersFolder, rendersBytes, log, realClock); err != nil {
		return err
	}
	if r.kept, err = newSealedFolder(opts.Data, acceptedFolder, acceptedBytes, log, realClock); err != nil {
		return err
	}
	r.accepted = newAcceptedForms(r.kept, version, log)
	r.plugins = newPlugins(r.settings.Current, opts.Plugins, log)
	if r.pool, err = newPool(r.plugins, log); err != nil {
		return err
	}
	r.sources = newSources(ctx, r.store, r.settings.Current, log)
	r.engine = desired.NewEngine(r.sources, counted{r.pool, r.metrics}, memory, r.renders)
	r.sources.engine = r.engine
	return nil
}

// mayAct reports whether this process may write anything, and if not why.
func (r *roles) mayAct() (bool, string) {
	if held, why := r.lead.Held(); !held {
		return false, why
	}
	return r.company.Alone()
}

// rules hands the settings of the moment to the application controller.
func (r *roles) rules() *application.Rules {
	s := r.settings.Current()
	installed, err := r.plugins.Installed()
	if err != nil {
		r.log.Warn("which plugins are installed is not known", "error", err)
	}
	return &application.Rules{Settings: s.Settings, Version: s.Version, Plugins: installed, Health: r.judges.of(s)}
}

// momentary returns the settings of the moment, once they were read.
func momentary(r *configuration.Reader) func() *settings.Settings {
	return func() *settings.Settings { return &r.Current().Settings }
}

// changed is called with new settings.
func (r *roles) changed(s *configuration.Snapshot) {
	r.clusters.Apply(s)
	r.sources.reset()
	r.store.SetArtifactLimits(artifactLimits(s.Settings))
	if err := errors.Join(r.renders.SetKey(s.Key), r.kept.SetKey(s.Key)); err != nil {
		r.log.Warn("nothing is kept in the data folder", "error", err)
	}
	if r.poller != nil { // it is made with the first settings
		r.poller.SetPace(s.Settings.PollInterval, s.Settings.PollJitter)
	}
	r.apps.EnqueueAll()
}

// register hands every controller to the manager: this is the list of what runs once this process leads.
func (r *roles) register(mgr ctrl.Manager) error {
	r.metrics.registry.MustRegister(r.renders.collectors()...)
	r.metrics.registry.MustRegister(newApplications(mgr.GetClient(), r.served.has, r.apps.Status))
	for _, c := range []interface {
		SetupWithManager(ctrl.Manager) error
	}{r.settings, r.apps, r.projects, r.sets} {
		if err := c.SetupWithManager(mgr); err != nil {
			return fmt.Errorf("register a controller: %w", err)
		}
	}
	runnables := []manager.Runnable{r.company}
	if r.events != nil {
		runnables = append(runnables, r.events)
	}
	for _, runnable := range runnables {
		if err := mgr.Add(runnable); err != nil {
			return err
		}
	}
	return nil
}

// serve answers health, metrics and webhooks until ctx ends.
func (r *roles) serve(ctx context.Context, opts RunOptions) error {
	door, err := r.openDoor(ctx, opts)
	if err != nil {
		return err
	}
	secure, err := r.openTLS(ctx, opts)
	if err != nil {
		return err
	}
	serving := r.settings.Current().Settings.Serving
	web, err := server.New(server.Options{
		Routes: door.routes, RootPath: serving.RootPath, TLS: secure,
		Headers: server.Headers{FrameOptions: serving.FrameOptions, ContentSecurityPolicy: serving.ContentSecurityPolicy},
		Address: opts.Listen, MetricsAddress: opts.Metrics, Registry: r.metrics.registry, Log: r.log,
		Ready:   r.ready(),
		Webhook: r.webhook, Hint: func(url string) { r.poller.Hint(url) },
		MaxWebhookBytes: func() int64 { return r.settings.Current().Settings.WebhookMaxBytes },
	})
	if err != nil {
		return err
	}
	r.log.Info("listening", "address", web.Address(), "metrics", web.MetricsAddress())
	if opts.Ready != nil {
		opts.Ready(web.Address())
	}
	return web.Run(ctx)
}

// webhook reads a provider's call, checked with the secrets of argocd-secret.
func (r *roles) webhook(header http.Header, query url.Values, body []byte) ([]string, error) {
	secrets := source.WebhookSecrets{}
	for key, value := range r.settings.Current().WebhookSecrets {
		secrets[key] = fault.NewSecret(value)
	}
	push, err := source.ParseWebhook(header, query, body, secrets)
	return push.URLs, err
}

func (r *roles) close() {
	r.clusters.Close()
	if r.pool != nil {
		r.pool.Close()
	}
	if r.store == nil {
		return
	}
	if err := r.store.Close(); err != nil {
		r.log.Error("close the store of sources", "error", err)
	}
}
