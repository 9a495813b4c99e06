package main

// warm-pool: no leak.  A sync.Pool under load holds as many clean buffers as were in use at once, of the size that the
// work needs.  That is what a pool is for; the collector empties it when the load is over.

// CASE warm-pool NONE

import "sync"

// lab:begin
var frames = sync.Pool{New: func() any { b := make([]byte, 16<<10); return &b }}

func frame(busy int) {
	var out []*[]byte
	for i := 0; i < busy; i++ {
		out = append(out, frames.Get().(*[]byte))
	}
	for _, b := range out {
		clear(*b)
		frames.Put(b)
	}
}

// lab:end

func init() {
	add(mode{name: "warm-pool", about: "no leak: a sync.Pool that is warm", enough: 20, noGC: true,
		plant: func(int) { frame(400) }})
}
