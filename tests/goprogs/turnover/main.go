// Program turnover is looked at twice, with exactly one collection in between: each SIGHUP drops seven
// eighths of what main.pages holds, collects, and puts a tenth more there than it had, into the slots that
// became free; main.kept gets a tenth more and keeps what it has.  Answer: "ROUND n reused R of N", by the addresses of the
// pages themselves.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"unsafe"

	"limpet/goprogs/internal/ready"
)

const most = 8192

type page struct {
	key  int
	next *page
	data [1000]byte
}

type record struct {
	key  int
	next *record
	data [1000]byte
}

var (
	pages = map[int]*page{}
	kept  = map[int]*record{}
	was   = map[uintptr]bool{}
	round int
)

func newPage(key int) *page { return &page{key: key} }

func newRecord(key int) *record { return &record{key: key} }

func work() {
	reused := 0
	for i := range pages {
		if i%8 != 0 { // so that no span becomes free as a whole, and is used for others
			delete(pages, i)
		}
	}
	runtime.GC()
	now := map[uintptr]bool{}
	for i := 0; i < most+round*most/10; i++ {
		old := pages[i]
		if old == nil {
			pages[i] = newPage(i)
		}
		at := uintptr(unsafe.Pointer(pages[i]))
		now[at] = true
		if was[at] && old == nil {
			reused++
		}
	}
	for len(kept) < most+round*most/10 {
		kept[len(kept)] = newRecord(len(kept))
	}
	was = now
	round++
	fmt.Println("ROUND", round, "reused", reused, "of", len(pages))
}

func main() {
	debug.SetGCPercent(-1) // no collection but ours
	c := make(chan os.Signal, 4)
	signal.Notify(c, syscall.SIGHUP)
	work()
	runtime.GC()
	ready.Say()
	for range c {
		work()
	}
}
