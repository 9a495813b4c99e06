// profout - writes its own profiles when it is asked to, and does nothing else meanwhile.
//
// SIGHUP: heap, allocs, goroutine, mutex, block, threadcreate into the folder that is its argument, one .pb.gz each, then
// "WROTE".  SIGWINCH: goroutineleak, where this Go has it.  The collector is off, so that what it has told of the heap
// stays told.
//
// EXPECT stacks deeper than the runtime records; inlined, generic and recursive functions, methods called through
// interfaces (wrappers); labels; goroutines that nothing can wake: 5 of main.forgotten; contention of mutexes, blocking
// on channels.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"

	"limpet/goprogs/internal/ready"
)

func init() { runtime.MemProfileRate = 8192 }

type thing struct {
	next *thing
	data []byte
}

var kept []any

func small(n int) *thing         { return &thing{data: make([]byte, n)} } // inlined
func twice(n int) (*thing, any)  { return small(n), any(small(2 * n)) }
func nothing[T any](x T) (y []T) { return append(y, x, x, x) }

//go:noinline
func generic[T any](x T) []T { return append(nothing(x), make([]T, 1000)...) }

type maker interface{ make(n int) []byte }
type inner struct{ n int }
type outer struct{ inner }

//go:noinline
func (i inner) make(n int) []byte { return make([]byte, n+i.n) }

//go:noinline
func deep(n int, f func()) {
	if n == 0 {
		f()
		return
	}
	deep(n-1, f)
}

//go:noinline
func odd(n int, f func()) {
	if n == 0 {
		f()
	} else {
		even(n-1, f)
	}
}

func even(n int, f func()) {
	if n == 0 {
		f()
	} else {
		odd(n-1, f)
	}
}

func allocate() {
	var m maker = &outer{inner{3}} // a pointer: the method is reached through a wrapper
	for i := 0; i < 2000; i++ {
		a, b := twice(64 + i%7*100)
		kept = append(kept, a)
		if i%3 == 0 {
			kept = append(kept, b)
		}
		kept = append(kept, m.make(500))
	}
	for i := 0; i < 50; i++ {
		kept = append(kept, generic(i), generic(struct{ a, b int }{i, i}), generic("x"))
		deep(20, func() { kept = append(kept, make([]byte, 3000)) })
		deep(200, func() { kept = append(kept, make([]byte, 5000)) })
		odd(9, func() { kept = append(kept, map[int]*thing{i: small(10)}) })
	}
	kept = append(kept, make([]byte, 10<<20))
}

//go:noinline
func critical(mu *sync.Mutex) {
	mu.Lock()
	time.Sleep(2 * time.Millisecond)
	mu.Unlock()
}

// Many want one mutex; others wait on channels that are served late.
func contend() {
	var mu sync.Mutex
	var rw sync.RWMutex
	var wg sync.WaitGroup
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for k := 0; k < 5; k++ {
				critical(&mu)
				func() {
					rw.Lock()
					defer rw.Unlock()
					runtime.Gosched()
				}()
			}
		}()
	}
	wg.Wait()
	late := make(chan int)
	go func() { time.Sleep(3 * time.Millisecond); late <- 1 }()
	<-late
	select {
	case <-late:
	case <-time.After(2 * time.Millisecond):
	}
}

//go:noinline
func forgotten() { <-make(chan int) }

func waitFor(c chan int) { <-c } // inlined

//go:noinline
func through(c chan int) { waitFor(c) }

func stand(forever chan int, mu *sync.Mutex) {
	for i := 0; i < 5; i++ {
		go forgotten()
	}
	for i := 0; i < 7; i++ {
		go through(forever)
		go func() {
			select {
			case <-forever:
			case forever <- 1:
			}
		}()
	}
	for i := 0; i < 3; i++ {
		go mu.Lock()
		go deep(10, func() { waitFor(forever) })
		go deep(100, func() { waitFor(forever) })
		go odd(150, func() { waitFor(forever) })
		go func() { time.Sleep(time.Hour) }()
	}
	for i := 0; i < 6; i++ {
		labels := pprof.Labels("route", "/cart", "tenant", fmt.Sprint("acme-", i%2))
		go pprof.Do(context.Background(), labels, func(context.Context) { through(forever) })
	}
	var c sync.Cond
	c.L = &sync.Mutex{}
	go func() { c.L.Lock(); c.Wait() }()
}

// The search for leaks is a collection: it is asked for by itself.
func write(folder string, leaks bool) {
	for _, p := range pprof.Profiles() {
		if leaks != (p.Name() == "goroutineleak") {
			continue
		}
		f, err := os.Create(filepath.Join(folder, p.Name()+".pb.gz"))
		if err != nil {
			panic(err)
		}
		if err := p.WriteTo(f, 0); err != nil {
			panic(err)
		}
		f.Close()
	}
}

func serve(folder string) {
	c := make(chan os.Signal, 4)
	signal.Notify(c, syscall.SIGHUP, syscall.SIGWINCH)
	for s := range c {
		write(folder, s == syscall.SIGWINCH)
		fmt.Println("WROTE")
	}
}

func main() {
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	if len(os.Args) > 2 { // a fraction: one in two
		runtime.SetMutexProfileFraction(2)
		runtime.SetBlockProfileRate(100000)
	}
	allocate()
	contend()
	for i := 0; i < 4; i++ {
		runtime.GC()
	}
	debug.SetGCPercent(-1)
	allocate() // told by the next collection, which does not come
	runtime.SetBlockProfileRate(0)
	var mu sync.Mutex
	mu.Lock()
	forever := make(chan int)
	stand(forever, &mu)
	go serve(os.Args[1])
	time.Sleep(300 * time.Millisecond)
	if v := runtime.Version(); v >= "go1.20" { // older ones multiply by it when they write
		runtime.SetMutexProfileFraction(0)
	}
	ready.Say()
	ready.Wait()
	mu.Unlock()
	close(forever)
}
