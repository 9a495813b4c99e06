// GOGC=off: everything grows, nothing leaks.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"limpet/seeds/internal/say"
)

var sink []byte

func main() {
	debug.SetGCPercent(-1)
	for i := 0; i < 10_000; i++ {
		sink = make([]byte, 64<<10)
	}
	sink = nil
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	say.Line("heap before any collection", fmt.Sprint(say.MB(m.HeapAlloc), " MB"))
	live := say.Heap("that is in use")
	say.Holds(m.HeapAlloc > 500<<20 && live < 3, "garbage that waits is no leak")
}
