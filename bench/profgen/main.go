// profgen writes heap profiles of any size: profgen FILE BYTES SEED plain|gzip [LEAST MORE].
// LEAST and MORE: frames of a stack, LEAST and up to MORE besides (8 28).
//
// Stacks are paths down a tree of calls whose likely branches are taken often: most samples have a
// stack of their own, and share its outer frames with others, as profiles merged over a fleet do.
// Fields are in the order in which runtime/pprof writes them: samples, locations, functions, texts last.
package main

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand"
	"os"
	"strconv"
)

const (
	functions = 12000
	locations = 40000
)

type message struct{ b []byte }

func (m *message) varint(x uint64)          { m.b = binary.AppendUvarint(m.b, x) }
func (m *message) number(tag int, x uint64) { m.varint(uint64(tag) << 3); m.varint(x) }
func (m *message) bytes(tag int, b []byte) {
	m.varint(uint64(tag)<<3 | 2)
	m.varint(uint64(len(b)))
	m.b = append(m.b, b...)
}

type file struct {
	w       *bufio.Writer
	written int
	head    message
}

func (f *file) put(tag int, b []byte) {
	f.head.b = f.head.b[:0]
	f.head.varint(uint64(tag)<<3 | 2)
	f.head.varint(uint64(len(b)))
	f.w.Write(f.head.b)
	f.w.Write(b)
	f.written += len(f.head.b) + len(b)
}

// Where a call from here leads: a place in the code, the same for the same choice.
func callee(from uint32, choice uint32) uint32 {
	h := (uint64(from)<<20 | uint64(choice)) * 0x9e3779b97f4a7c15
	return uint32(h>>33) % locations
}

func main() {
	size, _ := strconv.Atoi(os.Args[2])
	seed, _ := strconv.ParseInt(os.Args[3], 10, 64)
	out, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	var to io.Writer = out
	var z *gzip.Writer
	if os.Args[4] == "gzip" {
		z, _ = gzip.NewWriterLevel(out, gzip.BestSpeed)
		to = z
	}
	f := &file{w: bufio.NewWriterSize(to, 1<<20)}
	texts := []string{"", "alloc_objects", "count", "alloc_space", "bytes", "inuse_objects", "inuse_space", "space", "/srv/app"}
	var m, part message
	for _, t := range [][2]uint64{{1, 2}, {3, 4}, {5, 2}, {6, 4}} {
		m.b = m.b[:0]
		m.number(1, t[0])
		m.number(2, t[1])
		f.put(1, m.b)
	}
	tables := locations*26 + functions*80
	rnd := rand.New(rand.NewSource(seed))
	samples, least, more := 0, 8, 28
	if len(os.Args) > 6 {
		least, _ = strconv.Atoi(os.Args[5])
		more, _ = strconv.Atoi(os.Args[6])
	}
	for f.written < size-tables {
		stack := []uint32{0}
		at := uint32(0)
		for depth := least + rnd.Intn(more); depth > 0; depth-- {
			// mostly the way that is mostly taken
			choice := uint32(0)
			for r := rnd.Uint32(); r&7 == 7 && choice < 40; r >>= 3 {
				choice++
			}
			at = callee(at, choice)
			stack = append(stack, at)
		}
		m.b, part.b = m.b[:0], part.b[:0]
		for i := len(stack) - 1; i >= 0; i-- {
			part.varint(uint64(stack[i]) + 1)
		}
		m.bytes(1, part.b)
		part.b = part.b[:0]
		n, each := uint64(1+rnd.Intn(200)), uint64(16<<rnd.Intn(10))
		for _, v := range []uint64{n, n * each, n / 3, n / 3 * each} {
			part.varint(v)
		}
		m.bytes(2, part.b)
		part.b = part.b[:0]
		part.number(1, 4)
		part.number(3, each)
		m.bytes(3, part.b)
		f.put(2, m.b)
		samples++
	}
	m.b = m.b[:0]
	m.number(1, 1)
	m.number(2, 0x400000)
	m.number(3, 0x4000000)
	m.number(5, 8)
	for tag := 7; tag <= 10; tag++ {
		m.number(tag, 1)
	}
	f.put(3, m.b)
	for l := uint64(0); l < locations; l++ {
		m.b = m.b[:0]
		m.number(1, l+1)
		m.number(2, 1)
		m.number(3, 0x400000+l*16)
		for i := uint64(0); i <= l%3/2; i++ { // a third has inlined calls
			part.b = part.b[:0]
			part.number(1, (l+i*7919)%functions+1)
			part.number(2, l%900+i)
			m.bytes(4, part.b)
		}
		f.put(4, m.b)
	}
	for i := uint64(0); i < functions; i++ {
		m.b = m.b[:0]
		m.number(1, i+1)
		m.number(2, uint64(len(texts)))
		m.number(3, uint64(len(texts)))
		m.number(4, uint64(len(texts))+1)
		f.put(5, m.b)
		texts = append(texts, fmt.Sprintf("example.com/app/internal/pkg%d.(*Type%d).Method%d", i%97, i%1009, i),
			fmt.Sprintf("/src/app/internal/pkg%d/file%d.go", i%97, i%301))
	}
	for _, t := range texts {
		f.put(6, []byte(t))
	}
	m.b = m.b[:0]
	m.number(1, 7)
	m.number(2, 4)
	f.put(11, m.b)
	f.w.Write([]byte{12 << 3, 0x80, 0x80, 0x20}) // one of 512 KiB
	f.w.Flush()
	if z != nil {
		z.Close()
	}
	out.Close()
	fmt.Println(samples)
}
