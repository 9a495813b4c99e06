package main

// goroutine-cache: a cache with a janitor.  Whoever made it drops it; but its janitor goroutine wakes up every minute,
// has it on its stack, and it never comes to be garbage.  (go-cache solves this with a finalizer on an outer struct.)
//
// The twin is closed by its owner.  With Go 1.24 the janitor can hold a weak.Pointer instead.

// CASE goroutine-cache EXPECT goroutine-hold function=main.*tenantCache*janitor* bytes>=4000000
// CASE goroutine-cache-fixed NONE

import "time"

// lab:begin
type tenantCache struct {
	entries map[int][]byte
	stop    chan struct{}
}

func newTenantCache() *tenantCache {
	c := &tenantCache{entries: map[int][]byte{}, stop: make(chan struct{})}
	go c.janitor()
	return c
}

func (c *tenantCache) janitor() {
	for {
		time.Sleep(time.Minute)
		for k, v := range c.entries {
			if len(v) == 0 {
				delete(c.entries, k)
			}
		}
	}
}

// lab:end

// lab:fixed-begin
func newTenantCacheFixed() *tenantCache {
	c := &tenantCache{entries: map[int][]byte{}, stop: make(chan struct{})}
	go c.janitorFixed()
	return c
}

func (c *tenantCache) janitorFixed() {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-t.C:
			for k, v := range c.entries {
				if len(v) == 0 {
					delete(c.entries, k)
				}
			}
		}
	}
}

func (c *tenantCache) Close() { close(c.stop) }

// lab:fixed-end

func (c *tenantCache) fill() {
	for k := 0; k < 50; k++ {
		c.entries[k] = payload(4 << 10)
	}
}

func init() {
	add(mode{name: "goroutine-cache", about: "caches that were dropped, and whose janitors go on", enough: 50,
		plant: func(int) { newTenantCache().fill() },
		fixed: func(int) { c := newTenantCacheFixed(); c.fill(); c.Close() }})
}
