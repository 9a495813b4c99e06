// healthy - what a program may well have without leaking anything.
//
// CASE lru NONE
// CASE warm-pool NONE
// CASE steady-table NONE
// CASE garbage NONE
// CASE gogc-off NONE env=GOGC=off
// CASE idle-workers NONE
// CASE idle-connections NONE
// CASE big-config NONE
// CASE burst NONE
// CASE cycle NONE
// CASE waiting-room NONE
package main

import (
	"container/list"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"limpet/goprogs/internal/ready"
)

func must(err error) {
	if err != nil {
		fmt.Println("healthy:", err)
		os.Exit(1)
	}
}

// A least-recently-used cache that has long been full: it drops as much as it takes.
type entry struct {
	key  int
	page []byte
}

type lru struct {
	mu    sync.Mutex
	max   int
	order *list.List
	byKey map[int]*list.Element
}

func (c *lru) put(key int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byKey[key] = c.order.PushFront(&entry{key, make([]byte, 1024)})
	if c.order.Len() > c.max {
		last := c.order.Back()
		delete(c.byKey, last.Value.(*entry).key)
		c.order.Remove(last)
	}
}

var pages = &lru{max: 8000, order: list.New(), byKey: map[int]*list.Element{}}

func fullCache() {
	for i := 0; i < 100000; i++ {
		pages.put(i)
	}
}

// Buffers that come back as they went out, and hold nothing.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }}

func warmPool() {
	out := make([]*[]byte, 64)
	for round := 0; round < 100; round++ {
		for i := range out {
			out[i] = buffers.Get().(*[]byte)
			*out[i] = append((*out[i])[:0], "hello"...)
		}
		for i := range out {
			*out[i] = (*out[i])[:0]
			buffers.Put(out[i])
			out[i] = nil
		}
	}
}

// All prices, loaded once at the start and only read since.
type price struct {
	article string
	cents   int64
}

var prices map[int]*price

func steadyTable() {
	prices = make(map[int]*price, 200000)
	for i := 0; i < 200000; i++ {
		prices[i] = &price{fmt.Sprintf("article number %d", i), int64(i)}
	}
	runtime.GC()
}

// Half a gigabyte that nobody has collected yet.
var sink []byte

func garbage() {
	for i := 0; i < 500; i++ {
		sink = make([]byte, 1<<20)
		sink[len(sink)-1] = 1
	}
	sink = nil
}

// Work that produces garbage, in a process told never to collect it.
func neverCollected() {
	total := 0
	for i := 0; i < 100000; i++ {
		total += len(strings.Repeat("x", 1000+i%10))
	}
	fmt.Println("worked on", total)
}

// A thousand workers that wait for work from a channel that the server still has.
type server struct {
	jobs chan func()
	done sync.WaitGroup
}

func (s *server) worker() {
	for job := range s.jobs {
		job()
		s.done.Done()
	}
}

var theServer = &server{jobs: make(chan func())}

func idleWorkers() {
	for i := 0; i < 1000; i++ {
		go theServer.worker()
	}
	for i := 0; i < 5000; i++ {
		theServer.done.Add(1)
		theServer.jobs <- func() {}
	}
	theServer.done.Wait()
}

// Connections that a client keeps for the next request, bodies read and closed.
var client *http.Client

func idleConnections() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	s := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(20 * time.Millisecond)
			io.WriteString(w, "hello")
		}),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: time.Minute,
	}
	go s.Serve(l)
	client = &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{MaxIdleConns: 50, MaxIdleConnsPerHost: 50, MaxConnsPerHost: 50, IdleConnTimeout: time.Minute},
	}
	var all sync.WaitGroup
	for i := 0; i < 100; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			answer, err := client.Get("http://" + l.Addr().String())
			must(err)
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}()
	}
	all.Wait()
}

// One big configuration, made once and kept for good.
type config struct {
	rules   []rule
	regions map[string][]string
	blob    []byte
}

type rule struct{ from, to, why string }

var (
	once   sync.Once
	loaded *config
)

func theConfig() *config {
	once.Do(func() {
		loaded = &config{regions: map[string][]string{}, blob: make([]byte, 8<<20)}
		for i := 0; i < 20000; i++ {
			loaded.rules = append(loaded.rules, rule{fmt.Sprint("10.", i, ".0.0"), fmt.Sprint("host", i), fmt.Sprint("ticket ", i)})
			region := fmt.Sprint("region", i%100)
			loaded.regions[region] = append(loaded.regions[region], fmt.Sprint("rack", i))
		}
		loaded.rules = append([]rule(nil), loaded.rules...)
	})
	return loaded
}

// Two hundred requests at work at the same moment, each with a buffer and a deadline.
func burst() {
	ctx := context.Background()
	var begun sync.WaitGroup
	for i := 0; i < 200; i++ {
		begun.Add(1)
		go func() {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
			defer cancel()
			request := make([]byte, 64<<10)
			begun.Done()
			answer(ctx, request)
		}()
	}
	begun.Wait()
}

func answer(ctx context.Context, request []byte) {
	backend := time.NewTimer(5 * time.Minute)
	defer backend.Stop()
	select {
	case <-backend.C:
	case <-ctx.Done():
	}
	runtime.KeepAlive(request)
}

// Rings that nothing holds any more (garbage, however they point at each other), and one that is in use.
type ring struct {
	next, prev *ring
	self       any
	data       [1000]byte
}

var inUse *ring

func newRing(n int) *ring {
	first := &ring{}
	first.next, first.prev = first, first
	for i := 1; i < n; i++ {
		r := &ring{next: first, prev: first.prev}
		r.self = r
		first.prev.next, first.prev = r, r
	}
	return first
}

func cycles() {
	for i := 0; i < 100; i++ {
		newRing(100)
	}
	inUse = newRing(2000)
	runtime.GC()
	runtime.GC()
}

// Subscribers that wait until something is published, each with a small inbox; all can still be reached.
type hub struct {
	mu      sync.Mutex
	members map[int]chan string
}

var room = &hub{members: map[int]chan string{}}

func (h *hub) join(id int) {
	inbox := make(chan string, 4)
	h.mu.Lock()
	h.members[id] = inbox
	h.mu.Unlock()
	go func() {
		for range inbox {
		}
	}()
}

func waitingRoom() {
	for i := 0; i < 500; i++ {
		room.join(i)
	}
	for _, inbox := range room.members {
		inbox <- "welcome"
	}
	time.Sleep(50 * time.Millisecond)
}

func main() {
	cases := map[string]func(){"lru": fullCache, "warm-pool": warmPool, "steady-table": steadyTable, "garbage": garbage,
		"gogc-off": neverCollected, "idle-workers": idleWorkers, "idle-connections": idleConnections,
		"big-config": func() { theConfig() }, "burst": burst, "cycle": cycles, "waiting-room": waitingRoom}
	if len(os.Args) != 2 || cases[os.Args[1]] == nil {
		fmt.Println("usage: healthy CASE")
		os.Exit(2)
	}
	cases[os.Args[1]]()
	ready.Say()
	ready.Wait()
}
