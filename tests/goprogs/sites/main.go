// sites - memory from many places, and the program's own profile of it to compare with.
//
// EXPECT a sampled program: the rate is GODEBUG=memprofilerate=N, Go's default without; /debug/pprof/heap is served.
//
// Each place allocates in a way of its own: inlined, generic, by a method, a closure, below the runtime (maps, strings,
// append), from another package, deeper than a stack is recorded, large, tiny, recursive.  Much of it is dropped again.
package main

import (
	"bytes"
	"container/list"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"strconv"
	"strings"

	"limpet/goprogs/internal/ready"
)

type node struct {
	next *node
	pad  [12]uint64
}

type store struct {
	bufs  [][]byte
	index map[string]*node
	text  []string
}

var (
	kept    [][]byte
	chain   *node
	stores  []*store
	boxes   []interface{}
	lists   = list.New()
	deeps   [][]uint64
	strs    []string
	dropped []byte
)

//go:noinline
func large(n int) { kept = append(kept, make([]byte, 300000+4096*n)) }

//go:noinline
func medium(n int) { kept = append(kept, make([]byte, 9000+64*n)) }

// Small enough to be inlined into its callers.
func inlinedNode(next *node) *node { return &node{next: next} }

func inlinedTwice(next *node) *node { return inlinedNode(inlinedNode(next)) }

//go:noinline
func chained(n int) {
	for i := 0; i < n; i++ {
		chain = inlinedTwice(chain)
	}
}

type pair[K comparable, V any] struct {
	k K
	v V
	p [20]V
}

//go:noinline
func box[K comparable, V any](k K, v V) *pair[K, V] { return &pair[K, V]{k: k, v: v} }

// Type arguments that pprof takes for C++ and cuts short when it prints them.
//
//go:noinline
func oddNames(n int) {
	for i := 0; i < n; i++ {
		boxes = append(boxes, box("f", func(int) string { return "" }), box("s", make(chan<- int)), box("r", make(<-chan int)),
			box("m", map[string]func(a, b int) (int, error){}))
		odd.each(i)
	}
}

type oddity struct{ all []interface{} }

var odd oddity

func (o *oddity) each(n int) { o.all = append(o.all, mapped(n, func(k int) *node { return &node{} })) }

//go:noinline
func mapped[T any](n int, f func(int) T) []T { return append(make([]T, 0, 90), f(n)) }

type holder[T any] struct{ all []*T }

//go:noinline
func (h *holder[T]) add() { h.all = append(h.all, new(T)) }

var held holder[[40]uint64]

//go:noinline
func (s *store) fill(n int) {
	for i := 0; i < n; i++ {
		s.bufs = append(s.bufs, make([]byte, 700))
		key := strconv.Itoa(i) + strings.Repeat("k", 20)
		s.index[key] = &node{}
		s.text = append(s.text, strings.Repeat("text ", 30))
	}
}

//go:noinline
func newStore(n int) *store {
	s := &store{index: map[string]*node{}}
	s.fill(n)
	return s
}

// Deeper than the 32 frames that were recorded before Go 1.23.
func deep(n int) []uint64 {
	if n == 0 {
		return make([]uint64, 500)
	}
	x := deep(n - 1)
	x[0]++
	return x
}

//go:noinline
func closures(n int) {
	for i := 0; i < n; i++ {
		f := func(k int) []byte { return make([]byte, 2000+k) }
		kept = append(kept, f(i%7))
	}
}

//go:noinline
func tiny(n int) {
	for i := 0; i < n; i++ {
		boxes = append(boxes, i+1000)
	}
}

//go:noinline
func garbage(n int) {
	for i := 0; i < n; i++ {
		dropped = make([]byte, 5000)
	}
	dropped = nil
}

func fromLibraries(n int) {
	for i := 0; i < n; i++ {
		lists.PushBack(bytes.Repeat([]byte{1}, 400))
		strs = append(strs, strings.ToUpper("some words to be copied "+strconv.Itoa(i)))
	}
}

func work(n int) {
	for i := 0; i < 20; i++ {
		large(i)
	}
	for i := 0; i < 40*n; i++ {
		medium(i % 50)
		boxes = append(boxes, box(i, uint64(i)), box("k", 2.5))
		held.add()
	}
	for i := 0; i < 4*n; i++ {
		stores = append(stores, newStore(50))
		deeps = append(deeps, deep(10+i%90))
	}
	chained(400 * n)
	closures(60 * n)
	oddNames(20 * n)
	tiny(300 * n)
	fromLibraries(200 * n)
	garbage(500 * n)
}

func main() {
	n := 20
	if len(os.Args) > 1 {
		n, _ = strconv.Atoi(os.Args[1])
	}
	done := make(chan bool)
	go func() {
		work(n / 2)
		done <- true
	}()
	<-done
	work(n - n/2)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/more", func(http.ResponseWriter, *http.Request) { work(1) })
	ready.Say(l.Addr().String())
	panic(http.Serve(l, nil))
}
