package main

// cond: sync.Cond wakes who waits at that moment.  Here the consumer checks, the producer signals, and then the consumer
// waits: the signal is lost, and the queue goes out of use with the consumer in it.
//
// The twin checks and waits under one lock, in a loop.

// CASE cond EXPECT goroutine-leak verdict=leak proof=proved function=main.*mailbox*take count>=500
// CASE cond-fixed NONE

import "sync"

// lab:begin
type mailbox struct {
	mu   sync.Mutex
	any  *sync.Cond
	mail [][]byte
}

func (b *mailbox) empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.mail) == 0
}

func (b *mailbox) take(between func()) []byte {
	if b.empty() {
		between() // put() comes here, and its Signal finds nobody
		b.mu.Lock()
		b.any.Wait()
		b.mu.Unlock()
	}
	return b.mail[0]
}

func (b *mailbox) put(m []byte) {
	b.mu.Lock()
	b.mail = append(b.mail, m)
	b.mu.Unlock()
	b.any.Signal()
}

// lab:end

// lab:fixed-begin
func (b *mailbox) takeFixed(between func()) []byte {
	between()
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.mail) == 0 {
		b.any.Wait()
	}
	return b.mail[0]
}

// lab:fixed-end

func useMailbox(take func(b *mailbox, between func()) []byte) func(int) {
	return func(int) {
		b := new(mailbox)
		b.any = sync.NewCond(&b.mu)
		go take(b, func() { b.put(payload(8 << 10)) })
	}
}

func init() {
	add(mode{name: "cond", about: "a sync.Cond whose signal came too early", enough: 600,
		plant: useMailbox((*mailbox).take), fixed: useMailbox((*mailbox).takeFixed)})
}
