// Program mixlab is a server with work of its own, and with /debug/pprof: what it holds is seen by every kind of evidence.
// -mode leak: each round keeps sessions in a map that nobody empties, and starts workers that nobody stops.
// -mode healthy: the same work, and all of it ends.
// The lines that make what stays are marked TRUTH.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"sync"
	"time"
)

type session struct {
	id  int
	buf []byte
}

type server struct {
	mu       sync.Mutex
	sessions map[int]*session
}

var (
	srv  = &server{sessions: map[int]*session{}}
	sink []byte
)

//go:noinline
func newSession(id int) *session {
	return &session{id: id, buf: make([]byte, 16<<10)} // TRUTH allocates
}

func worker(jobs chan int) {
	for range jobs { // TRUTH waits
	}
}

func (s *server) round(n int, leak bool) {
	for i := 0; i < 16; i++ {
		id := n*16 + i
		x := newSession(id)
		s.mu.Lock()
		s.sessions[id] = x
		s.mu.Unlock()
		if !leak {
			s.mu.Lock()
			delete(s.sessions, id)
			s.mu.Unlock()
		}
	}
	jobs := make(chan int)
	go worker(jobs)
	jobs <- n
	if !leak {
		close(jobs)
	}
	for i := 0; i < 16; i++ { // what every request makes and drops
		sink = make([]byte, 64<<10)
	}
}

func main() {
	mode := flag.String("mode", "healthy", "leak or healthy")
	rounds := flag.Int("rounds", 400, "then it waits")
	flag.Parse()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(l, nil)
	for i := 0; i < *rounds; i++ {
		srv.round(i, *mode == "leak")
		if i == *rounds/2 {
			runtime.GC()
			time.Sleep(500 * time.Millisecond) // the collector writes its line, too
			fmt.Println("HALF", os.Getpid(), l.Addr())
			time.Sleep(time.Second)
		}
		time.Sleep(3 * time.Millisecond)
	}
	runtime.GC()
	time.Sleep(500 * time.Millisecond)
	fmt.Printf("READY %d %s\n", os.Getpid(), l.Addr())
	select {}
}
