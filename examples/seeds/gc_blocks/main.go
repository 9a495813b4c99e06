// How long the caller of runtime.GC() waits, and what another goroutine feels meanwhile.
package main

import (
	"runtime"
	"sync/atomic"
	"time"

	"limpet/seeds/internal/say"
)

type tree struct{ left, right *tree }

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{}
	}
	return &tree{grow(depth - 1), grow(depth - 1)}
}

var held *tree

func main() {
	held = grow(21)
	var worst atomic.Int64
	go func() {
		for last := time.Now(); ; {
			time.Sleep(time.Millisecond)
			if late := time.Since(last); int64(late) > worst.Load() {
				worst.Store(int64(late))
			}
			last = time.Now()
		}
	}()
	time.Sleep(20 * time.Millisecond)
	worst.Store(0)
	start := time.Now()
	runtime.GC()
	caller := time.Since(start)
	say.Line("the caller of runtime.GC() waited", caller.Round(time.Millisecond))
	say.Line("another goroutine, sleeping 1 ms, woke after", time.Duration(worst.Load()).Round(100*time.Microsecond))
	runtime.KeepAlive(held)
	say.Holds(caller > 5*time.Millisecond, "the call returns when the cycle is complete")
}
