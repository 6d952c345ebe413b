// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// fixed is a few applications with a Deployment in the first wave and a ConfigMap in the second, to which bad commits come.
type fixed struct{ *subject }

// mistake is what a bad commit does, and how its operation stands when the fix is pushed.
type mistake struct {
	name  string
	spoil func(deployment, configMap *unstructured.Unstructured)
	stuck func(state *v1alpha1.OperationState) bool
}

var mistakes = []mistake{
	{"waits", func(deployment, _ *unstructured.Unstructured) { // for what never becomes healthy
		setImage(deployment, "registry.example/app:missing")
	}, func(state *v1alpha1.OperationState) bool {
		return state.Phase == v1alpha1.OperationRunning && len(state.SyncResult.Resources) > 0
	}},
	{"refused", func(deployment, _ *unstructured.Unstructured) {
		setImage(deployment, "")
	}, func(state *v1alpha1.OperationState) bool { return state.Phase == v1alpha1.OperationFailed }},
	{"retries", func(_, configMap *unstructured.Unstructured) {
		configMap.SetNamespace("not-there")
	}, func(state *v1alpha1.OperationState) bool {
		return state.Phase == v1alpha1.OperationRunning && state.RetryCount > 0
	}},
}

func setImage(deployment *unstructured.Unstructured, image string) {
	containers, _, _ := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	containers[0].(map[string]any)["image"] = image
	if err := unstructured.SetNestedSlice(deployment.Object, containers, "spec", "template", "spec", "containers"); err != nil {
		panic(err)
	}
}

// twoWaves returns the two objects of an application.
func twoWaves(app int, version string) (deployment, configMap *unstructured.Unstructured) {
	objects := fleet{apps: 1, objects: 3}.manifests(app, version)
	objects[2].SetAnnotations(map[string]string{v1alpha1.AnnotationSyncWave: "1"})
	return objects[0], objects[2]
}

func twoWaveObjects(app int) []*unstructured.Unstructured {
	deployment, configMap := twoWaves(app, "v1")
	return []*unstructured.Unstructured{deployment, configMap}
}

// measureFix reports how long a fix takes that follows a bad commit, from when Bowline is told of it until the object of
// the last wave is as the fix has it.
func measureFix(ctx context.Context, c config, dir string) error {
	l := load{row: "fix", apps: len(mistakes), objects: twoWaveObjects}
	s, err := l.place(ctx, c, dir)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.untilDeployed(ctx); err != nil {
		return fmt.Errorf("fix: %w\n%s", err, s.tail())
	}
	f, row, worst := fixed{s}, map[string]any{"row": "fix"}, time.Duration(0)
	for app, m := range mistakes {
		var times []time.Duration
		for range max(s.samples/len(mistakes), 1) {
			took, err := f.sample(ctx, app, m)
			if err != nil {
				return fmt.Errorf("fix of a commit that %s: %w\n%s", m.name, err, s.tail())
			}
			times = append(times, took)
		}
		worst = max(worst, slices.Max(times))
		row[m.name+"_median_seconds"] = round(quantile(times, 0.5))
	}
	row["worst_seconds"] = round(worst.Seconds())
	report(row)
	return nil
}

// untilDeployed starts Bowline and waits until it has deployed everything.
func (s *subject) untilDeployed(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	_, err := s.countStatuses(ctx, deployed)
	return err
}

func deployed(u *unstructured.Unstructured) bool {
	return syncStatus(u) == v1alpha1.SyncStatusCodeSynced && operationPhase(u) == v1alpha1.OperationSucceeded
}

// sample pushes a bad commit and, when its operation is stuck, the fix.
func (f fixed) sample(ctx context.Context, app int, m mistake) (time.Duration, error) {
	f.version++
	bad, err := f.commit(ctx, app, fmt.Sprintf("bad-%d", f.version), m.spoil)
	if err != nil {
		return 0, err
	}
	err = f.watched(ctx, applications, v1alpha1.DefaultNamespace, func(u *unstructured.Unstructured, _ bool) bool {
		a, err := decode(u)
		state := a.Status.OperationState
		return err == nil && a.Name == appName(app) && state != nil && state.SyncResult != nil && state.SyncResult.Revision == bad && m.stuck(state)
	})
	if err != nil {
		return 0, err
	}
	if err := rest(ctx, pollFloor+200*time.Millisecond); err != nil {
		return 0, err
	}
	fix := fmt.Sprintf("fix-%d", f.version)
	if _, err := f.commit(ctx, app, fix, func(_, _ *unstructured.Unstructured) {}); err != nil {
		return 0, err
	}
	began := time.Now()
	_, err = f.countObjects(ctx, fix, 1)
	return time.Since(began), err
}

// commit writes an application's objects in another version and tells Bowline.
func (s *subject) commit(ctx context.Context, app int, version string, change func(deployment, configMap *unstructured.Unstructured)) (string, error) {
	deployment, configMap := twoWaves(app, version)
	change(deployment, configMap)
	text, err := manifestFile([]*unstructured.Unstructured{deployment, configMap})
	if err != nil {
		return "", err
	}
	commit, err := s.repo.Commit(gitserver.Change{Files: map[string]string{"apps/" + appName(app) + "/all.yaml": text}})
	if err != nil {
		return "", err
	}
	return commit, s.webhook(ctx, commit)
}

// setting writes one setting.
func (s *subject) setting(ctx context.Context, configMap, key, value string) error {
	_, err := s.client.Resource(resources["ConfigMap"]).Namespace(v1alpha1.DefaultNamespace).Patch(ctx, configMap, types.MergePatchType,
		fmt.Appendf(nil, `{"data":{%q:%q}}`, key, value), metav1.PatchOptions{})
	return err
}
