package main

// cycle-finalizer: the one cycle that Go does not free.  A finalizer runs when nothing reaches its object; to be able to
// run it, the collector keeps all that the object reaches, and here that leads back to the object.  So it is always
// reached, never finalized, never freed (runtime.SetFinalizer says so).
//
// The twin puts the resource, which points to nothing, under the finalizer.  From Go 1.24, runtime.AddCleanup does the
// same without a trap: see cycle-cleanup.

// CASE cycle-finalizer EXPECT finalizer-cycle verdict=leak proof=proved type=*peer* bytes>=4000000
// CASE cycle-finalizer-fixed NONE

import "runtime"

// lab:begin
type peer struct {
	other *peer
	buf   []byte
	fd    *descriptor
}

func connectPeers() {
	a, b := &peer{buf: payload(4 << 10)}, &peer{buf: payload(4 << 10)}
	a.other, b.other = b, a
	runtime.SetFinalizer(a, func(p *peer) { p.fd.close() })
}

// lab:end

// lab:fixed-begin
func connectPeersFixed() {
	a, b := &peer{buf: payload(4 << 10)}, &peer{buf: payload(4 << 10)}
	a.other, b.other = b, a
	a.fd = newDescriptor()
	runtime.SetFinalizer(a.fd, (*descriptor).close) // it points to nobody
}

// lab:fixed-end

type descriptor struct{ n *int }

func newDescriptor() *descriptor { return &descriptor{new(int)} }

func (d *descriptor) close() {
	if d != nil {
		d.n = nil
	}
}

func init() {
	add(mode{name: "cycle-finalizer", about: "a cycle with a finalizer: never freed", enough: 1000,
		plant: func(int) { connectPeers() }, fixed: func(int) { connectPeersFixed() }})
}
