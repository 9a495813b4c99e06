package main

// idle-workers: no leak.  A thousand workers wait for work on a channel that a global holds: whoever sends wakes one.

// CASE idle-workers NONE

// lab:begin
var workQueue = make(chan []byte)

func idleWorker() {
	var sum byte
	for b := range workQueue {
		sum += b[0]
	}
}

// lab:end

func init() {
	add(mode{name: "idle-workers", about: "no leak: a pool of workers without work", enough: 1000,
		plant: func(int) { go idleWorker() }})
}
