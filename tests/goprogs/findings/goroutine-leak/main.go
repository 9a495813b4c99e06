// goroutine-leak - goroutines that wait for what nobody can give them, and some that only look so.
//
// CASE early-return EXPECT goroutine-leak verdict=leak proof=proved function=main.ask* count>=500 bytes>=4000000
// CASE never-closed EXPECT goroutine-leak verdict=leak proof=proved function=main.(*feed).follow count>=200 bytes>=4000000
// CASE lost-unlock EXPECT goroutine-leak verdict=leak proof=proved function=main.(*account).pay count>=100 bytes>=4000000
// CASE wait-group EXPECT goroutine-leak verdict=leak proof=proved function=main.gather count>=100 bytes>=4000000
// CASE condition EXPECT goroutine-leak verdict=leak proof=proved function=main.(*mailbox).take* count>=100 bytes>=4000000
// CASE select-no-cancel EXPECT goroutine-leak verdict=leak proof=proved function=main.watch* count>=100 bytes>=4000000
// CASE nil-channel EXPECT goroutine-leak verdict=leak proof=proved function=main.silent* count>=100 bytes>=4000000
// CASE request EXPECT goroutine-leak verdict=leak proof=proved function=main.handle* count>=100 bytes>=4000000
// CASE pair EXPECT goroutine-leak verdict=leak proof=proved count>=100 bytes>=2000000
// CASE forgotten EXPECT goroutine-leak verdict=suspect count>=2000 holder=*
//
// CASE pool NONE
// CASE sleepers NONE
// CASE by-finalizer NONE env=GOGC=off
// CASE by-timer NONE
// CASE by-signal NONE
// CASE few NONE
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"limpet/goprogs/internal/ready"
)

// What each of them keeps.
func load() []byte {
	return make([]byte, 40<<10)
}

// The answer comes when nobody waits any more: the channel has no room.
func ask() error {
	done := make(chan []byte)
	go func() {
		answer := load()
		done <- answer
	}()
	return os.ErrDeadlineExceeded
}

type feed struct {
	events chan int
	buf    []byte
}

func (f *feed) follow() {
	for e := range f.events {
		f.buf[e]++
	}
}

type account struct {
	mu   sync.Mutex
	book []byte
}

func (a *account) pay(n int) bool {
	a.mu.Lock()
	if n > 0 {
		return false // and the lock stays
	}
	a.mu.Unlock()
	return true
}

// One of three fails before Done.
func gather() {
	var wg sync.WaitGroup
	parts := load()
	for i := 0; i < 3; i++ {
		wg.Add(1)
		go func(n int) {
			if n == 1 {
				return
			}
			parts[n]++
			wg.Done()
		}(i)
	}
	wg.Wait()
	parts[0]++
}

type mailbox struct {
	mu    sync.Mutex
	some  *sync.Cond
	mails [][]byte
	room  []byte
}

func (m *mailbox) take() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.mails) == 0 {
		m.some.Wait()
	}
	return m.room
}

func watch(changes, stop chan int) {
	state := load()
	for {
		select {
		case n := <-changes:
			state[n]++
		case <-stop:
			return
		}
	}
}

func silent() {
	var never chan int
	state := load()
	state[<-never]++
}

// What a handler keeps of its request.
type request struct {
	body []byte
	ctx  context.Context
}

func handle(r *request) {
	result := make(chan int)
	go func() {
		result <- len(r.body)
		r.body[0]++
	}()
	select {
	case <-result:
	case <-r.ctx.Done():
	}
}

// Two that wait for each other.
func pair() {
	a, b := make(chan []byte), make(chan []byte)
	go func() {
		mine := load()
		other := <-a
		other[0] = mine[0]
		b <- mine
	}()
	go func() {
		mine := load()
		other := <-b
		other[0] = mine[0]
		a <- mine
	}()
}

var (
	jobs        = make(chan int)
	subscribers sync.Map
	released    = make(chan int)
)

func worker() {
	for range jobs {
		load()
	}
}

type resource struct {
	done chan int
	room []byte
}

func each(n int, f func()) {
	for i := 0; i < n; i++ {
		f()
	}
}

func plant(name string) {
	switch name {
	case "early-return":
		each(500, func() { ask() })
	case "never-closed":
		each(200, func() { go (&feed{make(chan int), load()}).follow() })
	case "lost-unlock":
		each(100, func() {
			a := &account{book: load()}
			a.pay(1)
			go a.pay(0)
			go a.pay(0)
			runtime.Gosched()
		})
	case "wait-group":
		each(150, func() { go gather() })
	case "condition":
		each(150, func() {
			m := &mailbox{room: load()}
			m.some = sync.NewCond(&m.mu)
			go m.take()
		})
	case "select-no-cancel":
		each(150, func() { go watch(make(chan int), make(chan int)) })
	case "nil-channel":
		each(150, func() { go silent() })
	case "request":
		each(150, func() {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			handle(&request{load(), ctx})
		})
	case "pair":
		each(150, func() { pair() })
	case "forgotten":
		// Someone could still tell them to go: they are in a list.
		each(2000, func() {
			stop := make(chan int)
			subscribers.Store(stop, true)
			go func() {
				state := make([]byte, 4<<10)
				state[<-stop]++
			}()
		})
	case "pool":
		each(500, func() { go worker() })
	case "sleepers":
		each(500, func() {
			go func() {
				state := load()
				time.Sleep(time.Hour)
				state[0]++
			}()
		})
	case "by-finalizer":
		// Only a finalizer will wake them; the handle has gone, and no collection has seen that yet.
		h := &resource{make(chan int), load()}
		runtime.SetFinalizer(h, func(h *resource) { close(h.done) })
		done := h.done
		each(100, func() {
			go func() {
				state := load()
				state[<-done]++
			}()
		})
	case "by-timer":
		each(200, func() {
			go func() {
				state := load()
				state[0] = byte((<-time.After(time.Hour)).Second())
			}()
		})
	case "by-signal":
		each(50, func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGHUP)
			go func() {
				state := load()
				<-c
				state[0]++
			}()
		})
	case "few":
		// A library's that has been given up: nothing to speak of.
		go func() { select {} }()
		go func() { <-make(chan int) }()
	}
}

func main() {
	plant(os.Args[1])
	time.Sleep(100 * time.Millisecond)
	if os.Args[1] != "by-finalizer" {
		runtime.GC()
		runtime.GC()
	}
	ready.Say()
	ready.Wait()
}
