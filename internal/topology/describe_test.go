// SPDX-License-Identifier: Apache-2.0

package topology_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/topology"
)

var update = flag.Bool("update", false, "write what nodes show into the files of testdata instead of comparing it")

// TestDescribe runs the files of testdata: NAME.yaml is an object, NAME.want what its node shows.
func TestDescribe(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		var files []txtar.File
		for _, f := range archive.Files {
			if strings.HasSuffix(f.Name, ".want") {
				want[f.Name] = string(f.Data)
			}
		}
		for _, f := range archive.Files {
			name, isObject := strings.CutSuffix(f.Name, ".yaml")
			if !isObject {
				continue
			}
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+name, func(t *testing.T) {
				got := described(t, f.Data)
				files = append(files, f, txtar.File{Name: name + ".want", Data: []byte(got)})
				if diff := cmp.Diff(want[name+".want"], got); diff != "" && !*update {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
		if *update {
			archive.Files = files
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func described(t *testing.T, text []byte) string {
	t.Helper()
	d := topology.Describe(object(t, string(text)), nil)
	d.Health = nil // that is for the tests of health
	got, err := yaml.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &obj.Object); err != nil {
		t.Fatal(err)
	}
	return obj
}

func TestDescribeJudges(t *testing.T) {
	claim := object(t, "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, status: {phase: Lost}}")
	if h := topology.Describe(claim, nil).Health; h == nil || h.Status != v1alpha1.HealthStatusDegraded {
		t.Errorf("health of a lost claim = %+v", h)
	}
	config := object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
	if h := topology.Describe(config, nil).Health; h != nil {
		t.Errorf("health of a ConfigMap = %+v", h)
	}
}

// No link of an annotation runs anything or leads to another host than it shows, however clients cut it.
func TestUnsafeLinksAreLeftOut(t *testing.T) {
	for _, link := range []string{
		"javascript:alert(1)", "title|javascript:alert(1)", "javascript:alert(1)//|https://a.example/|b", "https://a.example/|javascript:alert(1)",
		"data:text/html,x", "//a.example", "/path", "title|", "|", "https://", "java\nscript:alert(1)", "https:alert(1)",
	} {
		obj := object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
		obj.SetAnnotations(map[string]string{"link.argocd.argoproj.io/x": link})
		if network := topology.Describe(obj, nil).Network; network != nil {
			t.Errorf("%q: links %q", link, network.ExternalURLs)
		}
	}
	route := object(t, `{apiVersion: route.openshift.io/v1, kind: Route, metadata: {name: a}, spec: {host: a.example, path: "@b.example/"}}`)
	network := topology.Describe(route, nil).Network
	if network == nil || len(network.ExternalURLs) != 1 || network.ExternalURLs[0] != "http://a.example/@b.example/" {
		t.Errorf("got %+v", network)
	}
}

// Whatever an object holds, describing it ends, and no link leads anywhere but to the web.
func FuzzDescribe(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range archive.Files {
			if strings.HasSuffix(part.Name, ".yaml") {
				if data, err := yaml.YAMLToJSON(part.Data); err == nil {
					f.Add(data)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		topology.ReadPod(raw)
		obj := &unstructured.Unstructured{}
		if obj.UnmarshalJSON(raw) != nil {
			return
		}
		network := topology.Describe(obj, nil).Network
		if network == nil {
			return
		}
		for _, link := range network.ExternalURLs {
			if _, address, titled := strings.Cut(link, "|"); titled {
				link = address
			}
			if strings.Contains(link, "|") {
				t.Errorf("an address that clients cut again: %q", link)
			}
			if !strings.HasPrefix(strings.ToLower(link), "http://") && !strings.HasPrefix(strings.ToLower(link), "https://") {
				t.Errorf("a link to %q", link)
			}
		}
	})
}
