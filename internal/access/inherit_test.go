// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

func TestInherit(t *testing.T) {
	own := &v1alpha1.AppProject{Spec: v1alpha1.AppProjectSpec{SourceRepos: []string{"https://a.example/*"}}}
	own.Name = "shop"
	global := &v1alpha1.AppProject{Spec: v1alpha1.AppProjectSpec{
		SourceRepos:                []string{"https://b.example/*"},
		Destinations:               []v1alpha1.ApplicationDestination{{Server: "https://c", Namespace: "*"}},
		ClusterResourceWhitelist:   []v1alpha1.ClusterResourceRestrictionItem{{Kind: "Namespace"}},
		ClusterResourceBlacklist:   []v1alpha1.ClusterResourceRestrictionItem{{Group: "*", Kind: "ClusterRole"}},
		NamespaceResourceBlacklist: []metav1.GroupKind{{Kind: "Secret"}},
		NamespaceResourceWhitelist: []metav1.GroupKind{{Kind: "Secret"}, {Kind: "ConfigMap"}},
		SyncWindows:                v1alpha1.SyncWindows{{Kind: v1alpha1.SyncWindowKindDeny}},
		DestinationServiceAccounts: []v1alpha1.ApplicationDestinationServiceAccount{{Server: "https://c", Namespace: "*", DefaultServiceAccount: "x"}},
	}}
	find := func(name string) (*v1alpha1.AppProject, error) {
		switch name {
		case "base":
			return global, nil
		case "broken":
			return nil, errors.New("unread")
		}
		return nil, nil
	}
	got, globals, err := Inherit(own, []string{"gone", "base"}, find)
	if err != nil || len(globals) != 1 || len(got.Spec.SyncWindows) != 1 || len(got.Spec.DestinationServiceAccounts) != 1 {
		t.Fatalf("got %+v from %+v, %v", got, globals, err)
	}
	if len(own.Spec.SourceRepos) != 1 {
		t.Error("the project itself was changed")
	}
	p := Compile(got, Scoped{})
	where := Cluster{Server: "https://c"}
	for what, tt := range map[string]struct {
		err  error
		want bool
	}{
		"own source":        {p.Source("https://a.example/x"), true},
		"inherited source":  {p.Source("https://b.example/x"), true},
		"other source":      {p.Source("https://c.example/x"), false},
		"destination":       {p.Destination(Destination{Server: "https://c", Namespace: "any"}), true},
		"allowed kind":      {p.Object(object.Key{Kind: "ConfigMap", Namespace: "n", Name: "x"}, true, where), true},
		"denied kind":       {p.Object(object.Key{Kind: "Secret", Namespace: "n", Name: "x"}, true, where), false},
		"kind not allowed":  {p.Object(object.Key{Kind: "Service", Namespace: "n", Name: "x"}, true, where), false},
		"cluster kind":      {p.Object(object.Key{Kind: "Namespace", Name: "x"}, false, where), true},
		"cluster kind, not": {p.Object(object.Key{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "x"}, false, where), false},
	} {
		if (tt.err == nil) != tt.want {
			t.Errorf("%s: got %v", what, tt.err)
		}
	}
	if _, _, err := Inherit(own, []string{"broken"}, find); err == nil {
		t.Error("what cannot be read is no absence")
	}
}
