// Finalizers at the end of the program, and of an object in a ring.
package main

import (
	"runtime"
	"sync/atomic"
	"time"

	"limpet/seeds/internal/say"
)

type file struct {
	peer *file
	buf  [1 << 20]byte
}

var ran atomic.Int64

func open() *file {
	f := &file{}
	runtime.SetFinalizer(f, func(*file) { ran.Add(1) })
	return f
}

func alone() {
	for i := 0; i < 50; i++ {
		open()
	}
}

func rings() {
	for i := 0; i < 25; i++ {
		a, b := open(), open()
		a.peer, b.peer = b, a
	}
}

func settle() {
	for i := 0; i < 3; i++ {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
}

func main() {
	alone()
	settle()
	first := ran.Load()
	say.Line("50 objects alone, finalizers that ran", first)
	rings()
	settle()
	second := ran.Load() - first
	say.Line("25 rings of two, finalizers that ran", second)
	mb := say.Heap("with those rings")
	say.Holds(first == 50 && second == 0 && mb >= 50, "a ring with finalizers is never freed")
}
