package main

// finalizer-stuck: all finalizers run in one goroutine, one after the other.  One that blocks stops them all: whatever
// has a finalizer, files and connections of the standard library among them, is not freed any more.
//
// The twin's finalizer starts a goroutine for what may take long.

// CASE finalizer-stuck EXPECT finalizer-backlog bytes>=4000000
// CASE finalizer-stuck-fixed NONE

import "runtime"

// lab:begin
type spool struct {
	buf     []byte
	flushed chan bool
}

func newSpool() *spool {
	s := &spool{buf: payload(16 << 10), flushed: make(chan bool)}
	runtime.SetFinalizer(s, flushSpool)
	return s
}

func flushSpool(s *spool) {
	<-s.flushed // the flusher has gone home
}

// lab:end

// lab:fixed-begin
func newSpoolFixed() *spool {
	s := &spool{buf: payload(16 << 10), flushed: make(chan bool, 1)}
	s.flushed <- true
	runtime.SetFinalizer(s, flushSpool)
	return s
}

// lab:fixed-end

func init() {
	// The first collection queues them, the later ones find them in the queue.
	settle := func() { runtime.GC(); atOnceOrSoon() }
	add(mode{name: "finalizer-stuck", about: "a finalizer blocks, and all others wait behind it", enough: 500,
		plant: func(int) { newSpool() }, end: settle, fixed: func(int) { newSpoolFixed() }, fixedEnd: settle})
}
