// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/helm"
)

// BenchmarkOverhead prints what a warm process costs beside the library in this process: the metric "ms-overhead".
func BenchmarkOverhead(b *testing.B) {
	many := map[string]string{}
	for i := range 100 {
		many[fmt.Sprintf("templates/c%03d.yaml", i)] = fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d}\ndata: {x: %q}\n", i, strings.Repeat("x", 1000))
	}
	for _, c := range []struct {
		name string
		in   render.Input
	}{{"trivial", chartInput(chart(nil))}, {"100-templates", chartInput(chart(many))}} {
		b.Run(c.name, func(b *testing.B) {
			p, _ := newPool(b, Options{Renders: 1 << 30})
			ctx := context.Background()
			direct := c.in
			direct.Limits = p.limits(direct.Limits)
			if _, err := p.Render(ctx, c.in); err != nil {
				b.Fatal(err)
			}
			var inProcess, inWorker time.Duration
			for b.Loop() {
				begin := time.Now()
				if _, err := helm.Render(ctx, direct); err != nil {
					b.Fatal(err)
				}
				inProcess += time.Since(begin)
				begin = time.Now()
				if _, err := p.Render(ctx, c.in); err != nil {
					b.Fatal(err)
				}
				inWorker += time.Since(begin)
			}
			b.ReportMetric(float64((inWorker-inProcess).Microseconds())/1000/float64(b.N), "ms-overhead")
			b.ReportMetric(float64(inProcess.Microseconds())/1000/float64(b.N), "ms-library")
			b.ReportMetric(float64(inWorker.Microseconds())/1000/float64(b.N), "ms-worker")
		})
	}
}

// BenchmarkStart prints what a cold process costs.
func BenchmarkStart(b *testing.B) {
	p, _ := newPool(b, Options{})
	for b.Loop() {
		proc, err := start(p.options.Command)
		if err != nil {
			b.Fatal(err)
		}
		proc.retire()
	}
}
