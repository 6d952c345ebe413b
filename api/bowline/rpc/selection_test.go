// SPDX-License-Identifier: Apache-2.0

package rpc_test

import (
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/bowline/rpc"
)

func TestResourcesOfPlans(t *testing.T) {
	for text, want := range map[string]v1alpha1.SyncOperationResource{
		"apps:Deployment:web":          {Group: "apps", Kind: "Deployment", Name: "web"},
		":Service:shop/web":            {Kind: "Service", Namespace: "shop", Name: "web"},
		"rbac.x:Role:shop/system:view": {Group: "rbac.x", Kind: "Role", Namespace: "shop", Name: "system:view"},
	} {
		got, err := rpc.ParseResource(text)
		if err != nil || got != want || rpc.FormatResource(got) != text {
			t.Errorf("%s is %+v (%s), %v", text, got, rpc.FormatResource(got), err)
		}
	}
	for _, text := range []string{"", "Deployment", "apps:Deployment", "apps::web", ":Service:", ":Service:shop/"} {
		if got, err := rpc.ParseResource(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
}
