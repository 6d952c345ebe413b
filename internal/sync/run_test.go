// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"errors"
	"slices"
	"strings"
	stdsync "sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// planFor makes the plan for what is desired and what the fake has with the application's mark.
func (f *fake) planFor(t *testing.T, in plan.Input, desired ...*unstructured.Unstructured) plan.Plan {
	t.Helper()
	in.App, in.Namespace = "shop", "shop"
	listed := map[object.Key]bool{}
	live := func(key object.Key) *plan.Live {
		u := f.get(key)
		if u == nil {
			return nil
		}
		return &plan.Live{UID: u.GetUID(), ResourceVersion: u.GetResourceVersion(), Object: u}
	}
	for _, d := range desired {
		key := object.KeyOf(d)
		listed[key] = true
		in.Items = append(in.Items, plan.Item{Key: key, Desired: d, Live: live(key)})
	}
	for key, u := range f.objects {
		if !listed[key] && strings.HasPrefix(u.GetAnnotations()[v1alpha1.AnnotationKeyAppInstance], "shop:") {
			in.Items = append(in.Items, plan.Item{Key: key, Live: live(key)})
		}
	}
	p, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// options are those of a project that permits everything.
func (f *fake) options(change ...func(*Options)) Options {
	o := Options{App: "shop", Permit: func(object.Key, bool) error { return nil }, Clock: f.clock, Parallel: 1}
	for _, c := range change {
		c(&o)
	}
	return o
}

// sync plans and runs.
func (f *fake) sync(t *testing.T, in plan.Input, o Options, desired ...*unstructured.Unstructured) Result {
	t.Helper()
	return Run(context.Background(), f.planFor(t, in, desired...), f, o)
}

// messages are the messages of a result by the name of the object.
func messages(res Result) map[string]string {
	out := map[string]string{}
	for _, r := range res.Resources {
		out[r.Name] = string(r.Status) + ": " + r.Message
	}
	return out
}

func requirePhase(t *testing.T, res Result, phase v1alpha1.OperationPhase, says ...string) {
	t.Helper()
	if res.Phase != phase {
		t.Fatalf("got phase %s (%s), want %s", res.Phase, res.Message, phase)
	}
	for _, text := range says {
		if !strings.Contains(res.Message, text) {
			t.Errorf("the message %q does not hold %q", res.Message, text)
		}
	}
}

func TestRunSaysWhatBecameOfEachObject(t *testing.T) {
	f := newFake(ours(configMap("same", "k", "v")), ours(configMap("old")), ours(configMap("other", "k", "before")))
	res := f.sync(t, plan.Input{Prune: true}, f.options(func(o *Options) {
		o.Images = func(u *unstructured.Unstructured) []string { return []string{"image-of-" + u.GetName()} }
	}), configMap("same", "k", "v"), configMap("other", "k", "after"), configMap("new"))
	requirePhase(t, res, v1alpha1.OperationSucceeded, "1 created, 1 configured, 1 unchanged, 1 pruned")
	want := map[string]string{
		"new": "Synced: configmap/new created", "other": "Synced: configmap/other configured",
		"same": "Synced: configmap/same unchanged", "old": "Pruned: pruned",
	}
	got := messages(res)
	for name, message := range want {
		if got[name] != message {
			t.Errorf("%s: got %q, want %q", name, got[name], message)
		}
	}
	if res.Changed != 3 || res.Retryable || res.Stopped {
		t.Errorf("got %+v", res)
	}
	r := res.Resources[0]
	if r.Kind != "ConfigMap" || r.Version != "v1" || r.Namespace != "shop" || r.SyncPhase != v1alpha1.SyncPhaseSync ||
		r.HookPhase != v1alpha1.OperationSucceeded || !slices.Equal(r.Images, []string{"image-of-new"}) {
		t.Errorf("got the record %+v", r)
	}
}

func TestObjectsAreAppliedInKindOrderAndPrunedInTheOpposite(t *testing.T) {
	mark := "annotations: {argocd.argoproj.io/tracking-id: 'shop:x'}"
	f := newFake(parse("{apiVersion: v1, kind: Secret, metadata: {name: old, namespace: shop, "+mark+"}}"),
		parse("{apiVersion: apps/v1, kind: Deployment, metadata: {name: old, namespace: shop, "+mark+"}}"))
	delete(f.objects, object.Key{Kind: "Namespace", Name: "shop"})
	res := f.sync(t, plan.Input{Prune: true}, f.options(),
		parse("{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}}"),
		configMap("a"), parse("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"))
	requirePhase(t, res, v1alpha1.OperationSucceeded)
	requireEqual(t, "calls", f.calls(), []string{
		"apply Namespace shop", "apply ConfigMap shop/a", "apply Deployment.apps shop/web", "delete Deployment.apps shop/old", "delete Secret shop/old",
	})
}

func TestAnObjectRefusedFailsTheSyncButNotTheRestOfItsWave(t *testing.T) {
	f := newFake(ours(configMap("old")))
	f.refuse = func(_ *fake, w Write) error {
		if w.Object.GetName() == "bad" {
			return refuse(Invalid, fault.Mistake, "data.key: Invalid value")
		}
		return nil
	}
	res := f.sync(t, plan.Input{Prune: true}, f.options(), configMap("a"), configMap("bad"), configMap("c"),
		parse("{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}}"))
	requirePhase(t, res, v1alpha1.OperationFailed, "data.key: Invalid value")
	got := messages(res)
	if !strings.HasPrefix(got["bad"], "SyncFailed") || !strings.HasPrefix(got["c"], "Synced") || !strings.HasPrefix(got["web"], "Synced") {
		t.Errorf("got %q, want all but bad synced", got)
	}
	if got["old"] != "PruneSkipped: not pruned yet: an object of this sync could not be applied" || f.get(object.KeyOf(configMap("old"))) == nil {
		t.Errorf("old: got %q; it must stay until what replaces it could be applied", got["old"])
	}
	if res.Retryable {
		t.Error("a manifest that is wrong is not mended by trying again")
	}
}

func TestRetryable(t *testing.T) {
	for kind, want := range map[fault.Kind]bool{
		fault.Retry: true, fault.Wait: true, fault.Stalled: true, fault.Mistake: false, fault.Forbidden: false, fault.Bug: false,
	} {
		f := newFake()
		f.refuse = func(*fake, Write) error { return refuse("", kind, "no") }
		if res := f.sync(t, plan.Input{}, f.options(), configMap("a")); res.Phase != v1alpha1.OperationFailed || res.Retryable != want {
			t.Errorf("an error of kind %s: got phase %s, retryable %v", kind, res.Phase, res.Retryable)
		}
	}
}

func TestTheProjectIsAskedAgainForEachObject(t *testing.T) {
	f := newFake(ours(configMap("old")))
	asked := map[string]int{}
	o := f.options(func(o *Options) {
		o.Permit = func(key object.Key, namespaced bool) error {
			asked[key.Name]++
			if !namespaced {
				t.Errorf("%s is asked for as cluster-scoped", key)
			}
			if asked[key.Name] > 1 { // the project changed after the plan was checked
				return fault.New(fault.Forbidden, "hold", key.String(), "", "not any more", "")
			}
			return nil
		}
	})
	res := f.sync(t, plan.Input{Prune: true}, o, configMap("a"))
	requirePhase(t, res, v1alpha1.OperationFailed, "not any more")
	if len(f.calls()) != 0 {
		t.Errorf("calls %q, want none", f.calls())
	}
}

func TestNobodyToAskPermitsNothing(t *testing.T) {
	f := newFake()
	res := f.sync(t, plan.Input{}, f.options(func(o *Options) { o.Permit = nil }), configMap("a"))
	requirePhase(t, res, v1alpha1.OperationFailed)
	if len(f.calls()) != 0 {
		t.Errorf("calls %q, want none", f.calls())
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	f := newFake(ours(configMap("old")), madeBy("helm", "Update", "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: shop}, data: {x: y}}"))
	before := f.rv
	p := f.planFor(t, plan.Input{Prune: true, Options: v1alpha1.SyncOptions{"CreateNamespace=true"}}, configMap("a"), configMap("b"))
	res := Run(context.Background(), p, f, f.options(func(o *Options) { o.DryRun = true }))
	requirePhase(t, res, v1alpha1.OperationSucceeded, "(dry run)")
	for _, call := range f.calls() {
		if !strings.HasPrefix(call, "dry ") {
			t.Errorf("%q is no dry run", call)
		}
	}
	if f.rv != before || len(f.objects) != 3 || res.Changed != 0 {
		t.Errorf("something changed: %+v", res)
	}
}

func TestLearnedFormsMakeTheNextComparisonSame(t *testing.T) {
	f := newFake()
	var mu stdsync.Mutex
	learned := map[object.Key]Learned{}
	want := configMap("a", "k", "v")
	res := f.sync(t, plan.Input{}, f.options(func(o *Options) {
		o.Learn = func(l Learned) { mu.Lock(); defer mu.Unlock(); learned[l.Key] = l }
	}), want)
	requirePhase(t, res, v1alpha1.OperationSucceeded)
	l, ok := learned[object.KeyOf(want)]
	if !ok {
		t.Fatal("nothing was learned")
	}
	in := diff.Input{Desired: want, Live: f.get(object.KeyOf(want)), Accepted: &l.Accepted}
	if got := diff.Compare(in); got.Verdict != diff.Same {
		t.Errorf("got %s (%s), want same", got.Verdict, got.Reason)
	}
}

func TestKeptAndRefusedStepsSendNothing(t *testing.T) {
	f := newFake(ours(configMap("same")), ours(configMap("shared")))
	in := plan.Input{App: "shop", KeepSame: true}
	for _, name := range []string{"same", "shared"} {
		u := f.get(object.KeyOf(configMap(name)))
		item := plan.Item{Key: object.KeyOf(u), Desired: configMap(name), Live: &plan.Live{UID: u.GetUID(), ResourceVersion: u.GetResourceVersion(), Object: u}}
		item.Same = name == "same"
		if name == "shared" {
			item.SharedWith = "other"
		}
		in.Items = append(in.Items, item)
	}
	p, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	res := Run(context.Background(), p, f, f.options())
	requirePhase(t, res, v1alpha1.OperationSucceeded, "1 unchanged", "1 left to its other application")
	if len(f.calls()) != 0 || len(res.Conditions) != 1 || messages(res)["shared"][:10] != "SyncFailed" {
		t.Errorf("calls %q, conditions %v, messages %q", f.calls(), res.Conditions, messages(res))
	}
}

func TestWhoKeepsChangingAnObjectIsNamed(t *testing.T) {
	live := ours(configMap("a", "k", "v"))
	hand := configMap("a", "k", "theirs")
	live.SetManagedFields(append(live.GetManagedFields(), entry(hand, "rogue-operator", "Update")))
	live.Object["data"] = map[string]any{"k": "theirs"}
	for attempt, named := range map[int64]bool{0: false, 1: false, 2: false, 3: true} {
		f := newFake(live)
		res := f.sync(t, plan.Input{}, f.options(func(o *Options) { o.Attempt = attempt }), configMap("a", "k", "v"))
		if got := strings.Contains(messages(res)["a"], `field manager "rogue-operator" keeps changing it`); got != named {
			t.Errorf("attempt %d: named %v, want %v: %q", attempt, got, named, messages(res)["a"])
		}
	}
}

func TestStopBetweenObjects(t *testing.T) {
	f := newFake(madeBy("helm", "Update", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}, data: {k: v}}"))
	ctx, cancel := context.WithCancelCause(context.Background())
	newer := errors.New("superseded by a newer revision")
	f.refuse = func(_ *fake, w Write) error { // in the midst of the first object
		if !w.DryRun {
			cancel(newer)
		}
		return nil
	}
	p := f.planFor(t, plan.Input{}, configMap("a", "k", "v"), configMap("b"), configMap("c"))
	res := Run(ctx, p, f, f.options())
	requireEqual(t, "calls", f.calls(), []string{"adopt ConfigMap shop/a", "apply ConfigMap shop/a"})
	requirePhase(t, res, v1alpha1.OperationError, "stopped after 1 of 3 objects", newer.Error())
	if !res.Stopped || !res.Retryable || len(res.Resources) != 1 {
		t.Errorf("got %+v", res)
	}
}

func TestManyAtOnce(t *testing.T) {
	f := newFake()
	var desired []*unstructured.Unstructured
	for i := range 200 {
		desired = append(desired, configMap("c"+string(rune('a'+i%26))+strings.Repeat("x", i/26)))
	}
	res := f.sync(t, plan.Input{}, f.options(func(o *Options) { o.Parallel = 0 }), desired...)
	requirePhase(t, res, v1alpha1.OperationSucceeded, "200 created")
	if !slices.IsSortedFunc(res.Resources, func(a, b *v1alpha1.ResourceResult) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the record is not in the plan's order")
	}
}

// A panic while an object is written comes to whoever called Run, which can end this run alone: in a goroutine of its own it would
// end the process.
func TestAPanicComesToTheCaller(t *testing.T) {
	f := newFake()
	f.refuse = func(*fake, Write) error { panic("no") }
	defer func() {
		if v := recover(); v == nil {
			t.Error("there was none")
		}
	}()
	Run(context.Background(), plan.Plan{Phases: []plan.Phase{phase(v1alpha1.SyncPhaseSync, plan.Wave{Steps: []plan.Step{applyStep(configMap("a"))}})}}, f, f.options())
}
