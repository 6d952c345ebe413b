// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// Sizes of the two applications whose events are compared.
const smallApp, largeApp = 10, 3000

// measureRow reports what one row's comparison costs, and how the cost of an event grows with the application.
func measureRow(ctx context.Context, c config, dir string) error {
	results, err := benchmark(ctx, "./internal/diff", "BenchmarkCompare", "1s")
	if err != nil {
		return err
	}
	for _, result := range results {
		if ns, ok := number(result["ns/op"]); ok {
			result["us"] = round(ns / 1000)
		}
		result["row"] = "row-compare"
		report(result)
	}
	s, err := emptySubject(ctx, c, dir)
	if err != nil {
		return err
	}
	defer s.close()
	result, err := s.rowEvents(ctx)
	if err != nil {
		return fmt.Errorf("row-event: %w\n%s", err, s.tail())
	}
	result["row"] = "row-event"
	report(result)
	return nil
}

// rowEvents deploys an application of few and one of many objects, and sends events of one object of each.
func (s *subject) rowEvents(ctx context.Context) (map[string]any, error) {
	files := map[string]string{}
	sizes := []int{smallApp, largeApp}
	for app, n := range sizes {
		for i := range n {
			files[fmt.Sprintf("apps/%s/%d.yaml", appName(app), i)] = configMap(fmt.Sprintf("%s-%d", appName(app), i), "v1")
		}
	}
	if _, err := s.repo.Commit(gitserver.Change{Files: files}); err != nil {
		return nil, err
	}
	if err := s.install(ctx); err != nil {
		return nil, err
	}
	if err := s.unbounded(ctx); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	s.apps = len(sizes)
	for app := range sizes {
		if err := createApplication(ctx, s.client, application(app, s.repo.URL, v1alpha1.DefaultNamespace)); err != nil {
			return nil, err
		}
	}
	if _, err := s.countApps(ctx, func(a *v1alpha1.Application) bool {
		return synced(a) && a.Status.OperationState != nil && a.Status.OperationState.Phase == v1alpha1.OperationSucceeded
	}); err != nil {
		return nil, err
	}
	if err := rest(ctx, 10*time.Second); err != nil {
		return nil, err
	}
	var cost [2]time.Duration
	for range 3 { // in turn, so that what else happens meets both
		for app := range sizes {
			spent, err := s.eventCost(ctx, app)
			if err != nil {
				return nil, err
			}
			cost[app] += spent / 3
		}
	}
	return map[string]any{"small": smallApp, "large": largeApp, "small_us_per_event": cost[0].Microseconds(), "large_us_per_event": cost[1].Microseconds(),
		"growth": round(float64(cost[1]) / float64(max(cost[0], 1)))}, nil
}

// unbounded gives every application a budget that no event exhausts: what is measured is an event that is looked at.
func (s *subject) unbounded(ctx context.Context) error {
	return s.setting(ctx, "argocd-cm", "bowline.application.eventBudget", "1000000/s burst 1000000")
}

// eventCost is the time of processors that Bowline takes for one event: an annotation of somebody else's on one object.
// Each event comes when the one before must be done with.
func (s *subject) eventCost(ctx context.Context, app int) (time.Duration, error) {
	const events, apart = 400, 20 * time.Millisecond
	before, err := s.bowline.usage()
	if err != nil {
		return 0, err
	}
	pace := time.NewTicker(apart)
	defer pace.Stop()
	for range events {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-pace.C:
		}
		_, err := s.client.Resource(resources["ConfigMap"]).Namespace(namespace).Patch(ctx, appName(app)+"-5", types.MergePatchType,
			fmt.Appendf(nil, `{"metadata":{"annotations":{"example.com/tick":"%d"}}}`, time.Now().UnixNano()),
			metav1.PatchOptions{FieldManager: "noise"})
		if err != nil {
			return 0, err
		}
	}
	if err := rest(ctx, time.Second); err != nil {
		return 0, err
	}
	after, err := s.bowline.usage()
	return (after.cpu - before.cpu) / events, err
}
