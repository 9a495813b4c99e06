// gc-tuning - settings of the collector that fight with what is live.
//
// CASE off          EXPECT gc-tuning verdict=suspect env=GOGC=off
// CASE limit-low    EXPECT gc-tuning verdict=suspect anywhere env=GOMEMLIMIT=40MiB
// CASE limit-lower  EXPECT gc-tuning verdict=suspect anywhere env=GOGC=off env=GOMEMLIMIT=24MiB
// CASE wide         EXPECT gc-tuning verdict=waste bytes>=16000000 env=GOGC=2000
// CASE narrow       EXPECT gc-tuning verdict=waste anywhere env=GOGC=10
// CASE defaults     NONE
// CASE off-limited  NONE env=GOGC=off env=GOMEMLIMIT=2GiB
// CASE limited      NONE env=GOMEMLIMIT=1GiB
// CASE generous     NONE env=GOGC=200
// CASE small-tight  NONE env=GOGC=20
package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"limpet/goprogs/internal/ready"
)

var (
	table [][]byte
	sink  []byte
)

// live bytes that stay, then garbage bytes in blocks of 32 KiB.
func run(live, garbage int) {
	for i := 0; i < live/32768; i++ {
		table = append(table, make([]byte, 32768))
	}
	runtime.GC()
	for i := 0; i < garbage/32768; i++ {
		sink = make([]byte, 32768)
	}
}

// As much garbage, for as long as a server does.
func serve(live, rate int, d time.Duration) {
	run(live, 0)
	for begun := time.Now(); time.Since(begun) < d; time.Sleep(10 * time.Millisecond) {
		for i := 0; i < rate/100/32768; i++ {
			sink = make([]byte, 32768)
		}
	}
}

const mib = 1 << 20

var cases = map[string]func(){
	"off":         func() { run(8*mib, 40*mib) },
	"limit-low":   func() { run(48*mib, 8*mib) },
	"limit-lower": func() { run(32*mib, 8*mib) },
	"wide":        func() { run(8*mib, 60*mib) },
	"narrow":      func() { serve(24*mib, 200*mib, 1500*time.Millisecond) },
	"defaults":    func() { run(32*mib, 50*mib) },
	"off-limited": func() { run(16*mib, 20*mib) },
	"limited":     func() { run(32*mib, 50*mib) },
	"generous":    func() { run(16*mib, 20*mib) },
	"small-tight": func() { run(2*mib, 20*mib) },
}

func main() {
	if len(os.Args) != 2 || cases[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: gc-tuning CASE")
		os.Exit(2)
	}
	cases[os.Args[1]]()
	ready.Say("")
	ready.Wait()
	runtime.KeepAlive(table)
}
