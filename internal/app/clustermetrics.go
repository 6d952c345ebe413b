// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bowline-cd/bowline/internal/cluster"
)

// clusterMetrics tells how the connections to clusters are doing. Everything is read when somebody asks: no event costs
// anything for it.
type clusterMetrics struct {
	reports func() []cluster.Report

	info, age, objects, complete, pending, waiting                         *prometheus.Desc
	kindAge, kindObjects, kindSynced, kindFailures, kindLists, kindRepairs *prometheus.Desc
}

func newClusterMetrics(reports func() []cluster.Report) *clusterMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, append([]string{"server"}, labels...), nil)
	}
	return &clusterMetrics{
		reports: reports,

		info:     desc("argocd_cluster_info", "One for each cluster.", "name", "k8s_version"),
		age:      desc("argocd_cluster_cache_age_seconds", "Time since every kind of a cluster was last looked at."),
		objects:  desc("argocd_cluster_api_resource_objects", "Objects of watched kinds."),
		complete: desc("bowline_cluster_inventory_complete", "1 while it is known what is in a cluster."),
		pending:  desc("bowline_cluster_feed_pending", "Changes of a cluster's objects that nobody has looked at yet."),
		waiting:  desc("bowline_cluster_feed_oldest_seconds", "How long the oldest of these changes waits."),

		kindAge:      desc("bowline_cluster_kind_last_event_age_seconds", "Time since the last sign of life of a kind's watch.", "group", "kind"),
		kindObjects:  desc("bowline_cluster_kind_objects", "Objects of a watched kind.", "group", "kind", "mode"),
		kindSynced:   desc("bowline_cluster_kind_synced", "1 while a watched kind's objects are known.", "group", "kind"),
		kindFailures: desc("bowline_cluster_kind_failures", "Failures in a row of a kind's list or watch.", "group", "kind"),
		kindLists:    desc("bowline_cluster_kind_lists_total", "Lists of a kind: the first, and those that had to follow.", "group", "kind"),
		kindRepairs: desc("bowline_cluster_probe_repairs_total", "Lists of a kind because its watch was found to have lost changes.",
			"group", "kind"),
	}
}

// Describe implements prometheus.Collector.
func (m *clusterMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.info, m.age, m.objects, m.complete, m.pending, m.waiting,
		m.kindAge, m.kindObjects, m.kindSynced, m.kindFailures, m.kindLists, m.kindRepairs} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *clusterMetrics) Collect(ch chan<- prometheus.Metric) {
	for _, r := range m.reports() {
		tell := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
			labels = append([]string{r.Server}, labels...)
			for i := range labels { // of whoever wrote the cluster's Secret; a label that is no text ends the process
				labels[i] = strings.ToValidUTF8(labels[i], "\ufffd")
			}
			ch <- prometheus.MustNewConstMetric(d, kind, value, labels...)
		}
		objects := 0
		for _, k := range r.Kinds {
			objects += k.Objects
			m.collectKind(tell, k)
		}
		tell(m.info, prometheus.GaugeValue, 1, r.Name, r.Inventory.Version)
		if !r.Inventory.At.IsZero() {
			tell(m.age, prometheus.GaugeValue, max(0, realClock.Since(r.Inventory.At).Seconds()))
		}
		tell(m.objects, prometheus.GaugeValue, float64(objects))
		tell(m.complete, prometheus.GaugeValue, oneIf(r.Inventory.Complete))
		tell(m.pending, prometheus.GaugeValue, float64(r.Pending))
		tell(m.waiting, prometheus.GaugeValue, r.Waiting.Seconds())
	}
}

func (m *clusterMetrics) collectKind(tell func(*prometheus.Desc, prometheus.ValueType, float64, ...string), k cluster.KindState) {
	group, kind := k.Kind.Group, k.Kind.Kind
	tell(m.kindAge, prometheus.GaugeValue, k.Age.Seconds(), group, kind)
	tell(m.kindObjects, prometheus.GaugeValue, float64(k.Objects), group, kind, k.Mode)
	tell(m.kindSynced, prometheus.GaugeValue, oneIf(k.Synced), group, kind)
	tell(m.kindFailures, prometheus.GaugeValue, float64(k.Failures), group, kind)
	tell(m.kindLists, prometheus.CounterValue, float64(k.Lists), group, kind)
	tell(m.kindRepairs, prometheus.CounterValue, float64(k.Repairs), group, kind)
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
