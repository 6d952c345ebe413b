// SPDX-License-Identifier: Apache-2.0

package access

import (
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// FuzzPatterns checks that no entry takes the program down, and that every refusal is one.
func FuzzPatterns(f *testing.F) {
	for _, seed := range []string{"*", "!*", "https://github.com/{a,b}/**", "[!a-z]?*", "{{a}", `\`, "/(/", "!["} {
		f.Add(seed, "https://github.com/company/infra.git")
	}
	f.Fuzz(func(t *testing.T, entry, value string) {
		p := Compile(project(v1alpha1.AppProjectSpec{
			SourceRepos:              []string{entry},
			SourceNamespaces:         []string{entry},
			Destinations:             []dest{{Server: entry, Name: entry, Namespace: entry}},
			ClusterResourceWhitelist: []v1alpha1.ClusterResourceRestrictionItem{{Group: entry, Kind: entry, Name: entry}},
		}), Scoped{})
		for _, err := range []error{p.Source(value), p.Destination(Destination{Server: value, Namespace: value}), p.ApplicationNamespace(value, "argocd")} {
			if err != nil && !fault.Is(err, fault.Forbidden) {
				t.Errorf("%q against %q: %v is no refusal", entry, value, err)
			}
		}
		p.Validate()
		accounts := Compile(project(v1alpha1.AppProjectSpec{DestinationServiceAccounts: []account{{Server: entry, Namespace: "*", DefaultServiceAccount: value}}}), Scoped{})
		user, err := accounts.ServiceAccount(Destination{Server: value, Namespace: "shop"}, "argocd")
		if err == nil && (!strings.HasPrefix(user, "system:serviceaccount:") || strings.ContainsAny(user, "\r\n /\\*")) {
			t.Errorf("%q: the user %q is no service account", value, user)
		}
	})
}
