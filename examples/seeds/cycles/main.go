// Two million objects in rings that nothing outside points at.
package main

import "limpet/seeds/internal/say"

type node struct {
	next *node
	self any
	pad  [96]byte
}

func rings(n int) {
	for i := 0; i < n; i++ {
		a, b := &node{}, &node{}
		a.next, b.next = b, a
		a.self = a // an interface that holds itself
	}
}

func main() {
	before := say.Heap("before")
	rings(1_000_000)
	after := say.Heap("after a million rings of two")
	say.Holds(after <= before+1, "rings are collected")
}
