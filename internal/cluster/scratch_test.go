package cluster_test

import (
	"fmt"
	"sync"
	"testing"
	"time"
	"context"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/test/devcluster"
)

func TestScratch(t *testing.T) {
	dev := devcluster.Start(t)
	began := time.Now()
	c := open(t, dev.RESTConfig(), nil)
	inv := complete(t, c)
	t.Log("empty complete after", time.Since(began), len(inv.Unlistable), inv.UnknownGroups)
	wait(t, c, configMapGVK)
	var lags []time.Duration
	var mu sync.Mutex
	c.Subscribe(func(ch cluster.Change) { mu.Lock(); lags = append(lags, time.Since(ch.At)); mu.Unlock() })
	began = time.Now()
	var wg sync.WaitGroup
	sem := make(chan struct{}, 200)
	for i := range 2000 {
		wg.Go(func() {
			sem <- struct{}{}
			defer func() { <-sem }()
			if _, err := c.Apply(t.Context(), mark(configMap("default", fmt.Sprint("a-", i), "1"), "app"), apply); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	t.Log("2000 applies", time.Since(began), len(c.Owned("app")), c.Limit())
	began = time.Now()
	for i := range 2000 {
		if l := c.Get(context.Background(), object.Key{Kind: "ConfigMap", Namespace: "default", Name: fmt.Sprint("a-", i)}, "v1"); l.Presence != cluster.Present {
			t.Fatal(l)
		}
	}
	t.Log("2000 gets", time.Since(began))
	began = time.Now()
	d := open(t, dev.RESTConfig(), nil)
	complete(t, d)
	t.Log("2000 objects complete after", time.Since(began), len(d.Owned("app")))
	mu.Lock()
	t.Log("changes", len(lags))
	mu.Unlock()
}
