// SPDX-License-Identifier: Apache-2.0

package application

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

func mistake(text string) error {
	return fault.New(fault.Mistake, "read", text, "", "it is wrong", "correct it")
}

func TestEveryErrorIsTold(t *testing.T) {
	invalid := fault.New(fault.Forbidden, "use", "project shop", "", "no", "ask")
	tests := []struct {
		reason string
		err    error
		want   []string
	}{
		{"one", mistake("a.yaml"), []string{"a.yaml"}},
		{"wrapped", fmt.Errorf("render: %w", mistake("a.yaml")), []string{"render", "a.yaml"}},
		{"two", errors.Join(mistake("a.yaml"), mistake("b.yaml")), []string{"a.yaml", "b.yaml"}},
		{"two in two", errors.Join(errors.Join(mistake("a.yaml"), invalid), mistake("b.yaml")), []string{"a.yaml", "project shop", "b.yaml"}},
		{"no kind", errors.New("plain"), []string{"plain"}},
	}
	for _, tt := range tests {
		var f findings
		f.fail(tt.err)
		var all []string
		for _, c := range f.conditions(nil, metav1.Now()) {
			all = append(all, c.Message)
		}
		for _, want := range tt.want {
			if !strings.Contains(strings.Join(all, "\n"), want) {
				t.Errorf("%s: got %q, want it to name %q", tt.reason, all, want)
			}
		}
	}
}

func TestConditionsDoNotFlap(t *testing.T) {
	then, now := metav1.NewTime(time.Unix(100, 0)), metav1.NewTime(time.Unix(200, 0))
	var f findings
	f.add(v1alpha1.ApplicationConditionComparisonError, "b")
	f.add(v1alpha1.ApplicationConditionComparisonError, "a")
	f.add(v1alpha1.ApplicationConditionComparisonError, "b")
	first := f.conditions(nil, then)
	if len(first) != 1 || first[0].Message != "a\nb" {
		t.Fatalf("got %+v", first)
	}
	var g findings
	for _, text := range []string{"a", "b"} {
		g.add(v1alpha1.ApplicationConditionComparisonError, text)
	}
	if again := g.conditions(first, now); !again[0].LastTransitionTime.Equal(&then) {
		t.Errorf("the same in another order has a new time: %v", again[0].LastTransitionTime)
	}
	g.add(v1alpha1.ApplicationConditionComparisonError, "c")
	if news := g.conditions(first, now); !news[0].LastTransitionTime.Equal(&now) {
		t.Errorf("another message has the old time: %v", news[0].LastTransitionTime)
	}
}

func TestAConditionIsBounded(t *testing.T) {
	var f findings
	for i := range 1000 {
		f.add(conditionWarning, fmt.Sprintf("object %03d", i))
	}
	message := f.conditions(nil, metav1.Now())[0].Message
	if lines := strings.Split(message, "\n"); len(lines) != maxMessages+1 || lines[maxMessages] != "and 980 more" {
		t.Errorf("got %d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestAnApplicationWithoutSourceIsToldWhatItLacks(t *testing.T) {
	app := &v1alpha1.Application{}
	if got := noSource(app); !strings.HasPrefix(got, "spec.source is missing") {
		t.Error(got)
	}
	app.Spec.SourceHydrator = &v1alpha1.SourceHydrator{}
	if got := noSource(app); !strings.HasPrefix(got, "spec.sourceHydrator is not served") {
		t.Error(got)
	}
}
