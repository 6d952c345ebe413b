// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

const (
	widget     = "{apiVersion: example.com/v1, kind: Widget, metadata: {name: w, namespace: shop}}"
	definition = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.example.com}, spec: {group: example.com, scope: Namespaced, names: {kind: Widget}}}"
)

func TestNothingIsAppliedIfAnyObjectIsWrong(t *testing.T) {
	tests := []struct {
		reason    string
		bad       string
		permit    func(object.Key, bool) error
		says      string
		retryable bool
	}{
		{"its kind is not served", widget, nil, "does not serve Widget.example.com in version example.com/v1", true},
		{"whether its kind is served is not known", "{apiVersion: unknown.example.com/v1, kind: X, metadata: {name: x, namespace: shop}}", nil, "discovery fails", true},
		{"no namespace", "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}", nil, "its kind lives in namespaces", false},
		{"a namespace too many", "{apiVersion: v1, kind: Namespace, metadata: {name: x, namespace: shop}}", nil, "outside of namespaces", false},
		{"no name", "{apiVersion: v1, kind: ConfigMap, metadata: {generateName: x-, namespace: shop}}", nil, "generateName", false},
		{"no apiVersion", "{kind: ConfigMap, metadata: {name: x, namespace: shop}}", nil, "apiVersion", false},
		{"the project forbids it", "{apiVersion: v1, kind: Secret, metadata: {name: x, namespace: shop}}", func(k object.Key, _ bool) error {
			if k.Kind == "Secret" {
				return fault.New(fault.Forbidden, "hold", k.String(), "", "blacklisted", "")
			}
			return nil
		}, "blacklisted", false},
	}
	for _, tt := range tests {
		f := newFake()
		o := f.options(func(o *Options) {
			if tt.permit != nil {
				o.Permit = tt.permit
			}
		})
		res := f.sync(t, plan.Input{Options: v1alpha1.SyncOptions{"CreateNamespace=true"}}, o, configMap("fine"), parse(tt.bad))
		phase := v1alpha1.OperationFailed
		if tt.says == "discovery fails" {
			phase = v1alpha1.OperationError
		}
		if res.Phase != phase || !strings.Contains(res.Message, tt.says) || !strings.Contains(res.Message, "nothing was applied") {
			t.Errorf("%s: got %s %q, want it to fail with %q", tt.reason, res.Phase, res.Message, tt.says)
		}
		if len(f.calls()) != 0 {
			t.Errorf("%s: calls %q, want none", tt.reason, f.calls())
		}
		if res.Retryable != tt.retryable {
			t.Errorf("%s: retryable %v, want %v", tt.reason, res.Retryable, tt.retryable)
		}
		if len(res.Resources) != 1 || res.Resources[0].Status != v1alpha1.ResultCodeSyncFailed {
			t.Errorf("%s: got records %v, want one for what is wrong", tt.reason, messages(res))
		}
	}
}

func TestAllThatIsWrongIsTold(t *testing.T) {
	f := newFake()
	res := f.sync(t, plan.Input{}, f.options(), parse(widget), parse("{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}"), configMap("fine"))
	requirePhase(t, res, v1alpha1.OperationFailed, "Widget", "ConfigMap x")
	if len(res.Resources) != 2 {
		t.Errorf("got %q, want two records", messages(res))
	}
}

func TestAKindThatIsNotServedMayBeAccepted(t *testing.T) {
	f := newFake()
	w := parse(widget)
	w.SetAnnotations(map[string]string{v1alpha1.AnnotationSyncOptions: "SkipDryRunOnMissingResource=true"})
	res := f.sync(t, plan.Input{}, f.options(), w, configMap("fine"))
	requirePhase(t, res, v1alpha1.OperationFailed, "no such kind Widget")
	if got := messages(res)["fine"]; !strings.HasPrefix(got, "Synced") || !res.Retryable {
		t.Errorf("fine: got %q, retryable %v; only the object itself fails then", got, res.Retryable)
	}
}

func TestValidationByDryRun(t *testing.T) {
	f := newFake()
	delete(f.objects, object.Key{Kind: "Namespace", Name: "shop"})
	refusing := true
	f.refuse = func(_ *fake, w Write) error {
		switch {
		case !w.DryRun:
			return nil
		case w.Object.GetName() == "webhook":
			return refuse(DryRunRefused, fault.Stalled, "webhook has side effects")
		case w.Object.GetName() == "bad" && refusing:
			return refuse(Invalid, fault.Mistake, "spec.replicas: must not be negative")
		}
		return nil
	}
	dry := f.options(func(o *Options) { o.ValidateByDryRun = true })
	in := plan.Input{Options: v1alpha1.SyncOptions{"CreateNamespace=true"}}
	desired := []*unstructured.Unstructured{configMap("bad"), configMap("webhook"), configMap("fine"), parse(widget), parse(definition)}
	res := f.sync(t, in, dry, desired...)
	requirePhase(t, res, v1alpha1.OperationFailed, "must not be negative")
	for _, call := range f.calls() {
		if !strings.HasPrefix(call, "dry ") {
			t.Errorf("%q after a failed validation", call)
		}
	}
	if len(res.Resources) != 1 {
		t.Errorf("got %q: what only this sync would make true must not count", messages(res))
	}
	refusing = false
	f.tick = establish
	requirePhase(t, f.sync(t, in, dry, desired...), v1alpha1.OperationSucceeded)
}

func TestTheFormOfBuiltInKindsIsCheckedBeforeAnythingIsApplied(t *testing.T) {
	for _, tt := range []struct{ reason, yaml, message string }{
		{"a name the API server takes for no object", "{apiVersion: v1, kind: ConfigMap, metadata: {name: Bad_Name, namespace: shop}}", "metadata.name"},
		{"a value of another type", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: shop}, spec: {replicas: two}}", "replicas"},
		{"a key the API server does not take", "{apiVersion: v1, kind: ConfigMap, metadata: {name: d, namespace: shop}, data: {'a b': c}}", "a key of it is not valid"},
		{"more than fits", "{apiVersion: v1, kind: ConfigMap, metadata: {name: d, namespace: shop}, data: {a: '" + strings.Repeat("x", 1<<20+1) + "'}}", "more than 1 MiB"},
		{"a Secret, of which nothing is said", "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}, data: {k: [hunter2]}}", "a value in it is of the wrong type"},
	} {
		f := newFake()
		res := f.sync(t, plan.Input{}, f.options(), configMap("fine"), parse(tt.yaml))
		requirePhase(t, res, v1alpha1.OperationFailed, tt.message)
		if len(f.calls()) != 0 || strings.Contains(res.Message, "hunter2") {
			t.Errorf("%s: calls %q, message %q", tt.reason, f.calls(), res.Message)
		}
	}
	f := newFake()
	res := f.sync(t, plan.Input{}, f.options(), parse("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}, newField: {a: 1}}"))
	requirePhase(t, res, v1alpha1.OperationSucceeded) // the API server may know it
}

// fixed makes an object one that the API server does not change.
func fixed(u *unstructured.Unstructured) *unstructured.Unstructured {
	u.Object["immutable"] = true
	return u
}

// What nothing can be wrong with but what is seen here is not asked about before.
func TestPlainDataIsNotRehearsed(t *testing.T) {
	secret := func(kind, value string) *unstructured.Unstructured {
		return parse(fmt.Sprintf("{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop, annotations: {argocd.argoproj.io/tracking-id: 'shop:/Secret:shop/s'}}, type: %s, data: {k: %s}}", kind, value))
	}
	for kind, rehearsed := range map[string]bool{"Opaque": false, "kubernetes.io/tls": true} {
		f := newFake(ours(configMap("a", "k", "v")), ours(secret(kind, "YQ==")))
		requirePhase(t, f.sync(t, plan.Input{}, f.options(), configMap("a", "k", "w"), secret(kind, "Yg==")), v1alpha1.OperationSucceeded, "2 configured")
		if got := len(f.calls()) > 2; got != rehearsed {
			t.Errorf("type %s: calls %q", kind, f.calls())
		}
	}
}

func TestChangesAreRehearsedTogether(t *testing.T) {
	f := newFake(ours(fixed(configMap("a", "k", "v"))), ours(fixed(configMap("b", "k", "v"))))
	f.refuse = func(_ *fake, w Write) error {
		if w.Object.GetName() == "b" {
			return refuse(Invalid, fault.Mistake, "field is immutable")
		}
		return nil
	}
	res := f.sync(t, plan.Input{}, f.options(), configMap("a", "k", "w"), configMap("b", "k", "w"), configMap("c"))
	requirePhase(t, res, v1alpha1.OperationFailed, "field is immutable")
	requireEqual(t, "calls", f.calls(), []string{"dry apply ConfigMap shop/a", "dry apply ConfigMap shop/b"})
}

// What cannot be changed is told before anything is applied, with the way out; with that option it is taken.
func TestAnImmutableFieldBesideOthers(t *testing.T) {
	for _, force := range []string{"false", "true"} {
		f := newFake(ours(fixed(with(configMap("a", "k", "before"), "Force="+force))), ours(configMap("b", "k", "v")))
		f.refuse = func(f *fake, w Write) error {
			if live := f.objects[object.KeyOf(w.Object)]; live != nil && w.Object.GetName() == "a" && w.Method == Apply {
				return refuse(Invalid, fault.Mistake, "data: field is immutable")
			}
			return nil
		}
		res := f.sync(t, plan.Input{}, f.options(), with(configMap("a", "k", "after"), "Force="+force), configMap("b", "k", "w"))
		if force == "true" {
			requirePhase(t, res, v1alpha1.OperationSucceeded, "1 configured, 1 replaced")
			continue
		}
		requirePhase(t, res, v1alpha1.OperationFailed, "nothing was applied", "Replace=true,Force=true")
		requireEqual(t, "writes", f.writes(), nil)
	}
}

// A field that is not known here may be known to the API server: it is asked before anything is applied.
func TestAnUnknownFieldOfANewObjectIsRehearsed(t *testing.T) {
	odd := func() *unstructured.Unstructured {
		return parse("{apiVersion: v1, kind: ConfigMap, metadata: {name: odd, namespace: shop}, dataa: {a: b}}")
	}
	f := newFake()
	f.refuse = func(_ *fake, w Write) error {
		if w.Object.Object["dataa"] != nil && !w.DropUnknown {
			return refuse(Invalid, fault.Mistake, "unknown field \"dataa\"")
		}
		return nil
	}
	res := f.sync(t, plan.Input{}, f.options(), configMap("fine"), odd())
	requirePhase(t, res, v1alpha1.OperationFailed, "nothing was applied", "dataa")
	requireEqual(t, "calls", f.calls(), []string{"dry apply ConfigMap shop/odd"})
	requirePhase(t, f.sync(t, plan.Input{}, f.options(), configMap("fine"), with(odd(), "Validate=false")), v1alpha1.OperationSucceeded)
}

// That the API server does not answer says nothing about the objects.
func TestObjectsThatCannotBeChecked(t *testing.T) {
	f := newFake(ours(fixed(configMap("a"))), ours(configMap("b")))
	f.refuse = func(*fake, Write) error { return fault.New(fault.Retry, "apply", "a", "", "no answer in time", "") }
	res := f.sync(t, plan.Input{}, f.options(), configMap("a"), configMap("b"))
	if requirePhase(t, res, v1alpha1.OperationError, "could not all be checked"); !res.Retryable {
		t.Error("it is not tried again")
	}
}

// What another object of the same sync may mend (a right, a quota, a webhook that is down) keeps back nothing but what it is about.
func TestARefusalThatTheSyncMayMend(t *testing.T) {
	for _, reason := range []Reason{Forbidden, QuotaExceeded, NotAdmitted, WebhookRefused, WebhookFailed} {
		f := newFake(ours(fixed(configMap("b"))), ours(configMap("a")))
		mended := false
		f.refuse = func(_ *fake, w Write) error {
			mended = mended || w.Object.GetName() == "a" && !w.DryRun
			if w.Object.GetName() == "b" && !mended {
				return refuse(reason, fault.Stalled, string(reason))
			}
			return nil
		}
		requirePhase(t, f.sync(t, plan.Input{}, f.options(), configMap("a", "k", "v"), configMap("b", "k", "v")), v1alpha1.OperationSucceeded)
		mended = false
		f.refuse = func(_ *fake, w Write) error { return refuse(reason, fault.Stalled, string(reason)) }
		requirePhase(t, f.sync(t, plan.Input{}, f.options(func(o *Options) { o.DryRun = true }), configMap("a"), configMap("b")), v1alpha1.OperationFailed, string(reason))
	}
}

// A field that a definition brings along is not known before.
func TestAnObjectWhoseKindChangesWithIt(t *testing.T) {
	f := newFake(ours(parse(widget)), ours(parse(definition)))
	f.kinds[widgets] = true
	f.tick = establish
	f.refuse = func(_ *fake, w Write) error {
		if w.DryRun && w.Object.GetKind() == "Widget" {
			return refuse(Invalid, fault.Mistake, "unknown field")
		}
		return nil
	}
	changed := parse(definition)
	changed.SetLabels(map[string]string{"version": "2"})
	requirePhase(t, f.sync(t, plan.Input{}, f.options(), changed, parse(widget)), v1alpha1.OperationSucceeded)
}

// What server-side apply does not take is rehearsed the way it will be written.
func TestARehearsalFallsBack(t *testing.T) {
	f := newFake(ours(fixed(configMap("a"))), ours(configMap("b")))
	f.refuse = func(_ *fake, w Write) error {
		if w.Method == Apply && w.Object.GetName() == "a" {
			return refuse(ApplyRefused, fault.Mistake, "duplicate entries")
		}
		return nil
	}
	res := f.sync(t, plan.Input{}, f.options(), configMap("a", "k", "v"), configMap("b", "k", "v"))
	requirePhase(t, res, v1alpha1.OperationSucceeded)
	if got := messages(res)["a"]; !strings.Contains(got, "as client-side apply does") {
		t.Errorf("it does not say how it was written: %q", got)
	}
}
