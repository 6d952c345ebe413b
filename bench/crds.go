// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// measureCRDs reports what kinds cost that nobody uses: Bowline without an Application, before and after there are many.
func measureCRDs(ctx context.Context, c config, dir string) error {
	s, err := emptySubject(ctx, c, dir)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.install(ctx); err != nil {
		return err
	}
	none, err := s.startup(ctx)
	if err != nil {
		return err
	}
	s.note(fmt.Sprintf("making %d CRDs", c.crds))
	if err := s.makeCRDs(ctx); err != nil {
		return err
	}
	s.note("measuring crds")
	first, err := s.startup(ctx) // the API server sets about serving a kind when it is first asked for
	if err != nil {
		return err
	}
	many, err := s.startup(ctx)
	if err != nil {
		return err
	}
	report(map[string]any{"row": "crds", "crds": c.crds, "seconds_without": round(none.ready.Seconds()), "seconds_with": round(many.ready.Seconds()),
		"more_seconds": round((many.ready - none.ready).Seconds()), "first_more_seconds": round((first.ready - none.ready).Seconds()),
		"more_cpu_seconds": round((many.cpu - none.cpu).Seconds()),
		"mib_without":      none.rss >> 20, "mib_with": many.rss >> 20, "more_mib": (many.rss - none.rss) >> 20,
		"peak_mib_with": many.peak >> 20})
	return nil
}

// startup is what a start comes to: the median of some.
type startup struct {
	ready, cpu time.Duration
	rss, peak  int64
}

func (s *subject) startup(ctx context.Context) (startup, error) {
	const times = 3
	var ready, cpu []time.Duration
	var rss, peak []int64
	for range times {
		began := time.Now()
		if err := s.start(ctx); err != nil {
			return startup{}, err
		}
		ready = append(ready, time.Since(began))
		if err := rest(ctx, 20*time.Second); err != nil {
			return startup{}, err
		}
		used, err := s.bowline.usage()
		if err != nil {
			return startup{}, err
		}
		cpu, rss, peak = append(cpu, used.cpu), append(rss, used.rss), append(peak, used.peak)
		s.bowline.stop(syscall.SIGTERM)
		s.bowline = nil
	}
	slices.Sort(ready)
	slices.Sort(cpu)
	slices.Sort(rss)
	slices.Sort(peak)
	return startup{ready[times/2], cpu[times/2], rss[times/2], peak[times/2]}, nil
}

// makeCRDs creates definitions of ten groups and waits until all of them are served.
func (s *subject) makeCRDs(ctx context.Context) error {
	group, making := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i := range s.crds {
		group.Go(func() error {
			_, err := s.client.Resource(definitions).Create(making, unusedCRD(i), metav1.CreateOptions{})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	established := map[string]bool{}
	return s.watched(ctx, definitions, "", func(u *unstructured.Unstructured, _ bool) bool {
		conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
		for _, c := range conditions {
			if m, _ := c.(map[string]any); m["type"] == "Established" && m["status"] == "True" && u.GetLabels()["bench"] == "unused" {
				established[u.GetName()] = true
			}
		}
		return len(established) == s.crds
	})
}

// unusedCRD has a schema of the size that operators' have.
func unusedCRD(i int) *unstructured.Unstructured {
	text := map[string]any{"type": "string", "description": "What it is for is said here, at about the length at which people say such things."}
	fields := map[string]any{}
	for f := range 20 {
		fields[fmt.Sprintf("field%02d", f)] = text
	}
	fields["entries"] = map[string]any{"type": "array", "items": map[string]any{"type": "object", "properties": map[string]any{"name": text, "value": text}}}
	plural, group := fmt.Sprintf("kind%04ds", i), fmt.Sprintf("group%d.bench.example.com", i%10)
	crd := newObject("apiextensions.k8s.io/v1", "CustomResourceDefinition", plural+"."+group, map[string]any{"spec": map[string]any{
		"group": group, "scope": "Namespaced",
		"names": map[string]any{"plural": plural, "singular": plural[:len(plural)-1], "kind": fmt.Sprintf("Kind%04d", i), "listKind": fmt.Sprintf("Kind%04dList", i)},
		"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true,
			"subresources": map[string]any{"status": map[string]any{}},
			"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "properties": map[string]any{
				"spec":   map[string]any{"type": "object", "properties": fields},
				"status": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true},
			}}}}},
	}})
	crd.SetLabels(map[string]string{"bench": "unused"})
	return crd
}
