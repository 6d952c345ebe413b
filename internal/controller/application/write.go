// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"reflect"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	if w.observe || unchanged(before, after) {
		return before, nil
	}
	was, is := changedParts(before, after)
	p := client.MergeFrom(was)
	if guarded {
		p = client.MergeFromWithOptions(was, client.MergeFromWithOptimisticLock{})
	}
	data, err := p.Data(is)
	if err != nil {
		return before, err
	}
	written := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Namespace: after.Namespace, Name: after.Name}}
	if err := w.client.Patch(ctx, written, client.RawPatch(p.Type(), data), client.FieldOwner(v1alpha1.FieldManagerHub)); err != nil {
		return before, err
	}
	written.ManagedFields = nil // as in the cache
	return written, nil
}

// changedParts returns two versions of an Application without what the hub never writes, and without the long lists that are
// the same in both: a patch is made from the JSON forms of both.
func changedParts(before, after *v1alpha1.Application) (was, is *v1alpha1.Application) {
	whole := func(app *v1alpha1.Application) *v1alpha1.Application {
		return &v1alpha1.Application{ObjectMeta: app.ObjectMeta, Operation: app.Operation, Status: app.Status}
	}
	was, is = whole(before), whole(after)
	if sameResources(was.Status.Resources, is.Status.Resources) {
		was.Status.Resources, is.Status.Resources = nil, nil
	}
	if equality.Semantic.DeepEqual(was.Status.History, is.Status.History) {
		was.Status.History, is.Status.History = nil, nil
	}
	if shareResults(was.Status.OperationState, is.Status.OperationState) {
		was.Status.OperationState, is.Status.OperationState = withoutResults(was.Status.OperationState), withoutResults(is.Status.OperationState)
	}
	if nothing := (v1alpha1.ApplicationStatus{}); reflect.DeepEqual(was.Status, nothing) || reflect.DeepEqual(is.Status, nothing) {
		return whole(before), whole(after) // a status without anything has no JSON form: the patch would remove all of it
	}
	return was, is
}

// write writes the status if its meaning changed, and starts the operation that it announces.
func (p *pass) write(ctx context.Context) error {
	p.next.Status.Conditions = p.found.conditions(p.app.Status.Conditions, p.now)
	if !p.acts {
		p.observed()
		return nil
	}
	if p.refresh != "" {
		delete(p.next.Annotations, v1alpha1.AnnotationKeyRefresh)
	}
	pressed := p.reports != nil && p.reports.told.presses()
	guarded := p.guard || p.refresh != "" || p.app.Operation != nil && p.next.Operation == nil
	switch {
	case p.finished || p.refresh != "":
		// Clients wait for a comparison newer than the end of the operation, or than their request.
		p.next.Status.ReconciledAt = &p.now
	case meaningful(&p.app.Status, &p.next.Status):
		p.next.Status.ReconciledAt = &p.now
	}
	if !p.urgent && onlyRevision(&p.app.Status, &p.next.Status) && meaningful(&p.app.Status, &p.next.Status) && !guarded && p.launch == nil && !pressed {
		// Nothing but the name of the revision is new: it follows at a bounded rate.
		p.slow.add(p.st.id)
		return nil
	}
	if p.st.quiet(p.Clock.Now()) && !guarded && p.launch == nil && !p.finished && !pressed {
		p.requeue(writesDuringOperation)
		return nil
	}
	written, err := p.writer.patch(ctx, p.app, p.next, guarded)
	if err != nil {
		return err
	}
	p.st.wrote(written, p.Clock.Now())
	p.reportWritten()
	if overtaken(p.next, written) {
		p.requeue(time.Millisecond) // whoever watches may be told of our write alone, which is no news
	}
	p.tell(written)
	if p.keepHistory {
		p.pinHistory(written)
	}
	if p.launch != nil {
		p.begin(p.launch)
	}
	return nil
}

// overtaken reports whether somebody else wrote between our read and our write, of what the hub acts on.
func overtaken(next, written *v1alpha1.Application) bool {
	return next.DeletionTimestamp.IsZero() != written.DeletionTimestamp.IsZero() || (next.Operation == nil) != (written.Operation == nil) ||
		!equality.Semantic.DeepEqual(next.Annotations, written.Annotations) || !equality.Semantic.DeepEqual(next.Spec, written.Spec)
}

// unchanged reports whether nothing of what the hub writes differs.
func unchanged(before, after *v1alpha1.Application) bool {
	return equality.Semantic.DeepEqual(before.ObjectMeta, after.ObjectMeta) && equality.Semantic.DeepEqual(before.Operation, after.Operation) &&
		before.Status.ReconciledAt.Equal(after.Status.ReconciledAt) && !meaningful(&before.Status, &after.Status)
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

// copyOf returns a copy that a pass changes into the next status. It shares the long lists of objects, which are replaced as
// a whole and never changed.
func copyOf(app *v1alpha1.Application) *v1alpha1.Application {
	shallow := *app
	resources := app.Status.Resources
	shallow.Status.Resources = nil
	var results []*v1alpha1.ResourceResult
	if state := app.Status.OperationState; state != nil && state.SyncResult != nil {
		results = state.SyncResult.Resources
		shallow.Status.OperationState = withoutResults(state)
	}
	next := shallow.DeepCopy()
	next.Status.Resources = resources
	if results != nil {
		next.Status.OperationState.SyncResult.Resources = results
	}
	return next
}

// meaningful reports whether two statuses differ in more than the time of the comparison.
func meaningful(before, after *v1alpha1.ApplicationStatus) bool {
	a, b := *before, *after
	a.ReconciledAt, b.ReconciledAt = nil, nil
	return !sameStatus(a, b)
}

// onlyRevision reports whether the only news is that the same content is now known under a newer revision: such a
// status may wait in the slow lane.
func onlyRevision(before, after *v1alpha1.ApplicationStatus) bool {
	a, b := *before, *after
	a.ReconciledAt, b.ReconciledAt = nil, nil
	a.Sync.Revision, b.Sync.Revision = "", ""
	a.Sync.Revisions, b.Sync.Revisions = nil, nil
	return sameStatus(a, b)
}

// sameStatus compares every field of two statuses. The list of objects, which may be long, is compared without
// reflection, and not at all if both share it.
func sameStatus(a, b v1alpha1.ApplicationStatus) bool {
	if !sameResources(a.Resources, b.Resources) {
		return false
	}
	a.Resources, b.Resources = nil, nil
	if shareResults(a.OperationState, b.OperationState) {
		a.OperationState, b.OperationState = withoutResults(a.OperationState), withoutResults(b.OperationState)
	}
	return equality.Semantic.DeepEqual(a, b)
}

// shared reports whether two lists are one.
func shared[T any](a, b []T) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

func sameResources(a, b []v1alpha1.ResourceStatus) bool {
	return shared(a, b) || slices.EqualFunc(a, b, sameResource)
}

func sameResource(a, b v1alpha1.ResourceStatus) bool {
	healthA, healthB := a.Health, b.Health
	a.Health, b.Health = nil, nil
	return a == b && equality.Semantic.DeepEqual(healthA, healthB)
}

// shareResults reports whether two records of operations have one list of results.
func shareResults(a, b *v1alpha1.OperationState) bool {
	return a != nil && b != nil && a.SyncResult != nil && b.SyncResult != nil && shared(a.SyncResult.Resources, b.SyncResult.Resources)
}

func withoutResults(s *v1alpha1.OperationState) *v1alpha1.OperationState {
	short, result := *s, *s.SyncResult
	result.Resources, short.SyncResult = nil, &result
	return &short
}
