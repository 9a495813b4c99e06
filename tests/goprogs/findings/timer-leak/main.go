// timer-leak - tickers that nobody stops, timers far away in time.
//
// go.mod says go 1.22: up to Go 1.26 that means timers as they were (asynctimerchan=1).
//
// CASE ticker-dropped EXPECT timer-leak verdict=leak proof=proved count>=2000 until=1.26
// CASE ticker-collected NONE needs=1.23 env=GODEBUG=asynctimerchan=0
// CASE ticker-kept EXPECT timer-leak verdict=suspect count>=2000
// CASE after-func-far EXPECT timer-leak verdict=suspect function=main.expire.func1 count>=2000 bytes>=4000000
// CASE after-in-loop EXPECT timer-leak verdict=leak proof=proved count>=20000 until=1.26
// CASE after-collected NONE needs=1.23 env=GODEBUG=asynctimerchan=0
// CASE rearmed EXPECT timer-leak verdict=suspect count>=2000 bytes>=4000000
// CASE session-tickers EXPECT timer-leak verdict=suspect count>=2000 anywhere
// CASE loops EXPECT timer-leak verdict=suspect function=main.loop count>=2000 anywhere
// CASE timeouts EXPECT timer-leak verdict=suspect count>=2000
// CASE one-ticker NONE
// CASE workers NONE
// CASE deadlines NONE
// CASE stopped NONE
// CASE soon NONE
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

type session struct {
	tick *time.Ticker
	body [1024]byte
}

type poller struct {
	buf   [2048]byte
	timer *time.Timer
}

func (p *poller) poll() {
	p.timer = time.AfterFunc(time.Hour, p.poll)
}

var (
	tickers  []*time.Ticker
	sessions map[int]*session
	stopped  []*time.Timer
	contexts []context.Context
	begun    sync.WaitGroup
)

//go:noinline
func expire(n int, d time.Duration) {
	buf := make([]byte, n)
	time.AfterFunc(d, func() { fmt.Println(len(buf), buf[0]) })
}

//go:noinline
func after(c chan int) {
	select {
	case <-c:
	case <-time.After(24 * time.Hour):
	}
}

func loop() {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	begun.Done()
	for range t.C {
	}
}

//go:noinline
func plant(name string) {
	switch name {
	case "ticker-dropped", "ticker-collected":
		for i := 0; i < 3000; i++ {
			time.NewTicker(time.Hour)
		}
	case "ticker-kept":
		for i := 0; i < 3000; i++ {
			tickers = append(tickers, time.NewTicker(time.Hour))
		}
	case "after-func-far":
		for i := 0; i < 3000; i++ {
			expire(2048, 24*time.Hour)
		}
	case "after-in-loop", "after-collected":
		c := make(chan int, 1)
		for i := 0; i < 30000; i++ {
			c <- 1
			after(c)
		}
	case "rearmed":
		for i := 0; i < 3000; i++ {
			(&poller{}).poll()
		}
	case "session-tickers":
		sessions = map[int]*session{}
		for i := 0; i < 4000; i++ {
			sessions[i] = &session{tick: time.NewTicker(time.Minute)}
		}
	case "one-ticker":
		t := time.NewTicker(time.Hour)
		go func() {
			for range t.C {
			}
		}()
	case "workers":
		begun.Add(200)
		for i := 0; i < 200; i++ {
			go loop()
		}
		begun.Wait()
		time.Sleep(100 * time.Millisecond)
	case "loops":
		begun.Add(3000)
		for i := 0; i < 3000; i++ {
			go loop()
		}
		begun.Wait()
		time.Sleep(100 * time.Millisecond)
	case "timeouts":
		for i := 0; i < 3000; i++ {
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			_ = cancel
			_ = context.WithValue(ctx, "key", make([]byte, 100))
		}
	case "deadlines":
		for i := 0; i < 3000; i++ {
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			_ = cancel
			contexts = append(contexts, ctx)
		}
	case "stopped":
		for i := 0; i < 3000; i++ {
			t := time.NewTimer(time.Hour)
			t.Stop()
			stopped = append(stopped, t)
		}
	case "soon":
		for i := 0; i < 3000; i++ {
			expire(64, 30*time.Second)
		}
	}
}

func main() {
	plant(os.Args[1])
	runtime.GC()
	runtime.GC()
	ready.Say()
	ready.Wait()
	fmt.Sprint(tickers, sessions, stopped, contexts)
}
