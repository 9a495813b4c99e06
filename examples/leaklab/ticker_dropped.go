package main

// ticker-dropped: a ticker is made, used for a while and forgotten without Stop.  Until Go 1.22 the runtime's timer heap
// keeps it, ticks it and keeps what its channel hangs on, for ever.  Go 1.23 collects a ticker that nobody refers to, but
// only where go.mod says "go 1.23" or later: this module says 1.22, so GODEBUG asynctimerchan is 1 by default, and it
// leaks until Go 1.26 (GODEBUG=asynctimerchan=0 heals it).  Go 1.27 has no such setting any more.

// CASE ticker-dropped EXPECT timer-leak until=1.26
// CASE ticker-dropped NONE needs=1.27
// CASE ticker-dropped-fixed NONE

import "time"

// lab:begin
func waitForOne(quick <-chan struct{}) {
	t := time.NewTicker(10 * time.Minute) // no defer t.Stop()
	select {
	case <-t.C:
	case <-quick:
	}
}

// lab:end

// lab:fixed-begin
func waitForOneFixed(quick <-chan struct{}) {
	t := time.NewTicker(10 * time.Minute)
	defer t.Stop()
	select {
	case <-t.C:
	case <-quick:
	}
}

// lab:fixed-end

var atOnce = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func init() {
	add(mode{name: "ticker-dropped", about: "tickers forgotten without Stop: whether they leak is up to the Go line of go.mod", enough: 30000,
		plant: func(int) { waitForOne(atOnce) },
		fixed: func(int) { waitForOneFixed(atOnce) }})
}
