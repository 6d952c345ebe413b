// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

func TestPolicyFor(t *testing.T) {
	const two = `{sourceIntegrity: {git: {policies: [
		{repos: [{url: "https://host/secure/*"}, {url: "!https://host/secure/lax.git"}], gpg: {mode: strict, keys: [A, B]}},
		{repos: [{url: "https://host/loose/*"}], gpg: {mode: none, keys: [C]}},
		{repos: [{url: "https://host/twice/**"}], gpg: {mode: head, keys: [D]}},
		{repos: [{url: "https://host/twice/*"}], gpg: {mode: none}},
		{repos: [{url: "git@ssh.host:team/*"}], gpg: {mode: head, keys: [E]}},
		{repos: [{url: "https://host/plain/*"}]}]}}}`
	for _, tt := range []struct{ reason, spec, url, want string }{
		{"nothing is demanded", `{}`, "https://host/a", "none []"},
		{"the old form is for all", `{signatureKeys: [{keyID: A}, {keyID: B}]}`, "https://host/a", "head [A B]"},
		{"an empty new form does not turn the old one off", `{signatureKeys: [{keyID: A}], sourceIntegrity: {git: {policies: []}}}`, "https://host/a", "head [A]"},
		{"a policy", two, "https://host/secure/app", "strict [A B]"},
		{"another spelling", two, "https://HOST/Secure/app.git", "strict [A B]"},
		{"with a user", two, "https://me:secret@host/secure/app", "strict [A B]"},
		{"with a slash", two, "https://host/secure/app/", "strict [A B]"},
		{"with escapes", two, "https://host/s%65cure/app", "strict [A B]"},
		{"with a port and slashes", two, "https://host.:443//secure//app", "strict [A B]"},
		{"SSH with a slash", two, "git@ssh.host:/team/a.git", "head [E]"},
		{"a star crosses slashes", two, "https://host/secure/a/b", "strict [A B]"},
		{"an exception", two, "https://host/secure/lax.git", "none []"},
		{"an exception without .git", two, "https://host/secure/lax", "none []"},
		{"an exception in other letters is another repository", two, "https://host/secure/LAX", "strict [A B]"},
		{"none", two, "https://host/loose/a", "none []"},
		{"no policy fits", two, "https://elsewhere/a", "none []"},
		{"SSH in its short form", two, "git@ssh.host:team/a.git", "head [E]"},
		{"SSH in its long form", two, "ssh://git@ssh.host/team/a", "head [E]"},
		{"a policy without a method", two, "https://host/plain/a", "none []"},
		{"two policies", two, "https://host/twice/a", "policies[2]"},
		{"both forms", `{signatureKeys: [{keyID: A}], sourceIntegrity: {git: {policies: [{repos: [{url: "x"}]}]}}}`, "https://host/a", "signatureKeys"},
		{"an unknown mode", `{sourceIntegrity: {git: {policies: [{repos: [{url: "*"}], gpg: {mode: all}}]}}}`, "https://host/a", `"all" is no mode`},
		{"a mode that is missing", `{sourceIntegrity: {git: {policies: [{repos: [{url: "*"}], gpg: {keys: [A]}}]}}}`, "https://host/a", "is no mode"},
		{"a pattern that is none", `{sourceIntegrity: {git: {policies: [{repos: [{url: "["}], gpg: {mode: head}}]}}}`, "https://host/a", "policies[0].repos"},
	} {
		var spec v1alpha1.AppProjectSpec
		if err := yaml.UnmarshalStrict([]byte(tt.spec), &spec); err != nil {
			t.Fatal(err)
		}
		p, err := PolicyFor(&spec, tt.url)
		got := fmt.Sprint(p.Mode, " ", p.Keys)
		if err != nil {
			got = err.Error()
			if p.Mode != "" || !fault.Is(err, fault.Mistake) || strings.Contains(got, "secret") {
				t.Errorf("%s: %+v with the error %v", tt.reason, p, err)
			}
		}
		if err == nil && got != tt.want || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", tt.reason, got, tt.want)
		}
	}
}
