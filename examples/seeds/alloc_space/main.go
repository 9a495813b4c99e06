// alloc_space, inuse_space and virtual memory of one process, side by side.
package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"

	"limpet/seeds/internal/say"
)

var sink []byte

func status(key string) (kb uint64) {
	text, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, key+":") {
			fmt.Fscan(bytes.NewBufferString(line[len(key)+1:]), &kb)
		}
	}
	return kb
}

func main() {
	before := status("VmSize")
	for i := 0; i < 80_000; i++ {
		sink = make([]byte, 64<<10) // the one before is garbage
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	live, grown, rss := say.MB(say.Live()), (status("VmSize")-before)>>10, status("VmRSS")>>10
	say.Line("allocated since the start (alloc_space)", fmt.Sprint(say.MB(m.TotalAlloc), " MB"))
	say.Line("live now (inuse_space)", fmt.Sprint(live, " MB"))
	say.Line("virtual memory grew by", fmt.Sprint(grown, " MB"))
	say.Line("resident", fmt.Sprint(rss, " MB"))
	say.Holds(say.MB(m.TotalAlloc) > 4000 && grown < 500 && live < 10, "alloc_space is a sum over time")
}
