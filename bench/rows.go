// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

func decode(u *unstructured.Unstructured) (*v1alpha1.Application, error) {
	app := &v1alpha1.Application{}
	return app, runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, app)
}

func synced(app *v1alpha1.Application) bool {
	return app.Status.Sync.Status == v1alpha1.SyncStatusCodeSynced
}

// syncAll: an empty cluster until every application is Synced.
func (s *subject) syncAll(ctx context.Context, base floor) (map[string]any, error) {
	before, err := s.bowline.usage()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	created := make(chan error, 1)
	go func() {
		for i := range s.apps {
			if err := createApplication(ctx, s.client, application(i, s.repo.URL, v1alpha1.DefaultNamespace)); err != nil {
				created <- err
				return
			}
		}
		created <- nil
	}()
	half, err := s.countApps(ctx, synced)
	if err != nil {
		return nil, err
	}
	all := time.Since(began)
	if err := <-created; err != nil {
		return nil, err
	}
	after, err := s.bowline.usage()
	if err != nil {
		return nil, err
	}
	cpu := (after.cpu - before.cpu).Seconds()
	return map[string]any{"seconds": round(all.Seconds()), "half_seconds": round(half.Seconds()),
		"ratio_to_floor": round(all.Seconds() / base.all.time.Seconds()), "cpu_seconds": round(cpu),
		"cpu_ms_per_object": perObject(after.cpu-before.cpu, s.apps*s.objects), "overhead_ms_per_object": perObject(after.cpu-before.cpu-base.all.cpu, s.apps*s.objects)}, nil
}

// perObject is a part of some processor time, in milliseconds.
func perObject(cpu time.Duration, n int) float64 { return round(1000 * cpu.Seconds() / float64(n)) }

// pollFloor is the least time between two polls of one repository: pushes that come faster wait for each other.
const pollFloor = time.Second

// pushOne: a push that changes one application until its object is changed. Each push comes when the one before is done
// with, as pushes do.
func (s *subject) pushOne(ctx context.Context, _ floor) (map[string]any, error) {
	return s.sampled(func(i int) (time.Duration, error) {
		if err := rest(ctx, pollFloor+200*time.Millisecond); err != nil {
			return 0, err
		}
		began := time.Now()
		version, _, err := s.push(ctx, i%s.apps)
		if err != nil {
			return 0, err
		}
		_, err = s.countObjects(ctx, version, 1)
		return time.Since(began), err
	})
}

// revisionFollows: after a push that changes one application, until every Application names the new commit.
func (s *subject) revisionFollows(ctx context.Context, _ floor) (map[string]any, error) {
	began := time.Now()
	_, commit, err := s.push(ctx, 0)
	if err != nil {
		return nil, err
	}
	half, err := s.countApps(ctx, func(a *v1alpha1.Application) bool { return a.Status.Sync.Revision == commit })
	return map[string]any{"seconds": round(time.Since(began).Seconds()), "half_seconds": round(half.Seconds())}, err
}

// pushAll: a push that changes one object of every application.
func (s *subject) pushAll(ctx context.Context, base floor) (map[string]any, error) {
	before, err := s.bowline.usage()
	if err != nil {
		return nil, err
	}
	every := make([]int, s.apps)
	for i := range every {
		every[i] = i
	}
	began := time.Now()
	version, _, err := s.push(ctx, every...)
	if err != nil {
		return nil, err
	}
	half, err := s.countObjects(ctx, version, s.apps)
	if err != nil {
		return nil, err
	}
	all := time.Since(began)
	if _, err := s.countApps(ctx, func(a *v1alpha1.Application) bool {
		return synced(a) && a.Status.OperationState != nil && a.Status.OperationState.Phase == v1alpha1.OperationSucceeded
	}); err != nil {
		return nil, err
	}
	after, err := s.bowline.usage()
	cpu := after.cpu - before.cpu
	return map[string]any{"seconds": round(all.Seconds()), "half_seconds": round(half.Seconds()),
		"ratio_to_floor": round(all.Seconds() / base.one.time.Seconds()), "cpu_seconds": round(cpu.Seconds()),
		"overhead_ms_per_object": perObject(cpu-base.one.cpu, s.apps*s.objects), "overhead_ms_per_application": perObject(cpu-base.one.cpu, s.apps)}, err
}

// drift: a hand edit until it is put back.
func (s *subject) drift(ctx context.Context, _ floor) (map[string]any, error) {
	configMaps := s.client.Resource(resources["ConfigMap"]).Namespace(namespace)
	return s.sampled(func(i int) (time.Duration, error) {
		name := fmt.Sprintf("%s-1", appName(i%s.apps))
		_, err := configMaps.Patch(ctx, name, types.MergePatchType, []byte(`{"data":{"version":"edited"}}`), metav1.PatchOptions{FieldManager: "kubectl-edit"})
		if err != nil {
			return 0, err
		}
		began := time.Now()
		err = s.watched(ctx, resources["ConfigMap"], namespace, func(u *unstructured.Unstructured, _ bool) bool {
			held, _, _ := unstructured.NestedString(u.Object, "data", "version")
			return u.GetName() == name && held == "steady"
		})
		return time.Since(began), err
	})
}

// deleted: a deleted object until it is there again. It is one of another application than those of drift: what is healed
// twice within two seconds waits for its back-off.
func (s *subject) deleted(ctx context.Context, _ floor) (map[string]any, error) {
	configMaps := s.client.Resource(resources["ConfigMap"]).Namespace(namespace)
	return s.sampled(func(i int) (time.Duration, error) {
		name := fmt.Sprintf("%s-2", appName((s.samples+i)%s.apps))
		old, err := configMaps.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return 0, err
		}
		if err := configMaps.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			return 0, err
		}
		began := time.Now()
		err = s.watched(ctx, resources["ConfigMap"], namespace, func(u *unstructured.Unstructured, gone bool) bool {
			return !gone && u.GetName() == name && u.GetUID() != old.GetUID()
		})
		return time.Since(began), err
	})
}

// sampled repeats a measurement, each time on another application.
func (s *subject) sampled(measure func(i int) (time.Duration, error)) (map[string]any, error) {
	var times []time.Duration
	for i := range s.samples {
		d, err := measure(i)
		if err != nil {
			return nil, fmt.Errorf("sample %d: %w", i, err)
		}
		times = append(times, d)
	}
	slices.Sort(times)
	return map[string]any{"samples": len(times), "median_seconds": round(times[len(times)/2].Seconds()),
		"worst_seconds": round(times[len(times)-1].Seconds())}, nil
}

// idle: what Bowline uses while nothing happens.
func (s *subject) idle(ctx context.Context, _ floor) (map[string]any, error) {
	const calm, span = time.Minute, time.Minute // Events of what was before are still being written
	if err := rest(ctx, calm); err != nil {
		return nil, err
	}
	before, err := s.bowline.usage()
	if err != nil {
		return nil, err
	}
	if err := rest(ctx, span); err != nil {
		return nil, err
	}
	after, err := s.bowline.usage()
	return map[string]any{"cpu_seconds_per_minute": round((after.cpu - before.cpu).Seconds())}, err
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// memory: of Bowline with all its processes.
func (s *subject) memory(context.Context, floor) (map[string]any, error) {
	u, err := s.bowline.usage()
	return map[string]any{"rss_mib": u.rss >> 20, "peak_mib": u.peak >> 20}, err
}

// restart: Bowline is killed, an object is edited and another deleted, and Bowline is started again.
func (s *subject) restart(ctx context.Context, _ floor) (map[string]any, error) {
	s.bowline.stop(syscall.SIGKILL)
	configMaps := s.client.Resource(resources["ConfigMap"]).Namespace(namespace)
	name := appName(s.apps/2) + "-1"
	if _, err := configMaps.Patch(ctx, name, types.MergePatchType, []byte(`{"data":{"version":"edited"}}`), metav1.PatchOptions{FieldManager: "kubectl-edit"}); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	ready := time.Since(began)
	led := make(chan time.Duration, 1)
	go func() { led <- s.untilLeading(ctx, began) }()
	err := s.watched(ctx, resources["ConfigMap"], namespace, func(u *unstructured.Unstructured, _ bool) bool {
		held, _, _ := unstructured.NestedString(u.Object, "data", "version")
		return u.GetName() == name && held == "steady"
	})
	if err != nil {
		return nil, err
	}
	healed := time.Since(began)
	leading := <-led
	return map[string]any{"seconds_to_ready": round(ready.Seconds()), "seconds_to_leadership": round(leading.Seconds()),
		"seconds_from_leadership_to_healed": round((healed - leading).Seconds())}, nil
}

var leases = schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}

// untilLeading returns how long after began the Lease had its new holder: a killed leader's lease has to run out first.
func (s *subject) untilLeading(ctx context.Context, began time.Time) time.Duration {
	var at time.Duration
	_ = s.watched(ctx, leases, v1alpha1.DefaultNamespace, func(u *unstructured.Unstructured, _ bool) bool {
		acquired, _, _ := unstructured.NestedString(u.Object, "spec", "acquireTime")
		t, err := time.Parse(time.RFC3339Nano, acquired)
		at = t.Sub(began)
		return err == nil && t.After(began)
	})
	return at
}
