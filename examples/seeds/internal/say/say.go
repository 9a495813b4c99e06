// Package say is how the programs of docs/seeds.md print what they measured, and how they fail
// when what the page says about them does not hold.
package say

import (
	"fmt"
	"os"
	"runtime"
)

// Live is the heap that two collections leave, in bytes.
func Live() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// MB rounds to whole megabytes.
func MB(bytes uint64) uint64 { return (bytes + 1<<19) >> 20 }

// Line prints one figure.
func Line(what string, value any) { fmt.Printf("%-46s %v\n", what+":", value) }

// Heap prints the live heap in MB and returns it.
func Heap(when string) uint64 {
	mb := MB(Live())
	Line("live heap "+when, fmt.Sprint(mb, " MB"))
	return mb
}

// Holds ends the program with status 1 unless the page is right.
func Holds(ok bool, what string) {
	if ok {
		return
	}
	fmt.Println("DOES NOT HOLD:", what)
	os.Exit(1)
}
