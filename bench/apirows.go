// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// lists: the first page of a hundred with its facets, as people who look at the list ask for it, and the whole list.
func (s *served) lists(ctx context.Context) (map[string]any, error) {
	const pages, wholes = 300, 7
	path := func(i int) string {
		return "/api/bowline/v1/applications?limit=100" + []string{"", "&sort=-health", "&search=shop", "&sync=OutOfSync"}[i%4]
	}
	page, err := s.timed(ctx, pages, path)
	if err != nil {
		return nil, err
	}
	whole, err := s.timed(ctx, wholes, func(int) string { return "/api/v1/applications" })
	if err != nil {
		return nil, err
	}
	used, err := s.bowline.usage()
	return map[string]any{
		"pages": pages, "page_p50_ms": ms(page.took, 0.5), "page_p99_ms": ms(page.took, 0.99), "page_cpu_ms": perObject(page.cpu, pages), "page_kib": page.size >> 10,
		"full_seconds": round(quantile(whole.took, 0.5)), "full_worst_seconds": round(quantile(whole.took, 1)),
		"full_cpu_seconds": round(whole.cpu.Seconds() / wholes), "full_mib": whole.size >> 20, "peak_mib": used.peak >> 20,
	}, err
}

// calls are what some calls took, and what processor time Bowline took for all of them.
type calls struct {
	took []time.Duration
	cpu  time.Duration
	size int // of the last answer
}

// timed makes a call some times, one after the other, and measures each until its answer is read.
func (s *served) timed(ctx context.Context, times int, path func(i int) string) (c calls, err error) {
	before, err := s.bowline.usage()
	if err != nil {
		return c, err
	}
	for i := range times {
		began := time.Now()
		if c.size, err = s.ask(ctx, http.MethodGet, path(i), nil, nil); err != nil {
			return c, err
		}
		c.took = append(c.took, time.Since(began))
	}
	after, err := s.bowline.usage()
	c.cpu = after.cpu - before.cpu
	return c, err
}

func ms(times []time.Duration, q float64) float64 { return round(1000 * quantile(times, q)) }

// stream: from the API server's answer to the write of a status until a subscriber has read the element with it.
func (s *served) stream(ctx context.Context) (map[string]any, error) {
	return s.subscribed(ctx, 1, 100)
}

// subscribers: the same with many of them, each with a connection of its own, and what they take of memory.
func (s *served) subscribers(ctx context.Context) (map[string]any, error) {
	return s.subscribed(ctx, s.streams, 30)
}

// subscribed opens streams, changes statuses, and reports when the streams had them.
func (s *served) subscribed(ctx context.Context, streams, changes int) (map[string]any, error) {
	if err := rest(ctx, settle); err != nil { // whatever went before
		return nil, err
	}
	before, err := s.bowline.usage()
	if err != nil {
		return nil, err
	}
	since, err := s.version(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.gather(ctx, streams, "/api/v1/stream/applications?resourceVersion="+since)
	if err != nil {
		return nil, err
	}
	defer a.leave()
	first, all, err := a.changed(ctx, changes)
	if err != nil {
		return nil, err
	}
	after, err := s.bowline.usage()
	return map[string]any{
		"streams": streams, "changes": changes, "lag_p50_ms": ms(first, 0.5), "lag_p99_ms": ms(first, 0.99),
		"lag_of_last_p50_ms": ms(all, 0.5), "lag_of_last_p99_ms": ms(all, 0.99),
		"more_mib": (after.rss - before.rss) >> 20, "mib": after.rss >> 20, "peak_mib": after.peak >> 20, "cpu_seconds": round((after.cpu - before.cpu).Seconds()),
	}, err
}

// audience are the readers of open streams.
type audience struct {
	*served
	leave func()

	mu      sync.Mutex
	waiting string      // for the element with this in it
	arrived []time.Time // at those who have it
	failed  error
	whole   chan struct{} // closed once all have it
	size    int
}

// gather opens streams, all of the same, and returns when all of them are open.
func (s *served) gather(ctx context.Context, streams int, path string) (*audience, error) {
	listening, cancel := context.WithCancel(ctx)
	var readers sync.WaitGroup
	a := &audience{served: s, size: streams, leave: func() { cancel(); readers.Wait() }}
	var opened atomic.Int64
	for i := range streams {
		readers.Go(func() {
			transport := &http.Transport{TLSClientConfig: ownCertificate(), ForceAttemptHTTP2: true}
			defer transport.CloseIdleConnections()
			err := s.follow(listening, &http.Client{Transport: transport}, path, func() { opened.Add(1) }, a.hear)
			if listening.Err() == nil {
				a.fail(fmt.Errorf("stream %d ended: %w", i, err))
			}
		})
		if err := until(ctx, time.Minute, "a stream is open", func(context.Context) (bool, error) {
			return opened.Load() > int64(i)-handshakes, a.failure()
		}); err != nil {
			a.leave()
			return nil, err
		}
	}
	err := until(ctx, limit, "all streams are open", func(context.Context) (bool, error) { return opened.Load() == int64(streams), a.failure() })
	if err != nil {
		a.leave()
	}
	return a, err
}

// handshakes is how many streams are being opened at a time.
const handshakes = 16

func (a *audience) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = err
}

func (a *audience) failure() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failed
}

// hear is called with each line of each stream.
func (a *audience) hear(line []byte) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting == "" || !bytes.Contains(line, []byte(a.waiting)) {
		return
	}
	if a.arrived = append(a.arrived, now); len(a.arrived) == a.size {
		a.waiting = ""
		close(a.whole)
	}
}

// changed writes statuses, each when all have heard of the one before, and returns how long the first and how long the last
// reader of each took to have it.
func (a *audience) changed(ctx context.Context, changes int) (first, last []time.Duration, err error) {
	for i := range changes {
		a.marks++
		mark := fmt.Sprintf("change-%d", a.marks)
		a.mu.Lock()
		a.waiting, a.arrived, a.whole = mark, nil, make(chan struct{})
		a.mu.Unlock()
		_, err := a.client.Resource(applications).Namespace(v1alpha1.DefaultNamespace).Patch(ctx, listedName(i*37%a.listed), types.MergePatchType,
			fmt.Appendf(nil, `{"metadata":{"labels":{"bench":%q}},"status":{"health":{"status":"Progressing"}}}`, mark), metav1.PatchOptions{FieldManager: "bench"})
		answered := time.Now()
		if err != nil {
			return nil, nil, err
		}
		select {
		case <-a.whole:
		case <-time.After(time.Minute):
			return nil, nil, fmt.Errorf("after a minute not all of %d streams have %s: %w", a.size, mark, a.failure())
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
		first = append(first, max(0, a.arrived[0].Sub(answered)))
		last = append(last, max(0, a.arrived[a.size-1].Sub(answered)))
		if err := rest(ctx, 100*time.Millisecond); err != nil {
			return nil, nil, err
		}
	}
	return first, last, nil
}

// gets: calls for one application by its name, as many each second as the goal says, while one application after the other is
// pushed to. Each call has its time, and is late if it had to wait: a server that is slow is not asked less.
func (s *served) gets(ctx context.Context) (map[string]any, error) {
	pushing, pushed := context.WithCancel(ctx)
	defer pushed()
	g := &getter{served: s, client: &http.Client{Transport: &http.Transport{TLSClientConfig: ownCertificate(), MaxIdleConnsPerHost: connections}}}
	before, err := s.bowline.usage()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	var asking sync.WaitGroup
	for range connections {
		asking.Go(func() { g.run(ctx, pushing, began) })
	}
	result, err := s.pushOne(ctx, floor{})
	span := time.Since(began)
	after, used := s.bowline.usage()
	pushed()
	asking.Wait()
	if err := firstOf(err, used); err != nil {
		return nil, err
	}
	row := map[string]any{
		"requests": len(g.took), "requests_per_second": round(float64(len(g.took)) / span.Seconds()), "errors": g.errors, "p50_ms": ms(g.took, 0.5), "p99_ms": ms(g.took, 0.99),
		"cores": round((after.cpu - before.cpu).Seconds() / span.Seconds()), "cpu_us": round(1000 * perObject(after.cpu-before.cpu, max(1, len(g.took)))),
		"push_median_seconds": result["median_seconds"], "push_worst_seconds": result["worst_seconds"],
	}
	if g.failed != nil {
		row["an_error"] = g.failed.Error()
	}
	return row, nil
}

// connections is how many there are at once to the server.
const connections = 64

// getter makes calls at their times.
type getter struct {
	*served
	client *http.Client
	next   atomic.Int64

	mu     sync.Mutex
	took   []time.Duration
	errors int
	failed error
}

// run makes calls until pushing ends; one that is under way then is waited for.
func (g *getter) run(ctx, pushing context.Context, began time.Time) {
	for {
		n := g.next.Add(1) - 1
		due := began.Add(time.Duration(n) * time.Second / time.Duration(g.calls))
		if rest(pushing, time.Until(due)) != nil {
			return
		}
		err := g.one(ctx, listedName(int(n)%g.listed))
		g.mu.Lock()
		if err != nil {
			g.errors++
			g.failed = err
		} else {
			g.took = append(g.took, time.Since(due))
		}
		g.mu.Unlock()
	}
}

// one asks for an application and looks whether it is that one.
func (g *getter) one(ctx context.Context, name string) error {
	resp, err := g.send(ctx, g.client, http.MethodGet, "/api/v1/applications/"+name, nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if !json.Valid(text) || !bytes.Contains(text, []byte(`"name":"`+name+`"`)) {
		return fmt.Errorf("%s was answered with %.200s", name, text)
	}
	return nil
}
