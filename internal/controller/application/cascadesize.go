// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// weigh notes on child Applications how many objects would go with each. It matters only if something is to be pruned.
func (p *pass) weigh(ctx context.Context, items []plan.Item) {
	prunes := false
	for i := range items {
		prunes = prunes || items[i].Desired == nil
	}
	if !prunes || p.target.Server != v1alpha1.KubernetesInternalAPIServerAddr {
		return
	}
	counted := map[string]bool{p.st.id: true}
	for i := range items {
		item := &items[i]
		if child, ok := p.childOf(item.Key); ok && item.Live != nil {
			item.Cascade = p.cascadeSize(ctx, child, counted)
		}
	}
}

// unknownSize is what counts for an application of which nobody knows what it holds: much.
const unknownSize = 1000

// cascadeSize returns how many objects go with an application: what it has in its cluster, and what goes with each Application
// among that. None go with one that has no finalizer for it. Applications in counted are left out, and it is noted there which
// were counted: two may hold each other.
func (p *pass) cascadeSize(ctx context.Context, id string, counted map[string]bool) int {
	if counted[id] {
		return 0
	}
	counted[id] = true
	app, err := p.application(ctx, id)
	if err != nil {
		return unknownSize
	}
	if app == nil {
		return 0
	}
	if _, cascade := cascadeOf(app.Finalizers); !cascade {
		return 0
	}
	keys, server := p.holds(app)
	size := len(keys)
	for _, key := range keys {
		if child, ok := p.childOf(key); ok && server == v1alpha1.KubernetesInternalAPIServerAddr {
			size += p.cascadeSize(ctx, child, counted)
		}
	}
	return size
}

// holds returns the objects of an application and where they are: those in its cluster, or those that its status lists while
// that does not know all of them.
func (p *pass) holds(app *v1alpha1.Application) (keys []object.Key, server string) {
	server = app.Spec.Destination.Server
	c, err := p.Clusters.Find(app.Spec.Destination)
	if err == nil {
		keys, server = c.Owned(p.IDOf(app)), c.Config().Server
		if c.Inventory().Complete {
			return keys, server
		}
	}
	var listed []object.Key
	for _, r := range app.Status.Resources {
		if !r.Hook {
			listed = append(listed, object.Key{Group: r.Group, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name})
		}
	}
	if len(listed) > len(keys) {
		keys = listed
	}
	return keys, server
}
