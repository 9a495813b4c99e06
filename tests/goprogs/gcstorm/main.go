// gcstorm - allocates on all threads for ever, with GOGC=20: some cycle is nearly always under way.
//
// EXPECT type main.tree count=32767
// Each of 8 allocators keeps a ring of 1,000 lists that it replaces one by one; main.kept never changes.
package main

import (
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"limpet/goprogs/internal/ready"
)

type tree struct {
	left, right *tree
	name        string
}

type link struct {
	next *link
	data []byte
	any  any
}

var (
	kept  = grow(15)
	rings [8][1000]*link
	total int64
)

func grow(depth int) *tree {
	if depth == 0 {
		return nil
	}
	return &tree{left: grow(depth - 1), right: grow(depth - 1), name: strconv.Itoa(depth)}
}

// allocate replaces lists of its ring, calling deep now and then so that stacks grow and shrink.
func allocate(ring *[1000]*link, seed int) {
	for i := seed; ; i++ {
		var head *link
		for j := 0; j < 20+i%50; j++ {
			head = &link{next: head, data: make([]byte, j*7%300), any: j}
			if j%10 == 0 {
				head.any = map[int]*link{j: head.next}
			}
		}
		ring[i%len(ring)] = head
		atomic.AddInt64(&total, int64(20+i%50))
		if i%64 == 0 {
			deep(i%200, head)
		}
		if i%100 == 0 {
			go func() { _ = grow(5) }()
		}
	}
}

func deep(n int, l *link) *link {
	local := link{next: l, any: n}
	if n == 0 {
		return &link{next: l}
	}
	return deep(n-1, &local).next
}

func main() {
	debug.SetGCPercent(20)
	for i := range rings {
		go allocate(&rings[i], i*7)
	}
	for atomic.LoadInt64(&total) < 100000 {
		time.Sleep(10 * time.Millisecond)
	}
	ready.Say()
	ready.Wait()
	runtime.KeepAlive(kept)
}
