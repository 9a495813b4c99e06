package main

// ticker-goroutine: each subscription refreshes itself by a ticker, in a goroutine without an end.  Nobody can stop it: the ticker
// is in the runtime's timer heap, wakes the goroutine, and the goroutine holds the subscription.  On every Go version.
// (Go 1.23 collects tickers that nobody refers to; a goroutine that ranges over t.C refers to one.)
//
// The twin has a Close that ends goroutine and ticker.

// CASE ticker-goroutine EXPECT timer-leak verdict=suspect function=main.*subscription*refresh* count>=1500
// CASE ticker-goroutine-fixed NONE

import "time"

// lab:begin
type subscription struct {
	topic  string
	cached []byte
}

func subscribe(topic string) *subscription {
	s := &subscription{topic: topic, cached: payload(4 << 10)}
	go s.refresh()
	return s
}

func (s *subscription) refresh() {
	t := time.NewTicker(10 * time.Minute)
	for range t.C {
		s.cached = payload(4 << 10)
	}
}

// lab:end

// lab:fixed-begin
type closableSubscription struct {
	subscription
	done chan struct{}
}

func subscribeFixed(topic string) *closableSubscription {
	s := &closableSubscription{subscription{topic, payload(4 << 10)}, make(chan struct{})}
	go s.refresh()
	return s
}

func (s *closableSubscription) refresh() {
	t := time.NewTicker(10 * time.Minute)
	defer t.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-t.C:
			s.cached = payload(4 << 10)
		}
	}
}

func (s *closableSubscription) Close() { close(s.done) }

// lab:fixed-end

func init() {
	add(mode{name: "ticker-goroutine", about: "a goroutine with a ticker for each subscription, without an end", enough: 2000,
		plant: func(i int) { subscribe(text(i, 16)) },
		fixed: func(i int) { subscribeFixed(text(i, 16)).Close() }})
}
