// inlined - goroutines that wait below functions which the compiler puts into their callers.
//
// EXPECT local function=main.middle name=session type=*main.session
// EXPECT local function=main.outer name=request type=*main.request
// EXPECT local function=main.serve name=server type=*main.server
package main

import (
	"os"
	"runtime"
	"strconv"
	"time"
)

type session struct {
	of   *request
	name string
}

type request struct {
	of *server
	n  int
}

type server struct {
	name string
	all  []*request
}

var sink [64]any

//go:noinline
func wait(c chan int, i int, p any) int {
	sink[i] = p
	return <-c
}

// Small enough to be inlined, with a variable of its own that lives over the call.
func middle(c chan int, r *request) *session {
	session := &session{of: r}
	wait(c, r.n, session)
	return session
}

func outer(c chan int, of *server, n int) int {
	request := &request{of: of, n: n}
	s := middle(c, request)
	return request.n + len(s.name)
}

//go:noinline
func serve(c chan int, n int) int {
	server := &server{name: "serve", all: make([]*request, n)}
	got := outer(c, server, n)
	return got + len(server.all)
}

func main() {
	c := make(chan int)
	for i := 0; i < 20; i++ {
		go serve(c, i)
	}
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	os.Stdout.WriteString("READY " + strconv.Itoa(os.Getpid()) + "\n")
	time.Sleep(time.Hour)
	c <- 1
}
