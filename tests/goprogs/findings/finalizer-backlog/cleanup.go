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

func init() {
	cases["cleanup"] = func() {
		plantCleanups(func(d *descriptor) {
			answer := make(chan int)
			seen += <-answer
		})
	}
	cases["quick-cleanup"] = func() { plantCleanups(func(d *descriptor) { seen += d.id }) }
}
