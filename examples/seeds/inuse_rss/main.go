// What a heap profile's inuse_space leaves out of the resident memory.
package main

import (
	"fmt"
	"runtime"
	"time"

	"limpet/seeds/internal/say"
)

func deep(n int, wait chan struct{}) {
	var pad [1024]byte
	pad[n%1024] = 1
	if n > 0 {
		deep(n-1, wait)
	} else {
		<-wait
	}
	runtime.KeepAlive(&pad)
}

func main() {
	wait := make(chan struct{})
	for i := 0; i < 500; i++ {
		go deep(200, wait)
	}
	time.Sleep(300 * time.Millisecond)
	var m runtime.MemStats
	live := say.MB(say.Live())
	runtime.ReadMemStats(&m)
	say.Line("live heap (what inuse_space samples)", fmt.Sprint(live, " MB"))
	say.Line("stacks, in no heap profile", fmt.Sprint(say.MB(m.StackInuse), " MB"))
	say.Line("the runtime's own tables", fmt.Sprint(say.MB(m.MSpanSys+m.BuckHashSys+m.GCSys+m.OtherSys), " MB"))
	close(wait)
	say.Holds(m.StackInuse > 100<<20 && live < 10, "a heap profile shows the heap")
}
