// esclint - what go vet warns of, and what it costs: contexts whose cancel function is thrown away stay
// with what hangs on them; another such line, never run, holds nothing; in a third goroutines wait.
//
// No memory profile is linked in, for nothing reads it; -tags sampled has it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"time"
)

type job struct{ data [2048]byte }

type key struct{}

var base, stop = context.WithCancel(context.Background())

//go:noinline
func start(i int) {
	ctx, _ := context.WithCancel(base)          // LOSTCANCEL runs
	carry(ctx, &job{data: [2048]byte{byte(i)}}) // STAYS 2000 2048
}

//go:noinline
func carry(ctx context.Context, j *job) {
	context.AfterFunc(context.WithValue(ctx, key{}, j), func() { j.data[0]++ })
}

//go:noinline
func never() {
	ctx, _ := context.WithTimeout(base, time.Hour) // LOSTCANCEL never
	fmt.Println(ctx)
}

//go:noinline
func wait(c chan int, i int) {
	ctx, _ := context.WithCancel(base) // LOSTCANCEL waits
	select {
	case <-ctx.Done():
	case <-c:
	}
	runtime.KeepAlive(i)
}

func main() {
	if len(os.Args) > 5 {
		never()
		stop()
	}
	for i := 0; i < 2000; i++ {
		start(i)
	}
	c := make(chan int)
	for i := 0; i < 400; i++ {
		go wait(c, i)
	}
	time.Sleep(200 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	fmt.Println("READY", os.Getpid())
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, os.Interrupt)
	<-ch
	runtime.KeepAlive(base)
}
