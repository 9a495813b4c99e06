// Program identity keeps a book on its own objects: which it made, where, and which it let go.
//
//	identity DIR [OBJECTS [CYCLES]]
//
// Each SIGHUP is one round: it lets objects go and makes others, before, during and behind each of
// CYCLES collections (there are no others), so that slots and whole spans are used again, for the
// same and for other sizes and types.  Then it writes DIR/look.N: of each object that it has a
// record of 24 bytes (address, serial number, kind, 0), and answers "ROUND N NUMGC".
//
// Of the tiny allocator's blocks of 16 bytes the block is the object; two values share one.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"unsafe"

	"limpet/goprogs/internal/ready"
)

// Kinds as the book has them.
const (
	kNode    = iota // 48 bytes, pointers
	kBytes          // 112 bytes, none
	kTiny           // 16 bytes, two values each
	kText           // strings' bytes
	kMap            // a map's header
	kRecord         // 1 KiB with pointers: has a malloc header since Go 1.22
	kLarge          // 40 KiB, none
	kTable          // 48 KiB of pointers
	kMorphed        // another size in every round
	kinds
)

type node struct {
	next *node
	id   uint64
	pad  [4]uint64
}

type record struct {
	first *node
	id    uint64
	pad   [122]uint64
}

type morph64 struct {
	id  uint64
	p   *node
	pad [6]uint64
}

type morph208 struct {
	id  uint64
	p   *node
	pad [24]uint64
}

type morph640 struct {
	id  uint64
	pad [79]uint64
}

// What is kept: a pointer, so that it lives, and its number in the book.
type entry struct {
	p      unsafe.Pointer
	serial uint64
}

var (
	kept   [kinds][]entry
	serial uint64
	round  int
	random = uint32(2463534242)
	// the last tiny value: its block's number
	lastTiny   uintptr
	lastSerial uint64
)

func rnd(n int) int {
	random ^= random << 13
	random ^= random >> 17
	random ^= random << 5
	return int(random % uint32(n))
}

// Numbers of tiny blocks: a value at offset 0 opens one.  0: who opened it is not known.
func tiny() entry {
	p := new(uint64)
	at := uintptr(unsafe.Pointer(p))
	switch {
	case at%16 == 0:
		serial++
		lastSerial = serial
	case lastTiny != at-8:
		lastSerial = 0
	}
	lastTiny = at
	*p = lastSerial
	return entry{unsafe.Pointer(p), lastSerial}
}

func morphed() unsafe.Pointer {
	switch round % 3 {
	case 0:
		return unsafe.Pointer(&morph64{id: serial})
	case 1:
		return unsafe.Pointer(&morph208{id: serial})
	}
	return unsafe.Pointer(&morph640{id: serial})
}

//go:noinline
func make1(kind int) entry {
	if kind == kTiny {
		return tiny()
	}
	serial++
	var p unsafe.Pointer
	switch kind {
	case kNode:
		p = unsafe.Pointer(&node{id: serial})
	case kBytes:
		p = unsafe.Pointer(unsafe.SliceData(make([]byte, 100)))
	case kText:
		p = unsafe.Pointer(unsafe.StringData(string(make([]byte, 17+rnd(60)))))
	case kMap:
		m := make(map[uint64]uint64)
		m[serial] = 1
		p = *(*unsafe.Pointer)(unsafe.Pointer(&m))
	case kRecord:
		p = unsafe.Pointer(&record{id: serial, first: &node{}})
	case kLarge:
		p = unsafe.Pointer(unsafe.SliceData(make([]byte, 40<<10)))
	case kTable:
		p = unsafe.Pointer(unsafe.SliceData(make([]*node, 6<<10)))
	case kMorphed:
		p = morphed()
	}
	return entry{p, serial}
}

// Every n-th place at random is emptied.
func letGo(kind, n int) {
	k := kept[kind]
	for i := range k {
		if k[i].p != nil && rnd(n) == 0 {
			k[i] = entry{}
		}
	}
}

// All of a stretch, so that whole spans become free.
func letGoStretch(kind int) {
	k := kept[kind]
	from := rnd(len(k)/2 + 1)
	for i := from; i < from+len(k)/4; i++ {
		k[i] = entry{}
	}
}

// Empty places are filled, about one of n.
func fill(kind, n int) {
	k := kept[kind]
	for i := range k {
		if k[i].p == nil && rnd(n) == 0 {
			k[i] = make1(kind)
		}
	}
}

func all(f func(kind, n int), n int) {
	for kind := 0; kind < kinds; kind++ {
		f(kind, n)
	}
}

// One collection, and what is let go and made around and in it.
func cycle() {
	all(letGo, 9)
	for kind := 0; kind < kinds; kind++ {
		letGoStretch(kind)
	}
	all(fill, 8)
	done := make(chan bool)
	go func() {
		runtime.GC()
		done <- true
	}()
	runtime.Gosched()
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
			kind := rnd(kinds)
			k := kept[kind]
			n := 200
			if kind == kLarge || kind == kTable {
				n = 2
			}
			for i := 0; i < n; i++ {
				at := rnd(len(k))
				if k[at].p == nil {
					k[at] = make1(kind)
				} else if rnd(2) == 0 {
					k[at] = entry{}
				}
			}
			runtime.Gosched()
		}
	}
	all(fill, 2)
	all(letGo, 30)
}

func book(dir string) {
	f, err := os.Create(filepath.Join(dir, "look."+strconv.Itoa(round)))
	if err != nil {
		panic(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	var b [24]byte
	for kind := range kept {
		for _, e := range kept[kind] {
			if e.p == nil {
				continue
			}
			binary.LittleEndian.PutUint64(b[0:], uint64(uintptr(e.p)))
			binary.LittleEndian.PutUint64(b[8:], e.serial)
			binary.LittleEndian.PutUint64(b[16:], uint64(kind))
			w.Write(b[:])
		}
	}
	w.Flush()
	f.Close()
}

func main() {
	objects, cycles := 100000, 1
	if len(os.Args) > 2 {
		objects, _ = strconv.Atoi(os.Args[2])
	}
	if len(os.Args) > 3 {
		cycles, _ = strconv.Atoi(os.Args[3])
	}
	debug.SetGCPercent(-1)
	runtime.GOMAXPROCS(1)
	share := [kinds]int{kNode: 30, kBytes: 15, kTiny: 15, kText: 15, kMap: 5, kRecord: 2, kMorphed: 15}
	for kind := range kept {
		kept[kind] = make([]entry, objects*share[kind]/100)
	}
	kept[kLarge] = make([]entry, 40+objects/10000)
	kept[kTable] = make([]entry, 40+objects/10000)
	all(fill, 1)
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	ready.Say("identity")
	for {
		<-again
		for i := 0; i < cycles; i++ {
			cycle()
		}
		letGo(kMorphed, 1) // the next round's are of another size
		round++
		all(fill, 3)
		book(os.Args[1])
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Println("ROUND", round, m.NumGC)
	}
}
