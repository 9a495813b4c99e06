//go:build go1.24

package main

// cycle-cleanup: no leak.  The same cycle as cycle-finalizer with runtime.AddCleanup of Go 1.24: the cleanup gets a value
// of its own, not the object, so the collector need not keep the object to be able to run it.  (If the value reaches the
// object, that is the trap again.)

// CASE cycle-cleanup NONE needs=1.24

import "runtime"

// lab:begin
type cleanPeer struct {
	other *cleanPeer
	buf   []byte
}

func connectCleanPeers() {
	a, b := &cleanPeer{buf: payload(4 << 10)}, &cleanPeer{buf: payload(4 << 10)}
	a.other, b.other = b, a
	runtime.AddCleanup(a, func(d *descriptor) { d.close() }, newDescriptor())
}

// lab:end

func init() {
	add(mode{name: "cycle-cleanup", about: "no leak: a cycle with a cleanup of Go 1.24", enough: 1000,
		plant: func(int) { connectCleanPeers() }})
}
