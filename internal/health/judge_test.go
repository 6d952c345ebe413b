// SPDX-License-Identifier: Apache-2.0

package health

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/health/library"
)

// checks are users' checks by kind.
type checks map[string]Check

func (c checks) Health(gk schema.GroupKind) (Check, bool) {
	check, ok := c[gk.Kind]
	return check, ok
}

func TestSourcesComeInOrder(t *testing.T) {
	says := func(code v1alpha1.HealthStatusCode) Check {
		return func(*unstructured.Unstructured) (Status, error) { return Status{code, "mine"}, nil }
	}
	own := checks{
		"Deployment": says("Suspended"), "Certificate": says("Degraded"), "Thing": says("Missing"), "Application": says("Healthy"),
		"Broken": func(*unstructured.Unstructured) (Status, error) { return Status{}, errors.New("no such field") },
	}
	const (
		deployment  = `{apiVersion: apps/v1, kind: Deployment, metadata: {generation: 1}, status: {observedGeneration: 1}}`
		certificate = `{apiVersion: cert-manager.io/v1, kind: Certificate, status: {conditions: [{type: Ready, status: "True"}]}}`
		thing       = `{apiVersion: example.com/v1, kind: Thing, status: {conditions: [{type: Ready, status: "True"}]}}`
		application = `{apiVersion: argoproj.io/v1alpha1, kind: Application, status: {health: {status: Degraded}}}`
		broken      = `{apiVersion: example.com/v1, kind: Broken}`
		deleted     = `{apiVersion: apps/v1, kind: Deployment, metadata: {deletionTimestamp: "2026-01-02T03:04:05Z"}}`
	)
	tests := []struct {
		reason string
		judge  *Judge
		object string
		want   v1alpha1.HealthStatusCode
	}{
		{"a user's check comes before a rule in Go", NewJudge(own, true), deployment, "Suspended"},
		{"a user's check comes before the library", NewJudge(own, true), certificate, "Degraded"},
		{"a user's check comes before conventions", NewJudge(own, true), thing, "Missing"},
		{"a user's check is the only judge of an Application", NewJudge(own, true), application, "Healthy"},
		{"a user's check that fails is Unknown", NewJudge(own, true), broken, "Unknown"},
		{"a deletion comes before everything", NewJudge(own, true), deleted, "Progressing"},
		{"users' checks are there without conventions", NewJudge(own, false), thing, "Missing"},
		{"the library is there without conventions", NewJudge(nil, false), certificate, "Healthy"},
		{"rules in Go are there without conventions", NewJudge(nil, false), deployment, "Healthy"},
		{"nothing is known of a kind without conventions", NewJudge(nil, false), thing, ""},
		{"conventions judge what nobody else does", NewJudge(nil, true), thing, "Healthy"},
		{"users' checks of other kinds change nothing", NewJudge(checks{}, true), thing, "Healthy"},
		{"nobody judges an Application", NewJudge(nil, true), application, ""},
		{"no judge at all has the same rules", nil, thing, "Healthy"},
	}
	for _, tt := range tests {
		got, ok := tt.judge.Of(parse(t, "object", tt.object))
		if got.Status != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: got %q, %t, want %q", tt.reason, got.Status, ok, tt.want)
		}
	}
}

// What Go judges, the library leaves alone, or a rule in Go would never be asked.
func TestTheLibraryLeavesBuiltInKindsAlone(t *testing.T) {
	for gk := range rules {
		if got, ok := (*Judge)(nil).Of(&unstructured.Unstructured{Object: map[string]any{"apiVersion": gk.Group + "/v9", "kind": gk.Kind}}); !ok {
			t.Errorf("%s has no health: %v", gk, got)
		}
		if _, ok := library.Of(gk); ok {
			t.Errorf("%s has a rule in Go and one in the library", gk)
		}
	}
}

func BenchmarkOf(b *testing.B) {
	for _, bb := range []struct{ name, object string }{
		{"Deployment", `{apiVersion: apps/v1, kind: Deployment, metadata: {generation: 1}, spec: {replicas: 3, template: {spec: {containers: [{name: a, image: b}]}}}, status: {observedGeneration: 1, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3, conditions: [{type: Available, status: "True", lastUpdateTime: "2026-01-02T03:04:05Z", lastTransitionTime: "2026-01-02T03:04:05Z"}, {type: Progressing, status: "True", reason: NewReplicaSetAvailable}]}}`},
		{"Certificate", `{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {generation: 1}, status: {conditions: [{type: Issuing, status: "True"}, {type: Ready, status: "True", observedGeneration: 1, message: fine}]}}`},
		{"HTTPRoute", `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {generation: 1}, status: {parents: [{parentRef: {name: a}, conditions: [{type: Accepted, status: "True", observedGeneration: 1}, {type: ResolvedRefs, status: "True", observedGeneration: 1}]}, {parentRef: {name: b}, conditions: [{type: Accepted, status: "True", observedGeneration: 1}, {type: ResolvedRefs, status: "True", observedGeneration: 1}]}]}}`},
		{"conventions", `{apiVersion: example.com/v1, kind: Thing, metadata: {generation: 1}, status: {observedGeneration: 1, conditions: [{type: Synced, status: "True"}, {type: Ready, status: "True"}]}}`},
		{"ConfigMap", `{apiVersion: v1, kind: ConfigMap, data: {a: b}}`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			obj := parse(b, bb.name, bb.object)
			b.ReportAllocs()
			for b.Loop() {
				(*Judge)(nil).Of(obj)
			}
		})
	}
}

func TestLongMessagesAreClipped(t *testing.T) {
	long := strings.Repeat("ä", maxMessage)
	own := checks{"Thing": func(*unstructured.Unstructured) (Status, error) { return Status{"Degraded", long}, nil }}
	obj := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "example.com/v1", "kind": "Thing"}}
	got, _ := NewJudge(own, true).Of(obj)
	if n := len(got.Message); n > maxMessage+len("…") || !strings.HasPrefix(long, strings.TrimSuffix(got.Message, "…")) || !utf8.ValidString(got.Message) {
		t.Errorf("a message of %d bytes", n)
	}
}
