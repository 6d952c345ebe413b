// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// probers is how many applications are edited at once to measure the lag, one after the other of those in the first
// namespaces: no application so often that its event budget had a say.
const probers, probedNamespaces = 4, 8

// storm: events of managed and foreign objects, as many as the API server carries, while objects of some applications
// are edited and put back: the lag is the time from the API server's answer to the edit until the Application's status
// says so. The API server's own lag is what a watch of the edited object takes meanwhile.
func (l *live) storm(ctx context.Context) (map[string]any, error) {
	before, err := l.bowline.usage()
	if err != nil {
		return nil, err
	}
	eventsBefore, err := l.metric(ctx, "argocd_cluster_events_total")
	if err != nil {
		return nil, err
	}
	began := time.Now()
	sent, lags, err := l.blow(ctx)
	if err != nil {
		return nil, err
	}
	took := time.Since(began).Seconds()
	after, err := l.bowline.usage()
	if err != nil {
		return nil, err
	}
	eventsAfter, err := l.metric(ctx, "argocd_cluster_events_total")
	if err != nil {
		return nil, err
	}
	cores := (after.cpu - before.cpu).Seconds() / took
	rate := float64(sent) / took
	return map[string]any{"events_per_second": round(rate), "seen_per_second": round((eventsAfter - eventsBefore) / took), "cores": round(cores),
		"cores_per_1000_events": round(cores / rate * 1000), "samples": len(lags.status), "rss_mib": after.rss >> 20,
		"lag_p50_seconds": quantile(lags.status, 0.5), "lag_p99_seconds": quantile(lags.status, 0.99),
		"watch_lag_p50_seconds": quantile(lags.watch, 0.5), "watch_lag_p99_seconds": quantile(lags.watch, 0.99)}, nil
}

// lags are what the probers measured.
type lags struct {
	mu            sync.Mutex
	status, watch []time.Duration
}

func quantile(times []time.Duration, q float64) float64 {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return round(times[min(len(times)-1, int(q*float64(len(times))))].Seconds())
}

// blow sends events and probes until the storm is over, and returns how many events there were.
func (l *live) blow(ctx context.Context) (sent int, _ *lags, err error) {
	store, err := newEtcd(l.plane, l.planeDir)
	if err != nil {
		return 0, nil, err
	}
	managed, foreign, err := l.targets(ctx, store)
	if err != nil {
		return 0, nil, err
	}
	// Who is asked to end by the clock has nothing to complain of.
	over, cancel := context.WithTimeout(ctx, l.config.storm)
	defer cancel()
	group, over := errgroup.WithContext(over)
	eyes := newEyes()
	group.Go(func() error { return eyes.watch(over, l.subject, l.namespaces) })
	measured := &lags{}
	for i := range probers {
		group.Go(func() error { return l.probe(over, i, eyes, measured) })
	}
	group.Go(func() error {
		sent, err = l.gusts(over, store, managed, foreign)
		return err
	})
	if err := group.Wait(); err != nil && ctx.Err() == nil && !errors.Is(over.Err(), context.DeadlineExceeded) {
		return 0, nil, err
	}
	return sent, measured, l.calm(ctx)
}

// calm puts back what probes were about to put back.
func (l *live) calm(ctx context.Context) error {
	return l.each(ctx, func(ctx context.Context, app int) error {
		if !l.probed(app) {
			return nil
		}
		return l.edit(ctx, l.client, app, 1, "steady")
	})
}

// probed reports whether an application is one of those that are edited.
func (l *live) probed(app int) bool { return app%l.namespaces < probedNamespaces && !drifted(app) }

// targets are the objects that events are about: some thousand of ours and of others', from all over the estate. Nobody
// else writes them.
func (l *live) targets(ctx context.Context, store *etcd) (managed, foreign []stored, err error) {
	const enough = 3000
	for i := range l.namespaces {
		var ours, others []stored
		for _, kind := range []string{"configmaps", "secrets", "pods"} {
			list, err := store.list(ctx, "/registry/"+kind+"/"+estateNamespace(i)+"/")
			if err != nil {
				return nil, nil, err
			}
			for _, o := range list {
				switch name := string(o.key[bytes.LastIndexByte(o.key, '/')+1:]); {
				case strings.HasPrefix(name, "foreign-"):
					others = append(others, o)
				case strings.HasPrefix(name, "app-") && !strings.HasSuffix(name, "-0") && !strings.HasSuffix(name, "-1"): // those are edited
					ours = append(ours, o)
				}
			}
		}
		managed, foreign = append(managed, some(ours, enough/l.namespaces+1)...), append(foreign, some(others, enough/l.namespaces+1)...)
	}
	return some(managed, len(managed)), some(foreign, len(foreign)), nil
}

// some returns n of a list at most, in any order.
func some(list []stored, n int) []stored {
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return slices.Clone(list[:min(n, len(list))])
}

// gusts writes an annotation on objects, in turn, at the rate asked for or as fast as it goes.
func (l *live) gusts(ctx context.Context, store *etcd, managed, foreign []stored) (sent int, err error) {
	const each = 20 // events at once, half of them of ours
	began := time.Now()
	for n := 0; ; n += each / 2 {
		due := began.Add(time.Duration(sent) * time.Second / time.Duration(l.rate)) // what was late is made up for
		if rest(ctx, time.Until(due)) != nil {
			return sent, nil
		}
		var gust []stored
		for i := range each / 2 {
			gust = append(gust, managed[(n+i)%len(managed)], foreign[(n+i)%len(foreign)])
		}
		for _, o := range gust {
			if err := annotate(o.object); err != nil {
				return sent, err
			}
		}
		if err := store.put(ctx, gust); err != nil {
			return sent, err
		}
		sent += each
	}
}

func annotate(o runtime.Object) error {
	m, err := meta.Accessor(o)
	if err != nil {
		return err
	}
	annotations := m.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations["example.com/tick"] = fmt.Sprint(time.Now().UnixNano())
	m.SetAnnotations(annotations)
	return nil
}

// probe edits an object of one application after the other, and puts it back, and takes the time of both.
func (l *live) probe(ctx context.Context, n int, eyes *eyes, out *lags) error {
	if err := rest(ctx, 2*time.Second); err != nil { // until there is somebody to see
		return err
	}
	for app := n; ctx.Err() == nil; app = (app + probers) % l.estate.apps {
		if !l.probed(app) {
			continue
		}
		for _, step := range []struct {
			version string
			want    v1alpha1.SyncStatusCode
		}{{"edited", v1alpha1.SyncStatusCodeOutOfSync}, {"steady", v1alpha1.SyncStatusCodeSynced}} {
			status := eyes.await("Application", appName(app), string(step.want))
			object := eyes.await("ConfigMap", appName(app)+"-1", step.version)
			if err := l.edit(ctx, l.client, app, 1, step.version); err != nil {
				return err
			}
			answered := time.Now()
			statusLag, err := lag(ctx, status, answered)
			if err != nil {
				return err
			}
			watchLag, err := lag(ctx, object, answered)
			if err != nil {
				return err
			}
			out.mu.Lock()
			out.status, out.watch = append(out.status, statusLag), append(out.watch, watchLag)
			out.mu.Unlock()
		}
	}
	return nil
}

// lag is how long after the answer something was seen, which may have been before it.
func lag(ctx context.Context, seen <-chan time.Time, answered time.Time) (time.Duration, error) {
	select {
	case at := <-seen:
		return max(0, at.Sub(answered)), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
