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
	if p.couldDelete() {
		return
	}
	delete(p.next.Annotations, v1alpha1.AnnotationDeletionPlan)
	p.st.waiting = ""
}

// couldDelete reports whether there is something that an approval could be about: an object that is not desired, does not ask to
// be kept, and is not on its way out already.
func (p *pass) couldDelete() bool {
	return slices.ContainsFunc(p.st.table.inOrder(), func(r *row) bool { return r.verdict == Extra && !r.stays && !r.live.deleting })
}
