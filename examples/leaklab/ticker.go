package main

// ticker: a limiter for each client, made of a ticker: a request may pass when it has ticked.  Clients come and go, their
// limiters stay, and each ticks ten times a second for the rest of the process's life: memory, and CPU.
//
// The twin stops the ticker of a client that has gone, and forgets it.

// CASE ticker EXPECT timer-leak verdict=suspect count>=3000
// CASE ticker-fixed NONE

import (
	"sync"
	"time"
)

// lab:begin
type limiter struct {
	client string
	tick   *time.Ticker
}

var (
	limitersMu sync.Mutex
	limiters   = map[string]*limiter{}
)

func (l *limiter) allow() bool {
	select {
	case <-l.tick.C:
		return true
	default:
		return false
	}
}

func limiterOf(client string) *limiter {
	limitersMu.Lock()
	defer limitersMu.Unlock()
	l := limiters[client]
	if l == nil {
		l = &limiter{client: client, tick: time.NewTicker(100 * time.Millisecond)}
		limiters[client] = l
	}
	return l
}

// lab:end

// lab:fixed-begin
func (l *limiter) gone() {
	limitersMu.Lock()
	defer limitersMu.Unlock()
	l.tick.Stop()
	delete(limiters, l.client)
}

// lab:fixed-end

func init() {
	add(mode{name: "ticker", about: "a ticker for each client, never stopped", enough: 5000,
		plant: func(i int) { limiterOf(text(i, 16)).allow() },
		fixed: func(i int) { l := limiterOf(text(i, 16)); l.allow(); l.gone() }})
}
