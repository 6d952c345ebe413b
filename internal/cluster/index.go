// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"maps"
	"slices"
	"sync"

	"github.com/bowline-cd/bowline/internal/object"
)

// index answers "what does this application own" and "what did this object create" without a walk over the store.
type index struct {
	mu       sync.RWMutex
	owned    map[string]map[object.Key]struct{} // instance name → objects with its mark
	children map[string]map[object.Key]struct{} // uid → objects with an ownerReference to it
}

func newIndex() *index {
	return &index{owned: map[string]map[object.Key]struct{}{}, children: map[string]map[object.Key]struct{}{}}
}

// move replaces what the index says of key: from the state of before (nil: was not there) to that of after.
func (x *index) move(key object.Key, before, after *entry) {
	if before.sameLinks(after) {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if before != nil {
		remove(x.owned, before.owner, key)
		for _, uid := range before.parents {
			remove(x.children, uid, key)
		}
	}
	if after != nil {
		insert(x.owned, after.owner, key)
		for _, uid := range after.parents {
			insert(x.children, uid, key)
		}
	}
}

func insert(m map[string]map[object.Key]struct{}, at string, key object.Key) {
	if at == "" {
		return
	}
	if m[at] == nil {
		m[at] = map[object.Key]struct{}{}
	}
	m[at][key] = struct{}{}
}

func remove(m map[string]map[object.Key]struct{}, at string, key object.Key) {
	delete(m[at], key)
	if len(m[at]) == 0 {
		delete(m, at)
	}
}

func (x *index) list(of func(*index) map[object.Key]struct{}) []object.Key {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.SortedFunc(maps.Keys(of(x)), object.Key.Compare)
}

// ownersOf returns who owns anything, sorted.
func (x *index) owners() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Sorted(maps.Keys(x.owned))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
