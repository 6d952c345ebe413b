// SPDX-License-Identifier: Apache-2.0

package object

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKey(t *testing.T) {
	for _, c := range []struct {
		key  Key
		want string
	}{
		{KeyOf(thing("apps/v1", "Deployment", "shop", "web")), "Deployment.apps shop/web"},
		{KeyOf(thing("v1", "ConfigMap", "shop", "web")), "ConfigMap shop/web"},
		{KeyOf(thing("v1", "Namespace", "", "shop")), "Namespace shop"},
		{KeyOf(thing("rbac.authorization.k8s.io/v1", "ClusterRole", "", "a:b")), "ClusterRole.rbac.authorization.k8s.io a:b"},
	} {
		if got := c.key.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if KeyOf(thing("autoscaling/v1", "HorizontalPodAutoscaler", "a", "b")) != KeyOf(thing("autoscaling/v2", "HorizontalPodAutoscaler", "a", "b")) {
		t.Error("the version is part of the identity")
	}
}

func TestDigest(t *testing.T) {
	base := DigestOf(map[string]any{"a": int64(1), "b": []any{"x", "y"}, "c": "<&>"})
	for name, same := range map[string]any{
		"other order of keys": map[string]any{"c": "<&>", "b": []any{"x", "y"}, "a": int64(1)},
		"a whole float":       map[string]any{"a": float64(1), "b": []any{"x", "y"}, "c": "<&>"},
	} {
		if DigestOf(same) != base {
			t.Errorf("%s: another digest", name)
		}
	}
	for name, other := range map[string]any{
		"a text for a number": map[string]any{"a": "1", "b": []any{"x", "y"}, "c": "<&>"},
		"other order of list": map[string]any{"a": int64(1), "b": []any{"y", "x"}, "c": "<&>"},
		"null for nothing":    map[string]any{"a": int64(1), "b": []any{"x", "y"}, "c": "<&>", "d": nil},
		"less":                map[string]any{"a": int64(1), "b": []any{"x", "y"}},
	} {
		if DigestOf(other) == base {
			t.Errorf("%s: the same digest", name)
		}
	}
	if base == "" || DigestBytes(nil) == "" {
		t.Error("a digest of something is empty, which means none")
	}
}

func TestCompareForApply(t *testing.T) {
	want := []Key{
		{Kind: "Namespace", Name: "shop"},
		{Group: "networking.k8s.io", Kind: "NetworkPolicy", Namespace: "shop", Name: "deny"},
		{Kind: "ServiceAccount", Namespace: "shop", Name: "web"},
		{Kind: "Secret", Namespace: "shop", Name: "a"},
		{Kind: "ConfigMap", Namespace: "prod", Name: "z"},
		{Kind: "ConfigMap", Namespace: "shop", Name: "a"},
		{Kind: "ConfigMap", Namespace: "shop", Name: "b"},
		{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition", Name: "x"},
		{Group: "rbac.authorization.k8s.io", Kind: "Role", Namespace: "shop", Name: "web"},
		{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding", Namespace: "shop", Name: "web"},
		{Kind: "Service", Namespace: "shop", Name: "web"},
		{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"},
		{Group: "apps", Kind: "StatefulSet", Namespace: "shop", Name: "db"},
		{Group: "batch", Kind: "Job", Namespace: "shop", Name: "x"},
		{Group: "networking.k8s.io", Kind: "Ingress", Namespace: "shop", Name: "web"},
		{Group: "apiregistration.k8s.io", Kind: "APIService", Name: "v1.x"},
		{Group: "argoproj.io", Kind: "Application", Namespace: "argocd", Name: "a"},
		{Group: "monitoring.coreos.com", Kind: "ServiceMonitor", Namespace: "shop", Name: "web"},
	}
	got := slices.Clone(want)
	rand.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
	slices.SortFunc(got, CompareForApply)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if KindOrder("APIService") >= KindOrder("Widget") {
		t.Error("a kind without a place does not come last")
	}
}
