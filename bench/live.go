// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// live is one cluster that holds many objects, some of which are ours.
type live struct {
	*subject
	estate
	peak int64 // bytes, of Bowline from its start until each status was true
}

// measureLive reports the rows of a cluster with many objects.
func measureLive(ctx context.Context, c config, dir string) error {
	l, err := newLive(ctx, c, dir)
	if err != nil {
		return err
	}
	defer l.close()
	for _, row := range []struct {
		name    string
		measure func(context.Context) (map[string]any, error)
	}{
		{"live-start", l.firstStart}, {"live-memory", l.steady}, {"live-storm", l.storm}, {"live-restart", l.secondStart},
	} {
		l.note("measuring " + row.name)
		result, err := row.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", row.name, err, l.tail())
		}
		result["row"], result["applications"], result["objects"], result["managed"] = row.name, l.estate.apps, l.total, l.estate.apps*perApp
		report(result)
	}
	return l.keep(ctx)
}

// prepared marks a control plane that holds the estate as it was made.
const prepared = "bench-prepared"

// newLive prepares a cluster and a repository, with all Applications in it. Bowline is not running.
func newLive(ctx context.Context, c config, dir string) (*live, error) {
	e := newEstate(c.scale)
	planeDir := filepath.Join(dir, "cluster")
	if c.keep != "" {
		planeDir = filepath.Join(c.keep, fmt.Sprintf("live-%d", e.total))
	}
	s, err := openSubject(ctx, c, dir, planeDir)
	if err != nil {
		return nil, err
	}
	l := &live{subject: s, estate: e}
	if err := l.prepare(ctx); err != nil {
		s.close()
		return nil, err
	}
	return l, nil
}

func (l *live) prepare(ctx context.Context) error {
	files := map[string]string{}
	for i := range l.estate.apps {
		text, err := l.file(i)
		if err != nil {
			return err
		}
		files[fmt.Sprintf("apps/%s/all.yaml", appName(i))] = text
	}
	if _, err := l.repo.Commit(gitserver.Change{Files: files}); err != nil {
		return err
	}
	marker := filepath.Join(l.planeDir, prepared)
	if _, err := os.Stat(marker); err != nil {
		began := time.Now()
		l.note(fmt.Sprintf("making %d objects", l.total))
		if err := l.install(ctx); err != nil {
			return err
		}
		if err := l.estate.prepare(ctx, l.client); err != nil {
			return err
		}
		l.note(fmt.Sprintf("made in %s", time.Since(began).Round(time.Second)))
	} else if err := os.Remove(marker); err != nil { // what follows changes it, and may not come to its end
		return err
	}
	return l.begin(ctx)
}

// install lets Bowline install its CRDs and end.
func (s *subject) install(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	s.bowline.stop(syscall.SIGTERM)
	s.bowline = nil
	return nil
}

// begin creates the Applications, edits one object of every tenth, and gives controllers time to come to rest.
func (l *live) begin(ctx context.Context) error {
	err := l.each(ctx, func(ctx context.Context, i int) error {
		app := application(i, l.repo.URL, v1alpha1.DefaultNamespace)
		app.Spec.Destination.Namespace, app.Spec.SyncPolicy = l.home(i), nil
		if err := createApplication(ctx, l.client, app); err != nil || !drifted(i) {
			return err
		}
		return l.edit(ctx, l.client, i, 0, "edited")
	})
	if err != nil {
		return err
	}
	return rest(ctx, 10*time.Second)
}

// drifted reports whether an application is not as desired when Bowline first starts.
func drifted(app int) bool { return app%10 == 3 }

// each does something for every application, some at a time.
func (l *live) each(ctx context.Context, do func(context.Context, int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i := range l.estate.apps {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

// firstStart: Bowline starts beside Applications without a status until each status says what is true.
func (l *live) firstStart(ctx context.Context) (map[string]any, error) {
	want := map[string]v1alpha1.SyncStatusCode{}
	for i := range l.estate.apps {
		want[appName(i)] = v1alpha1.SyncStatusCodeSynced
		if drifted(i) {
			want[appName(i)] = v1alpha1.SyncStatusCodeOutOfSync
		}
	}
	return l.startUntil(ctx, want)
}

// secondStart: while Bowline is down everything that was edited is put back; Bowline starts until each status says so.
func (l *live) secondStart(ctx context.Context) (map[string]any, error) {
	if err := l.editAll(ctx, "edited"); err != nil {
		return nil, err
	}
	if _, err := l.truth(ctx, l.all(v1alpha1.SyncStatusCodeOutOfSync)); err != nil {
		return nil, err
	}
	l.bowline.stop(syscall.SIGTERM)
	if err := l.editAll(ctx, "steady"); err != nil {
		return nil, err
	}
	return l.startUntil(ctx, l.all(v1alpha1.SyncStatusCodeSynced))
}

func (l *live) editAll(ctx context.Context, version string) error {
	return l.each(ctx, func(ctx context.Context, i int) error { return l.edit(ctx, l.client, i, 0, version) })
}

func (l *live) all(code v1alpha1.SyncStatusCode) map[string]v1alpha1.SyncStatusCode {
	want := map[string]v1alpha1.SyncStatusCode{}
	for i := range l.estate.apps {
		want[appName(i)] = code
	}
	return want
}

// startUntil starts Bowline and follows it until each status is as wanted.
func (l *live) startUntil(ctx context.Context, want map[string]v1alpha1.SyncStatusCode) (map[string]any, error) {
	began := time.Now()
	var ready time.Duration
	var seen sighting
	found := make(chan struct{})
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		defer close(found)
		seen, err = l.truth(ctx, want)
		return err
	})
	group.Go(func() error {
		if err := l.start(ctx); err != nil {
			return err
		}
		ready = time.Since(began)
		select {
		case <-l.bowline.done:
			return errors.Join(errors.New("the program ended"), l.bowline.status)
		case <-found:
			return nil
		}
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	used, err := l.bowline.usage()
	l.peak = used.peak
	return map[string]any{"seconds": round(seen.all.Sub(began).Seconds()), "half_seconds": round(seen.half.Sub(began).Seconds()),
		"ready_seconds": round(ready.Seconds()), "false_statuses": seen.wrong, "cpu_seconds": round(used.cpu.Seconds()),
		"peak_mib": l.peak >> 20}, err
}

// steady: memory when Bowline has been at rest for two minutes, beside the most that it had at its start.
func (l *live) steady(ctx context.Context) (map[string]any, error) {
	result, err := l.idle(ctx, floor{})
	if err != nil {
		return nil, err
	}
	used, err := l.bowline.usage()
	if err != nil {
		return nil, err
	}
	heap, err := l.metric(ctx, "go_memstats_heap_inuse_bytes")
	if err != nil {
		return nil, err
	}
	result["rss_mib"], result["peak_mib"], result["heap_mib"] = used.rss>>20, l.peak>>20, int(heap)>>20
	result["peak_to_steady"] = round(float64(l.peak) / float64(used.rss))
	return result, nil
}

// keep leaves the control plane for another run, if one is to be kept: as it was made, without Applications.
func (l *live) keep(ctx context.Context) error {
	if l.config.keep == "" {
		return nil
	}
	l.bowline.stop(syscall.SIGTERM)
	l.bowline = nil
	err := l.client.Resource(applications).Namespace(v1alpha1.DefaultNamespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.planeDir, prepared), nil, 0o600)
}
