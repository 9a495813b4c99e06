// escclosure - handlers that capture a large variable by reference, values that are sent and never
// taken, and a package of its own that makes rows.  Marks as in esccache.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"

	"limpet/goprogs/escclosure/table"
)

type page [4096]byte

var handlers []func() int
var queue = make(chan *page, 3000)

//go:noinline
func handler(i int) func() int {
	var p page // STAYS 3000 4096
	p[0] = byte(i)
	h := func() int { p[1]++; return int(p[0]) } // CLOSURE
	return h
}

//go:noinline
func push(i int) {
	q := page{byte(i)} // STAYS 3000 4096
	queue <- &q
}

func main() {
	for i := 0; i < 3000; i++ {
		handlers = append(handlers, handler(i))
		push(i)
	}
	t := table.Make(5000)
	runtime.GC()
	runtime.GC()
	fmt.Println("READY", os.Getpid(), len(handlers), len(queue), t.Len())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	<-stop
	pprof.Lookup("heap").WriteTo(io.Discard, 0)
	fmt.Println(len(handlers), t.Len())
}
