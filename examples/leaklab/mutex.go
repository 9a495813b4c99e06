package main

// mutex: one lock around everything, and a slow call under it.  One goroutine has the lock and waits for the disk; all
// others wait for the lock, each with its request in hand.  Not a leak in the strict sense, for the disk may answer;
// but memory grows with the queue, and the queue with the load.
//
// The twin does the slow work outside of the lock.

// CASE mutex EXPECT lock-contention function=main.*register count>=150
// CASE mutex-fixed NONE

import (
	"os"
	"sync"
	"time"
)

// lab:begin
type userRegistry struct {
	mu    sync.Mutex
	names map[string]int
}

var registry = userRegistry{names: map[string]int{}}

func (r *userRegistry) register(name string, form []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names[name] = len(form)
	saveRegistry() // a disk, a network: under the lock
}

// lab:end

// lab:fixed-begin
func (r *userRegistry) registerFixed(name string, form []byte) {
	r.mu.Lock()
	r.names[name] = len(form)
	r.mu.Unlock()
	saveRegistryFast()
}

// lab:fixed-end

// The disk: a pipe that nobody writes to.
var disk, diskEnd, _ = os.Pipe()

func init() { diskEnd.Fd() }

func saveRegistry() { disk.Read(make([]byte, 1)) }

func saveRegistryFast() {}

func init() {
	add(mode{name: "mutex", about: "many wait for a lock whose holder waits for a disk", enough: 200, end: func() { time.Sleep(1200 * time.Millisecond) },
		plant: func(i int) { go registry.register(text(i, 12), payload(32<<10)) },
		fixed: func(i int) { go registry.registerFixed(text(i, 12), payload(32<<10)) }})
}
