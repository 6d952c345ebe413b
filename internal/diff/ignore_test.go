// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

func ignoring(r v1alpha1.ResourceIgnoreDifferences) RuleSettings {
	return RuleSettings{Ignore: []v1alpha1.ResourceIgnoreDifferences{{Kind: "ConfigMap", JSONPointers: []string{"/data/fine"}}, r}}
}

// A rule that cannot be used is named; it is never dropped in silence.
func TestRulesThatCannotBeUsed(t *testing.T) {
	for name, c := range map[string]struct {
		settings RuleSettings
		names    string
	}{
		"pointer": {ignoring(v1alpha1.ResourceIgnoreDifferences{Kind: "Pod", JSONPointers: []string{"spec/x"}}), "spec/x"},
		"jq":      {ignoring(v1alpha1.ResourceIgnoreDifferences{Kind: "Pod", JQPathExpressions: []string{".spec["}}), ".spec["},
		"escape":  {ignoring(v1alpha1.ResourceIgnoreDifferences{Kind: "Pod", JQPathExpressions: []string{".a) | (.b"}}), ".a) | (.b"},
		"pattern": {ignoring(v1alpha1.ResourceIgnoreDifferences{Kind: "[Pod", JSONPointers: []string{"/spec"}}), "[Pod"},
		"status":  {RuleSettings{Status: "some"}, "some"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewRules(c.settings)
			if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), c.names) {
				t.Errorf("error %v; want a mistake that names %q", err, c.names)
			}
		})
	}
	_, err := ForCRD(schema.GroupVersionKind{Kind: "Thing"}, nil, []KnownType{{Field: "spec", Type: "core/v1/Nothing"}})
	if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "core/v1/Nothing") {
		t.Errorf("unknown type: %v", err)
	}
}

func TestPatternsMatchWholeNames(t *testing.T) {
	u := parse(t, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web-1, namespace: shop}}")
	for _, c := range []struct {
		rule v1alpha1.ResourceIgnoreDifferences
		want bool
	}{
		{v1alpha1.ResourceIgnoreDifferences{Group: "apps", Kind: "Deployment"}, true},
		{v1alpha1.ResourceIgnoreDifferences{Group: "*", Kind: "*"}, true},
		{v1alpha1.ResourceIgnoreDifferences{Kind: "Deployment"}, false}, // the core group
		{v1alpha1.ResourceIgnoreDifferences{Group: "apps", Kind: "Deploy"}, false},
		{v1alpha1.ResourceIgnoreDifferences{Group: "apps", Kind: "Deploy*", Name: "web-?", Namespace: "{shop,test}"}, true},
		{v1alpha1.ResourceIgnoreDifferences{Group: "apps", Kind: "Deployment", Name: "web"}, false},
		{v1alpha1.ResourceIgnoreDifferences{Group: "apps", Kind: "Deployment", Namespace: "test"}, false},
	} {
		compiled, err := compileRule(c.rule, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := compiled.matches(u); got != c.want {
			t.Errorf("%+v matches: %v, want %v", c.rule, got, c.want)
		}
	}
}

// An expression that does not end leaves the verdict open and names the rule.
func TestEndlessExpression(t *testing.T) {
	s := ignoring(v1alpha1.ResourceIgnoreDifferences{Kind: "ConfigMap", JQPathExpressions: []string{"last(repeat(.data))"}})
	s.JQTimeout = time.Millisecond
	rules, err := NewRules(s)
	if err != nil {
		t.Fatal(err)
	}
	in := applied(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: x}}",
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: x}}")
	in.Rules = rules
	if r := Compare(in); r.Verdict != Unknown || !strings.Contains(r.Reason, "last(repeat(.data))") {
		t.Errorf("%s: %s", r.Verdict, r.Reason)
	}
}

// Expressions may run elsewhere; a failure there is not "nothing to ignore".
func TestExpressionsElsewhere(t *testing.T) {
	s := ignoring(v1alpha1.ResourceIgnoreDifferences{Kind: "ConfigMap", JQPathExpressions: []string{".data.a"}})
	var failure error
	s.FindPaths = func(_ context.Context, expression string, _ map[string]any, _ time.Duration) ([][]any, error) {
		if expression != ".data.a" {
			t.Errorf("asked for %q", expression)
		}
		return [][]any{{"data", "a"}}, failure
	}
	rules, err := NewRules(s)
	if err != nil {
		t.Fatal(err)
	}
	in := applied(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: x}}",
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: y}}")
	in.Rules = rules
	if r := Compare(in); r.Verdict != Same {
		t.Errorf("%s: %s", r.Verdict, r.Reason)
	}
	failure = errors.New("worker gone")
	if r := Compare(in); r.Verdict != Unknown || !strings.Contains(r.Reason, "worker gone") {
		t.Errorf("%s: %s", r.Verdict, r.Reason)
	}
}

func TestSlicesOfLists(t *testing.T) {
	in := applied(t, "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: x, args: [q, r, s, t]}]}}",
		"{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: x, args: [q, other, else, t]}]}}")
	rules, err := NewRules(ignoring(v1alpha1.ResourceIgnoreDifferences{Kind: "Pod", JQPathExpressions: []string{".spec.containers[0].args[1:3] # the middle"}}))
	if err != nil {
		t.Fatal(err)
	}
	if r := Compare(in); r.Verdict == Same {
		t.Error("without the rule: same")
	}
	in.Rules = rules
	if r := Compare(in); r.Verdict != Same {
		t.Errorf("%s: %+v", r.Verdict, r.Changes)
	}
}
