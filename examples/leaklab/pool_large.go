package main

// pool-large: one answer in eight is big.  Its buffer goes back to the pool as it is, so little by little all
// buffers of the pool are big, and small answers are written into megabytes.
//
// The twin gives big buffers to the collector (fmt and encoding/json of Go itself do so, at 64 kB).

// CASE pool-large EXPECT sync-pool-large holder=main.buffers bytes>=8000000
// CASE pool-large-fixed NONE

import (
	"bytes"
	"sync"
)

// lab:begin
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func giveBack(b *bytes.Buffer) {
	b.Reset() // empties it, and keeps its memory
	buffers.Put(b)
}

// lab:end

// lab:fixed-begin
func giveBackSmall(b *bytes.Buffer) {
	if b.Cap() > 64<<10 {
		return
	}
	b.Reset()
	buffers.Put(b)
}

// lab:fixed-end

var buffersOut []*bytes.Buffer

func answerInto(i int) {
	b := buffers.Get().(*bytes.Buffer)
	if i%8 == 7 {
		b.Write(payload(2 << 20)) // the big one
	} else {
		b.Write(payload(2 << 10))
	}
	buffersOut = append(buffersOut, b)
}

func buffersBack(put func(*bytes.Buffer)) func() {
	return func() {
		for _, b := range buffersOut {
			put(b)
		}
		buffersOut = nil
	}
}

func init() {
	all := func(put func(*bytes.Buffer)) func(i int) {
		return func(i int) {
			answerInto(i)
			if len(buffersOut) == 64 {
				buffersBack(put)()
			}
		}
	}
	add(mode{name: "pool-large", about: "buffers of megabytes go back to a sync.Pool", enough: 63, noGC: true,
		plant: all(giveBack), end: buffersBack(giveBack), fixed: all(giveBackSmall), fixedEnd: buffersBack(giveBackSmall)})
}
