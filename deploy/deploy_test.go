// SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	valuesutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// objects are objects by kind and name.
type objects map[string]*unstructured.Unstructured

func (o objects) add(t *testing.T, text []byte) {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, &u.Object); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(u.Object) > 0 && u.GetKind() != "CustomResourceDefinition" {
		o[u.GetKind()+" "+u.GetNamespace()+"/"+u.GetName()] = u
	}
}

func kustomized(t *testing.T, form string) objects {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), form)
	if err != nil {
		t.Fatal(err)
	}
	out := objects{}
	for _, r := range built.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		out.add(t, text)
	}
	return out
}

func charted(t *testing.T, values map[string]any) (objects, error) {
	t.Helper()
	chart, err := loader.LoadDir("chart")
	if err != nil {
		t.Fatal(err)
	}
	top, err := valuesutil.ToRenderValues(chart, values, common.ReleaseOptions{Name: "bowline", Namespace: "argocd", IsInstall: true, Revision: 1}, common.DefaultCapabilities.Copy())
	if err != nil {
		return nil, err
	}
	texts, err := engine.Render(chart, top)
	if err != nil {
		return nil, err
	}
	out := objects{}
	for _, text := range texts {
		for _, part := range strings.Split(text, "\n---\n") {
			out.add(t, []byte(part))
		}
	}
	return out, nil
}

// The chart without values is the plain manifests: one who knows the one knows the other.
func TestChartIsTheManifests(t *testing.T) {
	for _, form := range []string{"cluster", "namespaced"} {
		plain := kustomized(t, form)
		chart, err := charted(t, map[string]any{"scope": form})
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range plain {
			got, ok := chart[name]
			if !ok {
				t.Errorf("%s: the chart has no %s", form, name)
			} else if !equality.Semantic.DeepEqual(got.Object, want.Object) {
				a, _ := yaml.Marshal(got.Object)
				b, _ := yaml.Marshal(want.Object)
				t.Errorf("%s: %s differs; the chart has\n%s\nthe manifests have\n%s", form, name, a, b)
			}
		}
		for name := range chart {
			if _, ok := plain[name]; !ok {
				t.Errorf("%s: only the chart has %s", form, name)
			}
		}
		if len(plain) < 9 {
			t.Errorf("%s: %d objects only", form, len(plain))
		}
	}
}

func TestChartRefusesWhatCannotWork(t *testing.T) {
	for text, values := range map[string]map[string]any{
		"write cluster or namespaced": {"scope": "everywhere"},
		"set replicas to 1":           {"data": map[string]any{"storageClass": "fast"}},
	} {
		if _, err := charted(t, values); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v: %v, want an error that says %q", values, err, text)
		}
	}
	got, err := charted(t, map[string]any{"replicas": 1, "data": map[string]any{"storageClass": "-"}, "configs": map[string]any{"cm": map[string]any{"url": "https://cd.example.com"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got["PersistentVolumeClaim argocd/bowline-data"] == nil || got["ConfigMap argocd/argocd-cm"] == nil {
		t.Errorf("a claim or a setting is missing: %v", got)
	}
}

// Rights in the control namespace are named one by one, and in the namespaced form there are no others but reading the
// definitions.
func TestLeastRights(t *testing.T) {
	for _, form := range []string{"cluster", "namespaced"} {
		for name, u := range kustomized(t, form) {
			var rules struct{ Rules []rbacv1.PolicyRule }
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &rules); err != nil {
				t.Fatal(err)
			}
			for _, rule := range rules.Rules {
				wild := slices.Contains(rule.Verbs, "*") || slices.Contains(rule.Resources, "*") || slices.Contains(rule.APIGroups, "*")
				if wild && (form == "namespaced" || u.GetKind() == "Role") {
					t.Errorf("%s: %s has rights without bounds: %v", form, name, rule)
				}
				if u.GetKind() == "ClusterRole" && form == "namespaced" && !slices.Equal(rule.Verbs, []string{"get"}) {
					t.Errorf("%s: %s may %v in the whole cluster", form, name, rule.Verbs)
				}
			}
		}
	}
}

func TestDeploymentIsHardened(t *testing.T) {
	u := kustomized(t, "cluster")["Deployment argocd/bowline"]
	d := &appsv1.Deployment{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, d); err != nil {
		t.Fatal(err)
	}
	pod := d.Spec.Template.Spec
	c := pod.Containers[0]
	s := c.SecurityContext
	switch {
	case s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem, s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation,
		s.Capabilities == nil || !slices.Contains(s.Capabilities.Drop, "ALL"), pod.SecurityContext.RunAsNonRoot == nil || !*pod.SecurityContext.RunAsNonRoot:
		t.Errorf("the container is not closed: %+v", s)
	case c.LivenessProbe == nil || c.ReadinessProbe == nil || c.StartupProbe == nil:
		t.Error("a probe is missing")
	case c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero():
		t.Error("there are no limits")
	}
	if d.Labels["app.kubernetes.io/component"] == "application-controller" {
		t.Error("Bowline would take itself for another application controller")
	}
}

var copied = regexp.MustCompile(`(?m)^COPY ([^-].*) (\S+)$`)

// What cannot be built here can still be read: what the image is built from is there, and nothing that the program is made of is
// left out.
func TestDockerfileCopiesWhatTheProgramIsMadeOf(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	var sources []string
	for _, match := range copied.FindAllStringSubmatch(string(text), -1) {
		sources = append(sources, strings.Fields(match[1])...)
	}
	for _, source := range sources {
		if _, err := os.Stat(filepath.Join("..", source)); err != nil {
			t.Errorf("COPY %s: %v", source, err)
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}", "../cmd/bowline").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	for _, path := range packages {
		folder, _, _ := strings.Cut(strings.TrimPrefix(path, "github.com/bowline-cd/bowline/"), "/")
		if !slices.Contains(sources, folder) {
			t.Errorf("the program is made of %s, which the Dockerfile does not copy", path)
		}
	}
	if len(packages) < 20 {
		t.Errorf("only %d packages", len(packages))
	}
	for _, program := range []string{"git", "openssh-client", "gpg", "ca-certificates"} {
		if !strings.Contains(string(text), " "+program) {
			t.Errorf("the image has no %s", program)
		}
	}
}

// The image is built with the Go that the module asks for.
func TestDockerfileHasTheGoOfTheModule(t *testing.T) {
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))
	if version == nil || !strings.Contains(string(text), "FROM golang:"+version[1]+"-") {
		t.Errorf("go.mod says %v, and the Dockerfile another", version)
	}
}
