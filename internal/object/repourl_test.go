// SPDX-License-Identifier: Apache-2.0

package object

import "testing"

func TestNormaliseRepoURL(t *testing.T) {
	tests := []struct{ url, want string }{
		{"https://github.com/Company/Infra.git", "https://github.com/company/infra"},
		{" https://github.com/company/infra ", "https://github.com/company/infra"},
		{"git@github.com:Company/infra.git", "git@github.com/company/infra"},
		{"ssh://git@github.com/company/infra", "git@github.com/company/infra"},
		{"ssh://git@github.com:2222/company/infra.git", "git@github.com:2222/company/infra"},
		{"https://user@host:8443/a.git", "https://user@host:8443/a"},
		{"registry.example.com/charts", "registry.example.com/charts"},
		{"https://github.com/{a,b}/**", "https://github.com/{a,b}/**"},
		{"*", "*"},
		{"", ""},
	}
	for _, tt := range tests {
		if got := NormaliseRepoURL(tt.url); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.url, got, tt.want)
		}
	}
}

func TestPlainRepoURL(t *testing.T) {
	for want, spellings := range map[string][]string{
		"https://host/team/app": {
			"https://host/team/app.git", "HTTPS://me:secret@HOST:443//team/./app.git/", "https://host./t%65am%2fapp", "https://host/x/../team/app?x#y", "https://host/team/app/",
		},
		"git@host/team/app":      {"git@host:team/app.git", "git@host:/team//app", "ssh://git@host:22/team/app", "ssh://git@host/%74eam/app.git"},
		"https://host:8443/app":  {"https://host:8443/app"},
		"https://[::1]:8443/app": {"https://[::1]:8443/app.git"},
		"registry.example/x":     {"registry.example/x"},
		"":                       {""},
	} {
		for _, spelling := range spellings {
			if got := PlainRepoURL(spelling); got != want {
				t.Errorf("%q: got %q, want %q", spelling, got, want)
			}
		}
	}
}
