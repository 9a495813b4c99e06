// sumhttp - a healthy server for stress: checkable answers, and doors that show whether a snapshot was felt.
//
//	/?seed=S&n=N   n bytes that belong to S
//	/stats         counters as JSON: SIGCHLD seen, goroutines, cycles, heap
//	/close?fd=…    see closers.go: what closes here must be closed everywhere
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
	"sync/atomic"
	"syscall"

	"limpet/goprogs/internal/body"
	"limpet/goprogs/internal/ready"
)

var sigchld, served atomic.Int64

func sum(w http.ResponseWriter, r *http.Request) {
	var seed uint64
	var n int
	fmt.Sscanf(r.URL.RawQuery, "seed=%d&n=%d", &seed, &n)
	buf := make([]byte, min(max(n, 0), 1<<20))
	body.Fill(seed, buf)
	served.Add(1)
	w.Write(buf)
}

func stats(w http.ResponseWriter, _ *http.Request) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(w, `{"sigchld":%d,"served":%d,"goroutines":%d,"num_gc":%d,"heap_alloc":%d,"sys":%d}`,
		sigchld.Load(), served.Load(), runtime.NumGoroutine(), m.NumGC, m.HeapAlloc, m.Sys)
}

func countChildren() {
	c := make(chan os.Signal, 64)
	signal.Notify(c, syscall.SIGCHLD)
	for range c {
		sigchld.Add(1)
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
	go countChildren()
	http.HandleFunc("/", sum)
	http.HandleFunc("/stats", stats)
	addClosers()
	ready.Say(l.Addr().String())
	panic(http.Serve(l, nil))
}
