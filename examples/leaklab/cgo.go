//go:build cgo

package main

// cgo: C.malloc without C.free.  It is memory of the process that Go knows nothing of: not in MemStats, not in any heap
// profile, not under GOMEMLIMIT; only RSS grows.  This mode is there when the lab is built with CGO_ENABLED=1.
//
// The twin frees.

// It has no CASE line, for the cases are run without cgo; tests/e2e/test_leaklab.py runs it.

// #include <stdlib.h>
// #include <string.h>
import "C"

// lab:begin
func compress(n int) {
	buf := C.malloc(C.size_t(n))
	C.memset(buf, 1, C.size_t(n))
	// C.free(buf) is missing
}

// lab:end

// lab:fixed-begin
func compressFixed(n int) {
	buf := C.malloc(C.size_t(n))
	defer C.free(buf)
	C.memset(buf, 1, C.size_t(n))
}

// lab:fixed-end

func init() {
	add(mode{name: "cgo", about: "C.malloc without C.free", enough: 2000,
		plant: func(int) { compress(32 << 10) }, fixed: func(int) { compressFixed(32 << 10) }})
}
