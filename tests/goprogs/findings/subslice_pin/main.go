// subslice_pin - small slices of big arrays, and slices that only look like it.
//
// CASE headers EXPECT subslice-pin verdict=waste proof=measured holder=hello type=[]uint8 count>=200 bytes>=12000000
// CASE middle EXPECT subslice-pin verdict=waste holder=sample bytes>=7000000
// CASE top EXPECT subslice-pin verdict=waste type=[]*main.item bytes>=20000000
// CASE queue EXPECT subslice-pin verdict=waste type=[]*main.item bytes>=8000000
// CASE rows EXPECT subslice-pin verdict=waste type=[]main.point bytes>=10000000
// CASE emptied EXPECT subslice-pin verdict=waste type=[]*main.item bytes>=10000000
// CASE cloned NONE
// CASE nilled NONE
// CASE half NONE
// CASE pointer-besides NONE
// CASE scratch NONE
// CASE stack NONE
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"sort"
	"time"

	"limpet/goprogs/internal/ready"
)

type conn struct {
	hello []byte
	id    int
}

type window struct {
	sample []byte
}

type item struct {
	score int
	text  [1000]byte
}

type point struct {
	x, y, z float64
	label   uint64
}

type board struct {
	best []*item
}

type queue struct {
	waiting []*item
	taken   int
}

type frame struct {
	buf  *[65536]byte
	head []byte
}

var (
	conns  map[int]*conn
	win    *window
	boards []*board
	work   *queue
	points [][]point
	frames []*frame
	bufs   []*bytes.Buffer
	scans  []*bufio.Reader
)

func packet(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func items(n int) []*item {
	var v []*item
	for i := 0; i < n; i++ {
		v = append(v, &item{score: rand.Int()})
	}
	return v
}

func plant(name string) {
	switch name {
	case "headers": // the first 16 bytes of what was read; cap is all of it
		conns = map[int]*conn{}
		for i := 0; i < 200; i++ {
			conns[i] = &conn{hello: packet(65536)[:16], id: i}
		}
	case "middle":
		win = &window{sample: packet(8 << 20)[4000:4100:4100]}
	case "top": // the ten best keep them all
		all := items(30000)
		sort.Slice(all, func(i, j int) bool { return all[i].score > all[j].score })
		boards = append(boards, &board{best: all[:10]})
	case "queue": // taken off at the front, and never set to nil
		work = &queue{waiting: items(10000)}
		for len(work.waiting) > 500 {
			work.taken++
			work.waiting = work.waiting[1:]
		}
	case "emptied": // no element, and ten thousand that are still behind it
		work = &queue{waiting: items(10000)}
		work.waiting = work.waiting[:0]
	case "rows":
		for i := 0; i < 40; i++ {
			p := make([]point, 10000)
			for k := range p {
				p[k].x = float64(k + 1)
			}
			points = append(points, p[500:600])
		}
	case "cloned":
		conns = map[int]*conn{}
		for i := 0; i < 200; i++ {
			conns[i] = &conn{hello: append([]byte(nil), packet(65536)[:16]...)}
		}
	case "nilled": // taken off at the front, and set to nil
		work = &queue{waiting: items(10000)}
		for len(work.waiting) > 500 {
			work.waiting[0] = nil
			work.waiting = work.waiting[1:]
		}
	case "half":
		for i := 0; i < 40; i++ {
			p := make([]point, 10000)
			p[1].x = 1
			points = append(points, p[4000:])
		}
	case "pointer-besides": // the whole is reachable as an array
		for i := 0; i < 200; i++ {
			b := new([65536]byte)
			rand.Read(b[:])
			frames = append(frames, &frame{buf: b, head: b[:16]})
		}
	case "scratch":
		for i := 0; i < 400; i++ {
			b := bytes.NewBuffer(packet(16384))
			b.Next(16380)
			bufs = append(bufs, b)
			r := bufio.NewReaderSize(bytes.NewReader(packet(100)), 16384)
			r.ReadByte()
			scans = append(scans, r)
		}
	case "stack": // a reader that still fills its buffer
		for i := 0; i < 100; i++ {
			go read(&conn{id: i})
		}
	}
}

func read(c *conn) {
	buf := packet(65536)
	c.hello = buf[:16]
	for {
		time.Sleep(time.Hour)
		fmt.Println(buf[0], c)
	}
}

func main() {
	plant(os.Args[1])
	runtime.GC()
	runtime.GC()
	ready.Say()
	ready.Wait()
	fmt.Println(conns, win, boards, work, points, frames, bufs, scans)
}
