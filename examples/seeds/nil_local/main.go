// A local variable after its last use holds nothing, set to nil or not.
package main

import (
	"runtime"

	"limpet/seeds/internal/say"
)

//go:noinline
func work(b []byte) int { return len(b) }

func main() {
	big := make([]byte, 200<<20)
	n := work(big)
	dead := say.Heap("in the same function, after the last use")
	big2 := make([]byte, 200<<20)
	n += work(big2)
	alive := say.Heap("with a use that still comes")
	runtime.KeepAlive(big2)
	say.Holds(dead < 5 && alive > 195 && n > 0, "liveness ends at the last use")
}
