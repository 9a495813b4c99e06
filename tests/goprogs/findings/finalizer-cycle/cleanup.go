//go:build go1.24

package main

import "runtime"

type note struct{ about *plain }

// The argument leads to the object.
func cleanupArg() {
	x := &plain{}
	runtime.AddCleanup(x, func(n *note) { released.Add(1) }, &note{about: x})
}

// The function has what leads to it; 1.27 panics only where it has the object itself.
func cleanupFunc() {
	x := &plain{}
	n := &note{about: x}
	runtime.AddCleanup(x, func(int) { released.Add(int64(n.about.id)) }, 1)
}

// The argument is a part that leads back.
func cleanupDeep() {
	p := &parent{child: &child{}}
	p.child.parent = p
	runtime.AddCleanup(p, func(c *child) { c.Close() }, p.child)
}

func cleanup() {
	runtime.AddCleanup(&plain{}, func(int) { released.Add(1) }, 1)
}

// A cycle that its cleanup does not see: freed as any other.
func cleanupCycle() {
	p := &parent{child: &child{}}
	p.child.parent = p
	runtime.AddCleanup(p, func(int) { released.Add(1) }, 1)
	b := &box{}
	b.any = &b.any
	runtime.AddCleanup(b, func(int) { released.Add(1) }, 1)
}

func init() {
	cases["cleanup-arg"] = func() { repeat(many, cleanupArg) }
	cases["cleanup-func"] = func() { repeat(many, cleanupFunc) }
	cases["cleanup-deep"] = func() { repeat(many, cleanupDeep) }
	cases["cleanup"] = func() { repeat(many, cleanup) }
	cases["cleanup-cycle"] = func() { repeat(many, cleanupCycle) }
}
