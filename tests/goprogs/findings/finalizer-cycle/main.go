// finalizer-cycle - cycles with and without something that waits for their end.
//
// CASE pair           EXPECT finalizer-cycle verdict=leak proof=proved type=main.parent count>=4000 bytes>=4000000
// CASE closure        EXPECT finalizer-cycle verdict=leak proof=proved type=main.plain count>=4000 bytes>=4000000
// CASE both           EXPECT finalizer-cycle verdict=leak proof=proved count>=8000 bytes>=4000000
// CASE iface          EXPECT finalizer-cycle verdict=leak proof=proved type=main.box count>=4000 bytes>=4000000
// CASE half           EXPECT finalizer-cycle verdict=leak proof=proved count>=60 bytes>=4000000
// CASE map            EXPECT finalizer-cycle verdict=leak proof=proved type=main.registry count>=4000 bytes>=4000000
// CASE ring           EXPECT finalizer-cycle verdict=leak proof=proved type=main.link count>=4000 bytes>=4000000
// CASE cleanup-arg    EXPECT finalizer-cycle verdict=leak proof=proved type=main.plain count>=4000 bytes>=4000000 needs=1.24
// CASE cleanup-func   EXPECT finalizer-cycle verdict=leak proof=proved type=main.plain count>=4000 bytes>=4000000 needs=1.24
// CASE cleanup-deep   EXPECT finalizer-cycle verdict=leak proof=proved type=main.parent count>=4000 bytes>=4000000 needs=1.24
// CASE plain-cycles   NONE
// CASE plain-maps     NONE
// CASE self           NONE
// CASE self-iface     NONE
// CASE self-wide      NONE
// CASE global         NONE
// CASE chain          NONE
// CASE fine           NONE
// CASE cleanup        NONE needs=1.24
// CASE cleanup-cycle  NONE needs=1.24
// CASE waiting        NONE
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"limpet/goprogs/internal/ready"
)

const many = 4096

type payload [1024]byte

type node struct {
	self *node
	data payload
}

type parent struct {
	child *child
	data  payload
}

type child struct {
	parent *parent
	data   payload
}

type plain struct {
	id   int
	next *plain
	data payload
}

type box struct {
	any  any
	data payload
}

type registry struct {
	byName map[string]any
	data   payload
}

type link struct {
	next *link
	data payload
}

var (
	released atomic.Int64
	keep     []any
)

func release(n *node) { released.Add(1) }

func (c *child) Close() { released.Add(1) }

func (l *link) close() { released.Add(1) }

// The collector does not follow a pointer from an object to itself: this one is freed.
func self() {
	n := &node{}
	n.self = n
	runtime.SetFinalizer(n, release)
}

// The finalizer is the child's, and it is the parent that everybody uses.
func pair() {
	p := &parent{child: &child{}}
	p.child.parent = p
	runtime.SetFinalizer(p, func(p *parent) { p.child.Close() })
}

// Nothing of the object leads back: its finalizer's function has it.
func closure() {
	x := &plain{}
	runtime.SetFinalizer(x, func(*plain) { released.Add(int64(x.id)) })
}

// Each is kept by the other's finalizer alone.
func both() {
	p := &parent{child: &child{}}
	p.child.parent = p
	runtime.SetFinalizer(p, func(p *parent) { released.Add(1) })
	runtime.SetFinalizer(p.child, (*child).Close)
}

// An interface that holds itself is one object, and freed; here there is another in between.
func iface() {
	b := &box{}
	b.any = &[1]any{b}
	runtime.SetFinalizer(b, func(b *box) { released.Add(1) })
}

func selfIface() {
	b := &box{}
	b.any = &b.any
	runtime.SetFinalizer(b, func(b *box) { released.Add(1) })
}

// Beyond 128 KiB the collector scans an object in pieces: a pointer from one into another counts.
type wide struct {
	near, far *byte
	rest      [40000]*byte
}

func selfWide() {
	w := &wide{}
	w.near = (*byte)(unsafe.Pointer(&w.rest[100]))
	w.rest[30000] = (*byte)(unsafe.Pointer(&w.rest[20000]))
	runtime.SetFinalizer(w, func(w *wide) { released.Add(1) })
}

func half() {
	w := &wide{}
	w.rest[30000] = (*byte)(unsafe.Pointer(&w.near))
	runtime.SetFinalizer(w, func(w *wide) { released.Add(1) })
}

func inMap() {
	r := &registry{byName: map[string]any{}}
	r.byName["me"] = r
	runtime.SetFinalizer(r, func(r *registry) { released.Add(1) })
}

// Rings of four, each element with its finalizer.
func ring() {
	first := &link{}
	at := first
	for i := 0; i < 3; i++ {
		at.next = &link{}
		at = at.next
	}
	at.next = first
	for i := 0; i < 4; i++ {
		runtime.SetFinalizer(at, (*link).close)
		at = at.next
	}
}

func plainCycle() {
	p := &parent{child: &child{}}
	p.child.parent = p
}

func plainMap() {
	r := &registry{byName: map[string]any{}}
	r.byName["me"] = r
	b := &box{}
	b.any = &b.any
}

func global() {
	p := &parent{child: &child{}}
	p.child.parent = p
	runtime.SetFinalizer(p, func(p *parent) { p.child.Close() })
	keep = append(keep, p)
}

// Each waits for the one before it: one cycle of the collector frees one of them.
func chain() {
	var last *plain
	for i := 0; i < 64; i++ {
		last = &plain{id: i, next: last}
		runtime.SetFinalizer(last, func(p *plain) { released.Add(1) })
	}
}

func fine() {
	runtime.SetFinalizer(&plain{}, func(p *plain) { released.Add(1) })
}

// Objects with finalizers that are dead and that no collection has seen yet.
func waiting() {
	runtime.SetFinalizer(&plain{next: &plain{}}, func(p *plain) { released.Add(1) })
}

func repeat(n int, f func()) {
	for i := 0; i < n; i++ {
		f()
	}
}

var cases = map[string]func(){
	"self":         func() { repeat(many, self) },
	"pair":         func() { repeat(many, pair) },
	"closure":      func() { repeat(many, closure) },
	"both":         func() { repeat(many, both) },
	"iface":        func() { repeat(many, iface) },
	"self-iface":   func() { repeat(many, selfIface) },
	"half":         func() { repeat(64, half) },
	"self-wide":    func() { repeat(64, selfWide) },
	"map":          func() { repeat(many, inMap) },
	"ring":         func() { repeat(many/4, ring) },
	"plain-cycles": func() { repeat(many, plainCycle) },
	"plain-maps":   func() { repeat(many, plainMap) },
	"global":       func() { repeat(many, global) },
	"chain":        func() { repeat(64, chain) },
	"fine":         func() { repeat(many, fine) },
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "waiting" {
		repeat(many, waiting)
		ready.Say("")
		ready.Wait()
	}
	if len(os.Args) != 2 || cases[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: finalizer-cycle CASE")
		os.Exit(2)
	}
	cases[os.Args[1]]()
	for i := 0; i < 3; i++ {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	ready.Say(fmt.Sprint("released ", released.Load()))
	ready.Wait()
	runtime.KeepAlive(keep)
}
