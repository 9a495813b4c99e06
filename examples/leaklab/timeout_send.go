package main

// timeout-send: the caller gives up after its timeout, the worker does not know, and blocks on a send that nobody will
// receive.  Under load, when timeouts are common, that is when it grows.
//
// The twin lets the worker give up, too.

// CASE timeout-send EXPECT goroutine-leak verdict=leak proof=proved function=main.lookup.func1 count>=300
// CASE timeout-send-fixed NONE

import (
	"context"
	"time"
)

// lab:begin
func lookup(ctx context.Context, slow time.Duration) ([]byte, error) {
	found := make(chan []byte)
	go func() {
		rows := payload(12 << 10)
		time.Sleep(slow)
		found <- rows
	}()
	select {
	case rows := <-found:
		return rows, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// lab:end

// lab:fixed-begin
func lookupFixed(ctx context.Context, slow time.Duration) ([]byte, error) {
	found := make(chan []byte)
	go func() {
		rows := payload(12 << 10)
		time.Sleep(slow)
		select {
		case found <- rows:
		case <-ctx.Done():
		}
	}()
	select {
	case rows := <-found:
		return rows, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// lab:fixed-end

func impatient(lookup func(context.Context, time.Duration) ([]byte, error)) func(int) {
	return func(int) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		lookup(ctx, time.Microsecond)
	}
}

func init() {
	settle := func() { time.Sleep(50 * time.Millisecond) }
	add(mode{name: "timeout-send", about: "the caller has given up, the worker still wants to send", enough: 400,
		plant: impatient(lookup), end: settle, fixed: impatient(lookupFixed), fixedEnd: settle})
}
