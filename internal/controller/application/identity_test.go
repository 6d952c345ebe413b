// SPDX-License-Identifier: Apache-2.0

package application

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/settings"
)

// hubWith is a controller whose hub holds objects.
func hubWith(t *testing.T, s *settings.Settings, objects ...client.Object) *Controller {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	deps := Deps{
		Client: fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build(), Namespace: "argocd", Clusters: noClusters{},
		Rules: func() *Rules { return &Rules{Settings: *s} }, Settings: func() *settings.Settings { return s }, Clock: clocktesting.NewFakeClock(now),
	}
	return &Controller{Deps: deps, projects: newProjects(deps)}
}

func projectWith(spec v1alpha1.AppProjectSpec) *v1alpha1.AppProject {
	p := &v1alpha1.AppProject{Spec: spec}
	p.Namespace, p.Name = "argocd", "team"
	return p
}

func TestAccountOfDirectCalls(t *testing.T) {
	named := v1alpha1.AppProjectSpec{DestinationServiceAccounts: []v1alpha1.ApplicationDestinationServiceAccount{
		{Server: server, Namespace: "shop", DefaultServiceAccount: "deployer"}, {Server: "*", Namespace: "broken"},
	}}
	for _, tt := range []struct {
		reason             string
		enabled, lax       bool
		project, namespace string
		want, says         string
	}{
		{"it is off", false, false, "team", "shop", "", ""},
		{"the project names one", true, false, "team", "shop", "system:serviceaccount:shop:deployer", ""},
		{"it names none, and one is enforced", true, false, "team", "other", "", "no entry matches it"},
		{"it names none, and none is enforced", true, true, "team", "other", "", ""},
		{"an entry that cannot be used is no entry less", true, true, "team", "broken", "", "defaultServiceAccount is empty"},
		{"there is no project", true, true, "gone", "shop", "", "there is no such AppProject"},
	} {
		s := settings.Defaults()
		s.Impersonation, s.ImpersonationEnforced = tt.enabled, !tt.lax
		c := hubWith(t, &s, projectWith(named))
		user, err := c.account(t.Context(), tt.project, access.Destination{Server: server, Namespace: tt.namespace}, "argocd")
		if user != tt.want || (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %q, %v; want %q, %q", tt.reason, user, err, tt.want, tt.says)
		}
	}
}

// What settings and project say counts from the next call on, not from the next sync.
func TestTheAccountIsAskedForAnew(t *testing.T) {
	s := settings.Defaults()
	c := hubWith(t, &s, projectWith(v1alpha1.AppProjectSpec{}))
	target := clusterTarget{as: c.identityFor("team", access.Destination{Server: server, Namespace: "shop"}, "argocd")}
	if _, err := target.behalf(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Impersonation = true
	if _, err := target.behalf(t.Context()); !errors.Is(err, access.ErrNoServiceAccount) {
		t.Errorf("after the setting changed: %v, want a refusal", err)
	}
	var p v1alpha1.AppProject
	if err := c.Client.Get(t.Context(), client.ObjectKey{Namespace: "argocd", Name: "team"}, &p); err != nil {
		t.Fatal(err)
	}
	p.Spec.DestinationServiceAccounts = []v1alpha1.ApplicationDestinationServiceAccount{{Server: "*", Namespace: "*", DefaultServiceAccount: "deployer"}}
	if err := c.Client.Update(t.Context(), &p); err != nil {
		t.Fatal(err)
	}
	if _, err := target.behalf(t.Context()); err != nil {
		t.Errorf("after the project named one: %v", err)
	}
}
