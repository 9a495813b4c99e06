// A hundred thousand time.After(1 hour) that nobody waits for any more.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"limpet/seeds/internal/say"
)

func main() {
	before := say.Live()
	for i := 0; i < 100_000; i++ {
		select {
		case <-time.After(time.Hour):
		default:
		}
	}
	grown := say.MB(say.Live() - before)
	var minor int
	fmt.Sscanf(strings.TrimPrefix(runtime.Version(), "go1."), "%d", &minor)
	say.Line("built by, go.mod says", runtime.Version()+", go 1.22")
	say.Line("100,000 time.After(time.Hour) keep", fmt.Sprint(grown, " MB"))
	if os.Getenv("GODEBUG") != "" {
		return
	}
	// Go 1.23 to 1.26 keep the old timers for a main module that asks for an older Go
	// (internal/godebugs: asynctimerchan); 1.27 has only the new ones.
	say.Holds((grown > 15) == (minor < 27), "who asks for Go 1.22 has its timers up to Go 1.26")
}
