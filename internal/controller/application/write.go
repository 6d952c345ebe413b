// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"strconv"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// writer writes what the hub says of Applications: always merge patches by manager bowline, never apply, so that an
// app-of-apps parent that applies the child's spec leaves them alone.
type writer struct {
	client  client.Client
	observe bool // write nothing
}

// patch writes the difference between before and after, and returns the object as it is then. guarded makes it fail
// with a conflict if somebody wrote meanwhile: for what must not be lost, such as a new operation.
func (w writer) patch(ctx context.Context, before, after *v1alpha1.Application, guarded bool) (*v1alpha1.Application, error) {
	if w.observe || equality.Semantic.DeepEqual(before, after) {
		return before, nil
	}
	p := client.MergeFrom(before)
	if guarded {
		p = client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	}
	written := after.DeepCopy()
	if err := w.client.Patch(ctx, written, p, client.FieldOwner(v1alpha1.FieldManagerHub)); err != nil {
		return before, err
	}
	return written, nil
}

// newer returns the newer of two versions of an object. The cache may lag behind our own last write; reading it alone
// would take back what was just written.
func newer(cached, written *v1alpha1.Application) *v1alpha1.Application {
	if written == nil || written.UID != cached.UID {
		return cached
	}
	a, errA := strconv.ParseUint(cached.ResourceVersion, 10, 64)
	b, errB := strconv.ParseUint(written.ResourceVersion, 10, 64)
	if errA != nil || errB != nil || a >= b {
		return cached
	}
	return written
}

// meaningful reports whether two statuses differ in more than the time of the comparison.
func meaningful(before, after *v1alpha1.ApplicationStatus) bool {
	a, b := *before, *after
	a.ReconciledAt, b.ReconciledAt = nil, nil
	return !equality.Semantic.DeepEqual(a, b)
}

// onlyRevision reports whether the only news is that the same content is now known under a newer revision: such a
// status may wait in the slow lane.
func onlyRevision(before, after *v1alpha1.ApplicationStatus) bool {
	a, b := *before, *after
	a.ReconciledAt, b.ReconciledAt = nil, nil
	a.Sync.Revision, b.Sync.Revision = "", ""
	a.Sync.Revisions, b.Sync.Revisions = nil, nil
	return equality.Semantic.DeepEqual(a, b)
}
