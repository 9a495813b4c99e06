// The same ratio of allocated to live bytes, once without a leak and once with one.
package main

import (
	"fmt"
	"runtime"

	"limpet/seeds/internal/say"
)

var (
	kept [][]byte
	sink []byte
)

func total() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// round serves n requests of 32 KB; every leak-th one is kept for ever (0: none).
func round(n, leak int) {
	for i := 0; i < n; i++ {
		sink = make([]byte, 32<<10)
		if leak > 0 && i%leak == 0 {
			kept = append(kept, sink)
		}
	}
	sink = nil
}

func show(name string, leak int) (live [3]uint64) {
	kept = nil
	base, start := say.Live(), total()
	for i := range live {
		round(40_000, leak)
		live[i] = say.MB(say.Live() - base)
	}
	allocated := say.MB(total() - start)
	say.Line(name+", allocated", fmt.Sprint(allocated, " MB"))
	say.Line(name+", live after rounds 1, 2, 3", fmt.Sprint(live, " MB"))
	return live
}

func main() {
	healthy := show("healthy server", 0)
	leaking := show("leaking server", 100)
	say.Holds(healthy[2] <= healthy[0]+1, "churn is no growth")
	say.Holds(leaking[2] >= leaking[0]+20, "the leak grows from round to round")
}
