// backoff - retries as users of lestrrat-go/backoff write them: until it works, then cancel.
//
// lestrrat-go/backoff#30: the controller's goroutine sends on a channel of one slot without looking at its context.
// While an attempt takes longer than two intervals, it fills the slot and blocks; the context that the caller cancels
// afterwards no longer reaches it.  v2.0.7 has it, v2.0.8 has not.
package main

import (
	"context"
	"sync"
	"time"

	"limpet/goprogs/internal/ready"
	"limpet/goprogs/internal/rounds"

	"github.com/lestrrat-go/backoff/v2"
)

type job struct {
	payload [2048]byte
}

type jobKey struct{}

// One job with its own context; the attempt succeeds, slowly.
func process(parent context.Context, j *job) {
	ctx, cancel := context.WithCancel(context.WithValue(parent, jobKey{}, j))
	defer cancel()
	b := backoff.Constant(backoff.WithInterval(5*time.Millisecond), backoff.WithMaxRetries(0)).Start(ctx)
	for backoff.Continue(b) {
		if attempt(j) {
			return
		}
	}
}

func attempt(j *job) bool {
	time.Sleep(50 * time.Millisecond)
	return len(j.payload) > 0
}

func work() {
	var all sync.WaitGroup
	for i := 0; i < 500; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			process(context.Background(), &job{})
		}()
	}
	all.Wait()
}

func main() {
	ready.Say(rounds.Run(work)...)
	ready.Wait()
}
