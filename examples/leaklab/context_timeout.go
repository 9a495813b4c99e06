package main

// context-timeout: context.WithTimeout and no cancel.  The context's timer holds it, and all that was put into it, until
// the timeout is over; an hour here.  "go vet" says so (lostcancel).
//
// The twin cancels when the work is done.

// CASE context-timeout EXPECT timer-leak bytes>=4000000 count>=900
// CASE context-timeout-fixed NONE

import (
	"context"
	"time"
)

// lab:begin
type traceKey struct{}

func ask(trace []byte) error {
	ctx, _ := context.WithTimeout(context.WithValue(context.Background(), traceKey{}, trace), time.Hour)
	return query(ctx)
}

// lab:end

// lab:fixed-begin
func askFixed(trace []byte) error {
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), traceKey{}, trace), time.Hour)
	defer cancel()
	return query(ctx)
}

// lab:fixed-end

func query(ctx context.Context) error { return ctx.Err() }

func init() {
	add(mode{name: "context-timeout", about: "context.WithTimeout of an hour, never cancelled", enough: 1500,
		plant: func(int) { ask(payload(4 << 10)) },
		fixed: func(int) { askFixed(payload(4 << 10)) }})
}
