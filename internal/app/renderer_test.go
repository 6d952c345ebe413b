// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/render"
	"github.com/bowline-cd/bowline/internal/desired"
)

// write puts a file into a folder.
func write(t *testing.T, dir, name, content string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What lies in a folder is compared with what was committed there, and not with itself.
func TestAFolderIsComparedWithACommit(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "web/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "first"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	app := &v1alpha1.Application{}
	app.Name = "web"
	app.Spec.Source = &v1alpha1.ApplicationSource{}
	changed := func() []string {
		t.Helper()
		result, err := renderer(t.Context(), render.Request{Application: app, Local: filepath.Join(dir, "web"), Since: "main"})
		if err != nil {
			t.Fatal(err)
		}
		return result.Sources[0].Changed
	}
	if got := changed(); len(got) != 0 {
		t.Errorf("what is committed differs: %v", got)
	}
	write(t, dir, "web/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n")
	if got := changed(); !slices.Contains(got, "web/a.yaml") {
		t.Errorf("what was edited does not differ: %v", got)
	}
}

// A folder stands in for the repository of an Application in the cluster, too.
func TestAFolderStandsInForTheRepositoryOfALiveApplication(t *testing.T) {
	dir := t.TempDir()
	app := &v1alpha1.Application{}
	app.Namespace, app.Name = "argocd", "web"
	app.Spec.Sources = v1alpha1.ApplicationSources{{RepoURL: "https://git.example.com/values.git"}, {RepoURL: "https://git.example.com/infra.git"}}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	p := &preview{client: fake.NewClientBuilder().WithScheme(scheme).WithObjects(app).Build()}
	p.sources = newSources(context.Background(), nil, nil, slog.New(slog.DiscardHandler))
	local, err := p.standIn(t.Context(), client.ObjectKeyFromObject(app), render.Request{Local: dir, LocalSource: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer local.close()
	for i, s := range app.Spec.Sources {
		if _, ok := p.sources.standIn(desired.WantedOf(s, "default")); ok != (i == 1) {
			t.Errorf("%s: the folder stands in: %v", s.RepoURL, ok)
		}
	}
}

// --since is a version for an application that is one chart, and a revision of what is in Git if there is more.
func TestWhatSinceIsARevisionOf(t *testing.T) {
	git := desired.Commit{Repo: desired.Repo{URL: "https://git.example.com/infra.git"}}
	chart := desired.Commit{Repo: desired.Repo{URL: "https://charts.example.com"}, Kind: desired.KindChart}
	for name, c := range map[string]struct {
		commits []desired.Commit
		local   *local
		want    []string
	}{
		"a chart":                   {[]desired.Commit{chart}, nil, []string{"s"}},
		"a chart and values in Git": {[]desired.Commit{chart, git}, nil, []string{"r", "s"}},
		"with a folder":             {[]desired.Commit{git, chart, {Repo: desired.Repo{URL: "https://git.example.com/other.git"}}}, &local{url: git.Repo.URL}, []string{"s", "", ""}},
	} {
		got := revisionsSince(render.Request{Since: "s", Revisions: []string{"r"}}, &desired.State{Commits: c.commits}, c.local)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAFolderStandsInForGitOnly(t *testing.T) {
	app := &v1alpha1.Application{}
	app.Spec.Sources = v1alpha1.ApplicationSources{{RepoURL: "https://charts.example.com", Chart: "web"}, {RepoURL: "https://git.example.com/infra.git"}}
	if err := (&local{}).standIn(app, 0); err == nil {
		t.Error("a folder stands in for a chart")
	}
	if err := (&local{}).standIn(app, 1); err != nil {
		t.Error(err)
	}
}

func TestAFolderWithoutThePathOfTheSource(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "web/a.yaml", "")
	app := &v1alpha1.Application{}
	for path, says := range map[string]string{"web": "", "": "", "../web": "", "shop": `has no "shop"`} {
		app.Spec.Source = &v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/infra.git", Path: path}
		err := (&local{root: dir}).standIn(app, 0)
		if (err == nil) != (says == "") || err != nil && (!strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), dir)) {
			t.Errorf("path %q: got %v, want %q", path, err, says)
		}
	}
}
