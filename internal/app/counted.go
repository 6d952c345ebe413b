// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/render"
)

// counted is a renderer that counts what another one does.
type counted struct {
	desired.Renderer
	metrics *metrics
}

// Render implements desired.Renderer.
func (c counted) Render(ctx context.Context, in render.Input) (render.Output, error) {
	began := realClock.Now()
	out, err := c.Renderer.Render(ctx, in)
	if err != nil || len(out.Needs) == 0 {
		c.metrics.rendered(out, realClock.Since(began).Seconds(), err)
	}
	return out, err
}

// renderMetrics count renders: what was remembered is not among them.
type renderMetrics struct {
	renders, failures *prometheus.CounterVec
	seconds           *prometheus.HistogramVec
}

func newRenderMetrics() renderMetrics {
	return renderMetrics{
		renders: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "bowline_renders_total",
			Help: "Sources that were rendered anew."}, []string{"type"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "bowline_render_failures_total",
			Help: "Renders that gave an error."}, []string{"type"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "bowline_render_duration_seconds",
			Help: "How long renders took, the wait for a process included.", Buckets: []float64{.001, .005, .025, .1, .5, 2, 10, 60}}, []string{"type"}),
	}
}

func (m renderMetrics) rendered(out render.Output, seconds float64, err error) {
	typ := string(out.Type)
	if err != nil {
		m.failures.WithLabelValues(typ).Inc()
		return
	}
	m.renders.WithLabelValues(typ).Inc()
	m.seconds.WithLabelValues(typ).Observe(seconds)
}

// collectors tell of the renders that are kept.
func (r *sealedFolder) collectors() []prometheus.Collector {
	gauge := func(name, help string, value func(sealedStats) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(r.Stats()) })
	}
	return []prometheus.Collector{
		gauge("bowline_render_cache_entries", "Renders kept in the data folder.", func(s sealedStats) float64 { return float64(s.Files) }),
		gauge("bowline_render_cache_bytes", "Size of the renders kept in the data folder.", func(s sealedStats) float64 { return float64(s.Bytes) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "bowline_render_cache_rejected_total", Help: "Kept renders that were not what was written."},
			func() float64 { return float64(r.Stats().Rejected) }),
	}
}
