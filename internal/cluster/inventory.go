// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Inventory says how far the knowledge of what is in the cluster goes.
type Inventory struct {
	// Complete: each listable kind has answered or is named in Unlistable. Only then does Owned name everything an
	// application owns, those kinds apart.
	Complete bool
	At       time.Time // of the last full sweep
	Reason   string    // why it is not complete
	// Unlistable are kinds that cannot be listed, with the reason: what they hold is unknown.
	Unlistable map[schema.GroupKind]string
	// UnknownGroups are API group versions whose kinds cannot even be told, with the reason.
	UnknownGroups map[schema.GroupVersion]string
	Version       string // of the API server, "v1.36.3"
}

// Inventory says what is known now.
func (c *Cluster) Inventory() Inventory {
	inv, waiting := c.inspect()
	c.sweep.mu.Lock()
	defer c.sweep.mu.Unlock()
	inv.At = c.sweep.at
	if inv.Reason = c.stale(); inv.Reason != "" {
		return inv
	}
	if inv.Complete = c.sweep.complete; !inv.Complete {
		inv.Reason = waiting
	}
	return inv
}

// inspect collects what cannot be listed, and what the inventory still waits for ("" for nothing).
func (c *Cluster) inspect() (inv Inventory, waiting string) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	inv = Inventory{Version: c.version, Unlistable: map[schema.GroupKind]string{}}
	if c.catalog == nil {
		return inv, "the cluster has not answered yet"
	}
	inv.UnknownGroups = maps.Clone(c.catalog.failed)
	var open []string
	c.sweep.mu.Lock()
	for gk, a := range c.sweep.answers {
		switch a.state {
		case pending:
			open = append(open, gk.String())
		case unlistable:
			inv.Unlistable[gk] = a.reason
		}
	}
	planned := len(c.sweep.answers) > 0
	c.sweep.mu.Unlock()
	for gk, k := range c.kinds {
		k.mu.RLock()
		synced, reason := k.state()
		switch {
		case synced:
		case k.said == saidUnknown && c.access.covers(gk, k.unsynced()):
		case k.said == saidUnknown:
			inv.Unlistable[gk] = reason
		default:
			open = append(open, gk.String())
		}
		k.mu.RUnlock()
	}
	if !planned {
		return inv, "the cluster has not been swept yet"
	}
	if len(open) > 0 {
		slices.Sort(open)
		open = slices.Compact(open)
		return inv, fmt.Sprintf("%d kinds are still being listed, %s among them", len(open), open[0])
	}
	return inv, ""
}

// tellInventory notes completeness, which stays once reached, and publishes when the Inventory answers differently.
func (c *Cluster) tellInventory(swept bool) {
	_, waiting := c.inspect()
	c.sweep.mu.Lock()
	if waiting == "" {
		if swept || !c.sweep.complete {
			c.sweep.at = c.opts.Clock.Now()
		}
		c.sweep.complete = true
	}
	c.sweep.mu.Unlock()
	inv := c.Inventory()
	text := fmt.Sprint(inv.Complete, inv.Unlistable, inv.UnknownGroups)
	c.sweep.mu.Lock()
	changed := c.sweep.last != text
	c.sweep.last = text
	c.sweep.mu.Unlock()
	if changed {
		c.feed.publish(Change{Event: InventoryChanged, At: c.opts.Clock.Now()})
	}
}

// Sweep lists every kind that is not watched once more, now, and waits until what it found is in the store: the last
// look before a finalizer is dropped. The error is the context's.
func (c *Cluster) Sweep(ctx context.Context) (Inventory, error) {
	c.sweep.renew()
	c.planSweep()
	for {
		_, waiting := c.inspect()
		if waiting == "" {
			return c.Inventory(), nil
		}
		if err := sleep(ctx, c.opts.Clock, 20*time.Millisecond); err != nil {
			return c.Inventory(), fmt.Errorf("sweep cluster %s: %s: %w", c.cfg.Name, waiting, err)
		}
	}
}
