// SPDX-License-Identifier: Apache-2.0

package health

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/internal/object"
)

func parse(t testing.TB, name, text string) *unstructured.Unstructured {
	t.Helper()
	docs, err := object.ParseYAML(name, []byte(text))
	if err != nil || len(docs) != 1 {
		t.Fatalf("%s: %d documents, error %v", name, len(docs), err)
	}
	return &unstructured.Unstructured{Object: docs[0].Data}
}

func TestOf(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/of.txtar")
	if err != nil {
		t.Fatal(err)
	}
	judged := map[string]bool{}
	for _, f := range archive.Files {
		t.Run(f.Name, func(t *testing.T) {
			want, _, _ := strings.Cut(f.Name, " ")
			obj := parse(t, f.Name, string(f.Data))
			got, ok := (*Judge)(nil).Of(obj)
			if !ok {
				got.Status = "none"
			}
			if string(got.Status) != want {
				t.Errorf("got %s (%q), want %s", got.Status, got.Message, want)
			}
			judged[obj.GroupVersionKind().GroupKind().String()] = true
		})
	}
	for gk := range rules {
		if !judged[gk.String()] {
			t.Errorf("the rule of %s has no case in testdata/of.txtar", gk)
		}
	}
}

func TestMessagesSayWhatIsWaitedFor(t *testing.T) {
	tests := []struct{ object, want string }{
		{`{apiVersion: apps/v1, kind: Deployment, spec: {replicas: 3}, status: {updatedReplicas: 1}}`, "1 out of 3 new replicas"},
		{`{apiVersion: apps/v1, kind: ReplicaSet, status: {conditions: [{type: ReplicaFailure, status: "True", message: "100% used"}]}}`, "100% used"},
		{`{apiVersion: v1, kind: Pod, spec: {restartPolicy: Never}, status: {phase: Failed, initContainerStatuses: [{name: init, state: {terminated: {exitCode: 3}}}]}}`, `container "init" failed with exit code 3`},
		{`{apiVersion: v1, kind: Pod, spec: {restartPolicy: Never}, status: {phase: Failed, containerStatuses: [{name: a, state: {terminated: {reason: OOMKilled, exitCode: 137}}}]}}`, "OOMKilled"},
		{`{apiVersion: v1, kind: Pod, spec: {restartPolicy: Always}, status: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ErrImagePull, message: a}}}, {state: {waiting: {reason: ErrImagePull, message: b}}}]}}`, "a, b"},
		{`{apiVersion: apps/v1, kind: Deployment, spec: {replicas: many}}`, "cannot be read as a Deployment"},
		{`{apiVersion: autoscaling/v3, kind: HorizontalPodAutoscaler}`, "version v3 has no rule"},
		{`{apiVersion: v1, kind: Pod, metadata: {deletionTimestamp: "2026-01-02T03:04:05Z"}}`, "Pending deletion"},
	}
	for _, tt := range tests {
		got, ok := (*Judge)(nil).Of(parse(t, "object", tt.object))
		if !ok || !strings.Contains(got.Message, tt.want) {
			t.Errorf("%s:\n got %q, want it to hold %q", tt.object, got.Message, tt.want)
		}
	}
}
