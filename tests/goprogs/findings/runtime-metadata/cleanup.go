//go:build go1.24

package main

import "runtime"

// The same long-lived object again and again, each time with something to be released.
func cleanupsOnOne(n int) {
	list = &small{}
	for i := 0; i < n; i++ {
		runtime.AddCleanup(list, func(b *[256]byte) { b[0] = 1 }, new([256]byte))
	}
}

func init() {
	cases["cleanups-on-one"] = func() { cleanupsOnOne(25000) }
	cases["cleanups"] = func() { cleanupsOnOne(100) }
}
