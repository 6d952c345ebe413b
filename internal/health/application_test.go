// SPDX-License-Identifier: Apache-2.0

package health

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

func TestApplications(t *testing.T) {
	const (
		source = `source: {repoURL: r, path: p, targetRevision: v1}`
		dest   = `destination: {server: s, namespace: shop}`
		sync   = `sync: {status: Synced, revision: aaa, comparedTo: {` + source + `, ` + dest + `}}`
		out    = `sync: {status: OutOfSync, revision: aaa, comparedTo: {` + source + `, ` + dest + `}}`
		manual = `spec: {` + source + `, ` + dest + `}`
		auto   = `spec: {` + source + `, ` + dest + `, syncPolicy: {automated: {}}}`
		off    = `spec: {` + source + `, ` + dest + `, syncPolicy: {automated: {enabled: false}}}`
		good   = `health: {status: Healthy}`
		done   = `operationState: {phase: Succeeded, syncResult: {revision: aaa}}`
	)
	tests := []struct{ reason, object, want, message string }{
		{"its own health", auto + `, status: {` + sync + `, health: {status: Degraded, message: no disk}}`, "Degraded", "no disk"},
		{"healthy", auto + `, status: {` + sync + `, ` + good + `, ` + done + `}`, "Healthy", ""},
		{"new", auto, "Progressing", "first comparison"},
		{"its spec is another by now", `spec: {source: {repoURL: r, path: p, targetRevision: v2}, ` + dest + `}, status: {` + sync + `, ` + good + `}`, "Progressing", "present spec"},
		{"it goes to another place", `spec: {` + source + `, destination: {server: s, namespace: other}}, status: {` + sync + `, ` + good + `}`, "Progressing", "present spec"},
		{"it has several sources by now", `spec: {sources: [{repoURL: r}], ` + dest + `}, status: {` + sync + `, ` + good + `}`, "Progressing", "present spec"},
		{"a sync is asked for", auto + `, operation: {sync: {}}, status: {` + sync + `, ` + good + `}`, "Progressing", "synced"},
		{"a sync runs", auto + `, status: {` + sync + `, health: {status: Degraded}, operationState: {phase: Running}}`, "Progressing", "synced"},
		{"a sync is about to begin", auto + `, status: {` + out + `, ` + good + `, operationState: {phase: Succeeded, syncResult: {revision: older}}}`, "Progressing", "Waiting to be synced"},
		{"nothing was ever synced", auto + `, status: {` + out + `, health: {status: Missing}}`, "Progressing", "Waiting to be synced"},
		{"the sync failed", auto + `, status: {` + out + `, ` + good + `, operationState: {phase: Failed, message: quota, syncResult: {revision: aaa}}}`, "Degraded", "Its sync failed: quota"},
		{"it differs although it was synced: drift that nobody heals", auto + `, status: {` + out + `, ` + good + `, ` + done + `}`, "Healthy", ""},
		{"it differs, and is for a person to sync", manual + `, status: {` + out + `, ` + good + `}`, "Healthy", ""},
		{"automated sync is switched off", off + `, status: {` + out + `, ` + good + `}`, "Healthy", ""},
		{"nobody knows whether it differs", auto + `, status: {sync: {status: Unknown, comparedTo: {` + source + `, ` + dest + `}}, ` + good + `}`, "Unknown", "comparison"},
		{"a verdict that nobody knows", manual + `, status: {` + sync + `, health: {status: Splendid}}`, "Unknown", "no verdict"},
		{"it is about to go", `metadata: {deletionTimestamp: "2026-01-02T03:04:05Z"}, ` + manual + `, status: {` + sync + `, ` + good + `}`, "Progressing", "Pending deletion"},
	}
	judge := NewJudge(nil, true).WithApplications()
	for _, tt := range tests {
		got, ok := judge.Of(parse(t, "object", `{apiVersion: argoproj.io/v1alpha1, kind: Application, `+tt.object+`}`))
		if !ok || string(got.Status) != tt.want || !strings.Contains(got.Message, tt.message) {
			t.Errorf("%s: got %s (%q), want %s (%q)", tt.reason, got.Status, got.Message, tt.want, tt.message)
		}
	}
	own := checks{"Application": func(*unstructured.Unstructured) (Status, error) {
		return Status{v1alpha1.HealthStatusSuspended, ""}, nil
	}}
	if got, _ := NewJudge(own, true).WithApplications().Of(parse(t, "object", `{apiVersion: argoproj.io/v1alpha1, kind: Application}`)); got.Status != "Suspended" {
		t.Errorf("a user's check comes first: got %s", got.Status)
	}
}
