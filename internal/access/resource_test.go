// SPDX-License-Identifier: Apache-2.0

package access

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

func TestClusterResource(t *testing.T) {
	type list = []v1alpha1.ClusterResourceRestrictionItem
	namespace := schema.GroupKind{Kind: "Namespace"}
	role := schema.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}
	tests := []struct {
		reason       string
		white, black list
		kind         schema.GroupKind
		name         string
		want         bool
		names        string
	}{
		{"no whitelist: none", nil, nil, namespace, "a", false, "spec.clusterResourceWhitelist"},
		{"an empty whitelist: none", list{}, nil, namespace, "a", false, ""},
		{"listed", list{{Kind: "Namespace"}}, nil, namespace, "a", true, ""},
		{"another kind listed", list{{Kind: "Namespace"}}, nil, role, "a", false, `{group: "rbac.authorization.k8s.io", kind: ClusterRole}`},
		{"the core group is not every group", list{{Kind: "*"}}, nil, role, "a", false, ""},
		{"stars", list{{Group: "*", Kind: "*"}}, nil, role, "a", true, ""},
		{"a group by glob", list{{Group: "rbac.*", Kind: "ClusterRole*"}}, nil, role, "a", true, ""},
		{"narrowed by name", list{{Kind: "Namespace", Name: "team-*"}}, nil, namespace, "team-a", true, ""},
		{"outside the name", list{{Kind: "Namespace", Name: "team-*"}}, nil, namespace, "kube-system", false, ""},
		{"the blacklist wins", list{{Group: "*", Kind: "*"}}, list{{Kind: "Namespace"}}, namespace, "a", false, "spec.clusterResourceBlacklist"},
		{"a blacklist narrowed by name", list{{Group: "*", Kind: "*"}}, list{{Kind: "Namespace", Name: "kube-*"}}, namespace, "a", true, ""},
		{"an exclamation mark is no denial here", list{{Kind: "!Namespace"}}, nil, schema.GroupKind{Kind: "Node"}, "a", false, ""},
		{"a broken whitelist entry permits nothing", list{{Kind: "[Namespace"}}, nil, namespace, "a", false, "(not a valid pattern)"},
		{"a broken blacklist entry denies all", list{{Group: "*", Kind: "*"}}, list{{Kind: "[a"}}, namespace, "a", false, "(not a valid pattern)"},
	}
	for _, tt := range tests {
		p := Compile(project(v1alpha1.AppProjectSpec{ClusterResourceWhitelist: tt.white, ClusterResourceBlacklist: tt.black}), Scoped{})
		check(t, tt.reason, p.Resource(tt.kind, false, tt.name), tt.want, tt.names)
	}
}

func TestNamespaceResource(t *testing.T) {
	type list = []metav1.GroupKind
	deployment := schema.GroupKind{Group: "apps", Kind: "Deployment"}
	tests := []struct {
		reason       string
		white, black list
		want         bool
		names        string
	}{
		{"no whitelist: all", nil, nil, true, ""},
		{"an empty whitelist: none", list{}, nil, false, "spec.namespaceResourceWhitelist"},
		{"listed", list{{Group: "apps", Kind: "Deployment"}}, nil, true, ""},
		{"listed by star", list{{Group: "*", Kind: "*"}}, nil, true, ""},
		{"another kind listed", list{{Group: "apps", Kind: "DaemonSet"}}, nil, false, ""},
		{"the blacklist wins over no whitelist", nil, list{{Group: "apps", Kind: "*"}}, false, "spec.namespaceResourceBlacklist"},
		{"the blacklist wins over the whitelist", list{{Group: "*", Kind: "*"}}, list{{Group: "apps", Kind: "Deployment"}}, false, ""},
	}
	for _, tt := range tests {
		p := Compile(project(v1alpha1.AppProjectSpec{NamespaceResourceWhitelist: tt.white, NamespaceResourceBlacklist: tt.black}), Scoped{})
		check(t, tt.reason, p.Resource(deployment, true, "web"), tt.want, tt.names)
	}
}

func TestObjectChecksItsOwnNamespace(t *testing.T) {
	p := Compile(project(v1alpha1.AppProjectSpec{
		Destinations:             []dest{{Server: "https://prod.example", Namespace: "shop"}},
		ClusterResourceWhitelist: []v1alpha1.ClusterResourceRestrictionItem{{Kind: "Namespace"}},
	}), Scoped{})
	cluster := Cluster{Server: "https://prod.example"}
	check(t, "in the permitted namespace", p.Object(object.Key{Kind: "Secret", Namespace: "shop", Name: "a"}, true, cluster), true)
	check(t, "in another namespace", p.Object(object.Key{Kind: "Secret", Namespace: "kube-system", Name: "a"}, true, cluster), false, "kube-system")
	check(t, "on another cluster", p.Object(object.Key{Kind: "Secret", Namespace: "shop", Name: "a"}, true, Cluster{Server: "x"}), false)
	check(t, "cluster-scoped, listed", p.Object(object.Key{Kind: "Namespace", Name: "shop"}, false, cluster), true)
	check(t, "cluster-scoped, not listed", p.Object(object.Key{Kind: "Node", Name: "a"}, false, cluster), false)
}

func TestApplicationNamespace(t *testing.T) {
	p := Compile(project(v1alpha1.AppProjectSpec{SourceNamespaces: []string{"team-*", `/^prod-[0-9]+$/`, "!x"}}), Scoped{})
	check(t, "the control namespace", p.ApplicationNamespace("argocd", "argocd"), true)
	check(t, "by glob", p.ApplicationNamespace("team-a", "argocd"), true)
	check(t, "by regular expression", p.ApplicationNamespace("prod-12", "argocd"), true)
	check(t, "by neither", p.ApplicationNamespace("prod-x", "argocd"), false, "spec.sourceNamespaces", `"prod-x"`)
}
