// SPDX-License-Identifier: Apache-2.0

package helm_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/helm"
)

// secret stands in values; no error may show it.
const secret = "hunter2-is-secret"

func TestErrorsSayWhatWhereAndWhatToDo(t *testing.T) {
	dependency := func(line string) string { return chartYAML + "dependencies:\n  - {" + line + "}\n" }
	for _, test := range []struct {
		name     string
		files    files
		settings v1alpha1.ApplicationSourceHelm
		want     string
	}{
		{"required", files{"apps/web/templates/a.yaml": config(`{{ required "set image.tag, please" .Values.tag }}`)}, v1alpha1.ApplicationSourceHelm{},
			"cannot render the chart in apps/web at apps/web/templates/a.yaml:6: set image.tag, please; set what the chart asks for in the values of the source"},
		{"fail in a dependency", files{"apps/web/charts/sub/Chart.yaml": "name: sub\nversion: 1.0.0\n", "apps/web/charts/sub/templates/a.yaml": "\n{{ fail \"never\" }}"}, v1alpha1.ApplicationSourceHelm{},
			"cannot render the chart in apps/web at apps/web/charts/sub/templates/a.yaml:2: never; set what the chart asks for in the values of the source"},
		{"nil pointer", files{"apps/web/templates/a.yaml": config(`{{ .Values.a.b }}`)}, v1alpha1.ApplicationSourceHelm{},
			"cannot render the chart in apps/web at apps/web/templates/a.yaml:6: at <.Values.a.b>: nil pointer evaluating interface {}.b; set the value it asks for, or let the template do without it (with, default)"},
		{"in a helper", files{"apps/web/templates/_h.tpl": "\n\n{{ define \"h\" }}\n{{ .Values.a.b }}{{ end }}", "apps/web/templates/a.yaml": config(`{{ include "h" . }}`)}, v1alpha1.ApplicationSourceHelm{},
			"cannot render the chart in apps/web at apps/web/templates/_h.tpl:4: at <.Values.a.b>: nil pointer evaluating interface {}.b, used at apps/web/templates/a.yaml:6; set the value it asks for, or let the template do without it (with, default)"},
		{"unknown template", files{"apps/web/templates/a.yaml": config(`{{ include "nope" . }}`)}, v1alpha1.ApplicationSourceHelm{}, `at <include "nope" .>: error calling include: template: no template "nope" associated with template "gotpl"`},
		{"syntax", files{"apps/web/templates/a.yaml": "{{ if }}"}, v1alpha1.ApplicationSourceHelm{}, "cannot parse the template at apps/web/templates/a.yaml:1: missing value for if; correct the template"},
		{"open action", files{"apps/web/templates/a.yaml": "a\n{{ .x "}, v1alpha1.ApplicationSourceHelm{}, "cannot parse the template at apps/web/templates/a.yaml:2: unclosed action; correct the template"},
		{"open block", files{"apps/web/templates/a.yaml": "a\n{{ if .x }}\n"}, v1alpha1.ApplicationSourceHelm{}, "cannot parse the template at apps/web/templates/a.yaml:3: unexpected EOF; correct the template"},
		{"unknown function", files{"apps/web/templates/a.yaml": "{{ env \"HOME\" }}"}, v1alpha1.ApplicationSourceHelm{}, `cannot parse the template at apps/web/templates/a.yaml:1: function "env" not defined; correct the template`},
		{"recursion", files{"apps/web/templates/a.yaml": `{{ define "r" }}{{ include "r" . }}{{ end }}{{ include "r" . }}`}, v1alpha1.ApplicationSourceHelm{}, "end the recursion of the templates"},
		{"no yaml", files{"apps/web/templates/a.yaml": "ok: 1\n---\na: {b\nc: d\n"}, v1alpha1.ApplicationSourceHelm{}, "cannot read what the template renders at apps/web/templates/a.yaml: line "},
		{"no object", files{"apps/web/templates/a.yaml": "just text"}, v1alpha1.ApplicationSourceHelm{}, "cannot read what the template renders at apps/web/templates/a.yaml: it is no Kubernetes object"},
		{"no name", files{"apps/web/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n"}, v1alpha1.ApplicationSourceHelm{}, "cannot read what the template renders at apps/web/templates/a.yaml: metadata.name of this ConfigMap is missing"},
		{"no CRD", files{"apps/web/crds/a.yaml": "\nkind: x\n"}, v1alpha1.ApplicationSourceHelm{}, "at apps/web/crds/a.yaml:2: apiVersion is missing"},
		{"missing file", nil, v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"prod.yaml"}},
			"cannot render the chart in apps/web at spec.source.helm.valueFiles[0]: there is no file apps/web/prod.yaml; correct the path, which is relative to the chart, or set spec.source.helm.ignoreMissingValueFiles"},
		{"missing file at the root", nil, v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"/prod.yaml"}}, "there is no file prod.yaml; correct the path, which is relative to the root of the repository, or set"},
		{"missing ref", nil, v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"$values/prod.yaml"}}, `names source "values", and no source of the application has this ref; give the source that holds the file ref: values`},
		{"missing file of a parameter", nil, v1alpha1.ApplicationSourceHelm{FileParameters: []v1alpha1.HelmFileParameter{{Name: "a", Path: "x"}}}, "at spec.source.helm.fileParameters[0].path: there is no file apps/web/x; correct the path"},
		{"no match", nil, v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"envs/*.yaml"}}, `at spec.source.helm.valueFiles[0]: the pattern "envs/*.yaml" matches no file; correct it, or set`},
		{"bad pattern", nil, v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"envs/[.yaml"}}, `is no valid pattern`},
		{"scheme", nil, v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"s3://bucket/a.yaml"}}, "files at s3 addresses are not allowed; put the file into the repository, or add the scheme to helm.valuesFileSchemes in argocd-cm"},
		{"folder", files{"apps/web/envs/a": "1"}, v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"envs"}}, "apps/web/envs is a folder; name a file"},
		{"values are no mapping", nil, v1alpha1.ApplicationSourceHelm{Values: secret}, "cannot read the values at spec.source.helm.values: "},
		{"values with an odd key", nil, v1alpha1.ApplicationSourceHelm{Values: "? [a]\n: " + secret}, "cannot read the values at spec.source.helm.values: "},
		{"valuesObject is no mapping", nil, v1alpha1.ApplicationSourceHelm{ValuesObject: &runtime.RawExtension{Raw: []byte(`"` + secret + `"`)}}, "at spec.source.helm.valuesObject: "},
		{"values file is no mapping", files{"apps/web/a.yaml": "- " + secret}, v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"a.yaml"}}, "cannot read the values at apps/web/a.yaml: "},
		{"parameter", nil, v1alpha1.ApplicationSourceHelm{Parameters: []v1alpha1.HelmParameter{{Name: "a[x]", Value: secret}}}, `at spec.source.helm.parameters: parameter "a[x]" cannot be set: `},
		{"list in braces", nil, v1alpha1.ApplicationSourceHelm{Parameters: []v1alpha1.HelmParameter{{Name: "a", Value: "{{" + secret + "}"}}}, ""},
		{"values of a dependency", files{"apps/web/charts/sub/Chart.yaml": "name: sub\nversion: 1.0.0\n"}, v1alpha1.ApplicationSourceHelm{Values: "sub: " + secret}, "the values of dependency sub are no mapping"},
		{"values of a listed dependency", files{"apps/web/Chart.yaml": dependency("name: sub, version: '1'"), "apps/web/charts/sub/Chart.yaml": "name: sub\nversion: 1.0.0\n"}, v1alpha1.ApplicationSourceHelm{Values: "sub: " + secret}, "the values of dependency sub are no mapping"},
		{"tpl of a value", files{"apps/web/templates/a.yaml": config(`{{ tpl .Values.t . }}`)}, v1alpha1.ApplicationSourceHelm{Values: "t: '" + secret + " {{ .Values.a.b }}'"}, "at apps/web/templates/a.yaml:"},
		{"broken tpl of a value", files{"apps/web/templates/a.yaml": config(`{{ tpl .Values.t . }}`)}, v1alpha1.ApplicationSourceHelm{Values: "t: '" + secret + " {{ if }}'"}, "at apps/web/templates/a.yaml:"},
		{"schema", files{"apps/web/values.schema.json": `{"properties": {"p": {"type": "string", "pattern": "^[0-9]+$"}, "obj": {"type": "object"}, "f": {"enum": ["a", "b"]}}}`}, v1alpha1.ApplicationSourceHelm{Values: "p: " + secret + "\nobj: " + secret + "\nf: " + secret},
			`the values do not fit the chart's values.schema.json: web.f: value must be one of 'a', 'b'; web.obj: got string, want object; web.p: does not match the pattern "^[0-9]+$"; correct`},
		{"broken schema", files{"apps/web/values.schema.json": `{`}, v1alpha1.ApplicationSourceHelm{}, "cannot read the schema at apps/web/values.schema.json: "},
		{"library", files{"apps/web/Chart.yaml": chartYAML + "type: library\n"}, v1alpha1.ApplicationSourceHelm{}, "at apps/web/Chart.yaml: charts of type library render nothing by themselves; name a chart that depends on it"},
		{"api version", files{"apps/web/Chart.yaml": "apiVersion: v3\nname: a\nversion: 1.0.0\n"}, v1alpha1.ApplicationSourceHelm{}, `apiVersion "v3" is none of charts; write apiVersion: v2`},
		{"no Chart.yaml", files{"apps/web/Chart.yaml": "-> ../nothing"}, v1alpha1.ApplicationSourceHelm{}, "at apps/web/Chart.yaml: no such file or directory in this tree; mend or remove the link"},
		{"release name", nil, v1alpha1.ApplicationSourceHelm{ReleaseName: "Web"}, `at spec.source.helm.releaseName: "Web": invalid release name`},
		{"kube version", nil, v1alpha1.ApplicationSourceHelm{KubeVersion: "new"}, ""},
		{"version of Helm", nil, v1alpha1.ApplicationSourceHelm{Version: "v1"}, `at spec.source.helm.version: "v1" is no version of Helm`},
		{"dependency without repository", files{"apps/web/Chart.yaml": dependency("name: db, version: '1'")}, v1alpha1.ApplicationSourceHelm{}, `at apps/web/Chart.yaml: dependency "db" names no repository, and no chart of that name lies in the charts folder`},
		{"dependency outside", files{"apps/web/Chart.yaml": dependency("name: db, version: '1', repository: 'file://../../../db'")}, v1alpha1.ApplicationSourceHelm{}, "which is outside of the repository"},
		{"dependency of the disk", files{"apps/web/Chart.yaml": dependency("name: db, version: '1', repository: 'file:///etc'")}, v1alpha1.ApplicationSourceHelm{}, "which is outside of the repository"},
		{"dependency nowhere", files{"apps/web/Chart.yaml": dependency("name: db, version: '1', repository: 'file://../db'")}, v1alpha1.ApplicationSourceHelm{}, "where there is no folder"},
		{"dependency of another version", files{"apps/web/Chart.yaml": dependency("name: db, version: '1', repository: 'file://../db'"), "apps/db/Chart.yaml": "name: db\nversion: 2.0.0\n"}, v1alpha1.ApplicationSourceHelm{}, `dependency "db" asks for version "1", and the chart in apps/db is 2.0.0`},
		{"lock", files{"apps/web/Chart.yaml": dependency("name: db, version: '1', repository: 'https://charts.example.org'"), "apps/web/Chart.lock": "digest: sha256:0\ndependencies: [{name: db, version: 1.0.0, repository: 'https://charts.example.org'}]\n"}, v1alpha1.ApplicationSourceHelm{},
			"cannot render the chart in apps/web at apps/web/Chart.lock: the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml); run `helm dependency update` and commit the lock file"},
		{"file among charts", files{"apps/web/charts/readme.md": "x"}, v1alpha1.ApplicationSourceHelm{}, "at apps/web/charts/readme.md: it is no chart, and Helm takes everything in a charts folder for one; move the file, or name it in .helmignore"},
		{"broken archive", files{"apps/web/charts/a.tgz": "x"}, v1alpha1.ApplicationSourceHelm{}, "at apps/web/charts/a.tgz: it is no good chart archive: "},
		{"submodule", files{"apps/web/charts/db": "-> submodule"}, v1alpha1.ApplicationSourceHelm{}, "at apps/web/charts/db: it is a Git submodule, and submodules are turned off; set reposerver.enable.git.submodule, or name it in .helmignore"},
		{"pattern of .helmignore", files{"apps/web/.helmignore": "a/**/b"}, v1alpha1.ApplicationSourceHelm{}, "at apps/web/.helmignore: double-star (**) syntax is not supported; correct the pattern"},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := input(test.files, test.settings)
			out, err := helm.Render(t.Context(), in)
			if test.want == "" {
				return
			}
			if err == nil || len(out.Manifests) > 0 {
				t.Fatalf("no error, but %v", out.Manifests)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error\n%v\nwant\n%s", err, test.want)
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "bowlineEnter") || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error shows what it must not: %q", err)
			}
			if kind := fault.KindOf(err); kind != fault.Mistake && kind != fault.Forbidden {
				t.Errorf("%v: kind %v", err, kind)
			}
		})
	}
}

func TestALimitThatIsHitIsNamed(t *testing.T) {
	many := "{{ range until 50 }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a{{ . }}}\n{{ end }}"
	for _, test := range []struct {
		limits render.Limits
		want   string
	}{
		{render.Limits{Objects: 49}, "at apps/web/templates/a.yaml: it renders to more than 49 objects; split the application, or raise bowline.render.maxObjects"},
		{render.Limits{OutputBytes: 1000}, "it renders to more than 1000 bytes; split the application, or raise bowline.render.maxOutput"},
		{render.Limits{Files: 1}, "the chart has more than 1 files, its dependencies included; leave files that are not part of it out with .helmignore, or raise bowline.render.maxFiles"},
		{render.Limits{FileBytes: 60}, "at apps/web/templates/a.yaml: the file is larger than 60 bytes; leave it out"},
	} {
		in := input(files{"apps/web/templates/a.yaml": many}, v1alpha1.ApplicationSourceHelm{})
		in.Limits = test.limits
		if _, err := helm.Render(t.Context(), in); !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v", test.limits, err)
		}
	}
	in := input(files{"apps/web/templates/a.yaml": many}, v1alpha1.ApplicationSourceHelm{})
	in.Limits = render.Limits{Objects: 50, Files: 2}
	if out, err := helm.Render(t.Context(), in); err != nil || len(out.Manifests) != 50 {
		t.Errorf("at the limits: %v", err)
	}
}
