// SPDX-License-Identifier: Apache-2.0

package helm_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/cli"
	"helm.sh/helm/v4/pkg/downloader"
	"helm.sh/helm/v4/pkg/getter"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// TestLocksFitAsForHelm has Helm write the lock of a chart, and changes the chart afterwards: whether the lock still fits
// is the same for `helm dependency build`.
func TestLocksFitAsForHelm(t *testing.T) {
	for name, test := range map[string]struct {
		chart, file, dependencies, lock, changed string
	}{
		"v2":                 {"apiVersion: v2\n", "Chart.yaml", "dependencies:\n  - {name: common, version: 1.x, repository: 'file://../common'}\n", "Chart.lock", "^1.0.0"},
		"v2 with everything": {"apiVersion: v2\n", "Chart.yaml", "dependencies:\n  - {name: common, version: 1.x, repository: 'file://../common', alias: c, condition: c.on, tags: [a, b], import-values: [data, {child: x, parent: y}]}\n", "Chart.lock", "'*'"},
		"v1":                 {"apiVersion: v1\n", "requirements.yaml", "dependencies:\n  - {name: common, version: 1.x, repository: 'file://../common'}\n", "requirements.lock", "^1.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			meta := test.chart + "name: web\nversion: 1.0.0\n"
			c := chart{Path: "chart", files: map[string]string{
				"common/Chart.yaml": "apiVersion: v2\nname: common\nversion: 1.4.0\n", "common/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: common}\n",
				"chart/Chart.yaml": meta,
			}}
			c.files["chart/"+test.file] += test.dependencies
			root := t.TempDir()
			write(t, root, c)
			manager := newManager(t, filepath.Join(root, "chart"))
			if err := manager.Update(); err != nil {
				t.Fatal(err)
			}
			lock, err := os.ReadFile(filepath.Join(root, "chart", test.lock))
			if err != nil {
				t.Fatal(err)
			}
			c.files["chart/"+test.lock] = string(lock)
			same(t, c, manager, "")
			c.files["chart/"+test.file] = strings.Replace(c.files["chart/"+test.file], "1.x", test.changed, 1)
			same(t, c, manager, "out of sync")
		})
	}
}

func newManager(t *testing.T, dir string) *downloader.Manager {
	t.Helper()
	home := t.TempDir()
	return &downloader.Manager{
		Out: &bytes.Buffer{}, ChartPath: dir, SkipUpdate: true, Getters: getter.All(cli.New()),
		RepositoryConfig: filepath.Join(home, "repositories.yaml"), RepositoryCache: home, ContentCache: home,
	}
}

// same renders a chart and has Helm build its dependencies: both fail with the words given, or neither fails.
func same(t *testing.T, c chart, manager *downloader.Manager, fails string) {
	t.Helper()
	for name, content := range c.files {
		if err := os.WriteFile(filepath.Join(manager.ChartPath, "..", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	helmErr := manager.Build()
	c.Helm = &v1alpha1.ApplicationSourceHelm{}
	out, err := byBowline(t.Context(), c)
	if fails == "" {
		if helmErr != nil || err != nil || len(out.Manifests) != 1 {
			t.Errorf("%d objects, %v; Helm's %v", len(out.Manifests), err, helmErr)
		}
		return
	}
	if helmErr == nil || err == nil || !strings.Contains(helmErr.Error(), fails) || !strings.Contains(err.Error(), fails) {
		t.Errorf("error %v; Helm's %v; want both to say %q", err, helmErr, fails)
	}
}

// TestLocksOfNamedRepositories is the same for repositories that Chart.yaml names by their alias: the lock has the address.
func TestLocksOfNamedRepositories(t *testing.T) {
	common := map[string]string{"Chart.yaml": "apiVersion: v2\nname: common\nversion: 1.4.0\n", "templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: common}\n"}
	archive := pack(t, common)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".tgz") {
			fmt.Fprint(w, archive)
			return
		}
		fmt.Fprint(w, "apiVersion: v1\nentries:\n  common:\n    - {name: common, version: 1.4.0, apiVersion: v2, urls: [common-1.4.0.tgz]}\n")
	}))
	defer server.Close()
	for _, repository := range []string{"'@stable'", "'alias:stable'", server.URL} {
		c := chart{Path: "chart", Helm: &v1alpha1.ApplicationSourceHelm{}, files: map[string]string{
			"chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n  - {name: common, version: 1.x, repository: " + repository + "}\n",
		}}
		for name, content := range common {
			c.files["remote/common/"+name] = content
		}
		root := t.TempDir()
		write(t, root, c)
		manager := newManager(t, filepath.Join(root, "chart"))
		manager.SkipUpdate = false
		if err := os.WriteFile(manager.RepositoryConfig, []byte("apiVersion: v1\nrepositories: [{name: stable, url: '"+server.URL+"'}]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := manager.Update(); err != nil {
			t.Fatal(err)
		}
		lock, err := os.ReadFile(filepath.Join(root, "chart/Chart.lock"))
		if err != nil {
			t.Fatal(err)
		}
		c.files["chart/Chart.lock"] = string(lock)
		c.Fetched = []fetched{{URL: server.URL, Chart: "common", Version: "1.4.0", From: "remote/common"}}
		if out, err := byBowline(t.Context(), c); err != nil || len(out.Manifests) != 1 {
			t.Errorf("%s: %d objects, %v; the lock is\n%s", repository, len(out.Manifests), err, lock)
		}
		c.files["chart/Chart.lock"] = strings.Replace(string(lock), "1.4.0", "1.4.1", 1)
		if _, err := byBowline(t.Context(), c); err == nil || !strings.Contains(err.Error(), "out of sync") {
			t.Errorf("%s: a changed lock: %v", repository, err)
		}
	}
}
