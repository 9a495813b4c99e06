// heapdump - counts what it makes, and writes runtime/debug.WriteHeapDump to the file of its first
// argument when it gets SIGUSR1.
//
// "DUMPED <HeapObjects> <HeapAlloc> <NumGC>" says that the file is there; the figures are those of
// runtime.MemStats just before.  Builds with every Go from 1.18 on: no generics of newer libraries.
//
// EXPECT root main.keep
// EXPECT objects list=20000 wide=1000 boxes=5000 map=8000
// EXPECT goroutine function=main.waiter count=100 wait=chan_receive
// EXPECT goroutine function=main.holder count=8 retained_objects=4
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
)

const (
	nlist, nwide, nboxes, nmap = 20000, 1000, 5000, 8000
	nwaiters, nholders         = 100, 8
)

// node: 32 bytes, a list whose every link is a pointer in the middle.
type node struct {
	val  int
	next *node
	name string
}

// wide: over 512 bytes, with a malloc header from Go 1.22 on.
type wide struct {
	id   int
	subs [40]*node
	pad  [40]int
	last *node
}

type shape interface{ area() int }

// box: reached through interfaces, so that its type is in the dump.
type box struct {
	w, h int
	n    *node
	pad  [3]int
}

func (b *box) area() int { return b.w * b.h }

// value: boxed by an interface, 40 bytes.
type value struct {
	a, b, c int
	n       *node
	d       int
}

func (v value) area() int { return v.a }

type finalized struct {
	n   *node
	buf []byte
}

var keep struct {
	list   *node
	wides  []*wide
	boxes  []shape
	byName map[string]*node
	big    []*node
	bytes  [][]byte
	cycle  *node
	closed []func() int
	final  []*finalized
}

// dropped: nothing holds these when the dump is written; the last cycle has not seen them die.
var dropped []*node

func fill() {
	for i := 0; i < nlist; i++ {
		keep.list = &node{val: i, next: keep.list}
	}
	for i := 0; i < nwide; i++ {
		w := &wide{id: i, last: &node{val: i}}
		w.subs[i%40] = &node{val: -i}
		keep.wides = append(keep.wides, w)
	}
	for i := 0; i < nboxes; i++ {
		if i%2 == 0 {
			keep.boxes = append(keep.boxes, &box{w: i, n: &node{val: i}})
		} else {
			keep.boxes = append(keep.boxes, value{a: i, n: &node{val: i}})
		}
	}
	keep.byName = map[string]*node{}
	for i := 0; i < nmap; i++ {
		keep.byName[fmt.Sprintf("name of number %d", i)] = &node{val: i}
	}
	keep.big = make([]*node, 1<<17)
	for i := 0; i < len(keep.big); i += 1 << 8 {
		keep.big[i] = &node{val: i}
	}
	for i := 0; i < 50; i++ {
		keep.bytes = append(keep.bytes, make([]byte, 1000*i))
	}
	a, b := &node{name: "a"}, &node{name: "b"}
	a.next, b.next = b, a
	keep.cycle = a
	for i := 0; i < 500; i++ {
		n := &node{val: i}
		keep.closed = append(keep.closed, func() int { return n.val })
	}
	for i := 0; i < 200; i++ {
		f := &finalized{n: &node{val: i}, buf: make([]byte, 64)}
		held := &node{val: -i}
		runtime.SetFinalizer(f, func(f *finalized) { f.n = held })
		keep.final = append(keep.final, f)
	}
}

//go:noinline
func waiter(c chan *node, up chan<- bool) {
	up <- true
	n := <-c
	n.val++
}

//go:noinline
func touch(p *[4]*node) { p[3] = p[0] }

//go:noinline
func fresh(i int, name string) *node { return &node{val: i, name: name} }

// holder keeps nodes in its frame alone: by value, and in an array whose address was taken.
func holder(i int, stop chan bool, up chan<- bool) {
	plain := fresh(i, "by a local")
	taken := [4]*node{fresh(i, "by an array"), fresh(i+1, "by an array"), nil, nil}
	touch(&taken)
	defer func(n *node) { n.val++ }(fresh(i, "by a deferred call"))
	up <- true
	<-stop
	touch(&taken)
	plain.val += taken[1].val
}

// deep holds in each frame of a long stack the address of a variable of the frame above.
//
//go:noinline
func deep(n int, above *[4]*node, stop chan bool, up chan<- bool) {
	mine := [4]*node{above[0], fresh(n, "by a deep frame"), nil, nil}
	if n > 0 {
		deep(n-1, &mine, stop, up)
	} else {
		up <- true
		<-stop
	}
	above[2] = mine[1]
}

// panicker waits in a deferred call while it panics with a node.
func panicker(stop chan bool, up chan<- bool) {
	local := fresh(1, "by a panicking frame")
	defer func() {
		_ = recover()
		up <- true
		<-stop
		local.val++
	}()
	panic(fresh(2, "by a panic"))
}

// sender waits with a value that only its frame holds; chooser in a select over three channels.
func sender(c chan<- *node, up chan<- bool) {
	up <- true
	c <- fresh(3, "by a sender")
}

func chooser(a, b chan *node, stop chan bool, up chan<- bool) {
	up <- true
	select {
	case n := <-a:
		n.val++
	case b <- fresh(4, "by a select"):
	case <-stop:
	}
}

// spin never calls: it is stopped at any instruction, its pointers in registers or frame.
//
//go:noinline
func spin(flag *uint32, p *node) int {
	n := 0
	for *flag == 0 {
		n += p.val
		p = p.next
	}
	return n
}

func startWaiters(up, stop chan bool) {
	for i := 0; i < nwaiters; i++ {
		go waiter(make(chan *node), up)
		<-up
	}
	for i := 0; i < nholders; i++ {
		go holder(i, stop, up)
		<-up
	}
	go func() {
		var above [4]*node
		deep(200, &above, stop, up)
	}()
	<-up
	go panicker(stop, up)
	<-up
	go sender(make(chan *node), up)
	<-up
	go chooser(make(chan *node), make(chan *node), stop, up)
	<-up
	if len(os.Args) > 2 && os.Args[2] == "spin" {
		ring := fresh(0, "by a loop")
		ring.next = fresh(1, "by a loop")
		ring.next.next = ring
		go func() { sink = spin(&never, ring) }()
	}
	held := fresh(5, "by a timer")
	timer = time.AfterFunc(time.Hour, func() { held.val++ })
	pool.Put(fresh(6, "by a pool"))
}

var (
	timer *time.Timer
	pool  sync.Pool
	never uint32
	sink  int
)

//go:noinline
func makeDropped() {
	for i := 0; i < 3000; i++ {
		dropped = append(dropped, &node{val: i})
	}
}

func dump(path string) {
	f, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	debug.WriteHeapDump(f.Fd())
	if err := f.Close(); err != nil {
		panic(err)
	}
	fmt.Println("DUMPED", m.HeapObjects, m.HeapAlloc, m.NumGC)
}

func main() {
	if len(os.Args) > 2 && os.Args[2] == "profile" { // with GODEBUG=memprofilerate=1: every object is sampled
		runtime.MemProfile(nil, true)
	}
	fill()
	up, stop := make(chan bool), make(chan bool)
	startWaiters(up, stop)
	makeExtras()
	makeDropped()
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1, syscall.SIGUSR2)
	runtime.GC()
	runtime.GC()
	dropped = nil
	fmt.Println("READY", os.Getpid())
	for s := range c {
		if s == syscall.SIGUSR2 {
			runtime.GC()
			runtime.GC()
			fmt.Println("COLLECTED")
			continue
		}
		dump(os.Args[1])
	}
	<-stop
}
