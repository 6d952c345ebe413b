// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"strings"
	"testing"
)

func TestErrorsOfTheLibraryInPlainWords(t *testing.T) {
	const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1}\n"
	for want, files := range map[string]map[string]string{
		"cannot render with Kustomize at app/b.yaml: ConfigMap settings is there twice; remove one of the two, or give it another name or namespace": {
			"app/kustomization.yaml": "resources: [a.yaml, b.yaml]\n", "app/a.yaml": configMap, "app/b.yaml": configMap},
		"at low/kustomization.yaml: ConfigMap x is to be merged or replaced, and does not exist; correct its name, or leave behavior out": {
			"app/kustomization.yaml": "resources: [../low]\n", "low/kustomization.yaml": "configMapGenerator: [{name: x, behavior: merge, literals: [a=b]}]\n"},
		"at app/kustomization.yaml: ConfigMap settings is generated, and exists already; set its behavior": {
			"app/kustomization.yaml": "resources: [a.yaml]\nconfigMapGenerator: [{name: settings, literals: [a=b]}]\n", "app/a.yaml": configMap},
		"at app/kustomization.yaml: nothing is there for the patch of ConfigMap nobody; correct kind, name or namespace in the patch": {
			"app/kustomization.yaml": "resources: [a.yaml]\npatches: [{patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: nobody}}'}]\n", "app/a.yaml": configMap},
		"at app/kustomization.yaml: nothing is there for the patch of Deployment other/web": {
			"app/kustomization.yaml": "resources: [a.yaml]\npatches: [{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: other}}'}]\n", "app/a.yaml": deployment},
		"at app/kustomization.yaml: the source of a replacement, ConfigMap nobody, is not there": {
			"app/kustomization.yaml": "resources: [a.yaml]\nreplacements: [{source: {kind: ConfigMap, name: nobody}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.x]}]}]\n", "app/a.yaml": configMap},
		"at app/kustomization.yaml: replicas names nobody, and there is no such workload": {
			"app/kustomization.yaml": "resources: [a.yaml]\nreplicas: [{name: nobody, count: 1}]\n", "app/a.yaml": deployment},
		"at low/kustomization.yaml: it is no component, and is listed under components": {
			"app/kustomization.yaml": "resources: [a.yaml]\ncomponents: [../low]\n", "app/a.yaml": configMap, "low/kustomization.yaml": "namePrefix: a-\n"},
		"at app/kustomization.yaml: the kustomization is empty": {"app/kustomization.yaml": "# nothing\n"},
		"at app/a.yaml: an object has no metadata.name":         {"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n"},
		"at app/a.yaml: line 3: ":                               {"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": "apiVersion: v1\nkind: ConfigMap\n  metadata: {name: x}\n"},
		"at app/kustomization.yaml: a literal of a generator is not of the form key=value; write it": {
			"app/kustomization.yaml": "configMapGenerator: [{name: x, literals: [nothing]}]\n"},
		"at app/kustomization.yaml: a patch is neither an object nor a list of JSON patch operations; give it": {
			"app/kustomization.yaml": "resources: [a.yaml]\npatches: [{target: {kind: ConfigMap}, patch: '[{op: add, path: /data/x, value: 3}]'}]\n", "app/a.yaml": configMap},
		"at app/kustomization.yaml: a generator has the key a twice": {"app/kustomization.yaml": "configMapGenerator: [{name: x, literals: [a=1, a=2]}]\n"},
		"at app/kustomization.yaml: one of its validators changes objects": {
			"app/kustomization.yaml": "resources: [a.yaml]\nvalidators: [v.yaml]\n", "app/a.yaml": configMap, "app/v.yaml": "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: v}\nprefix: x-\nfieldSpecs: [{path: metadata/name}]\n"},
	} {
		_, err := Render(t.Context(), input(files))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant one that says %s", err, want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("it has several lines: %v", err)
		}
		_, again := Render(t.Context(), input(files))
		if err != nil && err.Error() != again.Error() {
			t.Errorf("the text changes from one time to the next:\n%v\n%v", err, again)
		}
	}
}
