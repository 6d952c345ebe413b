// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Of the audit log only Bowline's own requests count, and of those only what follows the place.
func TestRequestsAreThoseOfBowline(t *testing.T) {
	s := &subject{config: config{fleet: fleet{apps: 2}}, planeDir: filepath.Join(t.TempDir(), "cluster")}
	before := `{"verb":"patch","userAgent":"bowline/v1","objectRef":{"resource":"applications","name":"early"}}` + "\n"
	after := strings.Join([]string{
		`{"verb":"patch","userAgent":"bowline/v1","objectRef":{"resource":"applications","name":"app-0000"}}`,
		`{"verb":"patch","userAgent":"bowline/v1","objectRef":{"resource":"applications","name":"app-0000"}}`,
		`{"verb":"patch","userAgent":"bowline/v1","objectRef":{"resource":"applications","name":"app-0001"}}`,
		`{"verb":"patch","userAgent":"bowline/v1","objectRef":{"resource":"configmaps","name":"app-0001"}}`,
		`{"verb":"watch","userAgent":"bowline/v1","objectRef":{"resource":"applications"}}`,
		`{"verb":"patch","userAgent":"kubectl/v1","objectRef":{"resource":"applications","name":"app-0001"}}`,
	}, "\n") + "\n"
	if err := os.WriteFile(auditLog(s.planeDir), []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	since, err := s.audit()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(auditLog(s.planeDir), []byte(before+after), 0o600); err != nil {
		t.Fatal(err)
	}
	row := map[string]any{}
	if err := s.addRequests(row, since); err != nil {
		t.Fatal(err)
	}
	verbs := row["requests"].(map[string]int)
	if row["status_writes_each"] != 1.5 || row["status_writes_most"] != 2 || verbs["patch"] != 4 || verbs["watch"] != 1 {
		t.Errorf("got %v", row)
	}
}

// What is deployed is what the rows say it is.
func TestLoadsAreAsDescribed(t *testing.T) {
	job, configMap := hooked(7)[0], hooked(7)[1]
	if job.GetKind() != "Job" || job.GetAnnotations()[v1alpha1.AnnotationKeyHook] != "PreSync" || configMap.GetName() != appName(7) {
		t.Errorf("the hook is %v", job)
	}
	if completed(job) {
		t.Error("a Job that was not made yet is done")
	}
	if job.Object["status"] = map[string]any{"succeeded": int64(1)}; !completed(job) {
		t.Error("a Job that succeeded is not done")
	}
	for _, m := range mistakes {
		deployment, config := twoWaves(0, "bad")
		good, other := twoWaves(0, "bad")
		m.spoil(deployment, config)
		if text, _ := manifestFile([]*unstructured.Unstructured{deployment, config}); text == must(manifestFile([]*unstructured.Unstructured{good, other})) {
			t.Errorf("the commit that %s is a good one", m.name)
		}
	}
	if names := parts(); len(names) != len(slices.Compact(slices.Sorted(slices.Values(names)))) {
		t.Errorf("two parts have one name: %v", names)
	}
}

func must(text string, err error) string {
	if err != nil {
		panic(err)
	}
	return text
}
