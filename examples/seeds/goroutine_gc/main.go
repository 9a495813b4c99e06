// A goroutine that waits for a channel which nobody else has.
package main

import (
	"runtime"

	"limpet/seeds/internal/say"
)

//go:noinline
func leak() {
	ch := make(chan int)
	buf := make([]byte, 64<<10)
	go func() {
		<-ch
		runtime.KeepAlive(buf)
	}()
}

func main() {
	before := runtime.NumGoroutine()
	for i := 0; i < 1000; i++ {
		leak()
	}
	runtime.Gosched()
	mb := say.Heap("after three collections")
	say.Line("goroutines left of 1000", runtime.NumGoroutine()-before)
	say.Holds(runtime.NumGoroutine()-before == 1000 && mb > 60, "no collector ends a goroutine")
}
