package main

// worker-unclosed: a batch starts a worker, feeds it through a channel and goes home without closing the channel.  The
// worker waits for more ("chan receive"), for ever, and keeps the buffers of its stack and what they point to.
//
// The twin closes.

// CASE worker-unclosed EXPECT goroutine-leak verdict=leak proof=proved function=main.batchWorker count>=500
// CASE worker-unclosed-fixed NONE

import "hash/crc32"

// lab:begin
func runBatch(chunks [][]byte) {
	in := make(chan []byte)
	go batchWorker(in)
	for _, c := range chunks {
		in <- c
	}
	// close(in) is missing
}

func batchWorker(in <-chan []byte) {
	buf, sum := payload(8<<10), uint32(0)
	for c := range in {
		n := copy(buf, c)
		sum = crc32.Update(sum, crc32.IEEETable, buf[:n])
	}
}

// lab:end

// lab:fixed-begin
func runBatchFixed(chunks [][]byte) {
	in := make(chan []byte)
	defer close(in)
	go batchWorker(in)
	for _, c := range chunks {
		in <- c
	}
}

// lab:fixed-end

func init() {
	chunks := [][]byte{payload(512), payload(512)}
	add(mode{name: "worker-unclosed", about: "a worker on a channel that nobody closes", enough: 600,
		plant: func(int) { runBatch(chunks) }, fixed: func(int) { runBatchFixed(chunks) }})
}
