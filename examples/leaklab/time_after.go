package main

// time-after: time.After in a loop.  Each turn makes a timer of its own; until Go 1.22 it lives until it fires, here
// for ten minutes, however often the other case is taken.  Since Go 1.23 timers that nobody refers to are collected, if
// go.mod says so: see ticker-dropped.
//
// The twin has one timer and resets it.

// CASE time-after EXPECT timer-leak until=1.26
// CASE time-after NONE needs=1.27
// CASE time-after-fixed NONE

import "time"

// lab:begin
func pump(messages <-chan []byte, n int) {
	for i := 0; i < n; i++ {
		select {
		case m := <-messages:
			_ = len(m)
		case <-time.After(10 * time.Minute):
			return
		}
	}
}

// lab:end

// lab:fixed-begin
func pumpFixed(messages <-chan []byte, n int) {
	idle := time.NewTimer(10 * time.Minute)
	defer idle.Stop()
	for i := 0; i < n; i++ {
		select {
		case m := <-messages:
			_ = len(m)
			if !idle.Stop() { // needed where timers are as in Go 1.22
				select {
				case <-idle.C:
				default:
				}
			}
			idle.Reset(10 * time.Minute)
		case <-idle.C:
			return
		}
	}
}

// lab:fixed-end

func messages(n int) <-chan []byte {
	c := make(chan []byte, n)
	for i := 0; i < n; i++ {
		c <- nil
	}
	return c
}

func init() {
	add(mode{name: "time-after", about: "time.After in a loop: whether it leaks is up to the Go line of go.mod", enough: 300,
		plant: func(int) { pump(messages(100), 100) },
		fixed: func(int) { pumpFixed(messages(100), 100) }})
}
