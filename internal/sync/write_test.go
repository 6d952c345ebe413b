// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// What other programs made before the first apply.

const lastApplied = `kubectl.kubernetes.io/last-applied-configuration: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"shop"},"data":{"stays":"1","gone":"2"}}'`

func data(u *unstructured.Unstructured) []string {
	m, _, _ := unstructured.NestedStringMap(u.Object, "data")
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func TestAdoption(t *testing.T) {
	key := object.KeyOf(configMap("a"))
	declared := madeBy("kubectl-client-side-apply", "Update",
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop, annotations: {"+lastApplied+"}}, data: {stays: '1', gone: '2'}}")
	argo := declared.DeepCopy()
	entries := argo.GetManagedFields()
	entries[0].Manager = "argocd-controller"
	argo.SetManagedFields(entries)
	helm := madeBy("helm", "Update", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}, data: {stays: '1', gone: '2'}}")
	hand := madeBy("kubectl-edit", "Update", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}, data: {stays: '1', gone: '2'}}")
	tests := []struct {
		reason    string
		live      *unstructured.Unstructured
		automated bool
		want      []string
		says      string
	}{
		{"kubectl apply declared it, and it left the source", declared, true, []string{"stays"}, "no longer in the source and removed: "},
		{"Argo CD declared it client-side", argo, true, []string{"stays"}, "took over the fields of argocd-controller"},
		{"Helm made it, and an automated sync cannot know that it was declared", helm, true, []string{"gone", "stays"}, "left as they are: "},
		{"Helm made it, and a person syncs", helm, false, []string{"stays"}, "took over the fields of helm"},
		{"somebody set it by hand", hand, true, []string{"gone", "stays"}, ""},
	}
	for _, tt := range tests {
		f := newFake(tt.live)
		res := f.sync(t, plan.Input{}, f.options(func(o *Options) { o.Automated = tt.automated }), configMap("a", "stays", "1"))
		requirePhase(t, res, v1alpha1.OperationSucceeded)
		if got := data(f.get(key)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: the object holds %q, want %q (%s)", tt.reason, got, tt.want, messages(res)["a"])
		}
		if !strings.Contains(messages(res)["a"], tt.says) {
			t.Errorf("%s: %q does not say %q", tt.reason, messages(res)["a"], tt.says)
		}
		// Whoever declared it, once it is ours it goes when it leaves the source.
		requirePhase(t, f.sync(t, plan.Input{}, f.options(func(o *Options) { o.Automated = true }), configMap("a")), v1alpha1.OperationSucceeded)
		if got := data(f.get(key)); slices.Contains(got, "stays") && tt.says != "" {
			t.Errorf("%s: after the field left the source the object holds %q", tt.reason, got)
		}
	}
}

func TestAdoptionOfAnObjectThatChangesMeanwhile(t *testing.T) {
	f := newFake(madeBy("helm", "Update", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}, data: {k: v}}"))
	meddled := 0
	f.refuse = func(f *fake, w Write) error {
		if w.PatchType == types.JSONPatchType && meddled < 2 {
			meddled++
			f.put(f.objects[object.KeyOf(w.Object)])
		}
		return nil
	}
	requirePhase(t, f.sync(t, plan.Input{}, f.options(), configMap("a", "k", "v")), v1alpha1.OperationSucceeded)
	requireEqual(t, "calls", f.calls(), []string{"adopt ConfigMap shop/a", "adopt ConfigMap shop/a", "adopt ConfigMap shop/a", "apply ConfigMap shop/a"})
}

func TestAdoptionNeverTouchesAnotherObjectOfTheName(t *testing.T) {
	f := newFake(madeBy("helm", "Update", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}, data: {k: v}}"))
	f.refuse = func(f *fake, w Write) error {
		if w.PatchType == types.JSONPatchType {
			u := f.objects[object.KeyOf(w.Object)]
			u.SetUID("another")
			f.put(u)
		}
		return nil
	}
	res := f.sync(t, plan.Input{}, f.options(), configMap("a", "k", "v"))
	requirePhase(t, res, v1alpha1.OperationFailed, "has taken its place")
	requireEqual(t, "calls", f.calls(), []string{"adopt ConfigMap shop/a"})
}

// What server-side apply does not take.

func TestFallback(t *testing.T) {
	twice := parse("{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop}, spec: {containers: [{name: c, image: i, env: [{name: A, value: '1'}, {name: A, value: '2'}]}]}}")
	f := newFake()
	res := f.sync(t, plan.Input{}, f.options(), twice)
	requirePhase(t, res, v1alpha1.OperationSucceeded)
	requireEqual(t, "calls", f.calls(), []string{"create Pod shop/p"})
	if got := messages(res)["p"]; !strings.Contains(got, "as client-side apply does") {
		t.Errorf("got %q, want it to say how it was written", got)
	}
	if f.get(object.KeyOf(twice)).GetAnnotations()[v1alpha1.AnnotationKubectlLastApplied] == "" {
		t.Error("without the last-applied annotation the next patch could not remove anything")
	}
}

func TestFallbackAfterARefusal(t *testing.T) {
	f := newFake(ours(configMap("a", "k", "before", "theirs", "x")))
	f.refuse = func(_ *fake, w Write) error {
		if w.Method == Apply {
			return refuse(ApplyRefused, fault.Mistake, "failed to create typed patch object")
		}
		return nil
	}
	res := f.sync(t, plan.Input{}, f.options(), configMap("a", "k", "after"))
	requirePhase(t, res, v1alpha1.OperationSucceeded)
	requireEqual(t, "calls", f.calls(), []string{"apply ConfigMap shop/a", "patch ConfigMap shop/a"})
	if got := messages(res)["a"]; !strings.Contains(got, "configured") || !strings.Contains(got, "failed to create typed patch object") {
		t.Errorf("got %q", got)
	}
}

// The options Replace, Force and Validate.

func with(u *unstructured.Unstructured, options string) *unstructured.Unstructured {
	annotations := u.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[v1alpha1.AnnotationSyncOptions] = options
	u.SetAnnotations(annotations)
	return u
}

func TestReplaceAndForce(t *testing.T) {
	var takeAll func(*fake, Write) error
	refuseChange := func(f *fake, w Write) error {
		if !w.DryRun && f.objects[object.KeyOf(w.Object)] != nil {
			return refuse(Invalid, fault.Mistake, "data: field is immutable when `immutable` is set")
		}
		return nil
	}
	refuseAll := func(_ *fake, w Write) error { return refuse(Invalid, fault.Mistake, "data: Invalid value") }
	tests := []struct {
		reason  string
		options string
		refuse  func(*fake, Write) error
		calls   []string
		phase   v1alpha1.OperationPhase
		says    string
	}{
		{"replace", "Replace=true", takeAll, []string{"replace ConfigMap shop/a"}, v1alpha1.OperationSucceeded, "configured"},
		{"replace by force", "Replace=true,Force=true", takeAll,
			[]string{"dry create ConfigMap shop/a", "delete ConfigMap shop/a", "replace ConfigMap shop/a"}, v1alpha1.OperationSucceeded, "replaced"},
		{"force is not needed", "Force=true", takeAll, []string{"apply ConfigMap shop/a"}, v1alpha1.OperationSucceeded, "configured"},
		{"force is needed", "Force=true", refuseChange,
			[]string{"apply ConfigMap shop/a", "dry create ConfigMap shop/a", "delete ConfigMap shop/a", "apply ConfigMap shop/a"}, v1alpha1.OperationSucceeded, "replaced"},
		{"force does not delete what could not be created", "Force=true", refuseAll,
			[]string{"apply ConfigMap shop/a", "dry create ConfigMap shop/a"}, v1alpha1.OperationFailed, "was not deleted"},
		{"without force the way out is named", "Force=false", refuseChange,
			[]string{"apply ConfigMap shop/a"}, v1alpha1.OperationFailed, "Replace=true,Force=true"},
	}
	for _, tt := range tests {
		f := newFake(ours(with(configMap("a", "k", "before"), tt.options)))
		f.refuse = tt.refuse
		res := f.sync(t, plan.Input{}, f.options(), with(configMap("a", "k", "after"), tt.options))
		requireEqual(t, tt.reason, f.calls(), tt.calls)
		if res.Phase != tt.phase || !strings.Contains(messages(res)["a"], tt.says) {
			t.Errorf("%s: got %s %q, want %s with %q", tt.reason, res.Phase, messages(res)["a"], tt.phase, tt.says)
		}
	}
}

func TestForceNeverDeletesWhatHoldsOthers(t *testing.T) {
	for _, text := range []string{"{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {x: y}}}", definition} {
		for _, options := range []string{"Force=true", "Replace=true,Force=true"} {
			want := with(parse(text), options)
			live := want.DeepCopy()
			live.SetLabels(map[string]string{"x": "before"})
			f := newFake(ours(live))
			f.refuse = func(*fake, Write) error { return refuse(Invalid, fault.Mistake, "immutable") }
			f.sync(t, plan.Input{}, f.options(), want)
			for _, call := range f.calls() {
				if strings.HasPrefix(call, "delete") {
					t.Errorf("%s with %s: %q", want.GetKind(), options, f.calls())
				}
			}
		}
	}
}

func TestForceWaitsForFinalizers(t *testing.T) {
	live := ours(with(configMap("a", "k", "before"), "Replace=true,Force=true"))
	live.SetFinalizers([]string{"example.com/hold"})
	f := newFake(live)
	ticks := 0
	f.tick = func(f *fake) {
		if ticks++; ticks == 3 {
			delete(f.objects, object.KeyOf(live))
		}
	}
	desired := with(configMap("a", "k", "after"), "Replace=true,Force=true")
	requirePhase(t, f.sync(t, plan.Input{}, f.options(), desired), v1alpha1.OperationSucceeded, "1 replaced")

	f = newFake(live)
	res := f.sync(t, plan.Input{}, f.options(), desired)
	requirePhase(t, res, v1alpha1.OperationFailed, "example.com/hold")
	if !res.Retryable {
		t.Error("it may be gone at the next try")
	}
}

func TestValidateFalse(t *testing.T) {
	f := newFake()
	dropped := map[string]bool{}
	f.refuse = func(_ *fake, w Write) error { dropped[w.Object.GetName()] = w.DropUnknown; return nil }
	requirePhase(t, f.sync(t, plan.Input{}, f.options(), with(configMap("a"), "Validate=false"), configMap("b")), v1alpha1.OperationSucceeded)
	if !dropped["a"] || dropped["b"] {
		t.Errorf("got %v, want unknown fields dropped for a only", dropped)
	}
}

func TestEveryWriteIsOursAndForced(t *testing.T) {
	f := newFake()
	f.refuse = func(_ *fake, w Write) error {
		if w.Manager != "argocd-controller" || w.Method == Apply && !w.Force {
			t.Errorf("%+v is not by our manager with force", w)
		}
		return nil
	}
	requirePhase(t, f.sync(t, plan.Input{}, f.options(), configMap("a")), v1alpha1.OperationSucceeded)
}
