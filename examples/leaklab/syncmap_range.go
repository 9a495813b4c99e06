package main

// syncmap-range: for each entry of a sync.Map a goroutine is started in the closure of Range; it has a struct, the
// struct a slice, the slice pointers to what was in the map.  The goroutine waits for a stop that nobody sends, because
// the channel is known to nobody else.  Deleting from the map frees nothing: the goroutines hold it.
//
// The twin ties the goroutines to a context that ends.

// CASE syncmap-range EXPECT goroutine-leak verdict=leak proof=proved function=main.*indexer*run count>=500
// CASE syncmap-range-fixed NONE

import (
	"context"
	"sync"
)

// lab:begin
type indexer struct {
	documents []*document
	stop      chan struct{}
}

type document struct{ words []byte }

var pending sync.Map // name -> *document

func indexPending() {
	pending.Range(func(name, v any) bool {
		ix := &indexer{documents: []*document{v.(*document)}, stop: make(chan struct{})}
		go ix.run()
		pending.Delete(name)
		return true
	})
}

func (ix *indexer) run() {
	for _, d := range ix.documents {
		_ = len(d.words)
	}
	<-ix.stop // "until the service ends"
	ix.documents = nil
}

// lab:end

// lab:fixed-begin
func indexPendingFixed() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	pending.Range(func(name, v any) bool {
		ix := &indexer{documents: []*document{v.(*document)}}
		go ix.runUntil(ctx)
		pending.Delete(name)
		return true
	})
}

func (ix *indexer) runUntil(ctx context.Context) {
	for _, d := range ix.documents {
		_ = len(d.words)
	}
	<-ctx.Done()
}

// lab:fixed-end

func init() {
	add(mode{name: "syncmap-range", about: "Range of a sync.Map -> goroutine -> struct -> slice -> *T", enough: 600,
		plant: func(i int) { pending.Store(i, &document{words: payload(10 << 10)}); indexPending() },
		fixed: func(i int) { pending.Store(i, &document{words: payload(10 << 10)}); indexPendingFixed() }})
}
