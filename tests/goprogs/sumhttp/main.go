// sumhttp - a healthy server for stress: checkable answers, and doors that show whether a snapshot was felt.
//
//	/?seed=S&n=N   n bytes that belong to S
//	/stats         counters as JSON: SIGCHLD seen, goroutines, cycles, heap
//	/open, /close  see closers.go: what closes here must be closed everywhere
//
// A second argument keeps that many thousand small objects, so that looking at the program takes a while.
//
// EXPECT nothing leaks
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"

	"limpet/goprogs/internal/body"
	"limpet/goprogs/internal/ready"
)

var sigchld, served int64

func sum(w http.ResponseWriter, r *http.Request) {
	var seed uint64
	var n int
	fmt.Sscanf(r.URL.RawQuery, "seed=%d&n=%d", &seed, &n)
	buf := make([]byte, min(max(n, 0), 1<<20))
	body.Fill(seed, buf)
	atomic.AddInt64(&served, 1)
	w.Write(buf)
}

func stats(w http.ResponseWriter, _ *http.Request) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(w, `{"sigchld":%d,"served":%d,"goroutines":%d,"num_gc":%d,"heap_alloc":%d,"sys":%d}`,
		atomic.LoadInt64(&sigchld), atomic.LoadInt64(&served), runtime.NumGoroutine(), m.NumGC, m.HeapAlloc, m.Sys)
}

type leaf struct {
	up   *leaf
	data []byte
}

var ballast []*leaf

func keep(n int) {
	var up *leaf
	for i := 0; i < n; i += 2 {
		up = &leaf{up: up, data: make([]byte, 24)}
		ballast = append(ballast, up)
	}
	runtime.GC()
}

func countChildren() {
	c := make(chan os.Signal, 64)
	signal.Notify(c, syscall.SIGCHLD)
	for range c {
		atomic.AddInt64(&sigchld, 1)
	}
}

func main() {
	addr := "127.0.0.1:0"
	if len(os.Args) > 1 {
		addr = os.Args[1]
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		panic(err)
	}
	if len(os.Args) > 2 {
		thousands, _ := strconv.Atoi(os.Args[2])
		keep(thousands * 1000)
	}
	go countChildren()
	http.HandleFunc("/", sum)
	http.HandleFunc("/stats", stats)
	addClosers()
	ready.Say(l.Addr().String())
	panic(http.Serve(l, nil))
}
