// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/fault"
)

// apps is a server whose application changes with each look at it.
type apps struct {
	application.ApplicationService
	rpc.Service
	states []v1alpha1.Application // the last one stays
	gone   bool                   // after the last one
	breaks int                    // how many streams break at once
	synced *application.ApplicationSyncRequest
	held   *rpc.HoldRequest
	rolled *application.ApplicationRollbackRequest
}

func (a *apps) next() v1alpha1.Application {
	first := a.states[0]
	if len(a.states) > 1 {
		a.states = a.states[1:]
	}
	return first
}

func (a *apps) Get(context.Context, *application.ApplicationQuery) (*v1alpha1.Application, error) {
	if a.gone && len(a.states) == 1 {
		return nil, &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Err: errors.New("gone")}
	}
	app := a.next()
	return &app, nil
}

func (a *apps) Watch(_ context.Context, q *application.ApplicationQuery, send func(*v1alpha1.ApplicationWatchEvent) error) error {
	if a.breaks > 0 {
		a.breaks--
		return fault.New(fault.Retry, "reach", "the server", "", "the connection broke", "")
	}
	other := v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Name: "other", Namespace: "argocd"}}
	other.Status.Sync.Status = v1alpha1.SyncStatusCodeSynced
	for _, app := range []v1alpha1.Application{other, a.next()} {
		if err := send(&v1alpha1.ApplicationWatchEvent{Type: "MODIFIED", Application: app}); err != nil {
			return err
		}
	}
	return nil
}

func (a *apps) Sync(_ context.Context, r *application.ApplicationSyncRequest) (*v1alpha1.Application, error) {
	a.synced = r
	return &a.states[0], nil
}

func (a *apps) Rollback(_ context.Context, r *application.ApplicationRollbackRequest) (*v1alpha1.Application, error) {
	a.rolled = r
	app := a.states[0]
	app.Annotations = map[string]string{v1alpha1.AnnotationHold: "{}"}
	return &app, nil
}

func (a *apps) Hold(_ context.Context, r *rpc.HoldRequest) (*v1alpha1.Application, error) {
	a.held = r
	return &a.states[0], nil
}

func remote(a *apps) *client.Remote {
	return client.NewRemote(&client.Services{Applications: a, Bowline: a})
}

func state(version string, sync v1alpha1.SyncStatusCode) v1alpha1.Application {
	app := v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "argocd", UID: "u", ResourceVersion: version}}
	app.Status.Sync.Status = sync
	return app
}

func TestRemoteWaitSurvivesBrokenStreams(t *testing.T) {
	a := &apps{breaks: 1, states: []v1alpha1.Application{state("1", "OutOfSync"), state("1", "OutOfSync"), state("2", "Synced")}}
	var seen []string
	app, err := remote(a).Wait(t.Context(), "web", client.State{Synced: true}, func(app *v1alpha1.Application) { seen = append(seen, app.ResourceVersion) })
	if diff := cmp.Diff([]string{"1", "2"}, seen); err != nil || app.ResourceVersion != "2" || diff != "" {
		t.Errorf("got %v, %v, %s", app, err, diff)
	}
}

func TestRemoteWaitForDeletion(t *testing.T) {
	a := &apps{gone: true, states: []v1alpha1.Application{state("1", "Synced"), state("2", "Synced"), state("3", "Synced")}}
	if app, err := remote(a).Wait(t.Context(), "argocd/web", client.State{Deleted: true}, nil); err != nil || app == nil {
		t.Errorf("got %v, %v", app, err)
	}
	never := &apps{gone: true, states: []v1alpha1.Application{{}}}
	if _, err := remote(never).Wait(t.Context(), "web", client.State{Synced: true}, nil); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("waiting for what is not there gives %v", err)
	}
}

func TestRemoteSyncSaysAll(t *testing.T) {
	a := &apps{states: []v1alpha1.Application{state("1", "OutOfSync")}}
	_, err := remote(a).Sync(t.Context(), "team/web", client.SyncRequest{
		Revisions: []string{"a", "b"}, Prune: true, Strategy: client.StrategyApply, Force: true, Options: []string{"Replace=true"}, Info: []*v1alpha1.Info{{Name: "n", Value: "v"}},
	})
	want := &application.ApplicationSyncRequest{
		Name: "web", AppNamespace: "team", Revisions: []string{"a", "b"}, SourcePositions: []int64{1, 2}, Prune: true,
		Strategy: &v1alpha1.SyncStrategy{Apply: &v1alpha1.SyncStrategyApply{Force: true}}, SyncOptions: &application.SyncOptions{Items: []string{"Replace=true"}},
		Infos: []v1alpha1.Info{{Name: "n", Value: "v"}},
	}
	if diff := cmp.Diff(want, a.synced); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestRemoteRollbackChoosesAndHolds(t *testing.T) {
	app := state("1", "Synced")
	app.Status.History = v1alpha1.RevisionHistories{{ID: 1, Revision: "a"}, {ID: 2, Revision: "b"}}
	a := &apps{states: []v1alpha1.Application{app}}
	if _, err := remote(a).Rollback(t.Context(), "web", client.RollbackRequest{Reason: "it breaks"}); err != nil {
		t.Fatal(err)
	}
	if a.rolled.ID != 1 || a.held == nil || a.held.Reason != "it breaks" {
		t.Errorf("asked for %+v, held by %+v", a.rolled, a.held)
	}
	if _, err := remote(a).Rollback(t.Context(), "web", client.RollbackRequest{OverrideWindow: "now"}); fault.CodeOf(err) != fault.Unsupported {
		t.Errorf("what the API cannot say gives %v", err)
	}
}
