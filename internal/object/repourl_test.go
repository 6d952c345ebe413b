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
