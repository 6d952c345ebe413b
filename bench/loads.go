// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// measureTenThousand reports what many applications of one ConfigMap of 2 KB cost.
func measureTenThousand(ctx context.Context, c config, dir string) error {
	text := strings.Repeat(settingsText, 2048/len(settingsText))
	return applied("ten-thousand", c.small, func(app int) []*unstructured.Unstructured {
		return []*unstructured.Unstructured{newObject("v1", "ConfigMap", appName(app), map[string]any{"data": map[string]any{"file.conf": text}})}
	}).report(ctx, c, dir)
}

// waves is how many waves the objects of the row of that name are in.
const waves = 5

// measureWaves reports what one application of many objects in waves costs.
func measureWaves(ctx context.Context, c config, dir string) error {
	return applied("waves", 1, func(int) []*unstructured.Unstructured {
		var out []*unstructured.Unstructured
		for i := range c.waved {
			u := newObject("v1", "ConfigMap", fmt.Sprintf("wave-%04d", i), map[string]any{"data": map[string]any{"version": "v1"}})
			u.SetAnnotations(map[string]string{v1alpha1.AnnotationSyncWave: fmt.Sprint(i % waves)})
			out = append(out, u)
		}
		return out
	}).report(ctx, c, dir)
}

// measureHooks reports what a Job of ten seconds before each sync adds to what the Jobs themselves take.
func measureHooks(ctx context.Context, c config, dir string) error {
	return load{"hooks", c.jobs, hooked, func(ctx context.Context, client dynamic.Interface) (spent, error) {
		return measured(func() error { return bareJobs(ctx, client, c.jobs) })
	}}.report(ctx, c, dir)
}

// half of what a Job takes: its Pod is put off before it runs, and before it ends.
const halfJob = 5 * time.Second

// hooked returns a Job that goes before a ConfigMap.
func hooked(app int) []*unstructured.Unstructured {
	name := appName(app)
	job := newObject("batch/v1", "Job", name, map[string]any{"spec": map[string]any{"template": map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{"devcluster.bowline.dev/delay": halfJob.String()}},
		"spec": map[string]any{"restartPolicy": "Never", "automountServiceAccountToken": false,
			"containers": []any{map[string]any{"name": "main", "image": "registry.example/migrate:1"}}}}}})
	job.SetAnnotations(map[string]string{v1alpha1.AnnotationKeyHook: string(v1alpha1.HookTypePreSync)})
	return []*unstructured.Unstructured{job, newObject("v1", "ConfigMap", name, map[string]any{"data": map[string]any{"version": "v1"}})}
}

// bareJobs makes the Jobs of all applications, and applies the ConfigMap and writes the statuses of each when its Job is done.
func bareJobs(ctx context.Context, client dynamic.Interface, apps int) error {
	jobs, after := map[string]int{}, map[string]*unstructured.Unstructured{}
	making, creating := errgroup.WithContext(ctx)
	making.SetLimit(workers)
	for i := range apps {
		objects := hooked(i)
		jobs[appName(i)], after[appName(i)] = i, objects[1]
		making.Go(func() error { return apply(creating, client, objects[0]) })
	}
	finishing, ctx := errgroup.WithContext(ctx)
	finishing.SetLimit(workers)
	left := maps.Clone(jobs)
	err := watched(ctx, client, resources["Job"], namespace, func(u *unstructured.Unstructured, _ bool) bool {
		if i, ok := left[u.GetName()]; ok && completed(u) {
			delete(left, u.GetName())
			finishing.Go(func() error {
				for phase := range 2 {
					if err := patchStatus(ctx, client, i, phase, 1); err != nil {
						return err
					}
				}
				return apply(ctx, client, after[u.GetName()])
			})
		}
		return len(left) == 0
	})
	return firstOf(making.Wait(), err, finishing.Wait())
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func completed(job *unstructured.Unstructured) bool {
	n, _, _ := unstructured.NestedInt64(job.Object, "status", "succeeded")
	return n > 0
}
