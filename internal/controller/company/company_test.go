// SPDX-License-Identifier: Apache-2.0

package company_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/bowline-cd/bowline/internal/controller/company"
)

const namespace = "argocd"

func meta(name, component string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app.kubernetes.io/component": component}}
}

func replicas(n int32) *int32 { return &n }

func TestCompany(t *testing.T) {
	elsewhere := meta("argocd-application-controller", "application-controller")
	elsewhere.Namespace = "other"
	for name, c := range map[string]struct {
		object client.Object
		alone  bool
		reason string
	}{
		"nobody":                      {object: nil, alone: true},
		"a StatefulSet":               {object: &appsv1.StatefulSet{ObjectMeta: meta("argocd-application-controller", "application-controller"), Spec: appsv1.StatefulSetSpec{Replicas: replicas(1)}}, reason: "StatefulSet argocd-application-controller"},
		"replicas not said means 1":   {object: &appsv1.StatefulSet{ObjectMeta: meta("controller", "application-controller")}, reason: "StatefulSet controller"},
		"a Deployment":                {object: &appsv1.Deployment{ObjectMeta: meta("dynamic", "application-controller"), Spec: appsv1.DeploymentSpec{Replicas: replicas(2)}}, reason: "Deployment dynamic"},
		"scaled to zero":              {object: &appsv1.StatefulSet{ObjectMeta: meta("controller", "application-controller"), Spec: appsv1.StatefulSetSpec{Replicas: replicas(0)}}, alone: true},
		"scaled to zero, still there": {object: &appsv1.StatefulSet{ObjectMeta: meta("controller", "application-controller"), Spec: appsv1.StatefulSetSpec{Replicas: replicas(0)}, Status: appsv1.StatefulSetStatus{Replicas: 1}}, reason: "StatefulSet controller"},
		"another part of Argo CD":     {object: &appsv1.Deployment{ObjectMeta: meta("argocd-server", "server")}, alone: true},
		"in another namespace":        {object: &appsv1.StatefulSet{ObjectMeta: elsewhere}, alone: true},
	} {
		t.Run(name, func(t *testing.T) {
			builder := fake.NewClientBuilder().WithScheme(clientgoscheme.Scheme)
			if c.object != nil {
				builder = builder.WithObjects(c.object)
			}
			changes := 0
			w := company.NewWatcher(builder.Build(), namespace, slog.New(slog.DiscardHandler), func() { changes++ })
			if alone, reason := w.Alone(); alone || reason == "" {
				t.Errorf("before the first look: alone %v, reason %q", alone, reason)
			}
			w.Check(context.Background())
			w.Check(context.Background())
			alone, reason := w.Alone()
			if alone != c.alone || !strings.Contains(reason, c.reason) || alone != (reason == "") {
				t.Errorf("alone %v, reason %q", alone, reason)
			}
			if changes != 1 {
				t.Errorf("told %d times of one answer", changes)
			}
		})
	}
}

// What cannot be looked for is not absent.
func TestRefusedLookIsNotAlone(t *testing.T) {
	refused := interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
		return errors.New("forbidden")
	}}
	c := fake.NewClientBuilder().WithScheme(clientgoscheme.Scheme).WithInterceptorFuncs(refused).Build()
	w := company.NewWatcher(c, namespace, slog.New(slog.DiscardHandler), func() {})
	w.Check(context.Background())
	if alone, reason := w.Alone(); alone || !strings.Contains(reason, "give Bowline the right") {
		t.Errorf("alone %v, reason %q", alone, reason)
	}
}

// A moment of trouble changes no answer; trouble that lasts does, and so does a refusal at once.
func TestALookThatGetsNoAnswer(t *testing.T) {
	var trouble error
	c := fake.NewClientBuilder().WithScheme(clientgoscheme.Scheme).WithInterceptorFuncs(interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if trouble != nil {
				return trouble
			}
			return c.List(ctx, list, opts...)
		}}).Build()
	w := company.NewWatcher(c, namespace, slog.New(slog.DiscardHandler), func() {})
	requireAlone := func(when string, want bool) {
		t.Helper()
		w.Check(context.Background())
		if alone, reason := w.Alone(); alone != want {
			t.Errorf("%s: alone %v, reason %q", when, alone, reason)
		}
	}
	requireAlone("at first", true)
	trouble = apierrors.NewInternalError(errors.New("overloaded"))
	requireAlone("one look without an answer", true)
	requireAlone("two", true)
	trouble = nil
	requireAlone("an answer", true)
	trouble = apierrors.NewInternalError(errors.New("overloaded"))
	for range 2 {
		requireAlone("it is counted anew", true)
	}
	requireAlone("three in a row", false)
	trouble = nil
	requireAlone("it answers again", true)
	trouble = apierrors.NewForbidden(schema.GroupResource{Resource: "statefulsets"}, "", errors.New("no"))
	requireAlone("refused", false)
}
