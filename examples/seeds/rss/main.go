// Memory that the collector freed goes back to the system later, or when asked.
package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"limpet/seeds/internal/say"
)

func rss() (mb uint64) {
	text, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "VmRSS:") {
			fmt.Fscan(bytes.NewBufferString(line[6:]), &mb)
		}
	}
	return mb >> 10
}

var held [][]byte

func main() {
	for i := 0; i < 400; i++ {
		b := make([]byte, 1<<20)
		for k := range b {
			b[k] = 1
		}
		held = append(held, b)
	}
	held = nil
	runtime.GC()
	live, after := say.MB(say.Live()), rss()
	say.Line("live heap after the collection", fmt.Sprint(live, " MB"))
	say.Line("resident at that moment", fmt.Sprint(after, " MB"))
	debug.FreeOSMemory()
	freed := rss()
	say.Line("resident after debug.FreeOSMemory()", fmt.Sprint(freed, " MB"))
	say.Holds(live < 5 && after > 200 && freed < 50, "free for Go is not yet free for the system")
}
