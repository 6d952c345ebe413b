// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"fmt"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// monorepo is an engine that stands at the first commit of one repository with many applications.
func monorepo(b *testing.B, n int) (*fakeSources, *Engine, []*v1alpha1.Application) {
	b.Helper()
	sources := newSources()
	all := files{}
	apps := make([]*v1alpha1.Application, n)
	for i := range apps {
		dir := fmt.Sprintf("teams/t%d/app%d", i%50, i)
		for j := range 4 {
			all[fmt.Sprintf("%s/%d.yaml", dir, j)] = configMap(fmt.Sprintf("c%d", j), "1")
		}
		apps[i] = application(fmt.Sprintf("app%d", i), from("r", "main", dir))
	}
	sources.commit("r", "main", "c0", all)
	engine := NewEngine(sources, fakeRenderer{}, nil, nil)
	for _, app := range apps {
		if _, err := engine.For(context.Background(), id(app), app, newTarget(app.Name)); err != nil {
			b.Fatal(err)
		}
	}
	return sources, engine, apps
}

// One commit that touches one application of 5,000.
func BenchmarkMoved(b *testing.B) {
	_, engine, _ := monorepo(b, 5000)
	match := follows("r", "main")
	changed := []string{"teams/t7/app7/0.yaml", "docs/readme.md"}
	from := "c0"
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		to := fmt.Sprint("m", i)
		touched, unchanged := engine.Moved(match, from, to, changed)
		if i == 0 && (len(touched) != 1 || len(unchanged) != 4999) {
			b.Fatalf("%d touched, %d unchanged", len(touched), len(unchanged))
		}
		from = to
	}
}

// A question whose answer is known.
func BenchmarkForSteady(b *testing.B) {
	_, engine, apps := monorepo(b, 100)
	targets := make([]Target, len(apps))
	for i, app := range apps {
		targets[i] = newTarget(app.Name)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		app := apps[i%len(apps)]
		if _, err := engine.For(context.Background(), id(app), app, targets[i%len(apps)]); err != nil {
			b.Fatal(err)
		}
	}
}

// A question at a new commit that changed nothing of the application.
func BenchmarkForUntouched(b *testing.B) {
	sources, engine, apps := monorepo(b, 100)
	target := newTarget(apps[0].Name)
	ids := [2]string{"c0", "c1"}
	sources.commit("r", "main", "c1", files{"docs": configMap("x", "1")})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		sources.set("r", func(r *fakeRepo) { r.refs["main"] = ids[i%2] })
		if _, err := engine.For(context.Background(), id(apps[0]), apps[0], target); err != nil {
			b.Fatal(err)
		}
	}
}

// A render of four small manifests from nothing.
func BenchmarkForRender(b *testing.B) {
	sources, _, apps := monorepo(b, 1)
	target := newTarget(apps[0].Name)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewEngine(sources, fakeRenderer{}, nil, nil).For(context.Background(), id(apps[0]), apps[0], target); err != nil {
			b.Fatal(err)
		}
	}
}
