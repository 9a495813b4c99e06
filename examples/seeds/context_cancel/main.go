// cancel() never called: under Background, and under a parent that lives on.
package main

import (
	"context"

	"limpet/seeds/internal/say"
)

func derive(parent context.Context, n int) {
	for i := 0; i < n; i++ {
		ctx, cancel := context.WithCancel(parent)
		_, _ = ctx, cancel // forgotten
	}
}

var server, stop = context.WithCancel(context.Background())

func main() {
	derive(context.Background(), 200_000)
	background := say.Heap("200,000 children of Background")
	derive(server, 200_000)
	child := say.Heap("200,000 children of a server's context")
	stop()
	stopped := say.Heap("after the parent was cancelled")
	// the parent's children map goes as a whole (context.go: cancel sets children to nil)
	say.Holds(background < 5 && child > 20 && stopped < 5, "the parent's list holds them")
}
