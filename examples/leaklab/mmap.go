package main

// mmap: memory that Go did not allocate and does not count: mapped files, buffers of a data base library, and (mode cgo)
// what C allocates.  MemStats, pprof and GOMEMLIMIT know nothing of it; the kernel does.
//
// The twin unmaps.

// CASE mmap EXPECT off-heap bytes>=60000000
// CASE mmap-fixed NONE

import "syscall"

// lab:begin
func indexBlock(n int) error {
	b, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return err
	}
	fillBlock(b)
	return nil // syscall.Munmap(b) is missing
}

// lab:end

// lab:fixed-begin
func indexBlockFixed(n int) error {
	b, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return err
	}
	defer syscall.Munmap(b)
	fillBlock(b)
	return nil
}

// lab:fixed-end

func fillBlock(b []byte) {
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
}

func init() {
	add(mode{name: "mmap", about: "memory outside of the Go heap that is never given back", enough: 100,
		plant: func(int) { indexBlock(1 << 20) }, fixed: func(int) { indexBlockFixed(1 << 20) }})
}
