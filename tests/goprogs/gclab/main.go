// gclab - programs whose collector has something to tell: run it with GODEBUG=gctrace=1.
//
//	gclab KIND SECONDS [noise]
//
// KINDs and what a log of each must be judged:
//
//	leak-map, leak-goroutines, leak-slow      leak
//	warm-lru, warm-lazy                       warming-cache
//	steady-server, steady-bursts              steady
//	spiral-gogc, spiral-limit                 death-spiral
//	forced                                    forced-gc
//	starved                                   gc-starved, where others take the processor; else nothing of the kind
//
// Work is counted, not timed, so that a busy machine changes how long it takes and not what is
// seen; SECONDS only ends it.  The last line on stdout is what the runtime itself counted.
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"
)

type item struct {
	next *item
	pad  [240]byte
}

var (
	kept    []*item
	byKey   = map[int]*item{}
	lru     []*item
	sink    []byte
	pending = make(chan *item)
)

// request is the garbage of one request: about 8 KiB.
func request() {
	var head *item
	for i := 0; i < 30; i++ {
		head = &item{next: head}
	}
	sink = make([]byte, 512)
	_ = head
}

func fill(mib int) {
	for i := 0; i < mib*4096; i++ {
		kept = append(kept, new(item))
	}
}

// step is one unit of work; n counts them from 0.
type step func(n int)

func leakMap(n int) {
	request()
	byKey[n] = new(item)
}

func leakGoroutines(n int) {
	request()
	request()
	if n%4 == 0 {
		x := new(item)
		go func() { pending <- x }()
	}
}

func leakSlow(n int) {
	if n == 0 {
		fill(12)
	}
	request()
	if n%4 == 0 {
		kept = append(kept, new(item))
	}
}

// A cache of 65536 entries, 16 MiB and more: the keys come at random.
func warmLru(n int) {
	if lru == nil {
		lru = make([]*item, 1<<16)
	}
	request()
	lru[rand.Intn(len(lru))] = new(item)
}

// Each of 80000 things is made when it is first wanted.
func warmLazy(n int) {
	request()
	if k := rand.Intn(80000); byKey[k] == nil {
		byKey[k] = new(item)
	}
}

func steadyServer(n int) {
	if n == 0 {
		fill(24)
	}
	request()
}

// Every so often a batch is held for a while.
func steadyBursts(n int) {
	if n == 0 {
		fill(16)
		lru = nil
	}
	request()
	if n%3000 < 1500 {
		lru = append(lru, new(item))
	} else {
		lru = nil
	}
}

func spiralGogc(n int) {
	if n == 0 {
		debug.SetGCPercent(4)
		fill(48)
	}
	request()
}

func spiralLimit(n int) {
	if n == 0 {
		fill(30)
		setLimit(44 << 20)
	}
	request()
	if n%10 == 0 && len(kept) < 36*4096 {
		kept = append(kept, new(item))
	}
}

func forced(n int) {
	if n == 0 {
		fill(16)
	}
	request()
	if n%300 == 0 {
		runtime.GC()
	}
}

type node struct {
	left, right *node
	_           [2]uintptr
}

var root *node

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: tree(depth - 1), right: tree(depth - 1)}
}

// 32 MiB of small objects that point to each other: a processor of its own marks them in a sixth of a second.
func starved(n int) {
	if n == 0 {
		root = tree(19)
	}
	request()
}

var kinds = map[string]struct {
	do    step
	steps int
}{
	"leak-map":        {leakMap, 160000},
	"leak-goroutines": {leakGoroutines, 100000},
	"leak-slow":       {leakSlow, 260000},
	"warm-lru":        {warmLru, 400000},
	"warm-lazy":       {warmLazy, 500000},
	"steady-server":   {steadyServer, 150000},
	"steady-bursts":   {steadyBursts, 150000},
	"spiral-gogc":     {spiralGogc, 40000},
	"spiral-limit":    {spiralLimit, 120000},
	"forced":          {forced, 12000},
	"starved":         {starved, 40000},
}

func main() {
	seconds, _ := strconv.ParseFloat(os.Args[2], 64)
	noise := len(os.Args) > 3
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	k, ok := kinds[os.Args[1]]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such kind:", os.Args[1])
		os.Exit(2)
	}
	if noise {
		go talk()
	}
	n := 0
	forever := os.Getenv("GCLAB_FOREVER") != ""
	for ; (forever || n < k.steps) && (n%64 != 0 || time.Now().Before(end)); n++ {
		k.do(n)
	}
	report(n, n == k.steps)
}

// talk writes as programs do: lines, parts of lines, and what looks like the runtime's.
func talk() {
	for i := 0; ; i++ {
		switch i % 5 {
		case 0:
			fmt.Fprintf(os.Stderr, "%s INFO request %d took 1.2 ms, 3->4 items\n", time.Now().Format(time.RFC3339Nano), i)
		case 1:
			fmt.Fprintf(os.Stderr, "progress %d%% ... ", i%100)
		case 2:
			fmt.Fprintf(os.Stderr, "done\n%d\n", i)
		case 3:
			fmt.Fprintf(os.Stderr, "gc of sessions: %d removed, 12 MB, 5 P left\n", i)
		case 4:
			fmt.Fprintf(os.Stderr, "gc %d @ shard %d: 0.5+1.5 ms clock\n", i, i%7)
		}
		time.Sleep(time.Duration(rand.Intn(300)) * time.Microsecond)
	}
}

func report(steps int, whole bool) {
	var m runtime.MemStats
	// Nothing may be collected behind what is counted: what is going on ends with this one.
	debug.SetGCPercent(-1)
	setLimit(math.MaxInt64)
	runtime.GC()
	runtime.ReadMemStats(&m)
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"pid": os.Getpid(), "steps": steps, "whole": whole,
		"num_gc": m.NumGC, "num_forced_gc": m.NumForcedGC, "pause_total_ns": m.PauseTotalNs,
		"pauses_ns": m.PauseNs[:], "total_alloc": m.TotalAlloc, "gc_cpu_fraction": m.GCCPUFraction,
		"heap_alloc": m.HeapAlloc, "go": runtime.Version(),
	})
	runtime.KeepAlive(kept)
	runtime.KeepAlive(root)
}
