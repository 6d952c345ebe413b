// SPDX-License-Identifier: Apache-2.0

package access

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

func project(spec v1alpha1.AppProjectSpec) *v1alpha1.AppProject {
	return &v1alpha1.AppProject{ObjectMeta: metav1.ObjectMeta{Name: "team"}, Spec: spec}
}

// check compares a decision with what is wanted, and that a refusal has its kind and says who, which rule and what
// to do.
func check(t *testing.T, reason string, err error, want bool, mentions ...string) {
	t.Helper()
	if (err == nil) != want {
		t.Errorf("%s: got error %v, want permitted %v", reason, err, want)
		return
	}
	if err == nil {
		return
	}
	if !fault.Is(err, fault.Forbidden) {
		t.Errorf("%s: %v is of kind %s, want forbidden", reason, err, fault.KindOf(err))
	}
	for _, text := range append(mentions, "AppProject team", "spec.", ";") {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %q does not mention %q", reason, err, text)
		}
	}
}

func TestSource(t *testing.T) {
	const infra = "https://github.com/company/infra.git"
	tests := []struct {
		reason  string
		entries []string
		url     string
		want    bool
		names   string
	}{
		{"an empty list permits nothing", nil, infra, false, "the list is empty"},
		{"a bare star permits all", []string{"*"}, infra, true, ""},
		{"a star stops at a slash", []string{"https://github.com/*"}, infra, false, `"https://github.com/*"`},
		{"a star within a part", []string{"https://github.com/company/*"}, infra, true, ""},
		{"a star is not two levels", []string{"https://*/infra"}, infra, false, ""},
		{"two stars cross slashes", []string{"https://github.com/**"}, infra, true, ""},
		{"case and .git do not count", []string{"https://GitHub.com/Company/INFRA"}, infra, true, ""},
		{"scp form against ssh URL", []string{"git@github.com:company/infra.git"}, "ssh://git@github.com/company/infra", true, ""},
		{"a pattern in scp form", []string{"git@github.com:company/*"}, "git@github.com:company/infra.git", true, ""},
		{"alternatives", []string{"https://github.com/{company,other}/infra"}, infra, true, ""},
		{"any entry may match", []string{"https://a.example/b", infra}, infra, true, ""},
		{"a denial wins over a star", []string{"*", "!" + infra}, infra, false, `"!` + infra},
		{"a denial wins wherever it stands", []string{"!" + infra, "*"}, infra, false, ""},
		{"no escape gets around a denial", []string{"*", "!" + infra}, "https://github.com/company/%69nfra.git", false, `"!` + infra},
		{"nor do a port and slashes", []string{"!https://github.com/company/**"}, "https://me@github.com:443//company/infra/", false, ""},
		{"nor does another SSH form", []string{"*", "!git@github.com:company/*"}, "git@github.com:/company/infra.git", false, ""},
		{"a denial permits the rest by itself", []string{"!https://github.com/other/**"}, infra, true, ""},
		{"denials alone: each has to let it through", []string{"!https://github.com/other/**", "!https://github.com/company/**"}, infra, false, ""},
		{"a broken entry permits nothing", []string{"https://github.com/[company"}, infra, false, "(not a valid pattern)"},
		{"a broken denial denies", []string{"*", "!https://github.com/[x"}, infra, false, "(not a valid pattern)"},
	}
	for _, tt := range tests {
		p := Compile(project(v1alpha1.AppProjectSpec{SourceRepos: tt.entries}), Scoped{})
		check(t, tt.reason, p.Source(tt.url), tt.want, "spec.sourceRepos", tt.names)
	}
}

func TestSourceOfAScopedRepository(t *testing.T) {
	p := Compile(project(v1alpha1.AppProjectSpec{SourceRepos: []string{"!https://a.example/**"}}),
		Scoped{Repositories: []string{"https://Own.example/repo.git", "https://a.example/own"}})
	check(t, "its own repository", p.Source("https://own.example/repo"), true)
	check(t, "a denial wins over the scope", p.Source("https://a.example/own"), false)
	p = Compile(project(v1alpha1.AppProjectSpec{}), Scoped{Repositories: []string{"https://own.example/repo*"}})
	check(t, "the URL of a scoped repository is no glob", p.Source("https://own.example/repository"), false)
}

func TestSourceHidesCredentials(t *testing.T) {
	err := Compile(project(v1alpha1.AppProjectSpec{}), Scoped{}).Source("https://user:hunter2@a.example/b")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want a refusal without the password", err)
	}
}
