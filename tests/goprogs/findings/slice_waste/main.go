// slice_waste - capacity that nothing uses, and capacity that has its reasons.
//
// CASE hints EXPECT slice-waste verdict=waste proof=measured holder=events type=[]main.event count>=1000 bytes>=20000000
// CASE one EXPECT slice-waste verdict=waste type=[]int64 bytes>=15000000
// CASE pointers EXPECT slice-waste verdict=waste type=[]*main.event count>=2000 bytes>=15000000
// CASE emptied EXPECT slice-waste verdict=waste type=[]uint8 count>=500 bytes>=30000000
// CASE grown NONE
// CASE full NONE
// CASE fresh-arrays NONE
// CASE scratch NONE
// CASE pooled NONE
// CASE shared NONE
package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"sync"

	"limpet/goprogs/internal/ready"
)

type event struct {
	at   int64
	kind string
}

type session struct {
	id     int
	events []event
}

type table struct {
	samples []int64
}

type topic struct {
	queue []*event
}

type worker struct {
	line []byte
}

type pair struct {
	all   []int64
	front []int64
}

type scratch struct {
	buf []int64
}

var (
	sessions map[int]*session
	history  *table
	topics   []*topic
	workers  []*worker
	buffers  []*bytes.Buffer
	arrays   [][]int64
	pairs    []*pair
	pool     = sync.Pool{New: func() any { return new(scratch) }}
)

func plant(name string) {
	switch name {
	case "hints": // room for a thousand, two of them used
		sessions = map[int]*session{}
		for i := 0; i < 1000; i++ {
			s := &session{id: i, events: make([]event, 0, 1000)}
			s.events = append(s.events, event{at: 1}, event{at: 2})
			sessions[i] = s
		}
	case "one":
		history = &table{samples: append(make([]int64, 0, 2<<20), 1, 2, 3)}
	case "pointers":
		for i := 0; i < 2000; i++ {
			topics = append(topics, &topic{queue: append(make([]*event, 0, 1024), &event{at: 1})})
		}
	case "emptied": // each keeps the longest line that it ever saw
		for i := 0; i < 500; i++ {
			w := &worker{line: bytes.Repeat([]byte{'x'}, 65536)}
			w.line = w.line[:0]
			workers = append(workers, w)
		}
	case "grown":
		for i := 0; i < 1000; i++ {
			t := &table{}
			for k := 0; k < 1100+i; k++ {
				t.samples = append(t.samples, 1)
			}
			arrays = append(arrays, t.samples)
		}
	case "full":
		for i := 0; i < 100; i++ {
			arrays = append(arrays, make([]int64, 10000))
		}
	case "fresh-arrays":
		for i := 0; i < 100; i++ {
			arrays = append(arrays, append(make([]int64, 0, 10000), make([]int64, 5000)...))
		}
	case "scratch":
		for i := 0; i < 8; i++ {
			workers = append(workers, &worker{line: make([]byte, 0, 1<<20)})
		}
		for i := 0; i < 1000; i++ {
			b := bytes.NewBuffer(make([]byte, 0, 8192))
			b.WriteString("some")
			buffers = append(buffers, b)
		}
		arrays = append(arrays, make([]int64, 1<<22))
	case "pooled":
	case "shared": // a short view besides the long one
		for i := 0; i < 200; i++ {
			v := make([]int64, 10000)
			pairs = append(pairs, &pair{all: v, front: v[:1]})
		}
	}
}

func main() {
	plant(os.Args[1])
	runtime.GC()
	runtime.GC()
	if os.Args[1] == "pooled" {
		var out []*scratch
		for i := 0; i < 100; i++ {
			s := pool.Get().(*scratch)
			s.buf = make([]int64, 0, 8192)
			out = append(out, s)
		}
		for _, s := range out {
			pool.Put(s)
		}
	}
	ready.Say()
	ready.Wait()
	fmt.Println(sessions, history, topics, workers, buffers, arrays, pairs)
}
