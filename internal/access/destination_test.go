// SPDX-License-Identifier: Apache-2.0

package access

import (
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

type dest = v1alpha1.ApplicationDestination

func TestDestination(t *testing.T) {
	const prod, dev = "https://prod.example", "https://dev.example"
	here := Destination{Server: prod, Name: "prod", Namespace: "shop"}
	tests := []struct {
		reason  string
		entries []dest
		to      Destination
		want    bool
		names   string
	}{
		{"an empty list permits nothing", nil, here, false, "the list is empty"},
		{"server and namespace", []dest{{Server: prod, Namespace: "shop"}}, here, true, ""},
		{"name and namespace", []dest{{Name: "prod", Namespace: "shop"}}, here, true, ""},
		{"another namespace", []dest{{Server: prod, Namespace: "other"}}, here, false, "namespace: other"},
		{"another server", []dest{{Server: dev, Namespace: "shop"}}, here, false, ""},
		{"an entry without a namespace matches no namespace", []dest{{Server: prod}}, here, false, ""},
		{"globs do not stop at slashes", []dest{{Server: "*", Namespace: "*"}}, here, true, ""},
		{"a glob within the URL", []dest{{Server: "https://*.example", Namespace: "s*p"}}, here, true, ""},
		{"an entry of two cannot be put together from two", []dest{{Server: prod, Namespace: "a"}, {Server: dev, Namespace: "shop"}}, here, false, ""},
		{"an empty destination name does not match a star", []dest{{Name: "*", Namespace: "*"}}, Destination{Server: prod, Namespace: "shop"}, false, ""},
		{"a denied server", []dest{{Server: "*", Namespace: "*"}, {Server: "!" + prod, Namespace: "*"}}, here, false, "{server: !" + prod},
		{"a denied server does not concern another", []dest{{Server: "*", Namespace: "*"}, {Server: "!" + dev, Namespace: "*"}}, here, true, ""},
		{"a denied server in another namespace", []dest{{Server: "*", Namespace: "*"}, {Server: "!" + prod, Namespace: "kube-*"}}, here, true, ""},
		{"a denied name", []dest{{Server: "*", Namespace: "*"}, {Name: "!prod", Namespace: "*"}}, here, false, "by its name"},
		{"a denied namespace", []dest{{Server: "*", Namespace: "*"}, {Server: "*", Namespace: "!shop"}}, here, false, "by its namespace"},
		{"a denied namespace on another server", []dest{{Server: "*", Namespace: "*"}, {Server: dev, Namespace: "!shop"}}, here, true, ""},
		{"a denial comes first as well", []dest{{Server: "*", Namespace: "!shop"}, {Server: "*", Namespace: "*"}}, here, false, ""},
		{"a denial of a namespace permits the others by itself", []dest{{Server: prod, Namespace: "!kube-system"}}, here, true, ""},
		{"a broken namespace permits nothing", []dest{{Server: prod, Namespace: "[shop"}}, here, false, "(not a valid pattern)"},
		{"a broken denial denies", []dest{{Server: "*", Namespace: "*"}, {Server: "![a", Namespace: "*"}}, here, false, "(not a valid pattern)"},
	}
	for _, tt := range tests {
		p := Compile(project(v1alpha1.AppProjectSpec{Destinations: tt.entries}), Scoped{})
		check(t, tt.reason, p.Destination(tt.to), tt.want, "spec.destinations", tt.names)
	}
}

func TestOnlyScopedClusters(t *testing.T) {
	spec := v1alpha1.AppProjectSpec{
		Destinations:                    []dest{{Server: "*", Namespace: "*"}, {Name: "*", Namespace: "*"}},
		PermitOnlyProjectScopedClusters: true,
	}
	p := Compile(project(spec), Scoped{Clusters: []Cluster{{Server: "https://own.example", Name: "own"}}})
	check(t, "its own cluster by URL", p.Destination(Destination{Server: "https://own.example", Namespace: "a"}), true)
	check(t, "its own cluster by name", p.Destination(Destination{Name: "own", Namespace: "a"}), true)
	check(t, "a cluster of nobody", p.Destination(Destination{Server: "https://prod.example", Namespace: "a"}), false,
		"spec.permitOnlyProjectScopedClusters", "project: team")
	spec.Destinations = nil
	p = Compile(project(spec), Scoped{Clusters: []Cluster{{Server: "https://own.example"}}})
	check(t, "a scoped cluster needs no entry", p.Destination(Destination{Server: "https://own.example", Namespace: "a"}), true)
	check(t, "a scoped cluster without a name matches no name", p.Destination(Destination{Name: "x", Namespace: "a"}), false)
}
