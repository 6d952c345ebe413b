// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/fault"
)

// deployed is an application whose history has these revisions, the oldest first.
func deployed(revisions ...string) *v1alpha1.Application {
	return app("argocd", "web", func(a *v1alpha1.Application) {
		a.Spec.SyncPolicy = &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{}}
		for i, r := range revisions {
			a.Status.History = append(a.Status.History, v1alpha1.RevisionHistory{ID: int64(i), Revision: r, Source: *a.Spec.Source})
		}
	})
}

func tried(phase v1alpha1.OperationPhase, revision string, change ...func(*v1alpha1.OperationState)) *v1alpha1.OperationState {
	s := &v1alpha1.OperationState{Phase: phase, SyncResult: &v1alpha1.SyncOperationResult{Revision: revision},
		Operation: v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{}, InitiatedBy: v1alpha1.OperationInitiator{Automated: true}}}
	for _, f := range change {
		f(s)
	}
	return s
}

func TestRollbackTarget(t *testing.T) {
	for _, tt := range []struct {
		name    string
		history []string
		last    *v1alpha1.OperationState
		held    []string
		want    int64 // -1: an error
	}{
		{"the one before", []string{"a", "b"}, tried(v1alpha1.OperationSucceeded, "b"), nil, 0},
		{"the newest does not come to an end", []string{"a", "b"}, tried(v1alpha1.OperationRunning, "c"), nil, 1},
		{"the newest failed", []string{"a", "b"}, tried(v1alpha1.OperationFailed, "c"), nil, 1},
		{"a rehearsal of another one failed", []string{"a", "b"}, tried(v1alpha1.OperationFailed, "c", func(s *v1alpha1.OperationState) { s.Operation.Sync.DryRun = true }), nil, 0},
		{"a part of another one failed", []string{"a", "b"}, tried(v1alpha1.OperationFailed, "c", func(s *v1alpha1.OperationState) {
			s.Operation.Sync.Resources = make([]v1alpha1.SyncOperationResource, 1)
		}), nil, 0},
		{"the same one again failed", []string{"a", "b"}, tried(v1alpha1.OperationFailed, "b"), nil, 0},
		{"deployed twice", []string{"a", "b", "b"}, tried(v1alpha1.OperationSucceeded, "b"), nil, 0},
		{"once more: never to what is held off", []string{"z", "a", "b", "a"}, tried(v1alpha1.OperationSucceeded, "a"), []string{"b"}, 0},
		{"nothing before", []string{"a"}, tried(v1alpha1.OperationSucceeded, "a"), nil, -1},
		{"nothing at all", nil, nil, nil, -1},
	} {
		a := deployed(tt.history...)
		a.Status.OperationState = tt.last
		if tt.held != nil {
			a.Annotations = map[string]string{v1alpha1.AnnotationHold: bowline.Hold{Revisions: tt.held}.String()}
		}
		got, err := client.RollbackTarget(a, nil)
		if tt.want < 0 {
			if !fault.Is(err, fault.Mistake) {
				t.Errorf("%s: got entry %d, %v", tt.name, got.ID, err)
			}
			continue
		}
		if err != nil || got.ID != tt.want {
			t.Errorf("%s: got entry %d, %v; want %d", tt.name, got.ID, err, tt.want)
		}
	}
}

func TestARollbackIsOneWrite(t *testing.T) {
	a := deployed("a", "b")
	a.Status.Sync.Revision = "c"
	a.Status.OperationState = tried(v1alpha1.OperationRunning, "c")
	d, _ := direct(t, interceptor.Funcs{}, a)
	until := at(30).Add(time.Hour)
	got, err := d.Rollback(t.Context(), "web", client.RollbackRequest{Reason: "broken", Until: until, Username: "ann", Prune: true})
	if err != nil {
		t.Fatal(err)
	}
	if got.Status.OperationState.Phase != v1alpha1.OperationTerminating {
		t.Errorf("what is to be taken back is %s", got.Status.OperationState.Phase)
	}
	if s := got.Operation.Sync; s.Revision != "b" || s.Source == nil || s.SyncStrategy.Apply == nil || !s.Prune || got.Operation.InitiatedBy.Username != "ann" {
		t.Errorf("asked for %+v by %v", s, got.Operation.InitiatedBy)
	}
	h, err := bowline.ParseHold(got.Annotations[v1alpha1.AnnotationHold])
	if err != nil || strings.Join(h.Revisions, "") != "c" || h.By != "ann" || h.Reason != "broken" || !h.Until.Equal(until) || *h.History != 1 {
		t.Errorf("held with %v, %v", h, err)
	}
	if got.ResourceVersion != "1000" { // the fake API server counts from 999
		t.Errorf("written in more than one go: %s", got.ResourceVersion)
	}
}

func TestARollbackHoldsOnlyWhatWouldComeBack(t *testing.T) {
	for name, change := range map[string]func(*v1alpha1.Application, *client.RollbackRequest){
		"a rehearsal":        func(_ *v1alpha1.Application, r *client.RollbackRequest) { r.DryRun = true },
		"automated sync off": func(a *v1alpha1.Application, _ *client.RollbackRequest) { a.Spec.SyncPolicy = nil },
	} {
		a, request := deployed("a", "b"), client.RollbackRequest{Username: "ann"}
		change(a, &request)
		d, _ := direct(t, interceptor.Funcs{}, a)
		got, err := d.Rollback(t.Context(), "web", request)
		if err != nil || got.Operation == nil || got.Annotations[v1alpha1.AnnotationHold] != "" {
			t.Errorf("%s: got %v with %v, %v", name, got.Operation, got.Annotations, err)
		}
	}
}

func TestAnOperationByHandIsNotEndedByARollback(t *testing.T) {
	byHand := func(s *v1alpha1.OperationState) {
		s.Operation.InitiatedBy = v1alpha1.OperationInitiator{Username: "ann"}
	}
	a := deployed("a", "b")
	a.Status.OperationState = tried(v1alpha1.OperationRunning, "c", byHand)
	d, _ := direct(t, interceptor.Funcs{}, a)
	if _, err := d.Rollback(t.Context(), "web", client.RollbackRequest{Username: "bob"}); !fault.Is(err, fault.Wait) {
		t.Errorf("got %v", err)
	}
}

// An approval counts only when it is later than the note, by the clock of who noted.
func TestAnApprovalIsLaterThanWhatItApproves(t *testing.T) {
	noted := at(30).Add(time.Minute)
	a := app("argocd", "web", func(a *v1alpha1.Application) {
		a.Annotations = map[string]string{v1alpha1.AnnotationDeletionPlan: "ASNFZ4mrze8 " + noted.UTC().Format(time.RFC3339Nano)}
	})
	d, _ := direct(t, interceptor.Funcs{}, a)
	got, err := d.Approve(t.Context(), "web", "0123456789ab")
	if err != nil {
		t.Fatal(err)
	}
	approved, err := time.Parse(time.RFC3339, got.Annotations[v1alpha1.AnnotationDeletionApproved])
	if err != nil || !approved.After(noted) || approved.Sub(noted) > time.Second {
		t.Errorf("noted at %v, approved at %v, %v", noted, approved, err)
	}
}
