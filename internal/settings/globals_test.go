// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

func TestGlobalsOf(t *testing.T) {
	s, errs := Defaults().With(map[string]string{"globalProjects": `
- projectName: labelled
  labelSelector: {matchLabels: {team: a}}
- projectName: in
  labelSelector: {matchExpressions: [{key: team, operator: In, values: [a, b]}]}
- projectName: not-in
  labelSelector: {matchExpressions: [{key: team, operator: NotIn, values: [a]}]}
- projectName: exists
  labelSelector: {matchExpressions: [{key: team, operator: Exists}]}
- projectName: absent
  labelSelector: {matchExpressions: [{key: team, operator: DoesNotExist}]}
- projectName: in
  labelSelector: {}
`}, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, tt := range []struct{ project, team, want string }{
		{"shop", "a", "labelled in exists"},
		{"shop", "b", "in not-in exists"},
		{"shop", "", "not-in absent in"},
		{"in", "a", "labelled exists"},
	} {
		p := &v1alpha1.AppProject{}
		p.Name = tt.project
		if tt.team != "" {
			p.Labels = map[string]string{"team": tt.team}
		}
		if got := s.GlobalsOf(p); !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("%s of team %q: got %v, want %s", tt.project, tt.team, got, tt.want)
		}
	}
	for _, wrong := range []string{"{", "- labelSelector: {}", "- projectName: x\n  labelSelector: {matchExpressions: [{key: a, operator: Like}]}"} {
		next, errs := s.With(map[string]string{"globalProjects": wrong}, nil)
		if len(errs) != 1 || len(next.Globals) != len(s.Globals) {
			t.Errorf("%q: got %v and %d entries, want it told and the former ones", wrong, errs, len(next.Globals))
		}
	}
}
