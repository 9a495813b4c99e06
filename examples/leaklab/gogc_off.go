package main

// gogc-off: no leak.  With GOGC=off garbage is not collected until GOMEMLIMIT is near: the process is big, most of it is
// garbage, and what is alive is small.  A tool that takes RSS for a leak is wrong here.

// CASE gogc-off NONE

import "runtime/debug"

// lab:begin
func batchJob() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(1 << 30)
}

// lab:end

var batchScratch []byte

func init() {
	add(mode{name: "gogc-off", about: "no leak: GOGC=off, and much garbage", enough: 3000, noGC: true,
		start: batchJob, plant: func(int) { batchScratch = payload(32 << 10) }})
}
