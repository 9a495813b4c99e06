package main

// cache-bounded: no leak.  An LRU cache at its limit: big, full, and it will not grow.  One look at a heap cannot tell it
// from a cache that grows; a tool may ask for a second look, and must not cry "leak".

// CASE cache-bounded NONE

import "container/list"

// lab:begin
type lruCache struct {
	most  int
	order *list.List
	items map[string]*list.Element
}

type lruEntry struct {
	key   string
	value []byte
}

var thumbnails = lruCache{most: 2000, order: list.New(), items: map[string]*list.Element{}}

func (c *lruCache) put(key string, value []byte) {
	c.items[key] = c.order.PushFront(&lruEntry{key, value})
	for c.order.Len() > c.most {
		last := c.order.Back()
		delete(c.items, last.Value.(*lruEntry).key)
		c.order.Remove(last)
	}
}

// lab:end

func init() {
	add(mode{name: "cache-bounded", about: "no leak: an LRU cache at its limit", enough: 10000,
		plant: func(i int) { thumbnails.put(text(i, 12), payload(4<<10)) }})
}
