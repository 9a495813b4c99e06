// pause measures from inside what tools outside do to a Go program.
//
// It holds a heap of small objects and answers words on stdin, one JSON line each:
//
//	fork N   N bare fork()s of this process by itself, ns each (child exits at once)
//	hist     gaps in the running of a thread that only reads the clock, since the
//	         last hist: every gap above 100 us is time in which the program stood still
//	         (or the machine was busy: compare with a run without any tool)
//	quit
//
// Knows nothing of limpet.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sort"
	"sync"
	"syscall"
	"time"
)

var (
	objects    = flag.Int("objects", 1_000_000, "objects on the heap")
	size       = flag.Int("size", 100, "bytes each")
	goroutines = flag.Int("goroutines", 1000, "parked goroutines")
	worker     = flag.Bool("worker", true, "a goroutine that allocates and writes all the time")
)

type node struct {
	next *node
	pay  []byte
}

var (
	root []*node
	mu   sync.Mutex
	gaps []int64
	from time.Time
)

func build() {
	for i := 0; i < *objects; i++ {
		n := &node{pay: make([]byte, *size)}
		n.pay[0] = 1
		if i > 0 {
			n.next = root[i/2]
		}
		root = append(root, n)
	}
}

func watch() {
	runtime.LockOSThread()
	last := time.Now()
	for {
		now := time.Now()
		gap := int64(now.Sub(last))
		last = now
		if gap < 100_000 {
			continue
		}
		mu.Lock()
		gaps = append(gaps, gap)
		mu.Unlock()
		last = time.Now()
	}
}

func work() {
	for i := 0; ; i++ {
		n := root[(i*7919)%len(root)]
		n.pay[0]++
		if i%100 == 0 {
			_ = make([]byte, 1000)
			time.Sleep(100 * time.Microsecond)
		}
	}
}

// As syscall.forkExec does it: no Go code between fork and exit in the child.
//
//go:norace
func bareFork() int64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	t := time.Now()
	pid, _, no := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if pid == 0 && no == 0 {
		for {
			syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
		}
	}
	d := int64(time.Since(t))
	if no == 0 {
		syscall.Wait4(int(pid), nil, 0, nil)
	}
	return d
}

func hist() map[string]any {
	mu.Lock()
	defer mu.Unlock()
	sort.Slice(gaps, func(i, j int) bool { return gaps[i] < gaps[j] })
	at := func(q float64) int64 {
		if len(gaps) == 0 {
			return 0
		}
		return gaps[int(q*float64(len(gaps)-1))]
	}
	var sum int64
	buckets := map[string]int{}
	for _, g := range gaps {
		sum += g
		for ms := int64(1); ; ms *= 2 {
			if g < ms*1e6 {
				buckets[fmt.Sprintf("<%dms", ms)]++
				break
			}
		}
	}
	r := map[string]any{"gaps": len(gaps), "sum_ns": sum, "p50_ns": at(.5), "p99_ns": at(.99),
		"max_ns": at(1), "buckets": buckets, "over_ns": int64(time.Since(from))}
	gaps = nil
	from = time.Now()
	return r
}

func main() {
	flag.Parse()
	build()
	for i := 0; i < *goroutines; i++ {
		go func() { select {} }()
	}
	runtime.GC()
	from = time.Now()
	go watch()
	if *worker {
		go work()
	}
	out := json.NewEncoder(os.Stdout)
	out.Encode(map[string]any{"pid": os.Getpid(), "objects": *objects})
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var n int
		switch {
		case in.Text() == "hist":
			out.Encode(hist())
		case in.Text() == "quit":
			return
		default:
			fmt.Sscanf(in.Text(), "fork %d", &n)
			var v []int64
			for i := 0; i < n; i++ {
				v = append(v, bareFork())
				time.Sleep(20 * time.Millisecond)
			}
			out.Encode(map[string]any{"fork_ns": v})
		}
	}
}
