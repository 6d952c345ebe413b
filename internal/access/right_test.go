// SPDX-License-Identifier: Apache-2.0

package access

import "testing"

// TestAddressObject: the roles of a project are not about what is for all, however its address is written.
func TestAddressObject(t *testing.T) {
	for _, tt := range []struct{ project, address, want, of string }{
		{"", "https://git.example/a", "https://git.example/a", "https:"},
		{"", "git@git.example:org/a", "git@git.example:org/a", "git@git.example:org"},
		{"", "registry.example/charts", "registry.example/charts", "registry.example"},
		{"", "localhost:5000/charts", "localhost:5000/charts", "localhost:5000"},
		{"", "charts", "charts", ""},
		{"", "team/charts", "/team/charts", ""},
		{"", "team/https://git.example/a", "/team/https://git.example/a", ""},
		{"team", "https://git.example/a", "team/https://git.example/a", "team"},
	} {
		right := Right{Resource: Repositories, Action: Get, Object: AddressObject(tt.project, tt.address)}
		if right.Object != tt.want || ProjectOf(right) != tt.of {
			t.Errorf("%q of project %q: got %q, of project %q", tt.address, tt.project, right.Object, ProjectOf(right))
		}
	}
}

func TestRightsNameNoPassword(t *testing.T) {
	for object, want := range map[string]string{
		"https://me:canary@git.example/a":      "https://git.example/a",
		"team/https://me:canary@git.example/a": "team/https://git.example/a",
		"git@git.example:org/a":                "git@git.example:org/a",
		"team/web":                             "team/web",
	} {
		if got := (Right{Resource: Repositories, Action: Create, Object: object}).String(); got != "repositories, create, "+want {
			t.Errorf("got %q, want it to name %q", got, want)
		}
	}
}
