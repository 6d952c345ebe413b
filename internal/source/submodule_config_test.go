// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestResolveURL(t *testing.T) {
	for _, tt := range []struct{ parent, relative, want string }{
		{"https://host/group/app.git", "../lib.git", "https://host/group/lib.git"},
		{"https://host/group/app.git/", "../lib.git/", "https://host/group/lib.git"},
		{"https://host/group/app", "./sub", "https://host/group/app/sub"},
		{"https://host/group/app", "../../other/lib", "https://host/other/lib"},
		{"https://host/group/app", "./../lib", "https://host/group/lib"},
		{"https://host:8443/app", "../lib", "https://host:8443/lib"},
		{"https://host/app", "../../lib", ""},
		{"https://host/app", "../../../evil.example/lib", ""},
		{"https://host/group/app", "../", ""},
		{"https://host/group/app", "../..", ""},
		{"ssh://git@host:22/group/app", "../lib", "ssh://git@host:22/group/lib"},
		{"ssh://git@host/app", "../../lib", ""},
		{"git@host:group/app.git", "../lib.git", "git@host:group/lib.git"},
		{"git@host:app.git", "../lib.git", "git@host:lib.git"},
		{"git@host:app.git", "../../lib.git", ""},
		{"git@host:group/app.git", "../../../lib.git", ""},
		{"file:///repos/app.git", "../lib.git", "file:///repos/lib.git"},
	} {
		got, err := resolveURL(tt.parent, tt.relative)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("resolveURL(%q, %q) = %q, %v; want %q", tt.parent, tt.relative, got, err, tt.want)
		}
	}
}

// gitConfig is what git itself reads from a configuration.
func gitConfig(t *testing.T, data string) (map[string]string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("git", "config", "--no-includes", "--file", path, "--list", "-z").Output()
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for item := range strings.SplitSeq(string(out), "\x00") {
		if item == "" {
			continue
		}
		key, value, ok := strings.Cut(item, "\n")
		if !ok {
			value = "true"
		}
		all[key] = value
	}
	return all, nil
}

var configs = []string{
	"[submodule \"a\"]\n\tpath = a\n\turl = https://host/a\n", "[submodule \"a b\"] path=x\nurl = \"y ; z\" ; comment\n", "[a]b\n", "[A.B]\nKey = v\\\n w\n",
	"[submodule \"q\\\"\\\\x\"]\r\nurl = a \\\"b\\\" \\t c  # no\r\n", "# only\n;comments\n", "[a]\nb = \"x\" y\"z\"\n", "\ufeff[a]\nb = 1\nb = 2\n", "[a]\nb = \\x\n", "[a\n", "b = 1\n",
	"[a \"x\ny\"]\n", "[a]\nb c\n", "[a]\nb = \"x\n", "[a]b=1[c]d=2\n", "[]\n", "[a \"\"]\nb = \n", "[a] # x\n b = 1 \n", "[a]\nb =   x   y   \n", "[a]\n-b = 1\n", "[a]\nb.c = 1\n", "[a-1]\nb-2 = x\n",
}

func TestParseConfigReadsWhatGitReads(t *testing.T) {
	for _, data := range configs {
		want, wrong := gitConfig(t, data)
		settings, err := parseConfig([]byte(data))
		if (err == nil) != (wrong == nil) {
			t.Errorf("%q: we say %v, git says %v", data, err, wrong)
			continue
		}
		got := map[string]string{}
		for _, s := range settings {
			got[strings.TrimPrefix(s.section+"."+s.key, ".")] = s.value
		}
		if err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: we read %q, git reads %q", data, got, want)
		}
	}
}

func FuzzGitmodules(f *testing.F) {
	for _, data := range configs {
		f.Add([]byte(data))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		modules, err := parseGitmodules(data)
		if err != nil && modules != nil {
			panic("modules with an error")
		}
		for _, url := range modules {
			if isRelativeURL(url) {
				if whole, err := resolveURL("https://host/group/app.git", url); err == nil && !strings.HasPrefix(whole, "https://host/") {
					panic("leads to another host: " + whole)
				}
			}
		}
	})
}
