// finalizer-backlog - finalizers and cleanups that wait for one that does not end.
//
// CASE never        EXPECT finalizer-backlog verdict=leak proof=proved type=main.conn function=main.* count>=8000 bytes>=4000000 also=goroutine-leak
// CASE own-channel  EXPECT finalizer-backlog verdict=leak proof=proved type=main.conn count>=8000 bytes>=4000000 also=goroutine-leak
// CASE lock         EXPECT finalizer-backlog verdict=suspect type=main.conn count>=8000 bytes>=4000000
// CASE slow         EXPECT finalizer-backlog verdict=suspect type=main.conn count>=7000 bytes>=4000000
// CASE cleanup      EXPECT finalizer-backlog verdict=leak proof=proved count>=4000 bytes>=4000000 also=goroutine-leak needs=1.24
// CASE cleanup-same  EXPECT finalizer-backlog verdict=leak proof=proved type=main.conn count>=8000 also=goroutine-leak needs=1.24 until=1.24
// CASE cleanup-wakes EXPECT finalizer-backlog verdict=suspect type=main.conn count>=8000 needs=1.25
// CASE quick        NONE
// CASE few          NONE
// CASE burst        NONE
// CASE quick-cleanup NONE needs=1.24
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"limpet/goprogs/internal/ready"
)

const many = 8192

type conn struct {
	done chan struct{}
	id   int
	data [1000]byte
}

var (
	mu   sync.Mutex
	seen int
)

// Waits for an answer that nobody is left to give.
func (c *conn) finishNever() {
	answer := make(chan int)
	seen += <-answer
}

// Each has a channel of its own, which only it and the queue know.
func (c *conn) finishOwn() { <-c.done }

// main holds the lock, and may let it go one day.
func (c *conn) finishLocked() {
	mu.Lock()
	seen++
	mu.Unlock()
}

func (c *conn) finishSlowly() { time.Sleep(100 * time.Millisecond) }

func (c *conn) finish() { seen++ }

func plant(n int, f func(*conn)) {
	for i := 0; i < n; i++ {
		c := &conn{id: i, done: make(chan struct{})}
		runtime.SetFinalizer(c, f)
	}
}

var cases = map[string]func(){
	"never":       func() { plant(many, (*conn).finishNever) },
	"own-channel": func() { plant(many, (*conn).finishOwn) },
	"lock":        func() { mu.Lock(); plant(many, (*conn).finishLocked) },
	"slow":        func() { plant(many, (*conn).finishSlowly) },
	"quick":       func() { plant(many, (*conn).finish) },
	"few":         func() { plant(3, (*conn).finishSlowly) },
}

// As many as any, and looked at while they are being worked off.
func burst() {
	ready.Say("")
	for {
		plant(many, func(c *conn) {
			for i := 0; i < 100; i++ {
				seen += int(c.data[i])
			}
		})
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "burst" {
		burst()
	}
	if len(os.Args) != 2 || cases[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: finalizer-backlog CASE")
		os.Exit(2)
	}
	cases[os.Args[1]]()
	runtime.GC()
	time.Sleep(1500 * time.Millisecond)
	ready.Say("")
	ready.Wait()
}
