// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/test/devcluster"
)

// BenchmarkStart compares the ways of reading a cluster: BOWLINE_BENCH_OBJECTS ConfigMaps (3,000), one in five of them
// ours, from the first request until the inventory is complete. Run with -benchtime=5x.
func BenchmarkStart(b *testing.B) {
	dev := devcluster.Shared(b)
	n := 3000
	if text := os.Getenv("BOWLINE_BENCH_OBJECTS"); text != "" {
		n, _ = strconv.Atoi(text)
	}
	ns := dev.Namespace(b)
	fill(b, dev, ns, n)
	for _, way := range []struct {
		name       string
		paged, raw bool
	}{{name: "pages", paged: true}, {name: "pages, not compressed", paged: true, raw: true}, {name: "streams"}} {
		b.Run(way.name, func(b *testing.B) {
			var peak, steady, took, ours, theirs float64
			for b.Loop() {
				p, s, t, o, th := start(b, dev, way.paged, way.raw)
				peak, steady, took, ours, theirs = peak+p, steady+s, took+t, ours+o, theirs+th
			}
			each := float64(b.N)
			b.ReportMetric(peak/each/(1<<20), "peak-MiB")
			b.ReportMetric(steady/each/(1<<20), "steady-MiB")
			b.ReportMetric(took/each*1000, "complete-ms")
			b.ReportMetric(ours/each*1000, "our-cpu-ms")
			b.ReportMetric(theirs/each*1000, "server-cpu-ms")
		})
	}
}

// BenchmarkUnusedCRDs measures what BOWLINE_BENCH_CRDS (300) installed kinds without objects cost at the start. Run with
// -benchtime=3x; the cluster is one of its own.
func BenchmarkUnusedCRDs(b *testing.B) {
	dev := devcluster.Start(b)
	n := 300
	if text := os.Getenv("BOWLINE_BENCH_CRDS"); text != "" {
		n, _ = strconv.Atoi(text)
	}
	measure := func(b *testing.B) {
		var peak, steady, took, ours, theirs float64
		for b.Loop() {
			p, s, t, o, th := start(b, dev, false, false)
			peak, steady, took, ours, theirs = peak+p, steady+s, took+t, ours+o, theirs+th
		}
		each := float64(b.N)
		b.ReportMetric(peak/each/(1<<20), "peak-MiB")
		b.ReportMetric(steady/each/(1<<20), "steady-MiB")
		b.ReportMetric(took/each*1000, "complete-ms")
		b.ReportMetric(ours/each*1000, "our-cpu-ms")
		b.ReportMetric(theirs/each*1000, "server-cpu-ms")
	}
	b.Run("without", measure)
	crds := other(b, dev.RESTConfig(), "customresourcedefinitions.v1.apiextensions.k8s.io", "")
	for i := range n {
		kind := fmt.Sprintf("Thing%d", i)
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(widgetCRD(strings.ToLower(kind)+"s", fmt.Sprintf("g%d.example.com", i%50), kind)), &u.Object); err != nil {
			b.Fatal(err)
		}
		if _, err := crds.Create(b.Context(), u, metav1.CreateOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	client := dev.Client().Discovery()
	await(b, time.Second, func() bool {
		_, lists, err := client.ServerGroupsAndResources()
		if err != nil {
			b.Fatal(err)
		}
		served := 0
		for _, list := range lists {
			if strings.Contains(list.GroupVersion, ".example.com/") {
				served += len(list.APIResources)
			}
		}
		return served >= n
	})
	_, _, first, _, _ := start(b, dev, false, false) // by which the API server prepares each kind
	b.Logf("first start with %d unused kinds: %.0f ms", n, first*1000)
	b.Run("with", measure)
}

// BenchmarkProbeRound measures what one round of the consistency probe costs, which comes every ten minutes:
// BOWLINE_BENCH_OBJECTS ConfigMaps (3,000), one in five of them ours.
func BenchmarkProbeRound(b *testing.B) {
	dev := devcluster.Shared(b)
	n := 3000
	if text := os.Getenv("BOWLINE_BENCH_OBJECTS"); text != "" {
		n, _ = strconv.Atoi(text)
	}
	fill(b, dev, dev.Namespace(b), n)
	c, err := cluster.Open(cluster.Hub(dev.RESTConfig()), cluster.Options{})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	await(b, 10*time.Millisecond, func() bool { return c.Inventory().Complete })
	cpu, serverCPU, rounds := ownCPU(), childCPU(b), 0
	for b.Loop() {
		c.ProbeRound(ctx)
		rounds++
	}
	b.ReportMetric((ownCPU()-cpu)*1000/float64(rounds), "our-cpu-ms/round")
	b.ReportMetric((childCPU(b)-serverCPU)*1000/float64(rounds), "server-cpu-ms/round")
	cancel()
	<-ended
	c.Close()
}

// await looks now and then until something is done, for five minutes at most.
func await(b *testing.B, every time.Duration, done func() bool) {
	b.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !done(); time.Sleep(every) {
		if time.Now().After(deadline) {
			b.Fatal("what is waited for did not come within five minutes")
		}
	}
}

// start opens a connection and measures until the inventory is complete.
func start(b *testing.B, dev *devcluster.Cluster, paged, raw bool) (peak, steady, took, ours, theirs float64) {
	config := dev.RESTConfig()
	config.DisableCompression = raw
	before := liveHeap()
	cpu, serverCPU := ownCPU(), childCPU(b)
	c, err := cluster.Open(cluster.Hub(config), cluster.Options{PagedLists: paged})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- c.Run(ctx) }()
	c.Watch(configMapGVK)
	var most atomic.Uint64
	await(b, 2*time.Millisecond, func() bool {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most.Store(max(most.Load(), m.HeapAlloc))
		return c.Inventory().Complete
	})
	took = time.Since(began).Seconds()
	ours, theirs = ownCPU()-cpu, childCPU(b)-serverCPU
	steady = float64(liveHeap()) - float64(before)
	runtime.KeepAlive(c)
	cancel()
	<-ended
	c.Close()
	return float64(most.Load()) - float64(before), steady, took, ours, theirs
}

// fill makes ConfigMaps, every fifth with a mark.
func fill(b *testing.B, dev *devcluster.Cluster, ns string, n int) {
	b.Helper()
	configMaps := other(b, dev.RESTConfig(), "configmaps", ns)
	work, failed := make(chan *unstructured.Unstructured), make(chan error, 16)
	for range 16 {
		go func() {
			var err error
			for u := range work {
				if _, created := configMaps.Create(context.Background(), u, metav1.CreateOptions{}); created != nil {
					err = created
				}
			}
			failed <- err
		}()
	}
	for i := range n {
		u := configMap(ns, fmt.Sprint("config-", i), strings.Repeat("value ", 100))
		if i%5 == 0 {
			object.Tracker{}.Mark(u, fmt.Sprint("app-", i/50), "default")
		}
		work <- u
	}
	close(work)
	for range 16 {
		if err := <-failed; err != nil {
			b.Fatal(err)
		}
	}
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// ownCPU is the CPU time of this process, in seconds.
func ownCPU() float64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}

// childCPU is the CPU time of the processes below this one, in seconds.
func childCPU(b *testing.B) (seconds float64) {
	b.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		b.Skip("no /proc")
	}
	parents, used := map[string]string{}, map[string]float64{}
	for _, e := range entries {
		raw, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
		user, _ := strconv.ParseFloat(string(fields[11]), 64)
		system, _ := strconv.ParseFloat(string(fields[12]), 64)
		parents[e.Name()], used[e.Name()] = string(fields[1]), (user+system)/100
	}
	self := strconv.Itoa(os.Getpid())
	for pid := range parents {
		for above := parents[pid]; above != ""; above = parents[above] {
			if above == self {
				seconds += used[pid]
				break
			}
		}
	}
	return seconds
}
