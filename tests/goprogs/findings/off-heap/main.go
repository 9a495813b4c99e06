// off-heap - memory that Go does not know, without cgo; and pages that few objects hold.
//
// CASE mmap       EXPECT off-heap verdict=suspect bytes>=60000000
// CASE mmap-many  EXPECT off-heap verdict=suspect bytes>=60000000
// CASE threads    EXPECT off-heap verdict=waste count>=300
// CASE fragments  EXPECT off-heap verdict=waste type=*main.item bytes>=40000000
// CASE holes      EXPECT off-heap verdict=waste type=*main.page bytes>=40000000
// CASE unmapped   NONE
// CASE mapped-file NONE
// CASE small-map  NONE
// CASE emptied    NONE
// CASE churn      NONE
// CASE few-threads NONE
package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"limpet/goprogs/internal/ready"
)

const mib = 1 << 20

type item struct {
	next *item
	n    [6]int
}

type page struct {
	next *page
	data [1016]byte
}

var (
	maps  [][]byte
	items [16]*item
	pages [16]*page
	sink  []byte
)

func mapped(n int) []byte {
	m, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	for i := 0; i < n; i += 4096 {
		m[i] = 1
	}
	return m
}

// Written at both ends, so that the kernel does not join neighbours into one.
func mmapMany() {
	for i := 0; i < 1024; i++ {
		m := mapped(17 * 4096)
		syscall.Mprotect(m[16*4096:], syscall.PROT_NONE)
		maps = append(maps, m)
	}
}

func unmapped() {
	for i := 0; i < 16; i++ {
		if err := syscall.Munmap(mapped(4 * mib)); err != nil {
			panic(err)
		}
	}
}

func mappedFile() {
	f, err := os.CreateTemp("", "limpet-off-heap-")
	if err != nil {
		panic(err)
	}
	os.Remove(f.Name())
	if err := f.Truncate(48 * mib); err != nil {
		panic(err)
	}
	m, err := syscall.Mmap(int(f.Fd()), 0, 48*mib, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(m); i += 4096 {
		sink = append(sink[:0], m[i])
	}
	maps = append(maps, m)
}

// Each thread waits in read(2) of a pipe that the poller does not know.
func threads(n int) {
	var p [2]int
	if err := syscall.Pipe(p[:]); err != nil {
		panic(err)
	}
	for i := 0; i < n; i++ {
		go func() {
			var b [1]byte
			syscall.Read(p[0], b[:])
		}()
	}
	time.Sleep(500 * time.Millisecond)
}

// A million small objects, of which one in 128 stays.
func fragments() {
	var all []*item
	for i := 0; i < 1<<20; i++ {
		x := &item{n: [6]int{i}}
		all = append(all, x)
		if i%128 == 0 {
			x.next, items[i/128%16] = items[i/128%16], x
		}
	}
	runtime.KeepAlive(all)
}

func holes() {
	var all []*page
	for i := 0; i < 64<<10; i++ {
		x := &page{}
		all = append(all, x)
		if i%8 == 0 {
			x.next, pages[i/8%16] = pages[i/8%16], x
		}
	}
	runtime.KeepAlive(all)
}

func emptied() {
	var all []*item
	for i := 0; i < 1<<20; i++ {
		all = append(all, &item{n: [6]int{i}})
	}
	runtime.KeepAlive(all)
}

// A heap as a server has it: a third of it lives, all the rest comes and goes.
func churn() {
	for i := 0; i < 1<<18; i++ {
		x := &item{n: [6]int{i}}
		x.next, items[i%16] = items[i%16], x
		sink = make([]byte, 100+i%300)
	}
}

var cases = map[string]func(){
	"mmap":        func() { maps = append(maps, mapped(64*mib)) },
	"mmap-many":   mmapMany,
	"threads":     func() { threads(320) },
	"fragments":   fragments,
	"holes":       holes,
	"unmapped":    unmapped,
	"mapped-file": mappedFile,
	"small-map":   func() { maps = append(maps, mapped(2*mib)) },
	"emptied":     emptied,
	"churn":       churn,
	"few-threads": func() { threads(40) },
}

func main() {
	if len(os.Args) != 2 || cases[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: off-heap CASE")
		os.Exit(2)
	}
	cases[os.Args[1]]()
	runtime.GC()
	runtime.GC()
	ready.Say("")
	ready.Wait()
}
