// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"fmt"
	"runtime"
	"strings"
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

// One commit to a base that 500 of 5,000 applications read: exactly those are touched.
func BenchmarkMovedBase(b *testing.B) {
	sources := newSources()
	all := files{"base/a.yaml": configMap("base", "1")}
	for i := range 5000 {
		all[fmt.Sprintf("app%d/script", i)] = text(map[bool]string{true: "read /base/a.yaml", false: "read x"}[i%10 == 0])
	}
	sources.commit("r", "main", "c0", all)
	play := &scripted{}
	engine := NewEngine(sources, play, nil, nil)
	for i := range 5000 {
		app := application(fmt.Sprintf("app%d", i), from("r", "main", fmt.Sprintf("app%d", i)))
		if _, err := engine.For(context.Background(), id(app), app, newTarget(app.Name)); err != nil {
			b.Fatal(err)
		}
	}
	from := "c0"
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		to := fmt.Sprint("m", i)
		touched, _ := engine.Moved(follows("r", "main"), from, to, []string{"base/a.yaml"})
		if i == 0 && len(touched) != 500 {
			b.Fatalf("%d touched", len(touched))
		}
		from = to
	}
}

// What it costs to find that a render still holds at another commit, with what it read: at most 50 µs and 2 µs for each
// thing read.
func BenchmarkHit(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			sources := newSources()
			all, script := files{}, &strings.Builder{}
			for i := range n {
				all[fmt.Sprintf("app/templates/part%d/file%d.yaml", i%10, i)] = text("x")
				fmt.Fprintf(script, "read templates/part%d/file%d.yaml\n", i%10, i)
			}
			all["app/script"] = text(script.String())
			sources.commit("r", "main", "c0", all)
			sources.commit("r", "main", "c1", files{"docs": configMap("x", "1")})
			engine, app := NewEngine(sources, &scripted{}, nil, nil), application("app", from("r", "main", "app"))
			ids := [2]string{"c0", "c1"}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				sources.set("r", func(r *fakeRepo) { r.refs["main"] = ids[i%2] })
				if _, err := engine.For(context.Background(), id(app), app, newTarget(app.Name)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n+1), "ns/entry")
		})
	}
}

// deployment is as long as they usually are.
func deployment(name string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: %[1]s
  labels: {app.kubernetes.io/name: %[1]s, app.kubernetes.io/part-of: shop, app.kubernetes.io/managed-by: Helm, helm.sh/chart: shop-1.2.3}
spec:
  replicas: 3
  selector: {matchLabels: {app.kubernetes.io/name: %[1]s}}
  template:
    metadata:
      labels: {app.kubernetes.io/name: %[1]s, app.kubernetes.io/part-of: shop}
    spec:
      serviceAccountName: %[1]s
      containers:
        - name: main
          image: registry.example.org/shop/%[1]s:1.2.3
          ports: [{name: http, containerPort: 8080}]
          env: [{name: A, value: "1"}, {name: PASSWORD, valueFrom: {secretKeyRef: {name: %[1]s, key: password}}}]
          resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 128Mi}}
          readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 5}
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec: {selector: {app.kubernetes.io/name: %[1]s}, ports: [{name: http, port: 80, targetPort: http}]}
`, name)
}

// What 5,000 memoised renders of 10 objects take.
func BenchmarkMemory(b *testing.B) {
	const n = 5000
	sources := newSources()
	all := files{}
	for i := range n {
		dir := fmt.Sprintf("teams/t%d/app%d", i%50, i)
		all[dir+"/app.yaml"] = text(deployment(fmt.Sprintf("app%d", i)))
		for j := range 8 {
			all[fmt.Sprintf("%s/config%d.yaml", dir, j)] = configMap(fmt.Sprintf("app%d-config%d", i, j), strings.Repeat("some setting\n", 30))
		}
	}
	sources.commit("r", "main", "c0", all)
	for b.Loop() {
		before := heap()
		engine := NewEngine(sources, fakeRenderer{}, nil, nil)
		for i := range n {
			app := application(fmt.Sprintf("app%d", i), from("r", "main", fmt.Sprintf("teams/t%d/app%d", i%50, i)))
			state, err := engine.For(context.Background(), id(app), app, newTarget(app.Name))
			if err != nil || len(state.Objects) != 10 {
				b.Fatal(err)
			}
		}
		size := heap() - before
		b.ReportMetric(float64(size)/(1<<20), "MiB")
		b.ReportMetric(float64(size)/n/10, "bytes/object")
		runtime.KeepAlive(engine)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A process that starts again with all of it in the cache.
func BenchmarkRestart(b *testing.B) {
	sources, _, apps := monorepo(b, 500)
	play := &scripted{}
	cache := &mapMemory{records: map[string][]byte{}}
	ask := func(engine *Engine) {
		for _, app := range apps {
			if _, err := engine.For(context.Background(), id(app), app, newTarget(app.Name)); err != nil {
				b.Fatal(err)
			}
		}
	}
	ask(NewEngine(sources, fakeRenderer{}, nil, cache))
	b.ReportAllocs()
	for b.Loop() {
		ask(NewEngine(sources, play, nil, cache))
	}
	if play.renders > 0 {
		b.Fatalf("%d renders", play.renders)
	}
}
