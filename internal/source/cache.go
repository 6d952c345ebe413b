// SPDX-License-Identifier: Apache-2.0

package source

import (
	"container/list"
	"sync"
)

// cache holds objects by mirror and id, the least lately used out first. The mirror is part of the key: an id that
// somebody else's repository names must not open what was fetched with other credentials.
type cache struct {
	mu    sync.Mutex
	limit int
	size  int
	order *list.List // of *cached, most lately used first
	items map[cacheKey]*list.Element
}

type cacheKey struct{ mirror, id string }

type cached struct {
	key   cacheKey
	value any
	size  int
}

func newCache(limit int) *cache {
	return &cache{limit: limit, order: list.New(), items: map[cacheKey]*list.Element{}}
}

func (c *cache) get(key cacheKey) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[key]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).value, true
}

// put keeps a value of about size bytes. What is larger than a sixteenth of the whole is not kept.
func (c *cache) put(key cacheKey, value any, size int) {
	if size += 128; size > c.limit/16 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.items[key]; ok {
		return
	}
	c.items[key] = c.order.PushFront(&cached{key, value, size})
	for c.size += size; c.size > c.limit; {
		c.drop(c.order.Back())
	}
}

// forget drops everything of a mirror.
func (c *cache) forget(mirror string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, e := range c.items {
		if key.mirror == mirror {
			c.drop(e)
		}
	}
}

func (c *cache) drop(e *list.Element) {
	item := c.order.Remove(e).(*cached)
	delete(c.items, item.key)
	c.size -= item.size
}
