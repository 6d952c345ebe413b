// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// DeletionPlan makes the plan of the hooks of one type, PreDelete or PostDelete, that run when the application itself is
// deleted: one phase of that name, with waves, and nothing else. A plan without phases means that there are none.
func DeletionPlan(in Input, t v1alpha1.HookType) (Plan, error) {
	if t != v1alpha1.HookTypePreDelete && t != v1alpha1.HookTypePostDelete {
		return Plan{}, fault.New(fault.Bug, "plan", "the hooks of a deletion", "", string(t)+" is none of them", "")
	}
	in.Selection = nil
	b := newBuilder(in)
	phase := v1alpha1.SyncPhase(t)
	for i := range in.Items {
		item := &in.Items[i]
		if item.Desired == nil {
			continue
		}
		if hooks, _ := Hooks(item.Desired); slices.Contains(hooks, t) {
			b.hook(item, t, phase)
		}
	}
	b.order([]v1alpha1.SyncPhase{phase})
	return b.plan, nil
}
