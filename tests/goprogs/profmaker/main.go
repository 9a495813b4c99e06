// profmaker - profiles of all kinds, as the runtime of this Go writes them, into the folder that is its argument.
//
// EXPECT files: cpu.0 cpu.1 heap.0 heap.1 heap.2 allocs.0 allocs.1 goroutine.0 goroutine.1 mutex.0 mutex.1 block.0 block.1
// threadcreate.0 heap.delta allocs.delta goroutine.delta (each .pb.gz), heap.debug1 goroutine.debug1 goroutine.debug2.
//
// Work that gives them something to say: inlined, generic, recursive (also mutually), closures, methods, labels, calls
// through interfaces and packages of the standard library, locks that many want, channels that block.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	httppprof "net/http/pprof"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sort"
	"strings"
	"sync"
	"time"
)

type session struct {
	name string
	data []byte
	next *session
}

type stack[T any] struct{ items []T }

//go:noinline
func (s *stack[T]) push(v T) { s.items = append(s.items, v) }

type shape interface{ area() float64 }
type square struct{ side float64 }
type circle struct{ radius float64 }

//go:noinline
func (s square) area() float64 { return spin(s.side, 300) }

//go:noinline
func (c *circle) area() float64 { return spin(c.radius, 900) }

var (
	sessions *session
	pages    stack[[]byte]
	names    stack[string]
	cache    = map[string]*session{}
	sink     interface{}
	total    float64
)

func spin(x float64, n int) float64 {
	for i := 0; i < n; i++ {
		x = x*1.0000001 + 0.5/x
	}
	return x
}

// Inlined into its callers, and they into theirs.
func newSession(n int) *session { return &session{name: fmt.Sprint("s", n), data: make([]byte, 3000+n)} }

func addSession(n int) {
	s := newSession(n)
	s.next = sessions
	sessions = s
}

//go:noinline
func grow(n int) {
	for i := 0; i < n; i++ {
		addSession(i % 700)
	}
}

//go:noinline
func even(n int) int {
	if n == 0 {
		sink = make([]byte, 40000)
		return 0
	}
	return odd(n - 1)
}

//go:noinline
func odd(n int) int {
	if n == 0 {
		return 1
	}
	total += spin(float64(n), 40)
	return even(n - 1)
}

//go:noinline
func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func churn(n int) {
	for i := 0; i < n; i++ {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		text, _ := json.Marshal(map[string]interface{}{"n": i, "text": strings.Repeat("x", 2000)})
		w.Write(text)
		w.Close()
		sink = b.Bytes()
	}
}

func fill(n int) {
	add := func(i int) { // a closure that captures n
		cache[fmt.Sprint("key", n, i)] = newSession(i)
	}
	for i := 0; i < n; i++ {
		add(i)
		pages.push(make([]byte, 8192))
		names.push(strings.Repeat("n", 600))
	}
}

func sorted(n int) {
	v := make([]int, n)
	for i := range v {
		v[i] = (i * 7919) % n
	}
	sort.Slice(v, func(a, b int) bool { return v[a] < v[b] })
}

func work(d time.Duration) {
	shapes := []shape{square{3}, &circle{4}, square{5}}
	for end := time.Now().Add(d); time.Now().Before(end); {
		for _, s := range shapes {
			total += s.area()
		}
		fib(16)
		even(60)
		sorted(3000)
		sum := sha256.Sum256([]byte(strings.Repeat("y", 4000)))
		sink = sum
		churn(3)
	}
}

func labelled(d time.Duration) {
	var wg sync.WaitGroup
	for i, route := range []string{"/cart", "/pay", "/login"} {
		wg.Add(1)
		go pprof.Do(context.Background(), pprof.Labels("route", route, "tenant", fmt.Sprint("t", i%2)), func(context.Context) {
			defer wg.Done()
			work(d)
		})
	}
	wg.Wait()
}

func contend(n int) {
	var mu sync.Mutex
	var rw sync.RWMutex
	var wg sync.WaitGroup
	c := make(chan int)
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			for k := 0; k < n; k++ {
				mu.Lock()
				spin(2, 20000)
				mu.Unlock()
				if i%2 == 0 {
					rw.Lock()
					spin(2, 9000)
					rw.Unlock()
				} else {
					rw.RLock()
					runtime.Gosched()
					rw.RUnlock()
				}
			}
		}(i)
	}
	go func() {
		for i := 0; i < n; i++ {
			time.Sleep(200 * time.Microsecond)
			c <- i
		}
		close(c)
	}()
	for range c {
	}
	wg.Wait()
}

func waitOn(c chan int) { <-c }

func waiters(n int, c chan int) {
	for i := 0; i < n; i++ {
		switch i % 4 {
		case 0:
			go waitOn(c)
		case 1:
			go func() {
				select {
				case <-c:
				case <-time.After(time.Hour):
				}
			}()
		case 2:
			go pprof.Do(context.Background(), pprof.Labels("route", "/wait"), func(context.Context) { waitOn(c) })
		default:
			go func() { time.Sleep(time.Hour) }()
		}
	}
	time.Sleep(20 * time.Millisecond)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func create(name string) *os.File {
	f, err := os.Create(filepath.Join(os.Args[1], name))
	must(err)
	return f
}

func write(kind, name string, debug int) {
	if kind == "heap" || kind == "allocs" {
		runtime.GC()
	}
	f := create(name)
	must(pprof.Lookup(kind).WriteTo(f, debug))
	must(f.Close())
}

func all(kinds []string, at int) {
	for _, kind := range kinds {
		write(kind, fmt.Sprintf("%s.%d.pb.gz", kind, at), 0)
	}
}

func cpu(name string, d time.Duration) {
	f := create(name)
	must(pprof.StartCPUProfile(f))
	labelled(d)
	contend(20)
	pprof.StopCPUProfile()
	must(f.Close())
}

// What /debug/pprof/KIND?seconds=1 gives.
func delta(kind string, meanwhile func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/debug/pprof/"+kind+"?seconds=1", nil)
		httppprof.Handler(kind).ServeHTTP(w, r)
		f := create(kind + ".delta.pb.gz")
		_, err := io.Copy(f, w.Body)
		must(err)
		must(f.Close())
	}()
	time.Sleep(200 * time.Millisecond)
	meanwhile()
	<-done
}

func main() {
	runtime.MemProfileRate = 64 << 10
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	c := make(chan int)
	fill(300)
	grow(800)
	churn(20)
	even(30)
	contend(60)
	waiters(40, c)
	all([]string{"heap", "allocs", "goroutine", "mutex", "block", "threadcreate"}, 0)
	cpu("cpu.0.pb.gz", 400*time.Millisecond)
	grow(900)
	churn(40)
	fill(50)
	contend(60)
	waiters(23, c)
	all([]string{"heap", "allocs", "goroutine", "mutex", "block"}, 1)
	cpu("cpu.1.pb.gz", 600*time.Millisecond)
	grow(1000)
	sessions = sessions.next
	pages.items = nil
	write("heap", "heap.2.pb.gz", 0)
	delta("heap", func() { grow(500); cache = map[string]*session{}; runtime.GC(); runtime.GC() })
	delta("allocs", func() { grow(300); runtime.GC() })
	delta("goroutine", func() { waiters(9, c) })
	write("heap", "heap.debug1", 1)
	write("goroutine", "goroutine.debug1", 1)
	write("goroutine", "goroutine.debug2", 2)
	runtime.KeepAlive(c)
	os.Stdout.WriteString("done\n")
}
