package main

// deadlock: two goroutines take the same two locks, in different order.  Both wait for ever, and with them all that they
// were about to do; the process goes on, so nobody sees "all goroutines are asleep".
//
// The twin always takes the locks in the same order.

// CASE deadlock EXPECT goroutine-leak verdict=leak proof=proved function=main.*wallet*pay count>=500
// CASE deadlock-fixed NONE

import "sync"

// lab:begin
type wallet struct {
	mu      sync.Mutex
	entries []byte
	id      int
}

func (w *wallet) pay(to *wallet, meet *sync.WaitGroup) {
	w.mu.Lock()
	defer w.mu.Unlock()
	meet.Done()
	meet.Wait() // bad luck, arranged
	to.mu.Lock()
	defer to.mu.Unlock()
	copy(to.entries, w.entries)
}

// lab:end

// lab:fixed-begin
func (w *wallet) payFixed(to *wallet, meet *sync.WaitGroup) {
	meet.Done()
	meet.Wait()
	first, second := w, to
	if to.id < w.id {
		first, second = to, w
	}
	first.mu.Lock()
	defer first.mu.Unlock()
	second.mu.Lock()
	defer second.mu.Unlock()
	copy(to.entries, w.entries)
}

// lab:fixed-end

func payEachOther(pay func(w, to *wallet, meet *sync.WaitGroup)) func(int) {
	return func(int) {
		a, b := &wallet{id: 1, entries: payload(8 << 10)}, &wallet{id: 2, entries: payload(8 << 10)}
		var meet sync.WaitGroup
		meet.Add(2)
		go pay(a, b, &meet)
		go pay(b, a, &meet)
	}
}

func init() {
	add(mode{name: "deadlock", about: "two locks in two orders", enough: 300,
		plant: payEachOther((*wallet).pay), fixed: payEachOther((*wallet).payFixed)})
}
