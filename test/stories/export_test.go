// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// argocdAdmin runs `argocd admin ARGUMENT...`, which works straight on the cluster.
// argocd-admin ARGUMENT...
func argocdAdmin(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	program, err := filepath.Abs(filepath.Join("..", "..", "bin", "argocd"))
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), *patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"admin"}, expanded(ts, args)...)...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(os.Environ(), "HOME="+s.dir, "KUBECONFIG="+ts.Getenv("KUBECONFIG"))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	_, _ = ts.Stdout().Write(out.Bytes())
	_, _ = ts.Stderr().Write(errs.Bytes())
	if err != nil {
		ts.Fatalf("argocd admin %q: %v\n%s", args, err, errs.Bytes())
	}
}

// same compares two exports by their objects, whatever the order of them and of their fields.
// same FILE FILE
func same(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: same FILE FILE")
	}
	if diff := cmp.Diff(exported(ts, args[0]), exported(ts, args[1])); diff != "" {
		ts.Fatalf("%s and %s differ (-%s +%s):\n%s", args[0], args[1], args[0], args[1], diff)
	}
}

func exported(ts *testscript.TestScript, file string) map[string]any {
	out := map[string]any{}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(ts.ReadFile(file))), 4096)
	for {
		var object map[string]any
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return out
		}
		ts.Check(err)
		if object == nil {
			continue
		}
		name, _, _ := unstructured.NestedString(object, "metadata", "name")
		kind, _ := object["kind"].(string)
		key := kind + " " + name
		if _, twice := out[key]; twice || slices.Contains([]string{kind, name}, "") {
			ts.Fatalf("%s has %q twice, or without a name", file, key)
		}
		out[key] = object
	}
}
