package main

// context-timeout: context.WithTimeout of a day, "to be on the safe side", and no cancel.  The context's timer and its
// parent hold it, and all that was put into it, until the day is over.  "go vet" says so (lostcancel).
//
// The twin cancels when the work is done.

// CASE context-timeout EXPECT context-leak count>=3000
// CASE context-timeout-fixed NONE

import (
	"context"
	"time"
)

// lab:begin
type traceKey struct{}

func ask(trace []byte) error {
	ctx, _ := context.WithTimeout(context.WithValue(appContext, traceKey{}, trace), 24*time.Hour)
	return query(ctx)
}

// lab:end

// lab:fixed-begin
func askFixed(trace []byte) error {
	ctx, cancel := context.WithTimeout(context.WithValue(appContext, traceKey{}, trace), 24*time.Hour)
	defer cancel()
	return query(ctx)
}

// lab:fixed-end

func query(ctx context.Context) error { return ctx.Err() }

func init() {
	add(mode{name: "context-timeout", about: "context.WithTimeout of a day, never cancelled", enough: 4000,
		plant: func(int) { ask(payload(4 << 10)) },
		fixed: func(int) { askFixed(payload(4 << 10)) }})
}
