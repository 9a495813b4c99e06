package main

// context-children: each request derives a context from the application's, which lives as long as the process, and never
// cancels it.  The parent registers every child that can be cancelled; only cancel takes it out again.
//
// The twin cancels.

// CASE context-children EXPECT context-leak holder=main.app* bytes>=4000000 count>=1500
// CASE context-children-fixed NONE

import "context"

// lab:begin
var appContext, stopApp = context.WithCancel(context.Background())

type requestKey struct{}

func begin(r *request) {
	ctx, _ := context.WithCancel(context.WithValue(appContext, requestKey{}, r))
	work(ctx)
}

// lab:end

type request struct{ body []byte }

// lab:fixed-begin
func beginFixed(r *request) {
	ctx, cancel := context.WithCancel(context.WithValue(appContext, requestKey{}, r))
	defer cancel()
	work(ctx)
}

// lab:fixed-end

func work(ctx context.Context) { _ = ctx.Value(requestKey{}) }

func init() {
	add(mode{name: "context-children", about: "contexts derived from one that lives for ever, never cancelled", enough: 2000,
		plant: func(int) { begin(&request{payload(4 << 10)}) },
		fixed: func(int) { beginFixed(&request{payload(4 << 10)}) }})
}
