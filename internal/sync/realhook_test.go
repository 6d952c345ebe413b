// SPDX-License-Identifier: Apache-2.0

package sync_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/sync"
	"github.com/bowline-cd/bowline/test/devcluster"
)

var jobsKind = schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}

// hookBench is a bench whose target is watched, and whose runs are told of changes.
type hookBench struct {
	*bench
	dev     *devcluster.Cluster
	changed chan struct{}
	from    devcluster.AuditMark
}

func newHookBench(t *testing.T) *hookBench {
	t.Helper()
	b := &hookBench{bench: newBench(t), dev: devcluster.Shared(t), changed: make(chan struct{}, 1)}
	b.target.Watch(jobsKind, schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"})
	cancel := b.target.Subscribe(func(c cluster.Change) {
		if c.Key.Namespace != b.ns {
			return
		}
		select {
		case b.changed <- struct{}{}:
		default:
		}
	})
	t.Cleanup(cancel)
	b.from = b.dev.AuditMark(t)
	return b
}

// job is a hook whose Pod behaves in one of devcluster's ways.
func (b *hookBench) job(name, hook, behaviour, more string) *unstructured.Unstructured {
	return b.desired(fmt.Sprintf(`{apiVersion: batch/v1, kind: Job, metadata: {name: %s, annotations: {argocd.argoproj.io/hook: %s}},
		spec: {backoffLimit: 0, %s template: {metadata: {annotations: {devcluster.bowline.dev/pod: %s}},
			spec: {restartPolicy: Never, containers: [{name: c, image: "example.com/c:1"}]}}}}`, name, hook, more, behaviour))
}

func (b *hookBench) configMap(name string) *unstructured.Unstructured {
	return b.desired(fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}}", name))
}

// try runs one try of an operation.
func (b *hookBench) try(ctx context.Context, operation string, desired []*unstructured.Unstructured, change ...func(*sync.Options)) sync.Result {
	b.Helper()
	p := b.plan(plan.Input{Revision: "abcdef0123", StartedAt: time.Unix(1764000000, 0)}, desired)
	return b.carryOut(ctx, operation, p, change...)
}

func (b *hookBench) carryOut(ctx context.Context, operation string, p plan.Plan, change ...func(*sync.Options)) sync.Result {
	b.Helper()
	bounded, cancel := context.WithTimeout(ctx, 2*time.Minute) // only for a broken test
	defer cancel()
	return b.runIn(bounded, p, append([]func(*sync.Options){func(o *sync.Options) { o.Operation, o.Changed = operation, b.changed }}, change...)...)
}

// created counts the successful creations of Jobs by name.
func (b *hookBench) created() map[string]int {
	b.Helper()
	out := map[string]int{}
	for _, e := range b.dev.Audit(b, b.from, func(e devcluster.AuditEntry) bool {
		return e.Namespace == b.ns && e.Resource == "jobs" && e.Verb == "create" && e.Code < 300 && !e.DryRun
	}) {
		out[e.Name]++
	}
	return out
}

// hooks are the entries of hooks.
func hooks(res sync.Result) []string {
	var out []string
	for _, r := range res.Resources {
		if r.HookType != "" {
			out = append(out, fmt.Sprintf("%s %s=%s", r.SyncPhase, r.Name, r.HookPhase))
		}
	}
	return out
}

func (b *hookBench) requireHooks(res sync.Result, want ...string) {
	b.Helper()
	if got := hooks(res); !slices.Equal(got, want) {
		b.Errorf("hooks are %q, want %q (%s)", got, want, res.Message)
	}
}

// eventually waits for what another program does.
func (b *hookBench) eventually(what string, done func() bool) {
	b.Helper()
	deadline := time.Now().Add(time.Minute) // only for a broken test
	for !done() {
		if time.Now().After(deadline) {
			b.Fatalf("never: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// A Job that the cluster removes the moment it has ended counts as what it was; policies are kept; the second sync runs all again.
func TestRealHooks(t *testing.T) {
	b := newHookBench(t)
	once := b.job("once", "PreSync", "run", "ttlSecondsAfterFinished: 0,")
	gone := b.job("gone", "PreSync", "run", "")
	gone.SetAnnotations(merge(gone.GetAnnotations(), v1alpha1.AnnotationKeyHookDeletePolicy, "HookSucceeded"))
	after := b.job("after", "PostSync", "run", "")
	desired := []*unstructured.Unstructured{once, gone, after, b.configMap("a")}
	for n := range 2 {
		res := b.try(t.Context(), fmt.Sprintf("176400000%d-0-abcdef01", n), desired)
		b.require(res, v1alpha1.OperationSucceeded)
		b.requireHooks(res, "PreSync gone=Succeeded", "PreSync once=Succeeded", "PostSync after=Succeeded")
		for name, times := range b.created() {
			if times != n+1 {
				t.Errorf("after sync %d, %s was made %d times", n+1, name, times)
			}
		}
	}
	if live := b.live(after); live == nil || len(live.GetFinalizers()) != 0 {
		t.Errorf("the hook that stays: %v", live)
	}
	b.eventually("the hooks that go are gone", func() bool { return b.live(once) == nil && b.live(gone) == nil })
}

func merge(m map[string]string, key, value string) map[string]string {
	m[key] = value
	return m
}

func TestRealFailedHook(t *testing.T) {
	b := newHookBench(t)
	desired := []*unstructured.Unstructured{b.job("before", "PreSync", "fail", ""), b.job("tell", "SyncFail", "run", ""), b.configMap("a")}
	res := b.try(t.Context(), "1764000000-0-abcdef01", desired)
	b.require(res, v1alpha1.OperationFailed, "cannot run hook Job.batch "+b.ns+"/before")
	b.requireHooks(res, "PreSync before=Failed", "SyncFail tell=Succeeded")
	if b.live(b.configMap("a")) != nil || !res.Retryable {
		t.Errorf("the sync went on, or is not tried again: %s", res.Message)
	}
}

// hang begins a try whose hook hangs, and ends it for a cause once the hook runs.
func (b *hookBench) hang(cause error, desired ...*unstructured.Unstructured) sync.Result {
	b.Helper()
	ctx, cancel := context.WithCancelCause(b.Context())
	done := make(chan sync.Result, 1)
	p := b.plan(plan.Input{}, desired)
	go func() { done <- b.carryOut(ctx, "1764000000-0-abcdef01", p) }()
	b.eventually("the hook's Pod runs", func() bool {
		live := b.live(desired[0])
		return live != nil && field(live, "status", "active") == int64(1)
	})
	cancel(cause)
	return <-done
}

func TestRealTermination(t *testing.T) {
	b := newHookBench(t)
	hook := b.job("before", "PreSync", "hang", "")
	res := b.hang(fmt.Errorf("terminated: %w", sync.ErrEndHooks), hook, b.configMap("a"))
	b.requireHooks(res, "PreSync before=Failed")
	b.eventually("the hook is gone", func() bool { return b.live(hook) == nil })
	b.eventually("its Pods are gone", func() bool {
		list, err := b.other.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(b.ns).List(t.Context(), metav1.ListOptions{})
		return err == nil && len(list.Items) == 0
	})
}

func TestRealResumption(t *testing.T) {
	b := newHookBench(t)
	hook := b.job("before", "PreSync", "hang", "ttlSecondsAfterFinished: 0,")
	desired := []*unstructured.Unstructured{hook, b.configMap("a")}
	if res := b.hang(errors.New("killed"), desired...); !res.Stopped || b.live(hook) == nil {
		t.Fatalf("stopped: %v, %s", res.Stopped, res.Message)
	}
	b.tellPods("run") // it ends while nobody looks
	b.eventually("the hook has ended", func() bool {
		live := b.live(hook)
		return live != nil && field(live, "status", "succeeded") == int64(1)
	})
	res := b.try(t.Context(), "1764000000-0-abcdef01", desired)
	b.require(res, v1alpha1.OperationSucceeded)
	b.requireHooks(res, "PreSync before=Succeeded")
	if n := b.created()["before"]; n != 1 {
		t.Errorf("the hook was made %d times", n)
	}
}

// tellPods tells the Pods of the namespace how to go on.
func (b *hookBench) tellPods(behaviour string) {
	b.Helper()
	pods := b.other.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(b.ns)
	list, err := pods.List(b.Context(), metav1.ListOptions{})
	if err != nil {
		b.Fatal(err)
	}
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, devcluster.PodAnnotation, behaviour)
	for _, pod := range list.Items {
		if _, err := pods.Patch(b.Context(), pod.GetName(), types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestRealVanishedHook(t *testing.T) {
	b := newHookBench(t)
	hook := b.job("before", "PreSync", "hang", "")
	done := make(chan sync.Result, 1)
	p := b.plan(plan.Input{}, []*unstructured.Unstructured{hook, b.configMap("a")})
	go func() { done <- b.carryOut(t.Context(), "1764000000-0-abcdef01", p) }()
	b.eventually("the hook is there", func() bool { return b.live(hook) != nil })
	other := b.other.Resource(schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}).Namespace(b.ns)
	background := metav1.DeletePropagationBackground
	if _, err := other.Patch(t.Context(), "before", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := other.Delete(t.Context(), "before", metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
		t.Fatal(err)
	}
	b.require(<-done, v1alpha1.OperationFailed, "it disappeared before its outcome was seen")
	if n := b.created()["before"]; n != 1 {
		t.Errorf("the hook was made %d times", n)
	}
}

func TestRealWaves(t *testing.T) {
	b := newHookBench(t)
	late := b.configMap("late")
	late.SetAnnotations(merge(late.GetAnnotations(), v1alpha1.AnnotationSyncWave, "1"))
	desired := []*unstructured.Unstructured{late, b.desired(strings.Replace(web, "{app: web}}\n    spec", "{app: web}, annotations: {devcluster.bowline.dev/delay: 500ms}}\n    spec", 1))}
	b.require(b.try(t.Context(), "", desired), v1alpha1.OperationSucceeded)
	live := b.live(desired[1])
	if field(live, "status", "availableReplicas") != int64(1) {
		t.Errorf("the second wave began before the first was healthy: %v", live.Object["status"])
	}
	gets := b.dev.Audit(b, b.from, func(e devcluster.AuditEntry) bool { return e.Namespace == b.ns && e.Verb == "get" && e.Name == "late" })
	if len(gets) > 1 { // the bench's own
		t.Errorf("the API server was asked for what is watched: %v", gets)
	}
}

func TestRealQuota(t *testing.T) {
	b := newHookBench(t)
	b.made(b.parse("{apiVersion: v1, kind: ResourceQuota, metadata: {name: few}, spec: {hard: {count/secrets: '0'}}}"), "resourcequotas", "somebody")
	secret := b.desired("{apiVersion: v1, kind: Secret, metadata: {name: s}}")
	b.eventually("the quota is in force", func() bool {
		quota := b.live(b.parse("{apiVersion: v1, kind: ResourceQuota, metadata: {name: few}}"))
		return field(quota, "status", "hard") != nil
	})
	res := b.try(t.Context(), "", []*unstructured.Unstructured{secret, b.configMap("a")})
	b.require(res, v1alpha1.OperationFailed, "exceeded quota", "raise the ResourceQuota", "configmap/a created")
	if !res.Retryable {
		t.Error("a quota may be raised, and the sync is not tried again")
	}
	if b.live(b.configMap("a")) == nil {
		t.Error("the rest of the wave was not done")
	}
}
