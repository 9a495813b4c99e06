// Package body is one small program that knows itself; how it is built and who is its host makes no difference.
//
// EXPECT type body.Session count=2000 bytes=128000 holder=body.sessions
// EXPECT type body.Node count=1000 bytes=48000 holder=body.sessions
// EXPECT type body.Event count=500 bytes=16000 holder=body.events
// EXPECT type body.Job count=3 bytes=288 holder=goroutine dwarf=yes
// EXPECT type body.Big count=1 bytes=224 holder=closure
// EXPECT goroutine body.worker count=3 wait="chan receive"
// EXPECT goroutine body.sleeper count=1 wait=sleep
// EXPECT goroutine body.chooser count=1 wait=select
//
// Sizes are those of size classes and below 512 bytes, so that no version adds a header to them.
package body

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"limpet/goprogs/internal/ready"
)

// Session is 64 bytes; the last one's Log is a list of all nodes.
type Session struct {
	ID   int64
	Name string
	Data []byte
	Peer *Session
	Log  *Node
}

// Node is 48 bytes.
type Node struct {
	Next   *Node
	Values [5]int64
}

// Event is 32 bytes, held as an interface.
type Event struct {
	What string
	From *Session
	At   int64
}

// Job is 96 bytes, held by the stack of a worker and nothing else.
type Job struct {
	Number int64
	From   *Session
	Rest   [10]int64
}

// Big is 224 bytes, captured by a closure.
type Big struct {
	Text *string
	Rest [27]int64
}

var (
	sessions map[string]*Session
	events   []any
	hook     func(int) int
	done     chan int
	jobs     chan *Job
	started  chan bool
	sum      int64
)

//go:noinline
func newSession(i int) *Session {
	return &Session{ID: int64(i), Name: fmt.Sprintf("session-%d", i), Data: make([]byte, 24)}
}

//go:noinline
func newHook() func(int) int {
	text := "big"
	big := &Big{Text: &text}
	return func(i int) int {
		big.Rest[i%27]++
		return int(big.Rest[0]) + len(*big.Text)
	}
}

//go:noinline
func worker() {
	job := <-jobs
	started <- true
	got := <-done
	use(job, got)
}

//go:noinline
func use(job *Job, n int) {
	job.Rest[n%10]++
	sum += job.Number + job.From.ID
}

//go:noinline
func sleeper() {
	started <- true
	time.Sleep(100000 * time.Second)
}

//go:noinline
func chooser() {
	never := make(chan int)
	started <- true
	select {
	case n := <-done:
		sum += int64(n)
	case n := <-never:
		sum -= int64(n)
	}
}

// Start makes everything and says READY.
func Start(words ...string) {
	sessions = make(map[string]*Session)
	var last *Session
	for i := 0; i < 2000; i++ {
		s := newSession(i)
		s.Peer = last
		sessions[s.Name] = s
		last = s
	}
	for i := 0; i < 1000; i++ {
		last.Log = &Node{Next: last.Log}
	}
	for i := 0; i < 500; i++ {
		events = append(events, &Event{What: "event", From: last, At: int64(i)})
	}
	hook = newHook()
	done, jobs, started = make(chan int), make(chan *Job), make(chan bool)
	for i := 0; i < 3; i++ {
		go worker()
		jobs <- &Job{Number: int64(i), From: last}
	}
	go sleeper()
	go chooser()
	for i := 0; i < 5; i++ {
		<-started
	}
	hook(1)
	if len(os.Args) > 100 { // never: it is a use of all of them
		close(done)
		hook(len(sessions) + len(events))
	}
	runtime.GC()
	runtime.GC()
	ready.Say(append(words, runtime.Version())...)
}
