// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"errors"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/resource"
)

func TestParseAddress(t *testing.T) {
	for _, c := range []struct {
		entry, repo, path, ref string
	}{
		{"https://github.com/org/repo", "https://github.com/org/repo", "", ""},
		{"https://github.com/org/repo?ref=v1", "https://github.com/org/repo", "", "v1"},
		{"https://github.com/org/repo//deploy/base?ref=v1", "https://github.com/org/repo", "deploy/base", "v1"},
		{"https://github.com/org/repo/deploy/base?ref=v1", "https://github.com/org/repo", "deploy/base", "v1"},
		{"HTTPS://GitHub.com/org/repo/x", "https://github.com/org/repo", "x", ""},
		{"github.com/org/repo/x?ref=main", "https://github.com/org/repo", "x", "main"},
		{"github.com:org/repo.git//x", "https://github.com/org/repo.git", "x", ""},
		{"git@github.com:org/repo.git/x?ref=a", "git@github.com:org/repo.git", "x", "a"},
		{"git@github.com/org/repo.git", "git@github.com:org/repo.git", "", ""},
		{"ssh://git@github.com/org/repo", "git@github.com:org/repo", "", ""},
		{"org-12345@github.com:org/repo", "org-12345@github.com:org/repo", "", ""},
		{"git@gitlab.example.org:group/sub/repo.git//x?ref=a", "git@gitlab.example.org:group/sub/repo.git", "x", "a"},
		{"ssh://git@example.org:7999/team/repo.git//x?ref=a", "ssh://git@example.org:7999/team/repo.git", "x", "a"},
		{"git::https://example.org/org/repo.git//x?ref=a", "https://example.org/org/repo.git", "x", "a"},
		{"git::git@example.org:org/repo//x", "git@example.org:org/repo", "x", ""},
		{"https://example.org/group/sub/sub/repo.git/x/y?ref=a", "https://example.org/group/sub/sub/repo.git", "x/y", "a"},
		{"https://example.org:8443/org/repo//x", "https://example.org:8443/org/repo", "x", ""},
		{"https://dev.azure.com/org/project/_git/repo/x?version=GBmain", "https://dev.azure.com/org/project/_git/repo", "x", "GBmain"},
		{"https://org@dev.azure.com/org/project/_git/repo//x", "https://dev.azure.com/org/project/_git/repo", "x", ""},
		{"https://example.org/org/repo//x?version=old&ref=new", "https://example.org/org/repo", "x", "new"},
		{"https://example.org/org/repo//x?ref=a&timeout=90s&submodules=false", "https://example.org/org/repo", "x", "a"},
		{"https://example.org/org/repo//x/./y/../z", "https://example.org/org/repo", "x/z", ""},
		{"https://example.org/org/repo//?ref=feature/one", "https://example.org/org/repo", "", "feature/one"},
	} {
		a, ok, err := parseAddress(c.entry)
		if err != nil || !ok || a != (address{repo: c.repo, path: c.path, ref: c.ref}) {
			t.Errorf("%s: %+v, %t, %v", c.entry, a, ok, err)
		}
	}
	for _, entry := range []string{
		"base", "../base", "./a.yaml", "/etc/passwd", "", "https://example.org/one", "https://example.org", "user.name/x", "a@b", "ext::sh -c id",
		"oci://example.org/a/b", "s3::https-like", "example.org/org/repo", "example.org/org/repo.git", "C:/x",
	} {
		if a, ok, err := parseAddress(entry); ok || err != nil {
			t.Errorf("%s is read as an address: %+v, %v", entry, a, err)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for entry, want := range map[string]error{
		"file:///etc":                                          errFileAddress,
		"FILE:///srv/mirrors/tenant.git":                       errFileAddress,
		"git::file:///etc":                                     errFileAddress,
		"https://me:hunter22@example.org/org/repo":             errSecret,
		"https://:hunter22@example.org/org/repo.git//x":        errSecret,
		"https://example.org/org/repo?ref=--upload-pack=touch": errOption,
		"https://example.org/org/repo//x?version=-x":           errOption,
		"ssh://-oProxyCommand=id/org/repo":                     errOption,
		"ssh://git@-oProxyCommand=id/org/repo":                 errOption,
		"git@-oProxyCommand=id:org/repo":                       errOption,
		"git@example.org:-repo/x":                              errOption,
		"https://-x.example.org/org/repo":                      errOption,
		"https://example.org/org/repo --upload-pack=id":        errCharacters,
		"https://example.org/org/re\tpo":                       errCharacters,
		"https://example.org/org\\repo/x":                      errCharacters,
		"https://example.org/org/repo?ref=a%20--force":         errCharacters,
		"https://example.org/org/repo?ref=a%0a-x":              errCharacters,
		"https://example.org/org/repo//../../x":                errClimbs,
		"https://example.org/org/repo.git/../x":                errClimbs,
		"git@github.com:org/repo//..":                          errClimbs,
	} {
		if _, _, err := parseAddress(entry); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", entry, err, want)
		}
	}
}

// TestParseAddressAgreesWithKustomize uses that the library's origins are made of what it reads of an address.
func TestParseAddressAgreesWithKustomize(t *testing.T) {
	for _, entry := range []string{
		"https://github.com/org/repo/x", "github.com/org/repo//x?ref=a", "git@github.com:org/repo.git/x?ref=a", "ssh://git@github.com/org/repo/x",
		"git@example.org:org/repo.git/x?version=2", "git::https://example.org/org/repo.git//x", "https://example.org/a/b/c/d.git/x?ref=v1",
		"https://dev.azure.com/org/project/_git/repo/x?ref=a", "https://example.org/org/repo/x/y", "ssh://example.org:22/org/repo//x",
		"https://raw.githubusercontent.com/org/repo/main/x.yaml", "https://example.org/org/x.github.io/y",
	} {
		compareAddress(t, entry)
	}
}

func compareAddress(t *testing.T, entry string) {
	t.Helper()
	a, ok, err := parseAddress(entry)
	if !ok || err != nil || a.path == "" {
		return
	}
	o := (&resource.Origin{}).Append(entry)
	if o.Repo != a.repo || o.Ref != a.ref || o.Path != a.path {
		t.Errorf("%q is %+v; Kustomize reads repository %q, ref %q, path %q", entry, a, o.Repo, o.Ref, o.Path)
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("https://github.com/org/repo//x?ref=v1")
	f.Add("git@github.com:org/repo.git/x?ref=a")
	f.Add("ssh://git@example.org:22/a/b.git")
	f.Add("git::https://u:p@example.org/_git/x?ref=-x")
	f.Fuzz(func(t *testing.T, entry string) {
		a, ok, err := parseAddress(entry)
		if err != nil {
			return
		}
		if strings.HasPrefix(a.repo, "-") || strings.HasPrefix(a.ref, "-") || strings.Contains(a.path, "..") && climbs(a.path) ||
			strings.HasPrefix(strings.ToLower(a.repo), "file:") {
			t.Fatalf("%q gives %+v", entry, a)
		}
		// The user of a web address is left out on purpose.
		if ok && !strings.Contains(entry, "@") {
			compareAddress(t, entry)
		}
	})
}

func TestIsRepository(t *testing.T) {
	for entry, want := range map[string]bool{
		"https://github.com/org/repo":                                                 true,
		"https://github.com/org/repo/deploy?ref=v1":                                   true,
		"https://github.com/org/repo//deploy":                                         true,
		"https://github.com/org/repo.git/x.yaml":                                      true,
		"https://dev.azure.com/o/p/_git/r/x":                                          true,
		"https://gitlab.example.org/group/repo":                                       true,
		"https://github.com/org/repo/releases/download/v1/install.yaml":               false,
		"https://github.com/org/repo/releases/download/v1/install":                    false,
		"https://raw.githubusercontent.com/org/x.github.io/main/install":              false,
		"https://raw.githubusercontent.com/org/repo/main/install.yaml":                false,
		"https://gitlab.com/api/v4/projects/1/repository/files/a%2Eyaml/raw?ref=main": false,
		"https://gitea.example.org/org/repo/raw/branch/main/file":                     false,
		"https://example.org/a/b/c.json?x=y":                                          false,
		"https://example.org/a/b/c.YML":                                               false,
	} {
		if got := isRepository(entry); got != want {
			t.Errorf("%s: %t", entry, got)
		}
	}
}
