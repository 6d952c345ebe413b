// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/source"
)

// metrics are the Prometheus metrics, under Argo CD's names where they mean the same, so that dashboards keep working.
type metrics struct {
	registry *prometheus.Registry

	gitRequests      *prometheus.CounterVec
	gitDuration      *prometheus.HistogramVec
	gitFailures      *prometheus.CounterVec
	artifactRequests *prometheus.CounterVec
	clusterEvents    *prometheus.CounterVec
	clusterKinds     *prometheus.GaugeVec
	clusterUp        *prometheus.GaugeVec
	syncs            *prometheus.CounterVec
	syncSeconds      *prometheus.CounterVec
	reconciles       *prometheus.HistogramVec
	inertSets        *prometheus.GaugeVec
	held             *prometheus.CounterVec
	renderMetrics
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		gitRequests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "argocd_git_request_total",
			Help: "Requests to Git repositories."}, []string{"repo", "request_type"}),
		gitDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "argocd_git_request_duration_seconds",
			Help: "How long requests to Git repositories took.", Buckets: []float64{.1, .25, .5, 1, 2, 4, 10, 20}}, []string{"repo", "request_type"}),
		gitFailures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "argocd_git_fetch_fail_total",
			Help: "Fetches that failed."}, []string{"repo", "revision"}),
		artifactRequests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "bowline_artifact_request_total",
			Help: "Requests to chart repositories, registries and servers of files."}, []string{"repo", "request_type"}),
		clusterEvents: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "argocd_cluster_events_total",
			Help: "Watch events of a cluster."}, []string{"server", "group", "kind"}),
		clusterKinds: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "argocd_cluster_api_resources",
			Help: "Kinds that a cluster serves."}, []string{"server"}),
		clusterUp: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "argocd_cluster_connection_status",
			Help: "1 while a cluster answers."}, []string{"server"}),
		syncs: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "argocd_app_sync_total",
			Help: "Ended sync operations."}, []string{"namespace", "name", "project", "dest_server", "phase", "dry_run"}),
		syncSeconds: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "argocd_app_sync_duration_seconds_total",
			Help: "Time that sync operations took."}, []string{"namespace", "name", "project", "dest_server"}),
		reconciles: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "argocd_app_reconcile",
			Help: "Time of one reconcile of an application, in seconds.", Buckets: []float64{.005, .025, .1, .25, .5, 1, 2, 4, 8}}, []string{"namespace", "dest_server"}),
	}
	m.inertSets = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "bowline_applicationset_inert",
		Help: "One for each ApplicationSet, all of which this version leaves alone."}, []string{"namespace", "name"})
	m.held = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "bowline_application_events_held_total",
		Help: "Events of objects that had to wait because their object changes too often."}, []string{"namespace", "name"})
	m.renderMetrics = newRenderMetrics()
	m.registry.MustRegister(m.renders, m.failures, m.seconds)
	m.registry.MustRegister(m.inertSets, m.held, m.gitRequests, m.gitDuration, m.gitFailures, m.artifactRequests, m.clusterEvents, m.clusterKinds, m.clusterUp, m.syncs,
		m.syncSeconds, m.reconciles, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// requested counts a request to a repository.
func (m *metrics) requested(r source.Request) {
	if r.Kind != source.RequestLsRemote && r.Kind != source.RequestFetch {
		m.artifactRequests.WithLabelValues(r.Repository, string(r.Kind)).Inc()
		return
	}
	m.gitRequests.WithLabelValues(r.Repository, string(r.Kind)).Inc()
	m.gitDuration.WithLabelValues(r.Repository, string(r.Kind)).Observe(r.Took.Seconds())
	if r.Err != nil && r.Kind == source.RequestFetch {
		m.gitFailures.WithLabelValues(r.Repository, r.Revision).Inc()
	}
}

func (m *metrics) cluster(server string) cluster.Metrics {
	return cluster.Metrics{
		Event: func(gvk schema.GroupVersionKind) {
			m.clusterEvents.WithLabelValues(server, gvk.Group, gvk.Kind).Inc()
		},
		APIResources: func(n int) { m.clusterKinds.WithLabelValues(server).Set(float64(n)) },
		Connected: func(up bool) {
			value := 0.0
			if up {
				value = 1
			}
			m.clusterUp.WithLabelValues(server).Set(value)
		},
	}
}

func (m *metrics) inert(namespace, name string, there bool) {
	if there {
		m.inertSets.WithLabelValues(namespace, name).Set(1)
	} else {
		m.inertSets.DeleteLabelValues(namespace, name)
	}
}

// Reconciled implements application.Metrics.
func (m *metrics) Reconciled(namespace, server string, seconds float64) {
	m.reconciles.WithLabelValues(namespace, server).Observe(seconds)
}

// Held implements application.Metrics.
func (m *metrics) Held(namespace, name string) { m.held.WithLabelValues(namespace, name).Inc() }

// Synced implements application.Metrics.
func (m *metrics) Synced(s application.SyncEnded) {
	m.syncs.WithLabelValues(s.Namespace, s.Name, s.Project, s.Server, string(s.Phase), strconv.FormatBool(s.DryRun)).Inc()
	m.syncSeconds.WithLabelValues(s.Namespace, s.Name, s.Project, s.Server).Add(s.Seconds)
}

// applications tells of every Application, read when somebody asks: nothing is kept for metrics.
type applications struct {
	reader    client.Reader
	serves    func(namespace string) bool
	status    func(*v1alpha1.Application) *v1alpha1.ApplicationStatus // what is known of one
	info      *prometheus.Desc
	condition *prometheus.Desc
}

func newApplications(reader client.Reader, serves func(string) bool, status func(*v1alpha1.Application) *v1alpha1.ApplicationStatus) *applications {
	return &applications{reader: reader, serves: serves, status: status,
		info: prometheus.NewDesc("argocd_app_info", "One for each Application.", []string{"namespace", "name", "project",
			"repo", "dest_server", "dest_namespace", "sync_status", "health_status", "operation", "autosync_enabled"}, nil),
		condition: prometheus.NewDesc("argocd_app_condition", "One for each condition of an Application.",
			[]string{"namespace", "name", "condition"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (a *applications) Describe(ch chan<- *prometheus.Desc) {
	ch <- a.info
	ch <- a.condition
}

// Collect implements prometheus.Collector.
func (a *applications) Collect(ch chan<- prometheus.Metric) {
	var list v1alpha1.ApplicationList
	if err := a.reader.List(context.Background(), &list); err != nil {
		ch <- prometheus.NewInvalidMetric(a.info, err)
		return
	}
	for i := range list.Items {
		app := &list.Items[i]
		if !a.serves(app.Namespace) {
			continue
		}
		repo, operation := "", ""
		if sources := desired.SourcesOf(app); len(sources) > 0 {
			repo = sources[0].RepoURL
		}
		status := a.status(app)
		if app.Status.OperationState != nil && app.Status.OperationState.Phase.Running() {
			operation = "sync"
		}
		ch <- prometheus.MustNewConstMetric(a.info, prometheus.GaugeValue, 1, app.Namespace, app.Name, desired.ProjectOf(app), repo,
			app.Spec.Destination.Server, app.Spec.Destination.Namespace, string(status.Sync.Status), string(status.Health.Status),
			operation, strconv.FormatBool(app.Spec.SyncPolicy != nil && app.Spec.SyncPolicy.Automated != nil))
		for _, c := range status.Conditions {
			ch <- prometheus.MustNewConstMetric(a.condition, prometheus.GaugeValue, 1, app.Namespace, app.Name, string(c.Type))
		}
	}
}
