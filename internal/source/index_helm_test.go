// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	chart "helm.sh/helm/v4/pkg/chart/v2"
	repo "helm.sh/helm/v4/pkg/repo/v1"
)

// helmIndex is an index as Helm makes it, of charts whose texts look like what the scan goes by.
func helmIndex(t *testing.T) *repo.IndexFile {
	t.Helper()
	index := repo.NewIndexFile()
	index.Annotations = map[string]string{"entries": "none"}
	for _, name := range []string{"app", "web", "web-more", "zoo", "on", "1.0"} {
		for n, version := range []string{"0.9.0", "1.0.0", "1.2.0", "1.2.3", "v1.2.4", "1.3.0+build.5", "2.0.0-rc.1", "2.0.0-rc.2", "10.0.0-alpha"} {
			metadata := &chart.Metadata{
				Name: name, Version: version, APIVersion: "v2", AppVersion: "1.10",
				Description: "web:\n- version: 9.9.9\n  urls:\n  - none\n\nentries:\n  web:\n" + strings.Repeat("a long line ", 40),
				Annotations: map[string]string{"version": "8.8.8", "text": "- version: 7.7.7\n  digest: x\n", "urls": "# no"},
				Maintainers: []*chart.Maintainer{{Name: "me: you", Email: "me@example.com"}}, Keywords: []string{"version: 1", "- x", "null", ""},
				Dependencies: []*chart.Dependency{{Name: "other", Version: "6.6.6", Repository: "https://example.com"}}, Icon: "data:image/png;base64," + strings.Repeat("A", 100_000),
			}
			if err := index.MustAdd(metadata, fmt.Sprintf("%s-%s.tgz", name, version), "https://charts.example.com/x y", fmt.Sprintf("%064x", n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	index.SortEntries()
	return index
}

// Helm's own reading of an index says what the scan has to find, and which version is meant.
func TestIndexIsReadAsHelmReadsIt(t *testing.T) {
	index, dir := helmIndex(t), t.TempDir()
	for name, write := range map[string]func(string, os.FileMode) error{"index.yaml": index.WriteFile, "index.json": index.WriteJSONFile} {
		path := filepath.Join(dir, name)
		if err := write(path, 0o600); err != nil {
			t.Fatal(err)
		}
		want, err := repo.LoadIndexFile(path)
		if err != nil {
			t.Fatal(err)
		}
		wanted := map[string]bool{}
		for chart := range want.Entries {
			wanted[chart] = true
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		found, err := scanIndex(f, wanted)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for chart, versions := range want.Entries {
			var expected []string
			for _, v := range versions {
				expected = append(expected, fmt.Sprint(v.Version, " ", strings.Join(v.URLs, ","), " ", v.Digest))
			}
			if got := versionsOf(found, chart); got != strings.Join(expected, "; ") {
				t.Errorf("%s, chart %s:\ngot  %s\nwant %s", name, chart, got, strings.Join(expected, "; "))
			}
		}
		pickAsHelm(t, want, found["web"])
	}
}

func pickAsHelm(t *testing.T, index *repo.IndexFile, versions []chartVersion) {
	t.Helper()
	var names []string
	for _, v := range versions {
		names = append(names, v.Version)
	}
	for _, revision := range []string{
		"", "*", "*-0", "1.2.3", "v1.2.3", "1.2.4", "v1.2.4", "1.3.0", "1.3.0+build.5", "1", "1.2", "1.2.*", "1.2.x", "1.x", "x", "~1.2", "~1.2.0", "^1", "^1.2.3", "^0.9", ">=1 <2", ">=1, <2", ">1.2.3",
		"<1", "!=1.3.0", "1.0.0 - 1.2.3", "0.9 || 1.0", ">=2.0.0-0", "2.0.0-rc.1", "^2.0.0-0", "~2-0", "2.0.0", "3", "9.9.9", "7.x", "latest", "not a version", ">=",
	} {
		expected := "none"
		if v, err := index.Get("web", revision); err == nil {
			expected = v.Version
		}
		got := "none"
		if at, ok := pickVersion(revision, names); ok {
			got = names[at]
		}
		if got != expected {
			t.Errorf("%q: %s, and %s to Helm", revision, got, expected)
		}
	}
}
