package main

// gc-limit: GOMEMLIMIT below what the program really needs.  The collector runs again and again to get below a line that
// cannot be reached, and takes up to half of the CPU for it; the service is slow, and the heap is as big as before.
//
// The twin's limit leaves room.

// CASE gc-limit EXPECT gc-tuning
// CASE gc-limit-fixed NONE

import "runtime/debug"

// lab:begin
var catalog [64][]byte // 64 MB, and needed

func startCatalog() {
	for i := range catalog {
		catalog[i] = payload(1 << 20)
	}
	debug.SetMemoryLimit(48 << 20) // GOMEMLIMIT=48MiB, "to save memory"
}

// lab:end

// lab:fixed-begin
func startCatalogFixed() {
	for i := range catalog {
		catalog[i] = payload(1 << 20)
	}
	debug.SetMemoryLimit(512 << 20)
}

// lab:fixed-end

var scratch []byte

func init() {
	work := func(int) { scratch = payload(64 << 10) }
	add(mode{name: "gc-limit", about: "GOMEMLIMIT below what is alive", enough: 500,
		start: startCatalog, plant: work, fixedStart: startCatalogFixed, fixed: work})
}
