// Package onbehalf is what handlers of labelled requests hold, and the server's own books about it.
//
// A request holds a list of parts, together with two goroutines that it starts; it may hand a blob to another
// request, and hold what a global holds.  The books say of each such thing its bytes by size class (what mallocgc
// rounds them to) and who holds it.
package onbehalf

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// Who holds: values of the labels; none is a goroutine without labels.
type Who struct {
	Place  string `json:"place"` // of "route" or "rpc"
	Tenant string `json:"tenant"`
}

type entry struct {
	What   string `json:"what"`
	Bytes  uint64 `json:"bytes"`
	Who    []Who  `json:"who"`
	Global bool   `json:"global"`
	Timed  bool   `json:"timed"` // a timer of the runtime's reaches it, too
}

var books struct {
	sync.Mutex
	entries []*entry
	waiting int // goroutines that hold something and stand still
}

// 64 bytes, a size class of its own.
type part struct {
	next *part
	buf  []byte
	id   uint64
	_    [3]uint64
}

// The bytes that n bytes without pointers take: append rounds up to the size class.
func class(n int) uint64 {
	return uint64(cap(append([]byte(nil), make([]byte, n)...)))
}

// list makes parts with buffers of n bytes until they take about total, and says what they take.
func list(total, n int) (head *part, bytes uint64) {
	one := class(n) + 64
	for bytes < uint64(total) {
		head = &part{next: head, buf: make([]byte, n), id: bytes}
		bytes += one
	}
	return head, bytes
}

var pending, common *part

func init() {
	var bytes uint64
	common, bytes = list(1<<20, 3000)
	books.entries = append(books.entries, &entry{What: "common", Bytes: bytes, Global: true})
}

func write(e *entry) *entry {
	books.Lock()
	defer books.Unlock()
	books.entries = append(books.entries, e)
	return e
}

func stand(keep ...*part) {
	books.Lock()
	books.waiting++
	books.Unlock()
	<-make(chan struct{})
	runtime.KeepAlive(keep)
}

// send waits for somebody to take p from a queue, which so hangs from what the runtime knows of this goroutine.
func send(p *part) {
	queue := make(chan *part, 1)
	queue <- p
	p = nil
	books.Lock()
	books.waiting++
	books.Unlock()
	queue <- nil
}

type key struct{}

// timed waits for the end of a context that carries p: the runtime's timers lead to it, and the contexts above it.
func timed(ctx context.Context, p *part) {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, key{}, p), time.Hour)
	defer cancel()
	p = nil
	books.Lock()
	books.waiting++
	books.Unlock()
	<-ctx.Done()
}

// Hold holds about total bytes in buffers of n for who, in this goroutine and four more, and never returns.
// give: also a blob for the next one that takes.
func Hold(ctx context.Context, who []Who, total, n int, give, take, useCommon bool) {
	var blob, seen *part
	mine, bytes := list(total, n)
	write(&entry{What: "own", Bytes: bytes, Who: who})
	books.Lock()
	if give {
		var size uint64
		pending, size = list(300<<10, 2000)
		blob = pending
		books.entries = append(books.entries, &entry{What: "blob", Bytes: size, Who: who})
	} else if take {
		blob, pending = pending, nil
		for _, e := range books.entries {
			if e.What == "blob" && len(e.Who) == 1 {
				e.Who = append(e.Who, who...)
			}
		}
	}
	if useCommon {
		seen = common
		books.entries[0].Who = append(books.entries[0].Who, who...)
	}
	books.Unlock()
	for p, i := mine, 0; i < 2; i++ {
		p = p.next
		go stand(p)
	}
	other, bytes := list(total/4, n+100)
	write(&entry{What: "child", Bytes: bytes, Who: who})
	go stand(other)
	other, bytes = list(total/8, n+200)
	write(&entry{What: "queued", Bytes: bytes, Who: who})
	go send(other)
	other, bytes = list(total/8, n+300)
	write(&entry{What: "timed", Bytes: bytes, Who: who, Timed: true})
	go timed(ctx, other)
	other = nil
	stand(mine, blob, seen)
}

// Serve answers /truth: {"entries", "waiting"}.
func Serve(w http.ResponseWriter, _ *http.Request) {
	books.Lock()
	defer books.Unlock()
	json.NewEncoder(w).Encode(map[string]any{"entries": books.entries, "waiting": books.waiting})
}

// Int is a number of a request's text.
func Int(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}
