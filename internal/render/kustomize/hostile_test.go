// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

// canary stands in files outside of the repository, and must show nowhere.
const canary = "canary-d41d8cd9"

// canaries lays the canary where an attack would look for it, in the shape that the field wants.
func canaries(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"cm.yaml":            strings.ReplaceAll(configMap, "green", canary),
		"plain":              canary,
		"a.env":              "A=" + canary,
		"kustomization.yaml": "commonAnnotations: {c: " + canary + "}\nresources: [cm.yaml]\n",
		"schema.json":        `{"definitions":{"` + canary + `":{}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// pathFieldsOfKustomizations are all fields that name a file or folder, with %s for the path.
var pathFieldsOfKustomizations = map[string]struct{ text, file string }{
	"resources":                  {"resources: [%q]", "cm.yaml"},
	"resources, a folder":        {"resources: [%q]", ""},
	"bases":                      {"bases: [%q]", ""},
	"components":                 {"resources: [cm.yaml]\ncomponents: [%q]", ""},
	"generators":                 {"generators: [%q]", "cm.yaml"},
	"transformers":               {"resources: [cm.yaml]\ntransformers: [%q]", "cm.yaml"},
	"validators":                 {"resources: [cm.yaml]\nvalidators: [%q]", "cm.yaml"},
	"crds":                       {"resources: [cm.yaml]\ncrds: [%q]", "schema.json"},
	"configurations":             {"resources: [cm.yaml]\nconfigurations: [%q]", "plain"},
	"openapi":                    {"resources: [cm.yaml]\nopenapi: {path: %q}", "schema.json"},
	"patches":                    {"resources: [cm.yaml]\npatches: [{path: %q}]", "cm.yaml"},
	"patchesStrategicMerge":      {"resources: [cm.yaml]\npatchesStrategicMerge: [%q]", "cm.yaml"},
	"patchesJson6902":            {"resources: [cm.yaml]\npatchesJson6902: [{target: {version: v1, kind: ConfigMap, name: settings}, path: %q}]", "plain"},
	"replacements":               {"resources: [cm.yaml]\nreplacements: [{path: %q}]", "plain"},
	"configMapGenerator.files":   {"configMapGenerator: [{name: g, files: [k=%s]}]", "plain"},
	"configMapGenerator.envs":    {"configMapGenerator: [{name: g, envs: [%q]}]", "a.env"},
	"configMapGenerator.env":     {"configMapGenerator: [{name: g, env: %q}]", "a.env"},
	"secretGenerator.files":      {"secretGenerator: [{name: g, files: [k=%s]}]", "plain"},
	"secretGenerator.envs":       {"secretGenerator: [{name: g, envs: [%q]}]", "a.env"},
	"helmCharts.valuesFile":      {"helmCharts: [{name: c, valuesFile: %q}]", "a.env"},
	"helmCharts.additional":      {"helmCharts: [{name: c, additionalValuesFiles: [%q]}]", "a.env"},
	"helmCharts.name":            {"helmCharts: [{name: %q}]", ""},
	"helmGlobals.chartHome":      {"helmGlobals: {chartHome: %q}\nhelmCharts: [{name: c}]", ""},
	"a generator in a file":      {"generators: [\"apiVersion: builtin\\nkind: ConfigMapGenerator\\nmetadata: {name: g}\\nfiles: [k=%s]\\n\"]", "plain"},
	"a patch transformer":        {"resources: [cm.yaml]\ntransformers: [\"apiVersion: builtin\\nkind: PatchTransformer\\nmetadata: {name: g}\\npath: %s\\n\"]", "cm.yaml"},
	"a strategic transformer":    {"resources: [cm.yaml]\ntransformers: [\"apiVersion: builtin\\nkind: PatchStrategicMergeTransformer\\nmetadata: {name: g}\\npaths: [%s]\\n\"]", "cm.yaml"},
	"a replacement transformer":  {"resources: [cm.yaml]\ntransformers: [\"apiVersion: builtin\\nkind: ReplacementTransformer\\nmetadata: {name: g}\\nreplacements: [{path: %s}]\\n\"]", "plain"},
	"a value adding transformer": {"resources: [cm.yaml]\ntransformers: [\"apiVersion: builtin\\nkind: ValueAddTransformer\\nmetadata: {name: g}\\nvalue: x\\ntargetFilePath: %s\\n\"]", "plain"},
}

func chartFiles(files map[string]string) map[string]string {
	files["app/cm.yaml"] = configMap
	files["app/charts/c/Chart.yaml"] = "apiVersion: v2\nname: c\nversion: 0.1.0\n"
	files["app/charts/c/values.yaml"] = "A: x\n"
	files["app/charts/c/templates/a.yaml"] = strings.ReplaceAll(configMap, "green", "{{ .Values.A }}")
	return files
}

// TestHostilePaths tries to leave the repository through every field that names a file: by a path that climbs, an absolute
// one, and links of every kind.
func TestHostilePaths(t *testing.T) {
	dir := canaries(t)
	climb := strings.Repeat("../", 30) + strings.TrimPrefix(dir, "/")
	ways := map[string]func(file string) (string, map[string]string){
		"climbs":            func(file string) (string, map[string]string) { return climb + "/" + file, nil },
		"climbs in between": func(file string) (string, map[string]string) { return "x/../../" + climb + "/" + file, nil },
		"absolute":          func(file string) (string, map[string]string) { return dir + "/" + file, nil },
		"double slash":      func(file string) (string, map[string]string) { return "/" + dir + "//" + file, nil },
		"absolute link": func(file string) (string, map[string]string) {
			return "link", map[string]string{"app/link": "-> " + dir + "/" + file}
		},
		"relative link": func(file string) (string, map[string]string) {
			return "link", map[string]string{"app/link": "-> " + climb + "/" + file}
		},
		"link to a folder": func(file string) (string, map[string]string) {
			return "link/" + file, map[string]string{"app/link": "-> " + dir}
		},
		"chain of links": func(file string) (string, map[string]string) {
			return "one", map[string]string{"app/one": "-> two", "app/two": "-> ../three", "three": "-> " + dir + "/" + file}
		},
		"the root of the machine": func(file string) (string, map[string]string) {
			return "link" + dir + "/" + file, map[string]string{"app/link": "-> /"}
		},
	}
	for field, f := range pathFieldsOfKustomizations {
		for way, lead := range ways {
			for _, option := range []string{"--enable-helm", "--enable-helm --load-restrictor LoadRestrictionsNone"} {
				t.Run(field+"/"+way, func(t *testing.T) {
					p, links := lead(f.file)
					files := chartFiles(map[string]string{"app/kustomization.yaml": fmt.Sprintf(f.text, p) + "\n"})
					maps.Copy(files, links)
					in := input(files)
					in.Options.KustomizeBuildOptions = option
					refused(t, in)
				})
			}
		}
	}
}

// refused fails unless a render fails, and shows the canary nowhere.
func refused(t *testing.T, in render.Input) error {
	t.Helper()
	out, err := Render(t.Context(), in)
	unseen(t, out, err)
	if err == nil {
		t.Fatalf("rendered: %v, needs %v", out.Manifests, out.Needs)
	}
	if !fault.Is(err, fault.Mistake) {
		t.Errorf("it is the user who has to mend it: %v", err)
	}
	return err
}

func unseen(t *testing.T, out render.Output, err error) {
	t.Helper()
	text := fmt.Sprint(err, out.Warnings, out.Needs, out.Used)
	for _, m := range out.Manifests {
		text += fmt.Sprint(m.Object.Object, m.Origin)
	}
	for _, secret := range []string{canary, base64.StdEncoding.EncodeToString([]byte(canary)), strings.Trim(fmt.Sprint([]byte(canary)), "[]")} {
		if strings.Contains(text, secret) {
			t.Fatalf("the canary is out: %s", text)
		}
	}
}

func TestHostileFieldsOfTheSource(t *testing.T) {
	dir := canaries(t)
	climb := strings.Repeat("../", 30) + strings.TrimPrefix(dir, "/")
	for _, p := range []string{dir, climb, "link"} {
		for _, source := range []v1alpha1.ApplicationSourceKustomize{
			{Components: []string{p}}, {Components: []string{p}, IgnoreMissingComponents: true},
			{Patches: v1alpha1.KustomizePatches{{Path: p + "/cm.yaml"}}},
		} {
			in := input(map[string]string{"app/kustomization.yaml": "resources: [cm.yaml]\n", "app/cm.yaml": configMap, "app/link": "-> " + dir})
			in.Source.Kustomize = &source
			refused(t, in)
		}
	}
}

func TestHostileAddresses(t *testing.T) {
	dir := canaries(t)
	for _, address := range []string{
		"file://" + dir, "FILE://" + dir, "git::file://" + dir, "file://" + dir + "/kustomization.yaml",
		"https://example.org/org/repo?ref=--upload-pack=touch+/tmp/x", "https://example.org/org/repo//x?version=-c",
		"ssh://-oProxyCommand=touch%20x/org/repo", "git@-oProxyCommand=id:org/repo", "https://-upload-pack/org/repo",
		"https://me:" + canary + "@example.org/org/repo", "https://example.org/org/repo --upload-pack=id",
		"https://example.org/org/repo//../../../etc", "ext::sh -c id", "--upload-pack=id",
	} {
		for _, field := range []string{"resources", "bases", "components", "generators", "transformers", "validators"} {
			refused(t, input(map[string]string{"app/kustomization.yaml": fmt.Sprintf("namePrefix: x-\n%s: [%q]\n", field, address)}))
		}
	}
	for field, f := range pathFieldsOfKustomizations {
		for _, address := range []string{"file://" + dir + "/" + f.file, "https://me:" + canary + "@example.org/x", "http://", "https:///etc/passwd"} {
			t.Run(field, func(t *testing.T) {
				in := input(chartFiles(map[string]string{"app/kustomization.yaml": fmt.Sprintf(f.text, address) + "\n"}))
				in.Options.KustomizeBuildOptions = "--enable-helm --load-restrictor LoadRestrictionsNone"
				refused(t, in)
			})
		}
	}
}

// TestHostileAddressesOfThisMachine: whether a web address may be fetched is for whoever resolves needs. Nothing is
// fetched from in here, whatever the field (TestMain watches).
func TestHostileAddressesOfThisMachine(t *testing.T) {
	for _, address := range []string{"http://169.254.169.254/latest/meta-data/x.yaml", "http://127.0.0.1:1/x.yaml", "http://[::1]:1/x.yaml", "HTTP://localhost:1/x.yaml"} {
		for field, f := range pathFieldsOfKustomizations {
			t.Run(field, func(t *testing.T) {
				in := input(chartFiles(map[string]string{"app/kustomization.yaml": fmt.Sprintf(f.text, address) + "\n"}))
				in.Options.KustomizeBuildOptions = "--enable-helm --load-restrictor LoadRestrictionsNone"
				out, err := Render(t.Context(), in)
				if err == nil && (len(out.Needs) != 1 || !strings.HasPrefix(strings.ToLower(address), strings.ToLower(out.Needs[0].URL)) || len(out.Manifests) > 0) {
					t.Errorf("neither refused nor asked for: %+v", out)
				}
			})
		}
	}
}

// TestHostileMixtures: what is neither YAML nor a path nor an address to us must not be one to the library.
func TestHostileMixtures(t *testing.T) {
	for _, entry := range []string{
		"https://169.254.169.254/{x}", "https://169.254.169.254/a: b", "{https://169.254.169.254/a: b}", "http:/169.254.169.254/x", "https:169.254.169.254", " https://169.254.169.254/x.yaml",
		"\nhttps://169.254.169.254/x", "https://169.254.169.254/x\n", "git@169.254.169.254:x/{y}", "git@169.254.169.254:a: b", "github.com/{a: b}/c", "[https://169.254.169.254/x]", "# x\nhttps://169.254.169.254/x",
	} {
		for _, field := range []string{"resources", "components", "generators", "transformers", "validators", "patchesStrategicMerge", "crds", "configurations"} {
			t.Run(field+"/"+entry, func(t *testing.T) {
				out, err := Render(t.Context(), input(map[string]string{"app/kustomization.yaml": fmt.Sprintf("resources: [cm.yaml]\n%s: [%q]\n", field, entry), "app/cm.yaml": configMap}))
				if err == nil && len(out.Needs) == 0 {
					t.Errorf("neither refused nor asked for: %+v", out)
				}
				if len(went) > 0 {
					t.Errorf("the network was used: %q", went)
				}
			})
		}
	}
}

// TestHostileRemotes: what lies elsewhere may not read the repository that refers to it, nor leave its own.
func TestHostileRemotes(t *testing.T) {
	dir := canaries(t)
	need := render.Need{Kind: render.NeedGit, URL: "https://example.org/org/evil"}
	for name, evil := range map[string]map[string]string{
		"climbs to the repository":    {"kustomization.yaml": "configMapGenerator: [{name: g, files: [../secret]}]\n"},
		"takes a base of it":          {"kustomization.yaml": "resources: [../../low]\n"},
		"names the mount":             {"kustomization.yaml": "configMapGenerator: [{name: g, files: [../../source/app/secret]}]\n"},
		"links out":                   {"kustomization.yaml": "configMapGenerator: [{name: g, files: [x]}]\n", "x": "-> ../secret"},
		"links to the mount":          {"kustomization.yaml": "configMapGenerator: [{name: g, files: [x]}]\n", "x": "-> /source/app/secret"},
		"links to the machine":        {"kustomization.yaml": "configMapGenerator: [{name: g, files: [x]}]\n", "x": "-> " + dir + "/plain"},
		"its kustomization is a link": {"kustomization.yaml": "-> " + dir + "/kustomization.yaml"},
	} {
		for _, option := range []string{"", "--load-restrictor LoadRestrictionsNone"} {
			t.Run(name, func(t *testing.T) {
				in := input(map[string]string{
					"app/kustomization.yaml": "resources: [\"https://example.org/org/evil\"]\n", "app/secret": canary,
					"low/kustomization.yaml": "commonAnnotations: {c: " + canary + "}\nresources: [cm.yaml]\n", "low/cm.yaml": configMap,
				})
				in.Options.KustomizeBuildOptions = option
				in.Remotes = []render.Remote{{Need: need, Tree: repo(evil)}}
				refused(t, in)
			})
		}
	}
	t.Run("a repository names a mount of its own", func(t *testing.T) {
		in := input(map[string]string{"app/kustomization.yaml": "resources: [\"https://example.org/org/evil//x\", .bowline-remote-000]\n"})
		in.Remotes = []render.Remote{{Need: need, Tree: repo(map[string]string{"x/kustomization.yaml": "resources: [cm.yaml]\n", "x/cm.yaml": configMap, "kustomization.yaml": "namePrefix: " + canary})}}
		refused(t, in)
	})
}

func TestHostileHelm(t *testing.T) {
	dir := canaries(t)
	in := input(chartFiles(map[string]string{"app/kustomization.yaml": fmt.Sprintf("helmGlobals: {configHome: %q}\nhelmCharts: [{name: c}]\n", dir)}))
	in.Options.KustomizeBuildOptions = "--enable-helm --helm-command " + filepath.Join(dir, "plain")
	out, err := Render(t.Context(), in)
	unseen(t, out, err)
	if err != nil || len(out.Manifests) != 1 || !slices.ContainsFunc(out.Warnings, func(w string) bool { return strings.Contains(w, "configHome does nothing") }) {
		t.Errorf("%v, %v, %v", out.Manifests, out.Warnings, err)
	}
	for _, text := range []string{
		"helmCharts: [{name: c, releaseName: --post-renderer=id}]", "helmCharts: [{name: --post-renderer=id}]", "helmCharts: [{name: c, repo: file:///etc, version: 1.0.0}]",
		"helmCharts: [{name: x, repo: --plugin}]", "helmCharts: [{name: x, repo: \"https://me:" + canary + "@example.org\"}]",
		"helmCharts: [{name: x, repo: \"https://example.org\", version: --devel}]", "helmCharts: [{name: c, nameTemplate: '{{ env \"PATH\" }}'}]",
		"helmCharts: [{name: ../../../../../../../../../etc}]", "generators: [\"apiVersion: builtin\\nkind: HelmChartInflationGenerator\\nmetadata: {name: g}\\nname: c\\n\"]",
	} {
		in := input(chartFiles(map[string]string{"app/kustomization.yaml": text + "\n"}))
		in.Options.KustomizeBuildOptions = "--enable-helm"
		refused(t, in)
	}
}

// TestHostilePrograms: plugins are programs, and none is started (TestMain watches).
func TestHostilePrograms(t *testing.T) {
	for _, text := range []string{
		"apiVersion: someteam.example.com/v1\nkind: ChartInflator\nmetadata: {name: x}\n",
		"apiVersion: v1\nkind: X\nmetadata:\n  name: x\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: /bin/sh}\n",
		"apiVersion: v1\nkind: X\nmetadata:\n  name: x\n  annotations:\n    config.kubernetes.io/function: |\n      container: {image: evil, network: true}\n",
		"apiVersion: v1\nkind: X\nmetadata:\n  name: x\n  annotations:\n    config.kubernetes.io/function: |\n      starlark: {path: x.star}\n",
	} {
		for _, field := range []string{"generators", "transformers", "validators"} {
			refused(t, input(map[string]string{"app/kustomization.yaml": field + ": [f.yaml]\nresources: [cm.yaml]\n", "app/f.yaml": text, "app/cm.yaml": configMap}))
			refused(t, input(map[string]string{"app/kustomization.yaml": field + ": [f]\nresources: [cm.yaml]\n", "app/f/kustomization.yaml": "resources: [f.yaml]\nnamePrefix: x-\n", "app/f/f.yaml": text, "app/cm.yaml": configMap}))
		}
	}
}

// TestHostileErrors: values of Secrets show in no error, whatever the library quotes.
func TestHostileErrors(t *testing.T) {
	secret := "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: " + canary + "}\n"
	encoded := base64.StdEncoding.EncodeToString([]byte(canary))
	for name, files := range map[string]map[string]string{
		"a literal without a key":       {"app/kustomization.yaml": "secretGenerator: [{name: s, literals: [" + canary + "]}]\n"},
		"a literal with nothing before": {"app/kustomization.yaml": "secretGenerator: [{name: s, literals: [\"=" + canary + "\"]}]\n"},
		"a file that is no text":        {"app/kustomization.yaml": "secretGenerator: [{name: s, envs: [e]}]\n", "app/e": "A=1\nB=\xff" + canary + "\n"},
		"a Secret without a name":       {"app/kustomization.yaml": "resources: [s.yaml]\n", "app/s.yaml": "apiVersion: v1\nkind: Secret\nstringData: {k: " + canary + "}\n"},
		"a Secret that does not parse":  {"app/kustomization.yaml": "resources: [s.yaml]\n", "app/s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  k: " + canary + "\n x: [\n"},
		"a Secret twice":                {"app/kustomization.yaml": "resources: [s.yaml, t.yaml]\n", "app/s.yaml": secret, "app/t.yaml": secret},
		"a patch of nothing":            {"app/kustomization.yaml": "resources: [cm.yaml]\npatches: [{path: s.yaml}]\n", "app/s.yaml": secret, "app/cm.yaml": configMap},
		"a patch that is none":          {"app/kustomization.yaml": "resources: [s.yaml]\npatches:\n- target: {kind: Secret}\n  patch: |\n    {\"data\": \"" + canary + "\"\n", "app/s.yaml": secret},
		"a patch operation that fails":  {"app/kustomization.yaml": "resources: [s.yaml]\npatches:\n- target: {kind: Secret}\n  patch: |\n    - {op: test, path: /stringData/k, value: \"" + canary + "x\"}\n", "app/s.yaml": secret},
		"a patch of any kind":           {"app/kustomization.yaml": "resources: [s.yaml]\npatches:\n- target: {name: s}\n  patch: |\n    - op: test\n      path: /stringData\n      value:\n        x: " + canary + "x\n", "app/s.yaml": secret},
		"an old patch":                  {"app/kustomization.yaml": "resources: [s.yaml]\npatchesJson6902:\n- target: {version: v1, kind: Secret, name: s}\n  patch: '[{\"op\": \"remove\", \"path\": \"/nope\", \"value\": \"" + canary + "\"}'\n", "app/s.yaml": secret},
		"a replacement with a value":    {"app/kustomization.yaml": "resources: [s.yaml]\nreplacements:\n- sourceValue: " + canary + "\n  targets: [{select: {kind: Secret}, fieldPaths: [stringData.nope.x]}]\n", "app/s.yaml": secret},
		"a replacement into a map":      {"app/kustomization.yaml": "resources: [s.yaml, cm.yaml]\nreplacements:\n- source: {kind: Secret, fieldPath: stringData.k}\n  targets: [{select: {kind: ConfigMap}, fieldPaths: [data]}]\n- source: {kind: Secret, fieldPath: stringData.k.x}\n  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.x.y]}]\n", "app/s.yaml": secret, "app/cm.yaml": configMap},
		"a merge of another's":          {"app/kustomization.yaml": "resources: [s.yaml]\nsecretGenerator: [{name: s, literals: [a=" + canary + "]}]\n", "app/s.yaml": secret},
		"a validator that changes":      {"app/kustomization.yaml": "resources: [s.yaml]\nvalidators: [v.yaml]\n", "app/s.yaml": strings.ReplaceAll(secret, "stringData: {k: "+canary, "data: {k: "+encoded), "app/v.yaml": "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: v}\nprefix: x-\nfieldSpecs: [{path: metadata/name}]\n"},
		"a generated one is changed":    {"app/kustomization.yaml": "secretGenerator: [{name: s, literals: [a=" + canary + "]}]\nvalidators: [v.yaml]\n", "app/v.yaml": "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: v}\nprefix: x-\nfieldSpecs: [{path: metadata/name}]\n"},
		"a kustomization with a secret": {"app/kustomization.yaml": "secretGenerator: [{name: s, literals: {a: " + canary + "}}]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := Render(t.Context(), input(files))
			if err == nil {
				t.Fatalf("it renders: %v", out.Manifests)
			}
			unseen(t, render.Output{}, err)
		})
	}
}

// TestHostileConfigurations: a configuration may come out of a kustomization that is built, with what no file holds.
func TestHostileConfigurations(t *testing.T) {
	for name, patch := range map[string]string{
		"an address": "- {op: add, path: /path, value: \"http://169.254.169.254/x\"}",
		"a program":  "- {op: replace, path: /apiVersion, value: example.org/v1}",
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, input(map[string]string{
				"app/kustomization.yaml":   "resources: [cm.yaml]\ntransformers: [t]\n",
				"app/cm.yaml":              configMap,
				"app/t/kustomization.yaml": "resources: [../u]\nnamePrefix: x-\n",
				"app/u/kustomization.yaml": "resources: [t.yaml]\npatches:\n- target: {kind: PatchTransformer}\n  patch: |\n    " + patch + "\n",
				"app/u/t.yaml":             "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\ntarget: {kind: ConfigMap}\n",
			}))
		})
	}
}
