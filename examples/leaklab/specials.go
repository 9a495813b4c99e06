package main

// specials: runtime.SetFinalizer in a loop.  A finalizer is a record outside of the heap (mspecial), kept with the span of
// its object, 48 bytes or more each, plus what the collector does with it in every cycle.  For hundreds of thousands of
// small objects the records outweigh the objects, and no heap profile shows them.
//
// The twin has one finalizer, on the arena that all of them live in.

// CASE specials EXPECT runtime-metadata anywhere
// CASE specials-fixed NONE

import "runtime"

// lab:begin
type handle struct {
	n    int
	next *handle
}

var handles []*handle

func openHandle(n int) *handle {
	h := &handle{n: n}
	runtime.SetFinalizer(h, func(h *handle) { h.next = nil })
	handles = append(handles, h)
	return h
}

// lab:end

// lab:fixed-begin
type handleArena struct{ handles []handle }

var arena *handleArena

func openHandleFixed(n int) *handle {
	if arena == nil {
		arena = &handleArena{handles: make([]handle, 0, 1000)}
		runtime.SetFinalizer(arena, func(a *handleArena) { a.handles = nil })
	}
	arena.handles = append(arena.handles, handle{n: n})
	return &arena.handles[len(arena.handles)-1]
}

// lab:fixed-end

func init() {
	add(mode{name: "specials", about: "SetFinalizer on hundreds of thousands of objects", enough: 300000,
		plant: func(i int) { openHandle(i) }, fixed: func(i int) { openHandleFixed(i) }})
}
