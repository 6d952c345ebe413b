// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// KindState is the state of one watched kind. Of a kind that is watched in several namespaces counts are sums, and the
// rest is that of the namespace which does worst.
type KindState struct {
	Kind      schema.GroupVersionKind // in the watched version
	Synced    bool
	Reason    string // why not
	Objects   int
	LastEvent time.Time     // last sign of life of its oldest watch: an event, a bookmark, its opening
	Age       time.Duration // since LastEvent; 0 if there was none

	Mode     string // how much of its objects is asked for and kept: full, summary or metadata
	Streamed bool   // the last list came as a stream
	Lists    int    // begun
	Watches  int    // ended: each that ends is followed by another
	Silent   int    // watches given up because nothing came, bookmarks neither
	Probes   int    // comparisons with a fresh list
	Repairs  int    // of these that made the kind be listed anew
	Failures int    // in a row; 0: it works
	Retry    time.Time
}

// Kinds returns the state of every watched kind, sorted.
func (c *Cluster) Kinds() []KindState {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]KindState, 0, len(c.kinds))
	for _, k := range c.kinds {
		out = append(out, k.report())
	}
	slices.SortFunc(out, func(a, b KindState) int { return strings.Compare(a.Kind.String(), b.Kind.String()) })
	for i := range out {
		out[i].Repairs = c.probes.count(out[i].Kind.GroupKind())
	}
	return out
}

func (k *kind) report() KindState {
	k.mu.RLock()
	defer k.mu.RUnlock()
	state := KindState{Kind: k.res.GVK, Mode: k.mode.String(), Objects: len(k.objects)}
	state.Synced, state.Reason = k.state()
	for _, s := range k.scopes {
		if state.LastEvent.IsZero() || s.lastEvent.Before(state.LastEvent) {
			state.LastEvent = s.lastEvent
		}
	}
	if !state.LastEvent.IsZero() {
		state.Age = max(0, k.clock.Since(state.LastEvent))
	}
	for _, r := range k.watches {
		r.addTo(&state)
	}
	return state
}

func (r *reflector) addTo(state *KindState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	state.Streamed = r.record.streamed
	state.Lists += r.record.lists
	state.Watches += r.record.watches
	state.Silent += r.record.silent
	state.Probes += r.record.probes
	if r.record.failures > state.Failures {
		state.Failures, state.Retry = r.record.failures, r.record.retry
	}
}

// Report is what there is to know about a connection, for people and metrics. Making one costs nothing until somebody
// asks.
type Report struct {
	Server, Name string
	Connection   Connection
	Inventory    Inventory
	APIResources int // kinds the cluster serves; 0 before it answered
	Kinds        []KindState
	LeftOut      map[schema.GroupKind]string // kinds that the account may not list, where the settings say to leave them out
	Pending      int                         // changes that nobody has taken from the feed yet
	Waiting      time.Duration               // how long the oldest of them waits
}

// Report says how the connection is doing.
func (c *Cluster) Report() Report {
	r := Report{Server: c.cfg.Server, Name: c.cfg.Name, Connection: c.Connection(), Inventory: c.Inventory(), Kinds: c.Kinds(), LeftOut: c.leftOut()}
	if cat := c.snapshot(); cat != nil {
		r.APIResources = len(cat.kinds)
	}
	var oldest time.Time
	if r.Pending, oldest = c.feed.backlog(); r.Pending > 0 {
		r.Waiting = max(0, c.opts.Clock.Since(oldest))
	}
	return r
}

func (m mode) String() string { return [...]string{"metadata", "summary", "full"}[m] }
