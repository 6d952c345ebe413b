// SPDX-License-Identifier: Apache-2.0

package application

import (
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// settleNote takes the note of waiting deletions away once there is nothing left that could be deleted: they were approved and
// done, or what they are about is desired again. Nothing of that is known before everything was compared.
func (p *pass) settleNote() {
	if _, noted := p.next.Annotations[v1alpha1.AnnotationDeletionPlan]; !noted || !p.compared || !p.complete {
		return
	}
	if slices.ContainsFunc(p.st.table.inOrder(), func(r *row) bool { return r.verdict == Extra }) {
		return
	}
	delete(p.next.Annotations, v1alpha1.AnnotationDeletionPlan)
	p.st.waiting = ""
}
