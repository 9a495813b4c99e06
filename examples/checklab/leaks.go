package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"
)

var lock sync.Mutex

// One small object a request, and nothing else.
type visit struct {
	next *visit
	id   int
}

var visits *visit

func leakOne(id int, r *http.Request) string {
	lock.Lock()
	defer lock.Unlock()
	visits = &visit{visits, id}
	return "ok"
}

// A goroutine a request, which waits for an answer that never comes.
func leakGoroutine(id int, r *http.Request) string {
	answers := make(chan string)
	go func() {
		answers <- fmt.Sprint("late ", id)
	}()
	return "did not wait"
}

// Sessions in a map, of which nobody deletes any.
type session struct {
	id   int
	user string
	buf  []byte
}

var sessions = map[string]*session{}

func leakMap(id int, r *http.Request) string {
	lock.Lock()
	defer lock.Unlock()
	key := fmt.Sprint("session", id)
	sessions[key] = &session{id: id, user: key, buf: make([]byte, 200)}
	return key
}

// A context with a long-lived parent, never cancelled.
var server, stopServer = context.WithCancel(context.Background())

func leakContext(id int, r *http.Request) string {
	ctx, cancel := context.WithCancel(context.WithValue(server, "id", id))
	if id < 0 {
		cancel()
	}
	return fmt.Sprint(ctx.Err())
}

// A timer a request, which is to end it in a day.
func leakTimer(id int, r *http.Request) string {
	buf := make([]byte, 512)
	time.AfterFunc(24*time.Hour, func() { fmt.Println("too late", len(buf)) })
	return "ok"
}

// Numbers appended to a slice for ever: no objects more, only a larger one.
var latencies []int64

func leakSlice(id int, r *http.Request) string {
	lock.Lock()
	defer lock.Unlock()
	for i := 0; i < 8; i++ {
		latencies = append(latencies, int64(id+i))
	}
	return "ok"
}

// Callbacks that are registered and never taken back.
var callbacks []func() int

func leakClosure(id int, r *http.Request) string {
	lock.Lock()
	defer lock.Unlock()
	data := make([]byte, 300)
	callbacks = append(callbacks, func() int { return len(data) + id })
	return "ok"
}

// One request in ten asks somebody else, and does not close the answer's body.
func leakBody(id int, r *http.Request) string {
	if id%10 != 0 {
		return "ok"
	}
	answer, err := http.Get("http://" + address + "/upstream")
	if err != nil {
		return err.Error()
	}
	return answer.Status
}

// A cache whose keys are never the same twice; of one request in five.
var pages = map[int][]byte{}

func leakCache(id int, r *http.Request) string {
	if id%5 != 0 {
		return "not cached"
	}
	lock.Lock()
	defer lock.Unlock()
	page, ok := pages[id]
	if !ok {
		page = bytes.Repeat([]byte("x"), 700)
		pages[id] = page
	}
	return string(page[:10])
}

// The same without a lock of its own.
var seen sync.Map

func leakSyncMap(id int, r *http.Request) string {
	seen.Store(id, &session{id: id})
	return "ok"
}

// Two objects that point to each other, and a finalizer on one of them: it never runs.
type half struct {
	other *half
	data  [20]int
}

func leakFinalizer(id int, r *http.Request) string {
	a, b := &half{}, &half{}
	a.other, b.other = b, a
	runtime.SetFinalizer(a, func(*half) {})
	return "ok"
}

// Eight letters of a text of two thousand.
var names []string

func leakSubstring(id int, r *http.Request) string {
	text := strings.Repeat(fmt.Sprintf("%08d", id%100000000), 250)
	lock.Lock()
	defer lock.Unlock()
	names = append(names, text[:8])
	return "ok"
}

func init() {
	modes["one"] = mode{leaks: true, about: "a list that gets one object of 16 bytes a request", serve: leakOne}
	modes["goroutine"] = mode{leaks: true, about: "a goroutine a request, which nobody receives from", serve: leakGoroutine}
	modes["map"] = mode{leaks: true, about: "sessions in a map, never deleted", serve: leakMap}
	modes["context"] = mode{leaks: true, about: "contexts below one that lives long, never cancelled", serve: leakContext}
	modes["timer"] = mode{leaks: true, about: "timers of a day, never stopped", serve: leakTimer}
	modes["slice"] = mode{leaks: true, about: "numbers appended to a slice: only its array grows", serve: leakSlice}
	modes["closure"] = mode{leaks: true, about: "callbacks registered, never taken back", serve: leakClosure}
	modes["body"] = mode{leaks: true, about: "bodies of answers not closed, in one request of ten", serve: leakBody}
	modes["cache"] = mode{leaks: true, about: "a cache without bound, in one request of five", serve: leakCache}
	modes["syncmap"] = mode{leaks: true, about: "a sync.Map of all that was ever seen", serve: leakSyncMap}
	modes["finalizer"] = mode{leaks: true, about: "a cycle with a finalizer, which never runs", serve: leakFinalizer}
	modes["substring"] = mode{leaks: true, about: "eight letters keep a text of two thousand", serve: leakSubstring}
}
