// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
)

// ended is an application whose last operation was asked for with an id.
func ended(request string) *v1alpha1.Application {
	a := app("argocd", "web")
	a.ResourceVersion = "100"
	finished := metav1.Unix(10, 0)
	a.Status.ReconciledAt = &finished
	a.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationSucceeded, FinishedAt: &finished}
	a.Status.OperationState.Operation.Info = []*v1alpha1.Info{{Name: v1alpha1.InfoRequest, Value: request}}
	a.Status.Sync = v1alpha1.SyncStatus{Status: v1alpha1.SyncStatusCodeOutOfSync, Revision: "4f0c2a1b"}
	a.Status.Resources = []v1alpha1.ResourceStatus{
		{Kind: "Service", Name: "a", Status: v1alpha1.SyncStatusCodeSynced},
		{Kind: "Service", Name: "b", Status: v1alpha1.SyncStatusCodeOutOfSync, Health: &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusHealthy}},
	}
	return a
}

func TestStateOfOneOperationRevisionAndSomeResources(t *testing.T) {
	named := func(name string) func(v1alpha1.ResourceStatus) bool {
		return func(r v1alpha1.ResourceStatus) bool { return r.Name == name }
	}
	under := ended("mine")
	under.Operation = &v1alpha1.Operation{}
	rendered := ended("")
	rendered.Status.SourceHydrator = v1alpha1.SourceHydratorStatus{
		CurrentOperation:        &v1alpha1.HydrateOperation{Phase: v1alpha1.HydrateOperationPhaseHydrated, DrySHA: "a"},
		LastSuccessfulOperation: &v1alpha1.SuccessfulHydrateOperation{DrySHA: "a"},
	}
	tests := []struct {
		reason string
		state  client.State
		app    *v1alpha1.Application
		want   bool
	}{
		{"the operation has ended", client.State{Request: "mine", From: "100"}, ended("mine"), true},
		{"it is still requested", client.State{Request: "mine", From: "100"}, under, false},
		{"what a cache shows from before it", client.State{Request: "mine", From: "101"}, ended("theirs"), false},
		{"another one came after it", client.State{Request: "mine", From: "99"}, ended("theirs"), true},
		{"the revision, or what it begins with", client.State{Revision: "4f0c"}, ended(""), true},
		{"another revision", client.State{Revision: "9"}, ended(""), false},
		{"a resource that is synced, of an application that is not", client.State{Synced: true, Chosen: named("a")}, ended(""), true},
		{"a resource that is not", client.State{Synced: true, Chosen: named("b")}, ended(""), false},
		{"health of a resource", client.State{Healthy: true, Chosen: named("b")}, ended(""), true},
		{"a resource without health is not healthy", client.State{Healthy: true, Chosen: named("a")}, ended(""), false},
		{"rendered", client.State{Hydrated: true}, rendered, true},
		{"never rendered", client.State{Hydrated: true}, ended(""), false},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			if got := tt.state.Reached(tt.app); got != tt.want {
				t.Errorf("reached %v, want %v", got, tt.want)
			}
		})
	}
}
