// gotext - goroutines in known numbers, and a dump of them in every form that Go writes.
//
// stdout: TRUTH and a JSON object: how many run each function, and runtime.NumGoroutine().
// stderr: the dump.  The first argument says which form.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"
)

type store struct {
	n  int
	mu sync.Mutex
	rw sync.RWMutex
}

var (
	counts = map[string]int{}
	alive  sync.WaitGroup
	never  = make(chan int)
	forced []byte
	spin   int64
)

//go:noinline
func receiver(c chan int) { alive.Done(); <-c }

//go:noinline
func sender(c chan int) { alive.Done(); c <- 1 }

//go:noinline
func chooser(a, b chan int) {
	alive.Done()
	select {
	case <-a:
	case <-b:
	}
}

//go:noinline
func (s *store) hold() {
	s.mu.Lock()
	s.rw.Lock()
	alive.Done()
	<-never
	s.rw.Unlock()
	s.mu.Unlock()
}

//go:noinline
func (s *store) get(i int) {
	alive.Done()
	s.mu.Lock()
	s.n += i
	s.mu.Unlock()
}

//go:noinline
func (s *store) read(i int) {
	alive.Done()
	s.rw.RLock()
	s.n += i
	s.rw.RUnlock()
}

//go:noinline
func pinned() {
	runtime.LockOSThread()
	alive.Done()
	<-never
}

//go:noinline
func waiter(wg *sync.WaitGroup) { alive.Done(); wg.Wait() }

//go:noinline
func sleeper() { alive.Done(); time.Sleep(time.Hour) }

//go:noinline
func nobody() {
	var c chan int
	alive.Done()
	<-c
}

//go:noinline
func labelled(tenant string) {
	pprof.Do(context.Background(), pprof.Labels("tenant", tenant, "route", "/cart [a]"), func(context.Context) {
		alive.Done()
		<-never
	})
}

//go:noinline
func deep(n int) int {
	if n > 0 {
		return deep(n-1) + 1
	}
	alive.Done()
	return <-never
}

func spinner() {
	alive.Done()
	for {
		atomic.AddInt64(&spin, 1)
	}
}

func many(name string, n int, f func(i int)) {
	counts[name] += n
	alive.Add(n)
	for i := 0; i < n; i++ {
		f(i)
	}
	alive.Wait()
}

func start() *store {
	s := &store{}
	wg := &sync.WaitGroup{}
	wg.Add(1)
	many("main.(*store).hold", 1, func(int) { go s.hold() })
	receivers(7)
	many("main.sender", 5, func(int) { go sender(never2()) })
	many("main.chooser", 4, func(int) { go chooser(never, make(chan int)) })
	many("main.(*store).get", 6, func(i int) { go s.get(i) })
	many("main.(*store).read", 3, func(i int) { go s.read(i) })
	many("main.pinned", 2, func(int) { go pinned() })
	many("main.waiter", 2, func(int) { go waiter(wg) })
	many("main.sleeper", 3, func(int) { go sleeper() })
	many("main.nobody", 1, func(int) { go nobody() })
	many("main.labelled", 4, func(i int) { go labelled([]string{"acme", "globex"}[i%2]) })
	many("main.deep", 1, func(int) { go deep(300) })
	time.Sleep(50 * time.Millisecond)
	return s
}

//go:noinline
func receivers(n int) {
	many("main.receiver", n, func(int) { go receiver(make(chan int)) })
}

func never2() chan int { return make(chan int) }

func truth() {
	counts["total"] = runtime.NumGoroutine()
	text, _ := json.Marshal(counts)
	fmt.Println("TRUTH", string(text))
}

//go:noinline
func stacks() {
	buf := make([]byte, 1<<20)
	os.Stderr.Write(buf[:runtime.Stack(buf, true)])
}

type customer struct{ name string }

func main() {
	form := os.Args[1]
	if form == "deadlock" {
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
	}
	s := start()
	truth()
	switch form {
	case "stack":
		stacks()
	case "own":
		debug.PrintStack()
	case "debug1":
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
	case "debug2":
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
	case "leaks1", "leaks2": // Go 1.26 with GOEXPERIMENT=goroutineleakprofile, 1.27
		if p := pprof.Lookup("goroutineleak"); p != nil {
			p.WriteTo(os.Stderr, int(form[5]-'0'))
		}
	case "twice": // half as many more in between, none of the first go
		stacks()
		fmt.Fprintln(os.Stderr, "\n2026/01/02 03:04:05 serving")
		receivers(30)
		time.Sleep(50 * time.Millisecond)
		truth()
		stacks()
	case "panic":
		panic("customer 4711 has no account")
	case "value":
		panic(customer{"4711"})
	case "again":
		defer func() {
			if e := recover(); e != nil {
				panic(fmt.Sprint("again: ", e))
			}
		}()
		panic("first")
	case "nil":
		var c *customer
		fmt.Println(c.name)
	case "index":
		fmt.Println(os.Args[len(os.Args)+s.n])
	case "map":
		var m map[string]int
		m["a"] = 1
	case "closed":
		c := make(chan int)
		close(c)
		close(c)
	case "overflow":
		forced = append(forced, byte(overflow(0)))
	case "writes":
		m := map[int]int{}
		for i := 0; i < 4; i++ {
			go func() {
				for {
					m[1]++
				}
			}()
		}
		time.Sleep(5 * time.Second)
	case "quit":
		fmt.Println("READY")
		time.Sleep(time.Hour)
	case "spin":
		many("main.spinner", 1, func(int) { go spinner() })
		fmt.Println("READY")
		time.Sleep(time.Hour)
	}
}

//go:noinline
func overflow(n int) int { return overflow(n+1) + n }
