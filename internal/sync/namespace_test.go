// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

var (
	shop            = object.Key{Kind: "Namespace", Name: "shop"}
	createNamespace = v1alpha1.SyncOptions{"CreateNamespace=true"}
)

func TestTheNamespaceIsMadeFirstAndUntracked(t *testing.T) {
	f := newFake()
	delete(f.objects, shop)
	res := f.sync(t, plan.Input{Options: createNamespace}, f.options(), configMap("a"))
	requirePhase(t, res, v1alpha1.OperationSucceeded, "namespace shop created")
	requireEqual(t, "calls", f.calls(), []string{"create Namespace shop", "apply ConfigMap shop/a"})
	if a := f.get(shop).GetAnnotations(); len(a) != 0 {
		t.Errorf("the namespace carries %v", a)
	}
	if len(res.Resources) != 1 {
		t.Errorf("the namespace is in the record: %q", messages(res))
	}
}

func TestANamespaceThatIsThereIsLeftAlone(t *testing.T) {
	f := newFake()
	requirePhase(t, f.sync(t, plan.Input{Options: createNamespace}, f.options(), configMap("a")), v1alpha1.OperationSucceeded)
	requireEqual(t, "calls", f.calls(), []string{"apply ConfigMap shop/a"})
}

func TestNamespaceMetadata(t *testing.T) {
	f := newFake(parse("{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {theirs: x}}}"))
	in := plan.Input{Options: createNamespace, NamespaceMetadata: &v1alpha1.ManagedNamespaceMetadata{Labels: map[string]string{"a": "1", "b": "2"}}}
	requirePhase(t, f.sync(t, in, f.options(), configMap("a")), v1alpha1.OperationSucceeded)
	in.NamespaceMetadata = &v1alpha1.ManagedNamespaceMetadata{Labels: map[string]string{"a": "1"}}
	requirePhase(t, f.sync(t, in, f.options(), configMap("a")), v1alpha1.OperationSucceeded)
	got := f.get(shop).GetLabels()
	if len(got) != 2 || got["a"] != "1" || got["theirs"] != "x" {
		t.Errorf("got labels %v, want what is asked for beside what others set", got)
	}
}

func TestANamespaceThatIsBeingDeletedIsAwaited(t *testing.T) {
	f := newFake()
	now := metav1.Now()
	f.objects[shop].SetDeletionTimestamp(&now)
	res := f.sync(t, plan.Input{Options: createNamespace}, f.options(), configMap("a"))
	requirePhase(t, res, v1alpha1.OperationError, "being deleted")
	if !res.Retryable || len(f.calls()) != 0 {
		t.Errorf("retryable %v, calls %q", res.Retryable, f.calls())
	}
}

func TestANamespaceThatCannotBeMadeEndsTheSync(t *testing.T) {
	f := newFake()
	delete(f.objects, shop)
	f.refuse = func(*fake, Write) error { return refuse("", fault.Stalled, "no right to create namespaces") }
	res := f.sync(t, plan.Input{Options: createNamespace}, f.options(), configMap("a"))
	requirePhase(t, res, v1alpha1.OperationError, "no right to create namespaces")
	requireEqual(t, "calls", f.calls(), []string{"create Namespace shop"})
}

func TestTheProjectIsAskedAboutTheNamespace(t *testing.T) {
	var asked []object.Key
	noNamespaces := func(o *Options) {
		o.Permit = func(key object.Key, namespaced bool) error {
			if key.Kind != "Namespace" {
				return nil
			}
			if asked = append(asked, key); namespaced {
				t.Errorf("a Namespace lives in none")
			}
			return fault.New(fault.Forbidden, "permit", key.String(), "", "the project permits no Namespace", "")
		}
	}
	labels := &v1alpha1.ManagedNamespaceMetadata{Labels: map[string]string{"a": "1"}}
	for _, tt := range []struct {
		name    string
		there   bool
		in      plan.Input
		refused bool
	}{
		{"it would be made", false, plan.Input{Options: createNamespace}, true},
		{"it would be labelled", true, plan.Input{Options: createNamespace, NamespaceMetadata: labels}, true},
		{"it is there and stays as it is", true, plan.Input{Options: createNamespace}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake()
			if !tt.there {
				delete(f.objects, shop)
			}
			asked = nil
			res := f.sync(t, tt.in, f.options(noNamespaces), configMap("a"))
			if !tt.refused {
				requirePhase(t, res, v1alpha1.OperationSucceeded)
				return
			}
			requirePhase(t, res, v1alpha1.OperationError, "the project permits no Namespace")
			if len(f.calls()) != 0 || len(asked) != 1 || asked[0] != shop {
				t.Errorf("calls %q, asked about %v", f.calls(), asked)
			}
		})
	}
}
