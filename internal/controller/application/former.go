// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
)

// Former objects were part of an application and are neither desired any more nor seen in its cluster. Not to see an object
// is no proof that it is gone: its kind may not be listable at the moment. Until somebody can tell they stay part of the
// application, as unknown, and of its status, which is all that the next process knows of them.

// former computes the row of an object that had one, is not desired any more and was not found by its mark.
func (c *comparer) former(ctx context.Context, r *row) {
	if r.verdict == Missing || r.verdict == Refused || r.verdict == Apart || c.beyond(r.key) {
		c.drop(r.key)
		return
	}
	c.extra(ctx, r.key)
}

// recollect makes rows of the objects that the status names, as far as it is not known what became of them. It is called
// when every other object has its row.
func (c *comparer) recollect(ctx context.Context, app *v1alpha1.Application) {
	if app.Status.Sync.ComparedTo.Destination != app.Spec.Destination {
		return // it is about another cluster
	}
	ctx, cancel := context.WithTimeout(ctx, comparePatience)
	defer cancel()
	for _, s := range app.Status.Resources {
		key := keyOfStatus(s)
		if c.table.rows[key] != nil || s.Hook || c.beyond(key) {
			continue
		}
		c.extra(ctx, key)
		switch r := c.table.rows[key]; {
		case r == nil:
		case r.verdict != Unknown:
			c.drop(key) // the status names it by another key than its mark
		case r.version == "":
			c.table.edit(key, func(r *row) { r.version = s.Version })
		}
	}
}

// beyond returns whether nobody waits until an object of a cluster can be seen: the settings say that it is not looked at, or
// it cannot be, as its kind lives in namespaces and it names none.
func beyond(c *cluster.Cluster) func(object.Key) bool {
	return func(key object.Key) bool {
		if c.Excluded(key.GroupKind()) || outside(c.Config(), key) {
			return true
		}
		res, presence, _ := c.Resource(key.GroupKind().WithVersion(""))
		return presence == cluster.Present && res.Namespaced && key.Namespace == ""
	}
}

// outside reports whether a connection is limited to other namespaces.
func outside(cfg cluster.Config, key object.Key) bool {
	switch {
	case len(cfg.Namespaces) == 0:
		return false
	case key.Namespace == "":
		return !cfg.ClusterResources
	default:
		return !slices.Contains(cfg.Namespaces, key.Namespace)
	}
}

func keyOfStatus(s v1alpha1.ResourceStatus) object.Key {
	return object.Key{Group: s.Group, Kind: s.Kind, Namespace: s.Namespace, Name: s.Name}
}

// unseen says of which object that a status names it is not known whether it is still there; nil: of none.
func unseen(resources []v1alpha1.ResourceStatus, beyond func(object.Key) bool, get func(object.Key) cluster.Live) error {
	for _, s := range resources {
		key := keyOfStatus(s)
		if s.Hook || beyond(key) {
			continue
		}
		if live := get(key); live.Presence == cluster.Unknown {
			return fmt.Errorf("%s was part of this application, and whether it is still there is not known: %s; give Bowline the right to list its kind, "+
				"or remove the finalizer %s to leave such objects behind", key, live.Reason, v1alpha1.ResourcesFinalizerName)
		}
	}
	return nil
}
