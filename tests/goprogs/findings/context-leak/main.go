// context-leak - contexts that are registered with a parent and never cancelled.
//
// CASE lost-cancel EXPECT context-leak verdict=leak proof=proved count>=2000 bytes>=4000000
// CASE on-the-server EXPECT context-leak verdict=leak proof=proved count>=20000
// CASE after-func EXPECT context-leak verdict=leak proof=proved count>=2000
// CASE streams EXPECT context-leak verdict=suspect count>=2000 anywhere
// CASE long-deadlines EXPECT context-leak verdict=suspect count>=2000
// CASE cancelled NONE
// CASE deadlines NONE
// CASE requests NONE
// CASE background NONE
// CASE done-in-use NONE
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"limpet/goprogs/internal/ready"
)

type key struct{}

type server struct {
	ctx  context.Context
	stop context.CancelFunc
}

type stream struct {
	ctx    context.Context
	cancel context.CancelFunc
	body   [256]byte
}

var (
	base, stop = context.WithCancel(context.Background())
	theServer  *server
	streams    sync.Map
	waiting    sync.WaitGroup
)

//go:noinline
func request(parent context.Context, i int) {
	ctx, cancel := context.WithCancel(context.WithValue(parent, key{}, make([]byte, 2048)))
	if i < 0 {
		cancel()
	}
	_ = ctx
}

//go:noinline
func plant(name string) {
	switch name {
	case "lost-cancel":
		for i := 0; i < 5000; i++ {
			request(base, i)
		}
	case "on-the-server":
		ctx, stop := context.WithCancel(context.Background())
		theServer = &server{ctx, stop}
		for i := 0; i < 30000; i++ {
			c, cancel := context.WithCancel(theServer.ctx)
			_, _ = c, cancel
		}
	case "after-func":
		for i := 0; i < 5000; i++ {
			buf := make([]byte, 1024)
			context.AfterFunc(base, func() { println(len(buf), buf[0]) })
		}
	case "streams":
		for i := 0; i < 5000; i++ {
			ctx, cancel := context.WithCancel(base)
			streams.Store(i, &stream{ctx: context.WithValue(ctx, key{}, i), cancel: cancel})
		}
	case "long-deadlines":
		for i := 0; i < 5000; i++ {
			ctx, cancel := context.WithTimeout(base, 1000*time.Hour)
			_, _ = ctx, cancel
		}
	case "cancelled":
		for i := 0; i < 5000; i++ {
			ctx, cancel := context.WithCancel(base)
			streams.Store(i%100, ctx)
			cancel()
		}
	case "deadlines":
		for i := 0; i < 2000; i++ {
			ctx, cancel := context.WithTimeout(base, 10*time.Minute)
			_, _ = ctx, cancel
		}
	case "requests":
		waiting.Add(2000)
		for i := 0; i < 2000; i++ {
			go func() {
				ctx, cancel := context.WithCancel(context.WithValue(base, key{}, 1))
				defer cancel()
				waiting.Done()
				select {
				case <-ctx.Done():
				case <-time.After(time.Hour):
				}
				runtime.KeepAlive(ctx)
			}()
		}
		waiting.Wait()
		time.Sleep(100 * time.Millisecond)
	case "background": // nothing holds them: collected
		for i := 0; i < 5000; i++ {
			ctx, cancel := context.WithCancel(context.Background())
			_, _ = ctx, cancel
		}
	case "done-in-use": // whose Done a worker waits on
		waiting.Add(2000)
		for i := 0; i < 2000; i++ {
			ctx, cancel := context.WithCancel(base)
			_ = cancel
			go func(done <-chan struct{}) {
				waiting.Done()
				for {
					select {
					case <-done:
						return
					case <-time.After(time.Hour):
					}
				}
			}(ctx.Done())
		}
		waiting.Wait()
		time.Sleep(100 * time.Millisecond)
	}
}

func main() {
	plant(os.Args[1])
	runtime.GC()
	runtime.GC()
	ready.Say()
	ready.Wait()
	stop()
	fmt.Sprint(theServer)
}
