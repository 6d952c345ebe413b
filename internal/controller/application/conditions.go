// SPDX-License-Identifier: Apache-2.0

package application

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// conditionWarning is a condition of our own: something about the comparison that a person should know and that does
// not stop operations. Argo CD's clients show any type; only those that end in Error count as errors there.
const conditionWarning v1alpha1.ApplicationConditionType = "ComparisonWarning"

// findings gathers the conditions of one reconcile.
type findings struct {
	messages map[v1alpha1.ApplicationConditionType][]string
}

func (f *findings) add(t v1alpha1.ApplicationConditionType, message string) {
	if f.messages == nil {
		f.messages = map[v1alpha1.ApplicationConditionType][]string{}
	}
	f.messages[t] = append(f.messages[t], message)
}

// fail adds every error of a tree of joined errors, each under the condition its kind asks for, so that two mistakes
// are told at once.
func (f *findings) fail(err error) {
	var joined interface{ Unwrap() []error }
	var single *fault.Error
	if !errors.As(err, &single) || !strings.HasPrefix(err.Error(), single.Error()) || strings.Contains(err.Error(), "\n") {
		if errors.As(err, &joined) {
			for _, e := range joined.Unwrap() {
				f.fail(e)
			}
			return
		}
	}
	f.add(fault.ConditionType(err), err.Error())
}

func (f *findings) has(types ...v1alpha1.ApplicationConditionType) bool {
	return slices.ContainsFunc(types, func(t v1alpha1.ApplicationConditionType) bool { return len(f.messages[t]) > 0 })
}

// maxMessages bounds what one condition says: a thousand objects with the same trouble must not outgrow the resource.
const maxMessages = 20

func joined(messages []string) string {
	more := len(messages) - maxMessages
	if more <= 0 {
		return strings.Join(messages, "\n")
	}
	return strings.Join(messages[:maxMessages], "\n") + fmt.Sprintf("\nand %d more", more)
}

// conditions returns one condition of each type, sorted by type, each with the time of before if it says the same:
// conditions do not flap and carry no news of their own.
func (f *findings) conditions(before []v1alpha1.ApplicationCondition, now metav1.Time) []v1alpha1.ApplicationCondition {
	var out []v1alpha1.ApplicationCondition
	for t, messages := range f.messages {
		slices.Sort(messages)
		c := v1alpha1.ApplicationCondition{Type: t, Message: joined(slices.Compact(messages)), LastTransitionTime: &now}
		if i := slices.IndexFunc(before, func(b v1alpha1.ApplicationCondition) bool { return b.Type == t && b.Message == c.Message }); i >= 0 {
			c.LastTransitionTime = before[i].LastTransitionTime
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b v1alpha1.ApplicationCondition) int { return strings.Compare(string(a.Type), string(b.Type)) })
	return out
}
