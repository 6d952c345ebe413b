// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/internal/topology"
)

// entry is one object in the store, as small as it can be: most objects of a cluster are somebody else's. It is
// replaced, never changed, but for what is read of the same version later (body, detail, versions).
type entry struct {
	id       uid
	num      uint64             // resourceVersion; 0: more.odd has it
	use      *topology.PodFacts // of a Pod: what it takes of its host
	more     *more              // nil for most objects that are not ours
	created  uint32             // seconds since 1970
	deleting bool
	linked   bool // the index has a node of it
}

// more is what only some entries have.
type more struct {
	owner    string
	body     packed            // empty: metadata only
	detail   packed            // what a tree shows of it, a topology.Detail as JSON; empty: not read
	versions map[string]packed // the object in other versions than the watched one, at this resourceVersion
	odd      *odd
}

// odd are identifiers in a form that API servers do not usually give them.
type odd struct{ uid, rv string }

func newEntry(m *itemMeta) *entry {
	e := &entry{id: uidOf(m.UID), deleting: m.DeletionTimestamp != nil, created: m.created()}
	num, err := strconv.ParseUint(m.ResourceVersion, 10, 64)
	if err == nil && strconv.FormatUint(num, 10) == m.ResourceVersion {
		e.num = num
	}
	if _, ok := parseUUID(m.UID); !ok || e.num == 0 {
		e.rest().odd = &odd{uid: m.UID, rv: m.ResourceVersion}
	}
	return e
}

// rest returns more, to write into.
func (e *entry) rest() *more {
	if e.more == nil {
		e.more = &more{}
	}
	return e.more
}

func (e *entry) uid() string {
	if e.more != nil && e.more.odd != nil {
		return e.more.odd.uid
	}
	return e.id.String()
}

func (e *entry) rv() string {
	if e.more != nil && e.more.odd != nil {
		return e.more.odd.rv
	}
	return strconv.FormatUint(e.num, 10)
}

// is reports whether the entry is that object, at that version.
func (e *entry) is(m *itemMeta) bool { return e.id == uidOf(m.UID) && e.rv() == m.ResourceVersion }

// owner is the instance name that the object's mark gives; "" for none, and for no entry.
func (e *entry) owner() string {
	if e == nil || e.more == nil {
		return ""
	}
	return e.more.owner
}

// takes is what a Pod takes of its host; nil for other objects, and for no entry.
func (e *entry) takes() *topology.PodFacts {
	if e == nil {
		return nil
	}
	return e.use
}

func (e *entry) body() packed {
	if e.more == nil {
		return packed{}
	}
	return e.more.body
}

func (e *entry) version(name string) packed {
	if e.more == nil {
		return packed{}
	}
	return e.more.versions[name]
}

func (e *entry) detail() packed {
	if e.more == nil {
		return packed{}
	}
	return e.more.detail
}

func (e *entry) createdAt() *metav1.Time {
	if e.created == 0 {
		return nil
	}
	at := metav1.Unix(int64(e.created), 0).UTC()
	return &metav1.Time{Time: at}
}
