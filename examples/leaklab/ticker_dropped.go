package main

// ticker-dropped: a ticker is made, used for a while and forgotten without Stop.  Until Go 1.22 the runtime's timer heap
// keeps it, ticks it and keeps what its channel hangs on, for ever.  Since Go 1.23 a ticker that nobody refers to is
// collected.  "Always Stop" is advice of old; it stays good manners.

// CASE ticker-dropped EXPECT timer-leak until=1.22
// CASE ticker-dropped NONE needs=1.23

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
	add(mode{name: "ticker-dropped", about: "tickers forgotten without Stop: leak until Go 1.22, none since 1.23", enough: 30000,
		plant: func(int) { waitForOne(atOnce) },
		fixed: func(int) { waitForOneFixed(atOnce) }})
}
