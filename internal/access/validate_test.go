// SPDX-License-Identifier: Apache-2.0

package access

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		reason string
		spec   v1alpha1.AppProjectSpec
		want   []string // a part of each problem, in order
	}{
		{"a sound project", v1alpha1.AppProjectSpec{
			SourceRepos:  []string{"*", "!https://a.example/**"},
			Destinations: []dest{{Server: "*", Namespace: "*"}, {Server: "*", Namespace: "!kube-system"}},
		}, nil},
		{"everything denied", v1alpha1.AppProjectSpec{
			SourceRepos:  []string{"!*"},
			Destinations: []dest{{Server: "!*", Namespace: "*"}, {Server: "*", Namespace: "!*"}, {Name: "!*", Namespace: "*"}},
		}, []string{"spec.sourceRepos[0]", "spec.destinations[0]", "spec.destinations[1]", "spec.destinations[2]"}},
		{"duplicates, compared in normal form", v1alpha1.AppProjectSpec{
			SourceRepos:      []string{"https://a.example/b", "https://A.example/b.git"},
			Destinations:     []dest{{Server: "*", Namespace: "a"}, {Server: "*", Namespace: "b"}, {Server: "*", Namespace: "a"}},
			SourceNamespaces: []string{"a", "a"},
		}, []string{"spec.sourceRepos[1]: https://a.example/b is listed twice", "spec.destinations[2]", "spec.sourceNamespaces[1]"}},
		{"patterns that cannot be read", v1alpha1.AppProjectSpec{
			SourceRepos:                []string{"[a"},
			Destinations:               []dest{{Server: "*", Namespace: "[a"}},
			SourceNamespaces:           []string{"/(/"},
			ClusterResourceWhitelist:   []v1alpha1.ClusterResourceRestrictionItem{{Kind: "A", Name: "[a"}},
			NamespaceResourceBlacklist: []metav1.GroupKind{{Kind: "[a"}},
		}, []string{"spec.sourceRepos[0]", "spec.destinations[0]", "spec.sourceNamespaces[0]", "spec.clusterResourceWhitelist[0]", "spec.namespaceResourceBlacklist[0]"}},
	}
	for _, tt := range tests {
		got := Compile(project(tt.spec), Scoped{}).Validate()
		if len(got) != len(tt.want) {
			t.Errorf("%s: got %d problems %v, want %d", tt.reason, len(got), got, len(tt.want))
			continue
		}
		for i, err := range got {
			if !strings.Contains(err.Error(), tt.want[i]) || !fault.Is(err, fault.Mistake) {
				t.Errorf("%s: got %q of kind %s, want a mistake that holds %q", tt.reason, err, fault.KindOf(err), tt.want[i])
			}
		}
	}
}
