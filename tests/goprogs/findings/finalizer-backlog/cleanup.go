//go:build go1.24

package main

import "runtime"

type descriptor struct {
	id   int
	data [1000]byte
}

type handle struct{ d *descriptor }

func plantCleanups(f func(*descriptor)) {
	for i := 0; i < many; i++ {
		d := &descriptor{id: i}
		h := &handle{d: d}
		runtime.AddCleanup(h, f, d)
	}
}

var kept *handle // made at run time: what lies in static data gets no cleanup

// Finalizers wait for what only the cleanup of an object in use would close.  Up to Go 1.24 the goroutine that waits is the
// one that would run it; since 1.25 cleanups have goroutines of their own.
func plantBehindCleanup() {
	wake := make(chan int)
	kept = &handle{d: &descriptor{}}
	runtime.AddCleanup(kept, func(c chan int) { close(c) }, wake)
	plant(many, func(c *conn) { seen += <-wake })
}

func init() {
	cases["cleanup-wakes"] = plantBehindCleanup
	cases["cleanup-same"] = plantBehindCleanup
	cases["cleanup"] = func() {
		plantCleanups(func(d *descriptor) {
			answer := make(chan int)
			seen += <-answer
		})
	}
	cases["quick-cleanup"] = func() { plantCleanups(func(d *descriptor) { seen += d.id }) }
}
