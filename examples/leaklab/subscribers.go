package main

// subscribers: each connection subscribes to an event and none unsubscribes.  The list holds method values, a method
// value holds its receiver, the receiver its buffers.
//
// The twin gets a function back that unsubscribes, and defers it.

// CASE subscribers EXPECT closure-capture holder=main.bus* bytes>=4000000
// CASE subscribers-fixed NONE

import "sync"

// lab:begin
type eventBus struct {
	mu       sync.Mutex
	handlers map[int]func(event string)
	next     int
}

var bus = eventBus{handlers: map[int]func(string){}}

func (b *eventBus) on(h func(string)) (off func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := b.next
	b.next++
	b.handlers[id] = h
	return func() {
		b.mu.Lock()
		delete(b.handlers, id)
		b.mu.Unlock()
	}
}

func handleClient(c *client) {
	bus.on(c.notify) // the function that it returns is dropped
	c.talk()
}

// lab:end

// lab:fixed-begin
func handleClientFixed(c *client) {
	off := bus.on(c.notify)
	defer off()
	c.talk()
}

// lab:fixed-end

type client struct{ in, out []byte }

func (c *client) notify(event string) { copy(c.out, event) }
func (c *client) talk()               {}

func init() {
	newClient := func() *client { return &client{payload(2 << 10), payload(2 << 10)} }
	add(mode{name: "subscribers", about: "subscribers that never unsubscribe", enough: 2000,
		plant: func(int) { handleClient(newClient()) }, fixed: func(int) { handleClientFixed(newClient()) }})
}
