// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

func newHub(t *testing.T, funcs interceptor.Funcs, objects ...client.Object) *Hub {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	fresh := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	return &Hub{Client: interceptor.NewClient(fresh, funcs), Fresh: fresh, Home: "argocd", Clock: clocktesting.NewFakeClock(time.Unix(0, 0))}
}

func project(name string) *v1alpha1.AppProject {
	return &v1alpha1.AppProject{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "argocd"}, Spec: v1alpha1.AppProjectSpec{Description: "old"}}
}

func TestChangeBeginsAnewAfterAConflict(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "appprojects"}, "shop", errors.New("changed"))
	for _, tt := range []struct {
		conflicts int
		want      bool
	}{{1, true}, {attempts - 1, true}, {attempts, false}} {
		left := tt.conflicts
		h := newHub(t, interceptor.Funcs{Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			if left > 0 {
				left--
				return conflict
			}
			return c.Update(ctx, o, opts...)
		}}, project("shop"))
		p := &v1alpha1.AppProject{}
		p.Name = "shop"
		err := h.Change(t.Context(), "project shop", p, func() error {
			if p.Spec.Description != "old" {
				t.Errorf("what was changed before is still there: %q", p.Spec.Description)
			}
			p.Spec.Description = "new"
			return nil
		})
		if (err == nil) != tt.want || err != nil && !fault.Is(err, fault.Retry) {
			t.Errorf("%d conflicts: got %v", tt.conflicts, err)
		}
	}
}

func TestAWriteIsKnownWhenItIsAnswered(t *testing.T) {
	behind := 2 // how often the cache does not know of it yet
	clk := clocktesting.NewFakeClock(time.Unix(0, 0))
	h := newHub(t, interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
		if behind > 0 {
			behind--
			clk.Step(settleLook)
			return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
		}
		return c.Get(ctx, key, o, opts...)
	}})
	h.Clock = clk
	if err := h.Create(t.Context(), "project shop", project("shop")); err != nil || behind != 0 {
		t.Errorf("got %v before the cache knew of it", err)
	}
}

func TestFailed(t *testing.T) {
	kind := schema.GroupResource{Resource: "secrets"}
	for _, tt := range []struct {
		err  error
		kind fault.Kind
		code fault.Code
	}{
		{apierrors.NewNotFound(kind, "x"), fault.Mistake, fault.NotFound},
		{apierrors.NewAlreadyExists(kind, "x"), fault.Mistake, fault.AlreadyExists},
		{apierrors.NewBadRequest("x"), fault.Mistake, ""},
		{apierrors.NewForbidden(kind, "x", errors.New("no")), fault.Stalled, ""},
		{errors.New("no route"), fault.Retry, ""},
	} {
		err := Failed("read", "it", tt.err)
		if !fault.Is(err, tt.kind) || fault.CodeOf(err) != tt.code {
			t.Errorf("%v: got kind %s and code %q", tt.err, fault.KindOf(err), fault.CodeOf(err))
		}
	}
	if Failed("read", "it", nil) != nil {
		t.Error("nothing failed")
	}
}

func TestWhatIsSaidOfASecretIsTakenOut(t *testing.T) {
	h := newHub(t, interceptor.Funcs{Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error {
		return apierrors.NewBadRequest(`Secret "x" is invalid: data[password]: Invalid value: "canary": no`)
	}})
	err := h.Create(t.Context(), "repository x", &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "x"}})
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}

func TestChangeDataMakesTheConfigMap(t *testing.T) {
	reloads := 0
	h := newHub(t, interceptor.Funcs{})
	h.Reload = func(context.Context) error { reloads++; return nil }
	for _, value := range []string{"1", "2"} {
		if err := h.ChangeData(t.Context(), "cm", func(data map[string]string) error { data["a"] = value; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := h.Data(t.Context(), "cm"); err != nil || data["a"] != "2" || reloads != 2 {
		t.Errorf("got %v, %v, %d reloads", data, err, reloads)
	}
	if data, err := h.Data(t.Context(), "none"); err != nil || data != nil {
		t.Errorf("got %v, %v", data, err)
	}
}
