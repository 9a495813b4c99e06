// pingpong - goroutines that wake each other all the time, by every means there is; none can be called leaked.
//
// What they wait for is held by nobody but those who take part, so that an instant in which a wake is on its way
// looks most like a leak.
//
// EXPECT leaked none
package main

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"limpet/goprogs/internal/ready"
)

// A ball that carries the channel on which its answer is awaited.
type ball struct {
	back chan *ball
	room [4]int
}

func channels() {
	ping := make(chan *ball)
	go func() {
		for b := range ping {
			b.back <- b
		}
	}()
	for {
		b := &ball{back: make(chan *ball)}
		ping <- b
		<-b.back
	}
}

func selects() {
	a, b := make(chan int), make(chan int)
	go func() {
		for {
			select {
			case a <- 1:
			case n := <-b:
				runtime.KeepAlive(n)
			}
		}
	}()
	for {
		select {
		case <-a:
		case b <- 2:
		}
	}
}

func mutexes() {
	type guarded struct {
		mu sync.Mutex
		rw sync.RWMutex
		n  int
	}
	g := &guarded{}
	for i := 0; i < 3; i++ {
		go func() {
			for {
				g.mu.Lock()
				g.n++
				runtime.Gosched()
				g.mu.Unlock()
				g.rw.RLock()
				runtime.Gosched()
				g.rw.RUnlock()
			}
		}()
	}
	for {
		g.rw.Lock()
		g.n++
		runtime.Gosched()
		g.rw.Unlock()
	}
}

func groups() {
	for {
		var wg sync.WaitGroup
		for i := 0; i < 4; i++ {
			wg.Add(1)
			go func() {
				runtime.Gosched()
				wg.Done()
			}()
		}
		wg.Wait()
	}
}

func conditions() {
	var mu sync.Mutex
	some := sync.NewCond(&mu)
	n := 0
	go func() {
		for {
			mu.Lock()
			for n == 0 {
				some.Wait()
			}
			n--
			mu.Unlock()
			some.Signal()
		}
	}()
	for {
		mu.Lock()
		for n > 3 {
			some.Wait()
		}
		n++
		mu.Unlock()
		some.Broadcast()
	}
}

// A worker that was made for one answer, as a server does for a request.
func answers() {
	for {
		answer := make(chan int)
		done := make(chan struct{})
		go func() {
			answer <- 1
			close(done)
		}()
		<-answer
		<-done
	}
}

func main() {
	each, _ := strconv.Atoi(os.Args[1])
	for i := 0; i < each; i++ {
		for _, f := range []func(){channels, selects, mutexes, groups, conditions, answers} {
			go f()
		}
	}
	time.Sleep(200 * time.Millisecond)
	ready.Say()
	for {
		time.Sleep(time.Second)
	}
}
