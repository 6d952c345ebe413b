// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/sync"
)

// clusterTarget is a cluster as syncs write to it. It implements sync.Target.
type clusterTarget struct {
	c *cluster.Cluster
	// as says on whose behalf each call is made; nil: on our own.
	as actsAs
	// letGo is asked before an object of this application is deleted; an error keeps it.
	letGo func(object.Key) error
}

// Kind implements sync.Target.
func (t clusterTarget) Kind(_ context.Context, gvk schema.GroupVersionKind) sync.Kind {
	res, presence, why := t.c.Resource(gvk)
	return sync.Kind{Served: presence == cluster.Present, Absent: presence == cluster.Absent, Namespaced: res.Namespaced, Why: why}
}

// Read implements sync.Target.
func (t clusterTarget) Read(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	ctx, err := t.behalf(ctx)
	if err != nil {
		return nil, err
	}
	return t.c.Read(ctx, gvk, namespace, name)
}

func (t clusterTarget) behalf(ctx context.Context) (context.Context, error) {
	if t.as == nil {
		return ctx, nil
	}
	return t.as(ctx)
}

// Live implements sync.Target.
func (t clusterTarget) Live(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, bool) {
	live := t.c.Get(ctx, object.Key{Group: gvk.Group, Kind: gvk.Kind, Namespace: namespace, Name: name}, gvk.Version)
	return live.Object, live.Presence != cluster.Unknown
}

// Write implements sync.Target.
func (t clusterTarget) Write(ctx context.Context, w sync.Write) (*unstructured.Unstructured, error) {
	ctx, err := t.behalf(ctx)
	if err != nil {
		return nil, err
	}
	o := cluster.WriteOptions{Manager: w.Manager, Force: w.Force, DryRun: w.DryRun}
	if w.DropUnknown {
		o.Validation = cluster.Ignore
	}
	switch w.Method {
	case sync.Create:
		return t.c.Create(ctx, w.Object, o)
	case sync.Replace:
		return t.c.Replace(ctx, w.Object, o)
	case sync.Patch:
		return t.c.Patch(ctx, w.Object.GroupVersionKind(), w.Object.GetNamespace(), w.Object.GetName(), w.PatchType, w.Patch, o)
	default:
		return t.c.Apply(ctx, w.Object, o)
	}
}

// Delete implements sync.Target.
func (t clusterTarget) Delete(ctx context.Context, d sync.Deletion) error {
	if d.Owner != "" && t.letGo != nil {
		if err := t.letGo(d.Key); err != nil {
			return err
		}
	}
	ctx, err := t.behalf(ctx)
	if err != nil {
		return err
	}
	return t.c.Delete(ctx, d.Key, cluster.DeleteOptions{
		UID: d.UID, ResourceVersion: d.ResourceVersion, Owner: d.Owner, Check: d.Check, Propagation: d.Propagation,
		Version: d.Version, DryRun: d.DryRun,
	})
}

// reasons translates the cluster's words to those of a sync.
var reasons = map[cluster.Reason]sync.Reason{
	cluster.Conflict: sync.Conflict, cluster.AlreadyExists: sync.AlreadyExists, cluster.NotFound: sync.NotFound,
	cluster.NamespaceMissing: sync.NamespaceMissing, cluster.NoSuchKind: sync.NoSuchKind, cluster.Invalid: sync.Invalid,
	cluster.ApplyRefused: sync.ApplyRefused, cluster.NotOwned: sync.NotOwned, cluster.DryRunUnsupported: sync.DryRunRefused,
	cluster.Forbidden: sync.Forbidden, cluster.QuotaExceeded: sync.QuotaExceeded, cluster.NotAdmitted: sync.NotAdmitted,
	cluster.WebhookRefused: sync.WebhookRefused, cluster.WebhookFailed: sync.WebhookFailed,
}

// Reason implements sync.Target.
func (t clusterTarget) Reason(err error) sync.Reason {
	var claimed *claimedError
	if errors.As(err, &claimed) {
		return sync.NotOwned
	}
	var e *cluster.Error
	if !errors.As(err, &e) {
		return ""
	}
	return reasons[e.Reason]
}
