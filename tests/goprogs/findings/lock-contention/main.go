// lock-contention - many goroutines wait for one lock, and what looks like it.
//
// Prints what only the program knows: "HOLDS NAME GOROUTINE FUNCTION" for who is inside.
//
// CASE field-defer EXPECT lock-contention verdict=suspect holder=*main.store* count>=48
// CASE field-plain EXPECT lock-contention verdict=suspect holder=*main.store* count>=48
// CASE global EXPECT lock-contention verdict=suspect count>=48
// CASE readers EXPECT lock-contention verdict=suspect holder=*main.table* count>=48
// CASE writer-behind-reader EXPECT lock-contention verdict=suspect holder=*main.table* count>=48
// CASE deadlock EXPECT lock-contention verdict=suspect anywhere count>=48 also=goroutine-leak
// CASE self EXPECT lock-contention verdict=suspect anywhere count>=48 also=goroutine-leak
// CASE few NONE
// CASE busy NONE
// CASE waitgroup NONE
package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"limpet/goprogs/internal/ready"
)

const many = 48

type store struct {
	name string
	mu   sync.Mutex
	rows map[string][]byte
}

type table struct {
	rows map[int]string
	rw   sync.RWMutex
}

var (
	theStore = newStore("rows")
	theTable = newTable()
	other    = newStore("other")
	globalMu sync.Mutex
	inside   = make(chan bool)
	started  = make(chan bool, many*4)
)

//go:noinline
func newStore(name string) *store { return &store{name: name, rows: map[string][]byte{}} }

//go:noinline
func newTable() *table { return &table{rows: map[int]string{}} }

// holds says who is inside, as the program itself sees it.
func holds(name string) {
	buf := make([]byte, 200)
	buf = buf[:runtime.Stack(buf, false)]
	id := string(bytes.Fields(buf)[1])
	pc, _, _, _ := runtime.Caller(1)
	fmt.Println("HOLDS", name, id, runtime.FuncForPC(pc).Name())
}

// slow stands for a call to somebody who does not answer.
func slow() {
	inside <- true
	<-time.After(time.Hour)
}

//go:noinline
func (s *store) get(key string) []byte {
	request := make([]byte, 128<<10) // what a waiting request keeps
	s.mu.Lock()
	defer s.mu.Unlock()
	if key == "first" {
		holds("mu")
		slow()
	}
	copy(request, s.rows[key])
	return request
}

//go:noinline
func (s *store) put(key string) {
	request := make([]byte, 128<<10)
	s.mu.Lock()
	if key == "never" {
		s.mu.Unlock()
		return
	}
	if key == "first" {
		holds("mu")
		slow()
	}
	s.rows[key] = request
	s.mu.Unlock()
	fmt.Print("")
}

//go:noinline
func global(first bool) {
	request := make([]byte, 128<<10)
	globalMu.Lock()
	if first {
		holds("globalMu")
		slow()
	}
	request[0]++
	globalMu.Unlock()
	runtime.KeepAlive(request)
}

//go:noinline
func (t *table) read(key int) string {
	request := make([]byte, 128<<10)
	t.rw.RLock()
	defer t.rw.RUnlock()
	if key < 0 {
		holds("rw")
		slow()
	}
	runtime.KeepAlive(request)
	return t.rows[key]
}

//go:noinline
func (t *table) write(key int) {
	t.rw.Lock()
	defer t.rw.Unlock()
	if key < 0 {
		holds("rw")
		slow()
	}
	t.rows[key] = "x"
}

//go:noinline
func both(a, b *store, name string, meet *sync.WaitGroup) {
	a.mu.Lock()
	defer a.mu.Unlock()
	holds(name)
	meet.Done()
	meet.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows[a.name] = nil
}

//go:noinline
func (s *store) again() {
	s.mu.Lock()
	defer s.mu.Unlock()
	holds("mu")
	inside <- true
	s.get("x")
}

// crowd starts n of f and gives them time to be there.
func crowd(n int, f func(i int)) {
	for i := 0; i < n; i++ {
		go func(i int) {
			started <- true
			f(i)
		}(i)
	}
	for i := 0; i < n; i++ {
		<-started
	}
	time.Sleep(200 * time.Millisecond)
}

func main() {
	switch os.Args[1] {
	case "field-defer":
		go theStore.get("first")
		<-inside
		crowd(many, func(int) { theStore.get("x") })
	case "field-plain":
		go theStore.put("first")
		<-inside
		crowd(many, func(int) { theStore.put("x") })
	case "global":
		go global(true)
		<-inside
		crowd(many, func(int) { global(false) })
	case "readers":
		go theTable.write(-1)
		<-inside
		crowd(many, func(int) { theTable.read(1) })
	case "writer-behind-reader":
		go theTable.read(-1)
		<-inside
		crowd(1, func(int) { theTable.write(1) })
		crowd(many, func(int) { theTable.read(1) })
	case "deadlock":
		var meet sync.WaitGroup
		meet.Add(2)
		go both(theStore, other, "mu", &meet)
		go both(other, theStore, "other", &meet)
		time.Sleep(100 * time.Millisecond)
		crowd(many, func(int) { theStore.get("x") })
	case "self":
		go theStore.again()
		<-inside
		crowd(many, func(int) { theStore.get("x") })
	case "few":
		go theStore.get("first")
		<-inside
		crowd(4, func(int) { theStore.get("x") })
	case "busy":
		for i := 0; i < many; i++ {
			go func() {
				for {
					theStore.mu.Lock()
					theStore.rows[strings.Repeat("x", 3)] = nil
					theStore.mu.Unlock()
					time.Sleep(time.Millisecond)
				}
			}()
		}
	case "waitgroup":
		var done sync.WaitGroup
		done.Add(1)
		time.AfterFunc(time.Hour, done.Done)
		crowd(many, func(int) { done.Wait() })
	}
	runtime.GC()
	runtime.GC()
	time.Sleep(1200 * time.Millisecond)
	ready.Say()
	ready.Wait()
}
