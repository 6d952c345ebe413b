// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// HoldRequest is why automated sync is to leave what is desired now where it is.
type HoldRequest struct {
	Reason string
	// Until is when the hold ends by itself; zero means not by time.
	Until time.Time
	// Username is who asks, as far as the caller knows; "" asks the API server.
	Username string
}

// Hold implements Applications. The controller fills in which rendered state it is about.
func (d *Direct) Hold(ctx context.Context, name string, request HoldRequest) (*v1alpha1.Application, error) {
	request.Username = cmp.Or(request.Username, d.whoami(ctx))
	return d.update(ctx, name, "hold", func(app *v1alpha1.Application) (Change, error) { return request.Change(app, d.now()) })
}

// Change is what a hold writes.
func (r HoldRequest) Change(app *v1alpha1.Application, now time.Time) (Change, error) {
	if app.DeletionTimestamp != nil {
		return nil, refusal("hold", app)(fault.Mistake, "it is being deleted", "")
	}
	hold := bowline.Hold{Revisions: revisionsOf(app.Status.Sync.Revision, app.Status.Sync.Revisions), Reason: r.Reason,
		By: r.Username, Since: now.UTC().Truncate(time.Second), Until: r.Until}
	if before, err := bowline.ParseHold(app.Annotations[v1alpha1.AnnotationHold]); err == nil {
		hold.History = before.History
	}
	return annotate(v1alpha1.AnnotationHold, hold.String()), nil
}

// Release implements Applications.
func (d *Direct) Release(ctx context.Context, name string) (*v1alpha1.Application, error) {
	return d.update(ctx, name, "end the hold of", ReleaseChange)
}

// ReleaseChange is what the end of a hold writes.
func ReleaseChange(app *v1alpha1.Application) (Change, error) {
	if _, held := app.Annotations[v1alpha1.AnnotationHold]; !held {
		return nil, refusal("end the hold of", app)(fault.Mistake, "it is not held", "")
	}
	return annotate(v1alpha1.AnnotationHold, nil), nil
}

// Terminate implements Applications.
func (d *Direct) Terminate(ctx context.Context, name string) (*v1alpha1.Application, error) {
	return d.update(ctx, name, "terminate the operation of", TerminateChange)
}

// TerminateChange is what a request to end the operation under way writes.
func TerminateChange(app *v1alpha1.Application) (Change, error) {
	state := app.Status.OperationState
	out := Change{}
	if app.Operation != nil {
		out["operation"] = nil
	}
	if state != nil && !state.Phase.Completed() {
		out["status"] = Change{"operationState": Change{"phase": v1alpha1.OperationTerminating}}
	}
	if len(out) == 0 {
		return nil, refusal("terminate the operation of", app)(fault.Mistake, "none is in progress", "see `bowline app get`")
	}
	return out, nil
}

// selfSubjectReview is the kind that tells a client who it is; every user who is known may ask.
var selfSubjectReview = schema.GroupVersionKind{Group: "authentication.k8s.io", Version: "v1", Kind: "SelfSubjectReview"}

// whoami returns the name by which the API server knows this client; "" if it does not say.
func (d *Direct) whoami(ctx context.Context) string {
	review := &unstructured.Unstructured{}
	review.SetGroupVersionKind(selfSubjectReview)
	if err := d.kube.Create(ctx, review); err != nil {
		return ""
	}
	name, _, _ := unstructured.NestedString(review.Object, "status", "userInfo", "username")
	return name
}
