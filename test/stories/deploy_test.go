// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"bytes"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// deploy FORM FILE writes the manifests of deploy/FORM to a file, for the story's control namespace. What is not in a namespace
// gets a name of the story's own, since all stories share one cluster.
func deploy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: deploy cluster|namespaced|crds FILE")
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join("..", "..", "deploy", args[0]))
	ts.Check(err)
	var out bytes.Buffer
	for _, r := range built.Resources() {
		text, err := r.AsYAML()
		ts.Check(err)
		u := &unstructured.Unstructured{}
		ts.Check(yaml.Unmarshal(text, &u.Object))
		if u.GetKind() == "CustomResourceDefinition" && args[0] != "crds" {
			continue // they are the cluster's: deploy crds brings them
		}
		ownNames(u, ts.Getenv("CD"), ts.Getenv("S"))
		text, err = yaml.Marshal(u.Object)
		ts.Check(err)
		out.WriteString("---\n")
		out.Write(text)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out.Bytes(), 0o600))
}

func ownNames(u *unstructured.Unstructured, namespace, name string) {
	if u.GetNamespace() != "" {
		u.SetNamespace(namespace)
	} else if u.GetKind() != "CustomResourceDefinition" {
		u.SetName(u.GetName() + "-" + name)
	}
	if u.GetKind() == "ClusterRoleBinding" {
		role, _, _ := unstructured.NestedString(u.Object, "roleRef", "name")
		_ = unstructured.SetNestedField(u.Object, role+"-"+name, "roleRef", "name")
	}
	subjects, _, _ := unstructured.NestedSlice(u.Object, "subjects")
	for _, s := range subjects {
		s.(map[string]any)["namespace"] = namespace
	}
	if len(subjects) > 0 {
		_ = unstructured.SetNestedSlice(u.Object, subjects, "subjects")
	}
}
