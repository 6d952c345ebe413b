// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

type account = v1alpha1.ApplicationDestinationServiceAccount

func TestServiceAccount(t *testing.T) {
	const hub, far = "https://kubernetes.default.svc", "https://far.example/x"
	tests := []struct {
		reason   string
		accounts []account
		to       Destination
		want     string
	}{
		{"the destination's namespace is the account's", []account{{Server: hub, Namespace: "shop", DefaultServiceAccount: "deployer"}},
			Destination{Server: hub, Namespace: "shop"}, "system:serviceaccount:shop:deployer"},
		{"an account may live elsewhere", []account{{Server: "*", Namespace: "*", DefaultServiceAccount: "accounts:deployer"}},
			Destination{Server: far, Namespace: "shop"}, "system:serviceaccount:accounts:deployer"},
		{"without a namespace it is one of the Application's own", []account{{Server: hub, Namespace: "*", DefaultServiceAccount: "deployer"}},
			Destination{Server: hub}, "system:serviceaccount:argocd:deployer"},
		{"the first that matches wins", []account{
			{Server: hub, Namespace: "other", DefaultServiceAccount: "one"},
			{Server: hub, Namespace: "sh*", DefaultServiceAccount: "two"},
			{Server: hub, Namespace: "shop", DefaultServiceAccount: "three"},
		}, Destination{Server: hub, Namespace: "shop"}, "system:serviceaccount:shop:two"},
		{"a star passes slashes", []account{{Server: "https://far.example*", Namespace: "*", DefaultServiceAccount: "deployer"}},
			Destination{Server: far, Namespace: "shop"}, "system:serviceaccount:shop:deployer"},
		{"an entry without a namespace is about destinations without one", []account{
			{Server: hub, DefaultServiceAccount: "one"}, {Server: hub, Namespace: "shop", DefaultServiceAccount: "two"},
		}, Destination{Server: hub, Namespace: "shop"}, "system:serviceaccount:shop:two"},
		{"an entry without an account is about its own destinations only", []account{
			{Server: "*", Namespace: "other"}, {Server: "*", Namespace: "*", DefaultServiceAccount: "d"},
		}, Destination{Server: hub, Namespace: "shop"}, "system:serviceaccount:shop:d"},
	}
	for _, tt := range tests {
		p := Compile(project(v1alpha1.AppProjectSpec{DestinationServiceAccounts: tt.accounts}), Scoped{})
		if got, err := p.ServiceAccount(tt.to, "argocd"); got != tt.want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", tt.reason, got, err, tt.want)
		}
	}
}

func TestServiceAccountRefused(t *testing.T) {
	good := account{Server: "*", Namespace: "*", DefaultServiceAccount: "deployer"}
	tests := []struct {
		reason   string
		accounts []account
		says     string
		none     bool
	}{
		{"no list", nil, "add {server: \"https://a.example\", namespace: \"shop\"", true},
		{"no match", []account{{Server: "https://b.example", Namespace: "shop", DefaultServiceAccount: "d"}, {Server: "*", Namespace: "other", DefaultServiceAccount: "d"}}, "no entry matches it", true},
		{"an empty account", []account{{Server: "*", Namespace: "*", DefaultServiceAccount: " "}, good}, "defaultServiceAccount is empty", false},
		{"a denial, which has no meaning", []account{{Server: "*", Namespace: "!shop", DefaultServiceAccount: "weak"}, good}, `"!" has no meaning here`, false},
		{"a pattern that cannot be read", []account{{Server: "[a", Namespace: "*", DefaultServiceAccount: "weak"}, good}, "not a valid pattern", false},
		{"something that is no name", []account{{Server: "*", Namespace: "*", DefaultServiceAccount: "a:b:c"}, good}, "neither the name", false},
		{"a line break", []account{{Server: "*", Namespace: "*", DefaultServiceAccount: "a:b\r\nX: y"}}, "neither the name", false},
		{"another kind of user", []account{{Server: "*", Namespace: "*", DefaultServiceAccount: "../admin"}}, "neither the name", false},
	}
	for _, tt := range tests {
		p := Compile(project(v1alpha1.AppProjectSpec{DestinationServiceAccounts: tt.accounts}), Scoped{})
		got, err := p.ServiceAccount(Destination{Server: "https://a.example", Namespace: "shop"}, "argocd")
		if got != "" || !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), tt.says) || errors.Is(err, ErrNoServiceAccount) != tt.none {
			t.Errorf("%s: got %q, %v; want a refusal that says %q", tt.reason, got, err, tt.says)
		}
		if problems := p.Validate(); (len(problems) == 0) != tt.none {
			t.Errorf("%s: the project's problems are %v", tt.reason, problems)
		}
	}
}

func TestServiceAccountTwice(t *testing.T) {
	p := Compile(project(v1alpha1.AppProjectSpec{DestinationServiceAccounts: []account{
		{Server: "*", Namespace: "a", DefaultServiceAccount: "one"}, {Server: "*", Namespace: "a", DefaultServiceAccount: "two"},
	}}), Scoped{})
	if got := p.Validate(); len(got) != 1 || !strings.Contains(got[0].Error(), "spec.destinationServiceAccounts[1]") {
		t.Errorf("got %v, want that the second is the first again", got)
	}
}
