// heap10m - ten million live objects in about 1 GB, and 10,000 goroutines.
//
// A realistic mix: sessions in a map, each with an id, a buffer and a list of
// events; a B-tree-like index; slices of pointers; goroutines that wait.
// It measures itself: one goroutine sleeps 1 ms again and again and records how
// late it woke, which is what a stop of the program looks like from inside.
//
// Commands on stdin:  reset | hist | fork | gc | quit
// EXPECT objects=10000000 goroutines=10000
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

type event struct {
	next *event
	at   int64
	kind *string
	note [8]uint64
}

type session struct {
	id     string
	buf    []byte
	events *event
	parent *session
	attrs  map[string]string
}

type node struct {
	key  uint64
	kids [4]*node
	val  *session
}

var (
	sessions = map[string]*session{}
	root     *node
	kinds    [16]*string
	lists    [][]*session
)

var lateness struct {
	sync.Mutex
	ns []int64
}

func tick() {
	for {
		t := time.Now()
		time.Sleep(time.Millisecond)
		late := time.Since(t) - time.Millisecond
		lateness.Lock()
		lateness.ns = append(lateness.ns, int64(late))
		lateness.Unlock()
	}
}

func hist() {
	lateness.Lock()
	v := append([]int64(nil), lateness.ns...)
	lateness.Unlock()
	sort.Slice(v, func(i, j int) bool { return v[i] < v[j] })
	if len(v) == 0 {
		fmt.Println("HIST 0")
		return
	}
	p := func(q float64) int64 { return v[int(q*float64(len(v)-1))] }
	fmt.Printf("HIST %d %d %d %d %d\n", len(v), p(.5), p(.99), p(.999), v[len(v)-1])
}

// bareFork times the same clone(2) that any fork of this process costs; the child
// leaves at once.  It runs no Go code: the runtime's locks may be held in it.
func bareFork() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	best := int64(1 << 62)
	for i := 0; i < 7; i++ {
		t := time.Now()
		pid, e := rawFork()
		d := int64(time.Since(t))
		if e != 0 {
			fmt.Println("FORK failed", e)
			return
		}
		if d < best {
			best = d
		}
		var ws syscall.WaitStatus
		syscall.Wait4(int(pid), &ws, 0, nil)
	}
	fmt.Println("FORK", best)
}

func insert(n *node, key uint64, s *session) *node {
	if n == nil {
		return &node{key: key, val: s}
	}
	at := n
	for depth := 0; ; depth++ {
		k := &at.kids[key>>(2*depth%64)&3]
		if *k == nil {
			*k = &node{key: key, val: s}
			return n
		}
		at = *k
	}
}

func build(objects int) {
	for i := range kinds {
		s := "kind" + strconv.Itoa(i)
		kinds[i] = &s
	}
	x := uint64(88172645463325252)
	var last *session
	var row []*session
	for made := 0; made < objects; {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		s := &session{id: "session-" + strconv.FormatUint(x, 36), parent: last}
		s.buf = make([]byte, 64+x%192)
		for i := 0; i < 16; i++ {
			s.events = &event{next: s.events, at: int64(x), kind: kinds[i]}
		}
		made += 20 // session, id, buffer, 16 events, index node
		if x%64 == 0 {
			s.attrs = map[string]string{"user": s.id}
			made += 2
		}
		sessions[s.id] = s
		root = insert(root, x, s)
		if row = append(row, s); len(row) == 1024 {
			lists = append(lists, row)
			row = nil
		}
		if x%8 == 0 {
			last = s
		}
	}
	lists = append(lists, row)
}

func main() {
	objects, goroutines := 10_000_000, 10_000
	if len(os.Args) > 1 {
		objects, _ = strconv.Atoi(os.Args[1])
	}
	build(objects)
	block := make(chan *session)
	for i := 0; i < goroutines; i++ {
		s := &session{id: "goroutine-" + strconv.Itoa(i)}
		go func() { <-block; fmt.Println(s.id) }()
	}
	runtime.GC()
	debug.FreeOSMemory()
	go tick()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Printf("READY %d objects %d bytes %d\n", os.Getpid(), m.HeapObjects, m.HeapAlloc)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		switch in.Text() {
		case "reset":
			lateness.Lock()
			lateness.ns = nil
			lateness.Unlock()
			fmt.Println("OK")
		case "hist":
			hist()
		case "fork":
			bareFork()
		case "gc":
			runtime.GC()
			runtime.ReadMemStats(&m)
			fmt.Printf("GC %d %d %d\n", m.NumGC, m.HeapObjects, m.HeapAlloc)
		case "quit":
			return
		}
	}
	runtime.KeepAlive(unsafe.Pointer(root))
}
