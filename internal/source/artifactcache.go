// SPDX-License-Identifier: Apache-2.0

package source

import (
	"container/list"
	"strings"
	"sync"

	"github.com/bowline-cd/bowline/internal/tree"
)

// treeCache holds the trees used lately: their names in memory and their packs open. One that is dropped goes on for
// those who have it.
type treeCache struct {
	most  int // trees
	names int // entries of all trees together

	mu    sync.Mutex
	held  int
	order *list.List // of *cachedTree, the last used first
	byKey map[string]*list.Element
}

type cachedTree struct {
	key     string
	once    sync.Once
	tree    *archiveTree // written once, by who makes it
	err     error
	counted int // of held; guarded by the cache's mu
}

func newTreeCache(most, names int) *treeCache {
	return &treeCache{most: most, names: names, order: list.New(), byKey: map[string]*list.Element{}}
}

// get returns the tree of a key, which it makes if there is none. Those who ask together share one making; its failure is
// for who began it, as the cause may have gone since: the others try themselves.
func (c *treeCache) get(key string, build func() (*archiveTree, error)) (tree.Tree, error) {
	for {
		entry, mine := c.entry(key), false
		entry.once.Do(func() {
			mine = true
			if entry.tree, entry.err = build(); entry.err == nil {
				c.grow(entry)
			}
		})
		if entry.err == nil {
			return entry.tree, nil
		}
		c.remove(entry)
		if mine {
			return nil, entry.err
		}
	}
}

func (c *treeCache) entry(key string) *cachedTree {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.byKey[key]; ok {
		c.order.MoveToFront(at)
		return at.Value.(*cachedTree)
	}
	entry := &cachedTree{key: key}
	c.byKey[key] = c.order.PushFront(entry)
	return entry
}

// grow counts a new tree and drops those used longest ago.
func (c *treeCache) grow(entry *cachedTree) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.byKey[entry.key]; !ok || at.Value != entry {
		return // forgotten while it was made
	}
	entry.counted = len(entry.tree.entries)
	c.held += entry.counted
	for at := c.order.Back(); at != nil && at.Value != entry && (c.order.Len() > c.most || c.held > c.names); at = c.order.Back() {
		c.drop(at)
	}
}

// drop removes a tree; the caller holds mu.
func (c *treeCache) drop(at *list.Element) {
	entry := c.order.Remove(at).(*cachedTree)
	delete(c.byKey, entry.key)
	c.held -= entry.counted
}

func (c *treeCache) remove(entry *cachedTree) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.byKey[entry.key]; ok && at.Value == entry {
		c.drop(at)
	}
}

func (c *treeCache) forget(keys ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range keys {
		if at, ok := c.byKey[key]; ok {
			c.drop(at)
		}
	}
}

// forgetBelow forgets the trees whose keys begin with a prefix.
func (c *treeCache) forgetBelow(prefix string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, at := range c.byKey {
		if strings.HasPrefix(key, prefix) {
			c.drop(at)
		}
	}
}
