package main

import (
	"context"
	"time"
)

type times struct {
	timers  []*time.Timer
	tickers []*time.Ticker
	ctxs    []context.Context
	cancels []context.CancelFunc
	after   []<-chan time.Time
}

// Timers far away, some held by us, some by the runtime's heaps alone.
func makeTimes() times {
	t := times{}
	root, cancel := context.WithCancel(context.Background())
	t.cancels = append(t.cancels, cancel)
	for i := 0; i < 500; i++ {
		n := &node{val: i}
		t.timers = append(t.timers, time.AfterFunc(time.Hour+time.Duration(i)*time.Second, func() { n.val++ }))
		time.AfterFunc(2*time.Hour, func() { n.val++ })
		t.tickers = append(t.tickers, time.NewTicker(time.Hour))
		t.after = append(t.after, time.After(3*time.Hour))
		ctx, cancel := context.WithTimeout(root, 4*time.Hour)
		t.ctxs = append(t.ctxs, context.WithValue(ctx, n, &node{val: i}))
		t.cancels = append(t.cancels, cancel)
	}
	for i := 0; i < 100; i++ {
		t.timers[i].Stop()
		t.tickers[i].Stop()
	}
	return t
}
