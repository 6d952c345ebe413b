// SPDX-License-Identifier: Apache-2.0

package repository

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	rpcrepository "github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

func memory(files map[string]string) tree.Tree {
	all := map[string]tree.MemoryFile{}
	for name, content := range files {
		all[name] = tree.MemoryFile{Content: content}
	}
	return tree.Memory(all)
}

func TestListApps(t *testing.T) {
	w := newWorld(t, rights{"repositories get https://a.example/1", "applications create shop/web"})
	w.Files = files{memory(map[string]string{"Chart.yaml": "", "deep/er/kustomization.yml": "", "both/Chart.yaml": "", "both/kustomization.yaml": "", "plain/x.yaml": ""})}
	got, err := w.ListApps(signedIn(t), &rpcrepository.RepoAppsQuery{Repo: "https://a.example/1", AppProject: "shop", AppName: "web"})
	want := []rpcrepository.AppInfo{{Path: ".", Type: "Helm"}, {Path: "both", Type: "Kustomize"}, {Path: "deep/er", Type: "Kustomize"}}
	if err != nil || !slices.Equal(got.Items, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := w.ListApps(signedIn(t), &rpcrepository.RepoAppsQuery{Repo: "https://a.example/1", AppProject: "shop", AppName: "other"}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an application that they may not create: got %v", err)
	}
	w.Gate.Roles = rights{"all"}
	if _, err := w.ListApps(signedIn(t), &rpcrepository.RepoAppsQuery{Repo: "https://a.example/1", AppProject: "else", AppName: "web"}); err == nil {
		t.Error("a project that does not permit the repository was answered")
	}
}

func TestAppDetails(t *testing.T) {
	app := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "argocd"}, Spec: v1alpha1.ApplicationSpec{
		Project: "shop", Source: &v1alpha1.ApplicationSource{RepoURL: "https://a.example/1", Path: "chart"},
	}}
	w := newWorld(t, rights{"all"}, app)
	w.Files = files{memory(map[string]string{
		"chart/Chart.yaml": "name: web", "chart/values.yaml": "image: {tag: v1}\nreplicas: 2\nhosts: [a, b]\n", "chart/values-prod.yaml": "replicas: 5\n",
		"kustom/kustomization.yaml": "", "plain/x.yaml": "",
	})}
	ask := func(name string, source v1alpha1.ApplicationSource) (*rpcrepository.RepoAppDetailsResponse, error) {
		return w.GetAppDetails(signedIn(t), &rpcrepository.RepoAppDetailsQuery{Source: &source, AppName: name, AppProject: "shop"})
	}
	got, err := ask("web", *app.Spec.Source)
	if err != nil || got.Type != "Helm" || !slices.Equal(got.Helm.ValueFiles, []string{"values-prod.yaml", "values.yaml"}) || !strings.Contains(got.Helm.Values, "replicas: 2") {
		t.Fatalf("got %+v, %v", got, err)
	}
	want := []v1alpha1.HelmParameter{{Name: "hosts[0]", Value: "a"}, {Name: "hosts[1]", Value: "b"}, {Name: "image.tag", Value: "v1"}, {Name: "replicas", Value: "2"}}
	if !slices.Equal(got.Helm.Parameters, want) {
		t.Errorf("got %+v, want %+v", got.Helm.Parameters, want)
	}
	if _, err := ask("web", v1alpha1.ApplicationSource{RepoURL: "https://a.example/1", Path: "plain"}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a source that the application never had: got %v", err)
	}
	prod, err := ask("new", v1alpha1.ApplicationSource{RepoURL: "https://a.example/1", Path: "chart", Helm: &v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"values-prod.yaml"}}})
	if err != nil || !slices.Contains(prod.Helm.Parameters, v1alpha1.HelmParameter{Name: "replicas", Value: "5"}) {
		t.Errorf("with a value file: got %+v, %v", prod, err)
	}
	kustom, err := ask("new", v1alpha1.ApplicationSource{RepoURL: "https://a.example/1", Path: "kustom"})
	if err != nil || kustom.Type != "Kustomize" || !slices.Equal(kustom.Kustomize.Images, []string{"web:1"}) {
		t.Errorf("got %+v, %v", kustom, err)
	}
	if plain, err := ask("new", v1alpha1.ApplicationSource{RepoURL: "https://a.example/1", Path: "plain"}); err != nil || plain.Type != "Directory" {
		t.Errorf("got %+v, %v", plain, err)
	}
	w.Gate.Roles = rights{"repositories get https://a.example/1", "applications get shop/new"}
	if _, err := ask("new", v1alpha1.ApplicationSource{RepoURL: "https://a.example/1", Path: "plain"}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an application that they may not create: got %v", err)
	}
}
