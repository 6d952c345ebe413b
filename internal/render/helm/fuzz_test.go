// SPDX-License-Identifier: Apache-2.0

package helm_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/helm"
	"github.com/bowline-cd/bowline/internal/tree"
)

// FuzzPaths holds every path-bearing field to the repository, to known sources and to allowed addresses.
func FuzzPaths(f *testing.F) {
	for _, p := range []string{
		"a.yaml", "../a.yaml", "/a.yaml", "$ref/a.yaml", "$other/a.yaml", "${ARGOCD_APP_NAME}", "$$x", "https://example.org/x", "envs/*.yaml", "**", "[", "{a,b}", "../../..", "a\x00b", "link", "link/../../x", "%2e%2e/x", `..\x`,
	} {
		f.Add(p)
	}
	repository := files{"a.yaml": "x: 1\n", "apps/web/a.yaml": "x: 2\n", "apps/web/envs/a.yaml": "x: 3\n", "apps/web/.helmignore": "link\n", "apps/web/link": "-> /etc", "apps/web/templates/a.yaml": config("{{ toJson .Values | quote }}")}.with(nil).tree()
	f.Fuzz(func(t *testing.T, p string) {
		for _, settings := range []v1alpha1.ApplicationSourceHelm{
			{ValueFiles: []string{p}, IgnoreMissingValueFiles: true}, {FileParameters: []v1alpha1.HelmFileParameter{{Name: "x", Path: p}}},
		} {
			in := input(nil, settings)
			in.Tree, in.Refs = repository, map[string]tree.Tree{"ref": files{"a.yaml": "x: 4\n"}.tree()}
			in.Build = map[string]string{"ARGOCD_APP_NAME": "../a.yaml"}
			out, err := helm.Render(t.Context(), in)
			if err != nil && fault.KindOf(err) == fault.Retry {
				t.Errorf("an error that nobody judged: %v", err)
			}
			for _, need := range out.Needs {
				if need.Kind != render.NeedFile || !strings.HasPrefix(strings.ToLower(need.URL), "http") {
					t.Errorf("it asks for %v", need)
				}
			}
		}
	})
}

// FuzzMessages has charts fail with any message: it is shown as it is, at the place that fails.
func FuzzMessages(f *testing.F) {
	for _, message := range []string{
		"no", "", "a\nb", "HELM_ERR_ENDx", "HELM_ERR_START", "execution error at (x:1): y", "template: x:1:2: executing \"x\" at <y>: z", ">: ", "(", "parse error at (a:1): b",
	} {
		f.Add(message)
	}
	repository := files{"apps/web/templates/a.yaml": config("{{ fail .Values.message }}")}.with(nil).tree()
	f.Fuzz(func(t *testing.T, message string) {
		values, err := json.Marshal(map[string]string{"message": message})
		if err != nil || strings.Contains(message, "HELM_ERR_") {
			t.Skip()
		}
		in := input(nil, v1alpha1.ApplicationSourceHelm{ValuesObject: &runtime.RawExtension{Raw: values}})
		in.Tree = repository
		_, err = helm.Render(t.Context(), in)
		var failure *fault.Error
		if !errors.As(err, &failure) || failure.Kind != fault.Mistake {
			t.Fatalf("%q gives %v", message, err)
		}
		if failure.Where != "apps/web/templates/a.yaml:6" && failure.Where != "spec.source.helm.valuesObject" {
			t.Errorf("%q is at %q: %v", message, failure.Where, err)
		}
	})
}
