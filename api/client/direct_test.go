// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/fault"
)

func app(namespace, name string, change ...func(*v1alpha1.Application)) *v1alpha1.Application {
	a := &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.ApplicationSpec{
			Source:      &v1alpha1.ApplicationSource{RepoURL: "https://example.com/shop.git", Path: "apps"},
			Destination: v1alpha1.ApplicationDestination{Server: v1alpha1.KubernetesInternalAPIServerAddr, Namespace: "shop"},
		},
	}
	for _, f := range change {
		f(a)
	}
	return a
}

// direct is a client against a fake API server that holds apps.
func direct(t *testing.T, funcs interceptor.Funcs, apps ...*v1alpha1.Application) (*client.Direct, kube.WithWatch) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	builder := fake.NewClientBuilder().WithScheme(scheme)
	for _, a := range apps {
		builder = builder.WithObjects(a)
	}
	c := builder.Build()
	return client.NewDirect(interceptor.NewClient(c, funcs), "argocd", func() time.Time { return at(30).Time }), c
}

func TestListFilters(t *testing.T) {
	d, _ := direct(t, interceptor.Funcs{},
		app("argocd", "web", func(a *v1alpha1.Application) { a.Labels = map[string]string{"team": "shop"} }),
		app("argocd", "api", func(a *v1alpha1.Application) { a.Spec.Project = "payments" }),
		app("argocd", "multi", func(a *v1alpha1.Application) {
			a.Spec.Sources = v1alpha1.ApplicationSources{{RepoURL: "https://example.com/a"}, {RepoURL: "https://example.com/b.git"}}
		}),
		app("team", "own"),
	)
	selector, _ := labels.Parse("team=shop")
	tests := []struct {
		reason string
		filter client.Filter
		want   string
	}{
		{"all of the control namespace, by name", client.Filter{}, "argocd/api argocd/multi argocd/web"},
		{"another namespace", client.Filter{Namespace: "team"}, "team/own"},
		{"all namespaces", client.Filter{Namespace: client.AllNamespaces}, "argocd/api argocd/multi argocd/web team/own"},
		{"labels", client.Filter{Labels: selector}, "argocd/web"},
		{"project", client.Filter{Projects: []string{"payments"}}, "argocd/api"},
		{"no project is the default project", client.Filter{Projects: []string{"default"}}, "argocd/multi argocd/web"},
		{"repository, with or without .git", client.Filter{Repo: "https://example.com/b"}, "argocd/multi"},
		{"source does not count beside sources", client.Filter{Repo: "https://example.com/shop.git"}, "argocd/api argocd/web"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			apps, err := d.List(t.Context(), tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, a := range apps {
				names = append(names, a.Namespace+"/"+a.Name)
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	gr := v1alpha1.Resource(v1alpha1.ApplicationPlural)
	tests := []struct {
		reason string
		answer error
		kind   fault.Kind
		want   string
	}{
		{"no such name", nil, fault.Mistake, "cannot read application argocd/absent: it does not exist; see `bowline app list`"},
		{"no such kind", apierrors.NewGenericServerResponse(404, "GET", gr, "absent", "404 page not found", 0, true), fault.Stalled, "install Bowline's resource definitions"},
		{"no right", apierrors.NewForbidden(gr, "absent", errors.New("no")), fault.Forbidden, "ask for that right"},
		{"credentials are over", apierrors.NewUnauthorized("expired"), fault.Stalled, "renew the credentials"},
		{"nobody answers", errors.New("dial tcp: connection refused"), fault.Retry, "can be reached"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			d, _ := direct(t, interceptor.Funcs{Get: func(ctx context.Context, c kube.WithWatch, key kube.ObjectKey, obj kube.Object, opts ...kube.GetOption) error {
				if tt.answer != nil {
					return tt.answer
				}
				return c.Get(ctx, key, obj, opts...)
			}})
			_, err := d.Get(t.Context(), "absent")
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %s error %v, want %s with %q", fault.KindOf(err), err, tt.kind, tt.want)
			}
		})
	}
}

func TestSyncWritesTheOperation(t *testing.T) {
	two := int64(2)
	policy := func(a *v1alpha1.Application) {
		a.Spec.SyncPolicy = &v1alpha1.SyncPolicy{
			SyncOptions: v1alpha1.SyncOptions{"CreateNamespace=true"},
			Retry:       &v1alpha1.RetryStrategy{Limit: 3, Backoff: &v1alpha1.Backoff{Factor: &two}},
		}
	}
	hook := &v1alpha1.SyncStrategy{Hook: &v1alpha1.SyncStrategyHook{}}
	tests := []struct {
		reason  string
		request client.SyncRequest
		want    v1alpha1.Operation
	}{
		{"the policy fills what is left open", client.SyncRequest{Prune: true, Revision: "v2"}, v1alpha1.Operation{
			Sync:  &v1alpha1.SyncOperation{Prune: true, Revision: "v2", SyncOptions: v1alpha1.SyncOptions{"CreateNamespace=true"}, SyncStrategy: hook},
			Retry: v1alpha1.RetryStrategy{Limit: 3, Backoff: &v1alpha1.Backoff{Factor: &two}},
		}},
		{"what is said stands", client.SyncRequest{
			DryRun: true, Force: true, Strategy: client.StrategyApply, Username: "jo",
			Options: v1alpha1.SyncOptions{"Validate=false"}, Retry: &v1alpha1.RetryStrategy{Limit: 1},
			Resources: []v1alpha1.SyncOperationResource{{Group: "apps", Kind: "Deployment", Name: "web"}},
		}, v1alpha1.Operation{
			Sync: &v1alpha1.SyncOperation{
				DryRun: true, SyncOptions: v1alpha1.SyncOptions{"Validate=false"},
				Resources:    []v1alpha1.SyncOperationResource{{Group: "apps", Kind: "Deployment", Name: "web"}},
				SyncStrategy: &v1alpha1.SyncStrategy{Apply: &v1alpha1.SyncStrategyApply{Force: true}},
			},
			InitiatedBy: v1alpha1.OperationInitiator{Username: "jo"},
			Retry:       v1alpha1.RetryStrategy{Limit: 1},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			d, c := direct(t, interceptor.Funcs{}, app("argocd", "web", policy))
			if _, err := d.Sync(t.Context(), "web", tt.request); err != nil {
				t.Fatal(err)
			}
			got := &v1alpha1.Application{}
			if err := c.Get(t.Context(), kube.ObjectKey{Namespace: "argocd", Name: "web"}, got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got.Operation); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSyncSaysWhoAsks(t *testing.T) {
	d, c := direct(t, interceptor.Funcs{Create: func(ctx context.Context, c kube.WithWatch, obj kube.Object, opts ...kube.CreateOption) error {
		review, ok := obj.(*unstructured.Unstructured)
		if !ok || review.GetKind() != "SelfSubjectReview" {
			return c.Create(ctx, obj, opts...)
		}
		return unstructured.SetNestedField(review.Object, "ann", "status", "userInfo", "username")
	}}, app("argocd", "web"))
	for want, request := range map[string]client.SyncRequest{"ann": {}, "jo": {Username: "jo"}} {
		if _, err := d.Sync(t.Context(), "web", request); err != nil {
			t.Fatal(err)
		}
		got := &v1alpha1.Application{}
		if err := c.Get(t.Context(), kube.ObjectKey{Namespace: "argocd", Name: "web"}, got); err != nil {
			t.Fatal(err)
		}
		if got.Operation.InitiatedBy.Username != want {
			t.Errorf("it is asked for by %q, want %q", got.Operation.InitiatedBy.Username, want)
		}
		got.Operation = nil
		if err := c.Update(t.Context(), got); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSyncRefuses(t *testing.T) {
	tests := []struct {
		reason  string
		change  func(*v1alpha1.Application)
		request client.SyncRequest
		kind    fault.Kind
		want    string
	}{
		{"beside a requested operation", func(a *v1alpha1.Application) { a.Operation = &v1alpha1.Operation{} }, client.SyncRequest{}, fault.Wait, "already in progress"},
		{"beside a running operation", func(a *v1alpha1.Application) {
			a.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationRunning}
		}, client.SyncRequest{}, fault.Wait, "already in progress"},
		{"what automated sync would undo", func(a *v1alpha1.Application) {
			a.Spec.SyncPolicy = &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{}}
		}, client.SyncRequest{Revision: "v1"}, fault.Mistake, "set to HEAD"},
		{"what automated sync would undo, of one of several sources", func(a *v1alpha1.Application) {
			a.Spec.SyncPolicy = &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{}}
			a.Spec.Sources = v1alpha1.ApplicationSources{{RepoURL: "a", TargetRevision: "main"}, {RepoURL: "b", TargetRevision: "v1"}}
		}, client.SyncRequest{Revisions: []string{"main", "v2"}}, fault.Mistake, "set to v1 for source 2, so v2 would be undone"},
		{"too few revisions", func(a *v1alpha1.Application) { a.Spec.Sources = make(v1alpha1.ApplicationSources, 2) }, client.SyncRequest{Revisions: []string{"a"}}, fault.Mistake, "one revision for each source"},
		{"during deletion", func(a *v1alpha1.Application) {
			a.DeletionTimestamp, a.Finalizers = at(1), []string{v1alpha1.ResourcesFinalizerName}
		}, client.SyncRequest{}, fault.Mistake, "being deleted"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			d, _ := direct(t, interceptor.Funcs{}, app("argocd", "web", tt.change))
			_, err := d.Sync(t.Context(), "web", tt.request)
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a %s error with %q", err, tt.kind, tt.want)
			}
		})
	}
}

func TestAConflictIsTriedAnewOnWhatIsThereNow(t *testing.T) {
	conflicts := 2
	d, c := direct(t, interceptor.Funcs{Patch: func(ctx context.Context, c kube.WithWatch, obj kube.Object, patch kube.Patch, opts ...kube.PatchOption) error {
		if conflicts > 0 {
			// The controller writes between the read and the patch.
			conflicts--
			other := &v1alpha1.Application{}
			if err := c.Get(ctx, kube.ObjectKeyFromObject(obj), other); err != nil {
				return err
			}
			other.Status.Sync.Revision += "x"
			if err := c.Update(ctx, other); err != nil {
				return err
			}
		}
		return c.Patch(ctx, obj, patch, opts...)
	}}, app("argocd", "web"))
	if _, err := d.Sync(t.Context(), "web", client.SyncRequest{}); err != nil {
		t.Fatal(err)
	}
	got := &v1alpha1.Application{}
	if err := c.Get(t.Context(), kube.ObjectKey{Namespace: "argocd", Name: "web"}, got); err != nil {
		t.Fatal(err)
	}
	if got.Operation == nil || got.Status.Sync.Revision != "xx" {
		t.Errorf("operation %v, revision %q: the patch was lost or undid the controller's writes", got.Operation, got.Status.Sync.Revision)
	}
}

func TestDeleteSetsTheFinalizersFirst(t *testing.T) {
	const other = v1alpha1.PostDeleteFinalizerName
	tests := []struct {
		reason        string
		present, want []string
		cascade       client.Cascade
	}{
		{"foreground", []string{other}, []string{other, v1alpha1.ResourcesFinalizerName}, client.CascadeForeground},
		{"foreground already, in its long form", []string{other, v1alpha1.ForegroundPropagationFinalizer}, []string{other, v1alpha1.ForegroundPropagationFinalizer}, client.CascadeForeground},
		{"background instead of foreground", []string{v1alpha1.ResourcesFinalizerName, other}, []string{other, v1alpha1.BackgroundPropagationFinalizer}, client.CascadeBackground},
		{"no cascade drops them all", []string{v1alpha1.ResourcesFinalizerName, other, v1alpha1.BackgroundPropagationFinalizer}, []string{other}, client.CascadeNone},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			d, c := direct(t, interceptor.Funcs{}, app("argocd", "web", func(a *v1alpha1.Application) { a.Finalizers = tt.present }))
			if err := d.Delete(t.Context(), "web", client.DeleteRequest{Cascade: tt.cascade}); err != nil {
				t.Fatal(err)
			}
			got := &v1alpha1.Application{}
			if err := c.Get(t.Context(), kube.ObjectKey{Namespace: "argocd", Name: "web"}, got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Finalizers); diff != "" || got.DeletionTimestamp == nil {
				t.Errorf("deleted at %v, finalizers %s", got.DeletionTimestamp, diff)
			}
		})
	}
}

func TestWaitFollowsTheApplication(t *testing.T) {
	d, c := direct(t, interceptor.Funcs{}, app("argocd", "web", func(a *v1alpha1.Application) { a.Operation = &v1alpha1.Operation{} }), app("argocd", "other"))
	write := func(change func(*v1alpha1.Application)) {
		got := &v1alpha1.Application{}
		if err := c.Get(t.Context(), kube.ObjectKey{Namespace: "argocd", Name: "web"}, got); err != nil {
			t.Error(err)
			return
		}
		change(got)
		if err := c.Update(t.Context(), got); err != nil {
			t.Error(err)
		}
	}
	steps := []func(*v1alpha1.Application){
		func(a *v1alpha1.Application) {
			a.Operation = nil
			a.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationRunning}
		},
		func(a *v1alpha1.Application) {
			a.Status.OperationState.Phase, a.Status.OperationState.FinishedAt = v1alpha1.OperationSucceeded, at(10)
			a.Status.Sync.Status = v1alpha1.SyncStatusCodeSynced
		},
		func(a *v1alpha1.Application) { a.Status.ReconciledAt = at(11) },
	}
	seen := 0
	got, err := d.Wait(t.Context(), "web", client.State{Operation: true, Synced: true}, func(*v1alpha1.Application) {
		if seen < len(steps) {
			write(steps[seen])
		}
		seen++
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen != 4 || got.Status.ReconciledAt == nil {
		t.Errorf("saw %d changes, last %+v", seen, got.Status)
	}
}

func TestWaitEnds(t *testing.T) {
	t.Run("when the application is gone", func(t *testing.T) {
		d, c := direct(t, interceptor.Funcs{}, app("argocd", "web"))
		_, err := d.Wait(t.Context(), "web", client.State{Deleted: true}, func(a *v1alpha1.Application) {
			if err := c.Delete(t.Context(), a.DeepCopy()); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("at once when there is none to be deleted", func(t *testing.T) {
		d, _ := direct(t, interceptor.Funcs{})
		if _, err := d.Wait(t.Context(), "web", client.State{Deleted: true}, nil); err != nil {
			t.Error(err)
		}
	})
	t.Run("with an error when there is none to wait for", func(t *testing.T) {
		d, _ := direct(t, interceptor.Funcs{})
		if _, err := d.Wait(t.Context(), "web", client.State{Healthy: true}, nil); !fault.Is(err, fault.Mistake) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("with the context", func(t *testing.T) {
		d, _ := direct(t, interceptor.Funcs{}, app("argocd", "web"))
		ctx, cancel := context.WithCancelCause(t.Context())
		last, err := d.Wait(ctx, "web", client.State{Healthy: true}, func(*v1alpha1.Application) { cancel(errors.New("timed out")) })
		if !fault.Is(err, fault.Wait) || !strings.Contains(err.Error(), "timed out") || last == nil {
			t.Errorf("got %v, last seen %v", err, last)
		}
	})
}

func TestRefreshWaitsForTheComparison(t *testing.T) {
	d, _ := direct(t, interceptor.Funcs{Get: func(ctx context.Context, c kube.WithWatch, key kube.ObjectKey, obj kube.Object, opts ...kube.GetOption) error {
		if err := c.Get(ctx, key, obj, opts...); err != nil {
			return err
		}
		// The controller serves the refresh once it is asked for.
		if a := obj.(*v1alpha1.Application); a.Annotations[v1alpha1.AnnotationKeyRefresh] == "hard" {
			served := a.DeepCopy()
			delete(served.Annotations, v1alpha1.AnnotationKeyRefresh)
			served.Status.ReconciledAt = at(40)
			return c.Update(ctx, served)
		}
		return nil
	}}, app("argocd", "web"))
	got, err := d.Refresh(t.Context(), "web", v1alpha1.RefreshTypeHard)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status.ReconciledAt == nil || got.Annotations[v1alpha1.AnnotationKeyRefreshTimestamp] != "2026-01-02T03:04:30Z" {
		t.Errorf("returned before the comparison or without its time stamp: %v", got.Annotations)
	}
}
