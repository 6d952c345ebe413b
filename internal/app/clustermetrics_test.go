// SPDX-License-Identifier: Apache-2.0

package app

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/cluster"
)

func TestClusterMetricsTellOfEachKind(t *testing.T) {
	m := newClusterMetrics(func() []cluster.Report {
		return []cluster.Report{{
			Server: "https://one.example.com", Name: "one", Pending: 3, Waiting: 2 * time.Second,
			Inventory: cluster.Inventory{Version: "v1.36.3", Complete: true},
			Kinds: []cluster.KindState{
				{Kind: schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, Synced: true, Objects: 7, Age: time.Minute, Mode: "full", Lists: 2, Repairs: 1},
				{Kind: schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}, Failures: 4, Mode: "metadata", Objects: 1},
			},
		}, {Server: "https://dead.example.com", Name: "dead"}}
	})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				name += " " + label.GetValue()
			}
			got[name] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		}
	}
	for name, want := range map[string]float64{
		"argocd_cluster_api_resource_objects https://dead.example.com":                   0,
		"argocd_cluster_api_resource_objects https://one.example.com":                    8,
		"argocd_cluster_info v1.36.3 one https://one.example.com":                        1,
		"bowline_cluster_inventory_complete https://one.example.com":                     1,
		"bowline_cluster_feed_pending https://one.example.com":                           3,
		"bowline_cluster_feed_oldest_seconds https://one.example.com":                    2,
		"bowline_cluster_kind_last_event_age_seconds  ConfigMap https://one.example.com": 60,
		"bowline_cluster_kind_objects batch Job metadata https://one.example.com":        1,
		"bowline_cluster_kind_synced  ConfigMap https://one.example.com":                 1,
		"bowline_cluster_kind_synced batch Job https://one.example.com":                  0,
		"bowline_cluster_kind_failures batch Job https://one.example.com":                4,
		"bowline_cluster_kind_lists_total  ConfigMap https://one.example.com":            2,
		"bowline_cluster_probe_repairs_total  ConfigMap https://one.example.com":         1,
	} {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("%s = %v, %v, want %v; there are %v", name, value, ok, want, got)
		}
	}
}

func TestLabelsThatAreNoTextEndNothing(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(newClusterMetrics(func() []cluster.Report {
		return []cluster.Report{{Server: "https://a\xff.example.com", Name: "\xff\x00"}}
	}))
	if families, err := registry.Gather(); err != nil || len(families) == 0 {
		t.Errorf("%d families, %v", len(families), err)
	}
}
