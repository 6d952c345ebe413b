// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/object"
)

// SeekOrphans says in which namespaces somebody (an application, by its instance name) looks for orphans from now on; none
// ends it. While anybody looks, metadata of every namespaced kind is watched. It is cheap to call again.
func (c *Cluster) SeekOrphans(who string, namespaces ...string) {
	namespaces = slices.Clone(namespaces)
	slices.Sort(namespaces)
	namespaces = slices.Compact(namespaces)
	c.mu.Lock()
	if slices.Equal(c.view.seekers[who], namespaces) {
		c.mu.Unlock()
		return
	}
	if c.view.seekers == nil {
		c.view.seekers = map[string][]string{}
	}
	if c.view.seekers[who] = namespaces; len(namespaces) == 0 {
		delete(c.view.seekers, who)
	}
	sought := map[string]struct{}{}
	for _, namespaces := range c.view.seekers {
		for _, namespace := range namespaces {
			sought[namespace] = struct{}{}
		}
	}
	fresh := c.index.seek(sought)
	c.mu.Unlock()
	c.gather(fresh)
	c.reconcile()
}

// gather notes what the store already holds of namespaces in which nobody looked for orphans until now.
func (c *Cluster) gather(namespaces []string) {
	if len(namespaces) == 0 {
		return
	}
	fresh := map[string]struct{}{}
	for _, namespace := range namespaces {
		fresh[namespace] = struct{}{}
	}
	for _, k := range c.watching() {
		if k.res.Namespaced {
			k.mu.RLock()
			if !k.gone {
				c.index.gather(k, fresh)
			}
			k.mu.RUnlock()
		}
	}
}

// Orphans are the objects of some namespaces that belong to nobody.
type Orphans struct {
	Objects []Orphan // sorted by key
	// Complete: every namespaced kind of the cluster was looked at. Otherwise there may be more, and Reason says why.
	Complete bool
	Reason   string
	// Pending: what is missing is being listed at this moment. Otherwise waiting may be in vain.
	Pending bool
}

// Orphan is a top-level object without a living owner.
type Orphan struct {
	Key     object.Key
	Version string
	UID     types.UID
	Owner   string // instance name its mark gives: of an application that is not there any more
}

// Orphans returns the objects of namespaces in which somebody looks for orphans (SeekOrphans) that have no parent and
// carry no mark, or that of an application that is not alive. alive may be nil: then every mark counts. counts says
// which objects may be orphans at all; nil means all.
func (c *Cluster) Orphans(namespaces []string, alive func(app string) bool, counts func(object.Key) bool) Orphans {
	if alive == nil {
		alive = func(string) bool { return true }
	}
	reason, pending := c.stale(), false
	if reason == "" {
		reason, pending = c.unlisted(func(_ schema.GroupKind, n need) bool { return n.res.Namespaced })
	}
	if reason == "" {
		reason = c.hidden(namespaces)
	}
	reason, pending = c.link.explain(reason, pending)
	out := Orphans{Complete: reason == "", Reason: reason, Pending: pending}
	for _, at := range c.index.unowned(namespaces, alive) {
		key := at.kind.key(at.n)
		if counts != nil && !counts(key) {
			continue
		}
		at.kind.mu.RLock()
		if e := at.kind.objects[at.n]; e != nil {
			out.Objects = append(out.Objects, Orphan{Key: key, Version: at.kind.res.GVK.Version, UID: types.UID(e.uid()), Owner: e.owner()})
		}
		at.kind.mu.RUnlock()
	}
	slices.SortFunc(out.Objects, func(a, b Orphan) int { return a.Key.Compare(b.Key) })
	return out
}

// hidden says what keeps orphans of these namespaces out of sight although every kind is listed: "" if nothing does.
func (c *Cluster) hidden(namespaces []string) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if len(c.view.seekers) == 0 {
		return "nobody looks for orphans"
	}
	for _, namespace := range namespaces {
		if len(c.cfg.Namespaces) > 0 && !slices.Contains(c.cfg.Namespaces, namespace) {
			return "cluster " + c.cfg.Name + " is limited to namespaces, and " + namespace + " is not among them"
		}
	}
	for _, gv := range sortedGVs(c.catalog.failed) {
		return "the API group version " + gv.String() + " does not answer: " + c.catalog.failed[gv]
	}
	return ""
}

// unowned returns the top-level objects of the namespaces that have no living owner.
func (x *index) unowned(namespaces []string, alive func(string) bool) []place {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var out []place
	for _, namespace := range namespaces {
		for owner, places := range x.loose[namespace] {
			if owner == "" || !alive(owner) {
				out = slices.AppendSeq(out, maps.Keys(places))
			}
		}
	}
	return out
}

// SetJudge replaces the judge of what trees show. Everything that was judged is judged anew.
func (c *Cluster) SetJudge(j *health.Judge) {
	if c.judging.Swap(j) != j {
		c.reread()
	}
}
