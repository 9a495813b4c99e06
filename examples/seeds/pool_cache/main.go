// What a sync.Pool still has after one, and after two collections.
package main

import (
	"runtime"
	"sync"

	"limpet/seeds/internal/say"
)

var pool sync.Pool

func count() (n int) {
	for pool.Get() != nil {
		n++
	}
	return n
}

func fill() {
	for i := 0; i < 1000; i++ {
		pool.Put(new([1024]byte))
	}
}

func main() {
	runtime.GOMAXPROCS(1) // else each P has a list of its own
	fill()
	runtime.GC()
	one := count()
	fill()
	runtime.GC()
	runtime.GC()
	two := count()
	say.Line("of 1000, left after one collection", one)
	say.Line("of 1000, left after two collections", two)
	say.Holds(one > 900 && two == 0, "a pool forgets after two cycles")
}
