// closure-capture - func values that keep large variables alive.
//
// CASE handlers EXPECT closure-capture verdict=suspect function=main.handler.func1 count>=100 bytes>=4000000
// CASE struct-field EXPECT closure-capture verdict=suspect function=main.watch.func1 count>=100 bytes>=4000000
// CASE one-large EXPECT closure-capture verdict=suspect function=main.hookOf.func1 bytes>=4000000
// CASE middleware EXPECT closure-capture verdict=suspect function=main.middleware.func1 count>=1000 bytes>=4000000
// CASE held-itself EXPECT closure-capture verdict=suspect function=main.retrier.func1 count>=100 bytes>=4000000
// CASE method-value EXPECT closure-capture verdict=suspect count>=100 bytes>=4000000
// CASE dropped-itself NONE
// CASE small-captures NONE
// CASE shared-capture NONE
// CASE running NONE
// CASE application NONE
package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"time"

	"limpet/goprogs/internal/ready"
)

type ginContext struct {
	request *http.Request
	params  []string
	body    []byte
}

type watcher struct {
	name   string
	notify func() int
}

type app struct {
	tables map[string][]byte
}

type report struct {
	body []byte
}

func (r *report) size() int { return len(r.body) }

var (
	handlers []func() int
	watchers map[int]*watcher
	hook     func() int
	after    []func()
	shared   []byte
	route    func() int
)

//go:noinline
func handler(n int) func() int {
	buf := make([]byte, n)
	return func() int { return len(buf) + int(buf[0]) }
}

//go:noinline
func watch(n int) *watcher {
	table := map[int][]byte{1: make([]byte, n)}
	return &watcher{"w", func() int { return len(table) }}
}

//go:noinline
func hookOf(n int) func() int {
	table := make([]uint64, n/8)
	return func() int { return len(table) + int(table[1]) }
}

//go:noinline
func middleware(c *ginContext) func() {
	return func() { fmt.Println(c.request, c.params) }
}

//go:noinline
func retrier(n int) func() int {
	buf := make([]byte, n)
	var again func() int
	again = func() int {
		if buf[0] > 0 {
			return again()
		}
		return len(buf)
	}
	return again
}

//go:noinline
func small(i int) func() int { return func() int { return i } }

//go:noinline
func sharing(b []byte) func() int { return func() int { return len(b) + int(b[0]) } }

//go:noinline
func (a *app) routes() func() int { return func() int { return len(a.tables) } }

//go:noinline
func plant(name string) {
	switch name {
	case "handlers":
		for i := 0; i < 200; i++ {
			handlers = append(handlers, handler(64<<10))
		}
	case "struct-field":
		watchers = map[int]*watcher{}
		for i := 0; i < 200; i++ {
			watchers[i] = watch(64 << 10)
		}
	case "one-large":
		hook = hookOf(8 << 20)
	case "middleware":
		for i := 0; i < 2000; i++ {
			r, _ := http.NewRequest("GET", "http://localhost/", nil)
			after = append(after, middleware(&ginContext{r, []string{"a", "b"}, make([]byte, 4096)}))
		}
	case "held-itself":
		for i := 0; i < 200; i++ {
			handlers = append(handlers, retrier(64<<10))
		}
	case "method-value":
		for i := 0; i < 200; i++ {
			handlers = append(handlers, (&report{make([]byte, 64<<10)}).size)
		}
	case "dropped-itself":
		for i := 0; i < 200; i++ {
			retrier(64 << 10)
		}
	case "small-captures":
		for i := 0; i < 50000; i++ {
			handlers = append(handlers, small(i))
		}
	case "shared-capture":
		shared = make([]byte, 8<<20)
		for i := 0; i < 200; i++ {
			handlers = append(handlers, sharing(shared))
		}
	case "running":
		begun := make(chan bool)
		go func() {
			buf := make([]byte, 8<<20)
			f := func() int {
				begun <- true
				time.Sleep(time.Hour)
				return len(buf)
			}
			f()
		}()
		<-begun
	case "application": // what a server's handlers know is the server: that is no capture by mistake
		a := &app{map[string][]byte{}}
		for i := 0; i < 20; i++ {
			a.tables[fmt.Sprint(i)] = make([]byte, 256<<10)
		}
		route = a.routes()
	}
}

func main() {
	plant(os.Args[1])
	runtime.GC()
	runtime.GC()
	ready.Say()
	ready.Wait()
	fmt.Sprint(handlers, watchers, hook, after, shared, route)
}
