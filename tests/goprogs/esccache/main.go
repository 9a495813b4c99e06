// esccache - a cache of sessions whose buffers are made two calls away, blocks made by a function that
// is inlined, what is only passed to fmt and does not stay.
//
// Each line where the compiler says that what stays escapes is marked "STAYS count bytes", of each
// object as the program asked for it; "GOES" is one whose objects are garbage.  GODEBUG=memprofilerate=N.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
)

type session struct {
	name string
	buf  []byte
}

var cache = map[int]*session{}
var list []*[512]byte

//go:noinline
func newSession(i int) *session {
	return &session{
		name: fmt.Sprint("s", i),
		buf:  make([]byte, size(i)), // STAYS 4000 8832
	}
}

//go:noinline
func size(i int) int { return 8192 + i%2*1280 }

// Inlined into fill: the compiler speaks of it at the line of the call.
func newBlock() *[512]byte { return new([512]byte) }

//go:noinline
func fill() {
	for i := 0; i < 4000; i++ {
		cache[i] = newSession(i)
	}
	for i := 0; i < 8000; i++ {
		list = append(list, newBlock()) // STAYS 8000 512
	}
}

//go:noinline
func passing() {
	for i := 0; i < 200000; i++ {
		fmt.Fprintln(io.Discard, i, "passing") // GOES
	}
}

func main() {
	fill()
	passing()
	runtime.GC()
	runtime.GC()
	fmt.Println("READY", os.Getpid(), len(cache), len(list))
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	<-stop
	pprof.Lookup("heap").WriteTo(io.Discard, 0)
	fmt.Println(len(cache), len(list))
}
