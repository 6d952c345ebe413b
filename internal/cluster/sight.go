// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"slices"

	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/topology"
)

// mode is how much of a kind's objects is asked for and kept.
type mode int

// The modes, each of which holds what the one before holds.
const (
	watchMetadata mode = iota // metadata over the wire: whose objects are, and what they descend from
	watchSummary              // whole objects over the wire; of descendants of ours what a tree shows of them
	watchFull                 // and the objects themselves, where they are marked or asked for
)

// sight is an object as the store reads it, before it takes the lock.
type sight struct {
	item
	n      nsName
	owner  string
	links  links
	detail packed
	use    *topology.PodFacts
}

// read makes of an object what the store keeps of it.
func (k *kind) read(it item) sight {
	s := sight{item: it, n: nsName{it.meta.Namespace, it.meta.Name}}
	key := k.key(s.n)
	s.owner = intern(k.tracker.Owner(key, it.meta.marks(k.tracker)))
	s.links = linksOf(key, &it)
	if k.mode == watchMetadata {
		return s
	}
	if k.holdsPods() {
		s.use = topology.ReadPod(it.raw)
	}
	// Of marked objects the whole is kept, of foreign ones nothing; the rest is read when it comes, for it is not kept.
	if k.describe != nil && s.owner == "" && (k.alwaysShown() || k.index.mayBeOurs(s.n.namespace, s.links)) {
		s.detail = k.describe(it.raw)
	}
	return s
}

func (k *kind) holdsPods() bool { return k.res.GVK.Group == "" && k.res.GVK.Kind == "Pod" }

// alwaysShown reports whether trees show something of the kind's objects although they descend from nothing: the hosts
// that Pods run on.
func (k *kind) alwaysShown() bool { return k.res.GVK.Group == "" && k.res.GVK.Kind == "Node" }

// linksOf reads an object's parents, by its ownerReferences and by inference, and the roles it has for others.
func linksOf(key object.Key, it *item) links {
	var l links
	add := func(to *[]uid, id uid) {
		if !slices.Contains(*to, id) {
			*to = append(*to, id)
		}
	}
	for _, ref := range it.meta.OwnerReferences {
		add(&l.parents, uidOf(ref.UID))
	}
	inferred := topology.Infer(key, it.meta.Labels, it.meta.Annotations)
	for _, id := range inferred.UIDs {
		add(&l.parents, uidOf(string(id)))
	}
	for _, role := range inferred.Roles {
		add(&l.parents, roleUID(role))
	}
	var claims []string
	if key.Group == "apps" && key.Kind == "StatefulSet" {
		claims = claimsOf(it.raw)
	}
	for _, role := range topology.Roles(key, claims) {
		add(&l.roles, roleUID(role))
	}
	return l
}

// claimsOf returns the names of a StatefulSet's volumeClaimTemplates; none can be read of its metadata alone.
func claimsOf(raw []byte) []string {
	var set struct {
		Spec struct {
			Templates []struct {
				Metadata struct {
					Name string `json:"name"`
				} `json:"metadata"`
			} `json:"volumeClaimTemplates"`
		} `json:"spec"`
	}
	if unmarshal(raw, &set) != nil {
		return nil
	}
	var out []string
	for _, t := range set.Spec.Templates {
		out = append(out, t.Metadata.Name)
	}
	return out
}

// entryOf makes the entry of an object. The lock is held.
func (k *kind) entryOf(s sight) *entry {
	e := newEntry(&s.meta)
	e.use = s.use
	if s.owner != "" {
		e.rest().owner = s.owner
		if k.mode != watchFull {
			k.markMet()
		}
	}
	if !s.detail.empty() {
		e.rest().detail = s.detail
	}
	if _, wanted := k.wanted[s.n]; wanted || (s.owner != "" && k.mode != watchMetadata) {
		e.rest().body = pack(s.raw)
	}
	return e
}

// fill keeps what an entry lacks of the version it is of: the body of an object that was asked for since, the detail of
// one that turned out to descend from ours. The lock is held.
func (k *kind) fill(e *entry, s sight) {
	if _, wanted := k.wanted[s.n]; wanted && e.body().empty() {
		e.rest().body = pack(s.raw)
	}
	if !s.detail.empty() && e.detail().empty() {
		e.rest().detail = s.detail
	}
}

// tellLoose publishes that the orphans of a namespace may be others now. Before the kind was listed once KindSynced
// stands for it.
func (k *kind) tellLoose(namespace string) {
	if k.said == saidNothing {
		return
	}
	k.feed.publish(Change{Key: object.Key{Namespace: namespace}, Event: OrphansChanged, At: k.clock.Now()})
}
