// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

// clusters holds the connection to every configured cluster. A connection is opened when its Secret appears, replaced
// when the Secret changes and closed when it goes.
type clusters struct {
	ctx     context.Context // of the process: watching goes on without leadership, so that a standby is warm
	hub     *rest.Config
	log     *slog.Logger
	metrics *metrics
	schemas *cluster.Schemas
	onFeed  func(server string, change cluster.Change)
	judges  *judges

	mu      sync.RWMutex
	open    map[string]*connection // by server
	byName  map[string]string      // name to server
	broken  map[string]error       // by server and by name
	inHub   bool
	rules   settings.Settings
	configs []cluster.Config
	judge   *health.Judge
}

type connection struct {
	cluster *cluster.Cluster
	digest  object.Digest
	cancel  context.CancelFunc
	done    chan struct{}
}

func newClusters(ctx context.Context, hub *rest.Config, log *slog.Logger, m *metrics, j *judges) *clusters {
	c := &clusters{ctx: ctx, hub: hub, log: log, metrics: m, judges: j, schemas: cluster.NewSchemas(), open: map[string]*connection{}}
	m.registry.MustRegister(newClusterMetrics(c.Reports))
	return c
}

// Reports says how every connection is doing, sorted by server.
func (c *clusters) Reports() []cluster.Report {
	c.mu.RLock()
	open := maps.Clone(c.open)
	c.mu.RUnlock()
	out := make([]cluster.Report, 0, len(open))
	for _, server := range slices.Sorted(maps.Keys(open)) {
		out = append(out, open[server].cluster.Report())
	}
	return out
}

// each calls do for every open connection, in no order.
func (c *clusters) each(do func(*cluster.Cluster)) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, conn := range c.open {
		do(conn.cluster)
	}
}

// Apply opens, replaces and closes connections as the settings say.
func (c *clusters) Apply(s *configuration.Snapshot) {
	wanted := map[string]cluster.Config{}
	if s.Settings.InCluster {
		hub := cluster.Hub(c.hub)
		wanted[hub.Server] = hub
	}
	for _, cfg := range s.Clusters {
		if cfg.REST == nil {
			cfg.REST = c.hub
		}
		wanted[cfg.Server] = cfg
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.judge = c.judges.of(s)
	c.inHub, c.rules, c.configs, c.broken = s.Settings.InCluster, s.Settings, s.Clusters, maps.Clone(s.BrokenClusters)
	for server, conn := range c.open {
		if cfg, ok := wanted[server]; !ok || cfg.Digest != conn.digest {
			delete(c.open, server)
			go conn.close()
		}
	}
	c.byName = map[string]string{}
	for server, cfg := range wanted {
		c.byName[cfg.Name] = server
		if conn := c.open[server]; conn != nil {
			conn.cluster.SetTracker(s.Settings.Tracker)
			conn.cluster.SetFilter(s.Settings.Filter)
			conn.cluster.SetRespectRBAC(s.Settings.RespectRBAC)
			conn.cluster.SetJudge(c.judge)
			continue
		}
		conn, err := c.connect(cfg)
		if err != nil {
			c.log.Error("open a cluster", "cluster", cfg.Name, "server", server, "error", err)
			c.setBroken(cfg, err)
			continue
		}
		c.open[server] = conn
	}
}

func (c *clusters) setBroken(cfg cluster.Config, err error) {
	if c.broken == nil {
		c.broken = map[string]error{}
	}
	c.broken[cfg.Server], c.broken[cfg.Name] = err, err
}

func (c *clusters) connect(cfg cluster.Config) (*connection, error) {
	opened, err := cluster.Open(cfg, cluster.Options{
		Tracker: c.rules.Tracker, Filter: c.rules.Filter, RespectRBAC: c.rules.RespectRBAC, Judge: c.judge, Logger: c.log,
		Schemas: c.schemas, UserAgent: userAgent(), Metrics: c.metrics.cluster(cfg.Server),
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(c.ctx)
	conn := &connection{cluster: opened, digest: cfg.Digest, cancel: cancel, done: make(chan struct{})}
	opened.Subscribe(func(change cluster.Change) { c.onFeed(cfg.Server, change) })
	go func() {
		defer close(conn.done)
		if err := opened.Run(ctx); err != nil && ctx.Err() == nil {
			c.log.Error("a cluster's watch ended", "cluster", cfg.Name, "error", err)
		}
	}()
	return conn, nil
}

func (c *connection) close() {
	c.cancel()
	<-c.done
	c.cluster.Close()
}

// Close ends every connection.
func (c *clusters) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		conn.close()
	}
	clear(c.open)
}

// Find implements application.Clusters.
func (c *clusters) Find(d v1alpha1.ApplicationDestination) (*cluster.Cluster, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	server, named := d.Server, d.Server
	if server == "" {
		named = d.Name
		server = c.byName[d.Name]
	}
	if named == "" {
		return nil, fault.New(fault.Mistake, "find", "the destination", "spec.destination", "it names no cluster", "set server or name")
	}
	if conn := c.open[server]; conn != nil {
		return conn.cluster, nil
	}
	if err := c.broken[named]; err != nil {
		return nil, err
	}
	if !c.inHub && (named == cluster.HubServer || named == cluster.HubName) {
		return nil, fault.New(fault.Forbidden, "use", "cluster "+named, "spec.destination",
			"cluster.inClusterEnabled is false in argocd-cm", "choose another cluster, or enable it")
	}
	return nil, &fault.Error{Kind: fault.Mistake, Op: "find", Thing: fmt.Sprintf("cluster %q", named), Where: "spec.destination",
		Err: application.ErrNoSuchCluster, Fix: "correct it, or add a Secret labelled argocd.argoproj.io/secret-type: cluster"}
}

// ScopedTo implements application.Clusters.
func (c *clusters) ScopedTo(project string) access.Scoped {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var scoped access.Scoped
	for _, cfg := range c.configs {
		if cfg.Project == project && project != "" {
			scoped.Clusters = append(scoped.Clusters, access.Cluster{Server: cfg.Server, Name: cfg.Name})
		}
	}
	return scoped
}

// projectOf returns the only project that may use a cluster; "" if all may.
func (c *clusters) projectOf(server string) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, cfg := range c.configs {
		if cfg.Server == server {
			return cfg.Project
		}
	}
	return ""
}

// named returns the address and the name of a destination's cluster, as far as they are known.
func (c *clusters) named(d v1alpha1.ApplicationDestination) (server, name string) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if d.Server == "" {
		return c.byName[d.Name], d.Name
	}
	if conn := c.open[d.Server]; conn != nil {
		return d.Server, conn.cluster.Config().Name
	}
	return d.Server, d.Name
}

// Ready reports whether every cluster that answers is swept; a cluster that does not answer keeps nobody waiting.
func (c *clusters) Ready() error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	hub := c.open[cluster.HubServer]
	if hub == nil {
		return nil
	}
	if inventory := hub.cluster.Inventory(); !inventory.Complete {
		return errors.New("the hub's objects are not all known yet: " + inventory.Reason)
	}
	return nil
}
