// sync_pool - values in pools with what is not theirs, or far too large; and healthy pools.
//
// CASE request EXPECT sync-pool-dirty verdict=waste proof=measured type=*main.ctx count>=10 bytes>=10000000
// CASE entries EXPECT sync-pool-dirty verdict=waste type=*main.parser count>=8 bytes>=4000000
// CASE session EXPECT sync-pool-dirty verdict=suspect type=*main.job count>=10 bytes>=10000000
// CASE reader EXPECT sync-pool-dirty verdict=waste type=*bufio.Reader count>=10 bytes>=10000000
// CASE stale EXPECT sync-pool-dirty verdict=suspect type=*main.batch bytes>=10000000
// CASE one-large EXPECT sync-pool-large verdict=waste proof=measured type=*bytes.Buffer count>=1 bytes>=60000000
// CASE slice-header EXPECT sync-pool-large verdict=waste type=*[]uint8 count>=4 bytes>=30000000
// CASE scratch-grown EXPECT sync-pool-large verdict=waste type=*main.scratch count>=2 bytes>=8000000
// CASE modest NONE
// CASE reset NONE
// CASE parts NONE
// CASE writers NONE
// CASE same-size NONE
// CASE library NONE
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sync"

	"limpet/goprogs/internal/ready"
)

type ctx struct {
	req  *http.Request
	path string
}

type session struct {
	user string
	data []byte
}

type job struct {
	who  *session
	line []byte
}

type batch struct {
	todo []*session
}

type parser struct {
	tokens []int
	names  map[string][]byte
}

type lexer struct {
	line  [4096]byte
	stack []int64
}

type interpreter struct {
	lex *lexer
	buf []byte
}

type scratch struct {
	floats []float64
	text   []byte
}

var (
	contexts     = sync.Pool{New: func() any { return new(ctx) }}
	parsers      = sync.Pool{New: func() any { return &parser{names: map[string][]byte{}} }}
	jobs         = sync.Pool{New: func() any { return new(job) }}
	batches      = sync.Pool{New: func() any { return new(batch) }}
	readers      = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4096) }}
	buffers      = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	slices       = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}
	scratches    = sync.Pool{New: func() any { return new(scratch) }}
	interpreters = sync.Pool{New: func() any { return &interpreter{lex: &lexer{stack: make([]int64, 1<<17)}} }}
	writers      = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}
	sessions     = map[string]*session{}
)

// take gets n values at once, works with each, and puts all of them back.
func take[T any](p *sync.Pool, n int, work func(i int, v T)) {
	var out []T
	for i := 0; i < n; i++ {
		v := p.Get().(T)
		work(i, v)
		out = append(out, v)
	}
	for _, v := range out {
		p.Put(v)
	}
}

type body struct {
	io.Reader
	all []byte
}

func (*body) Close() error { return nil }

func request() *http.Request {
	r, err := http.NewRequest("POST", "http://localhost/", nil)
	if err != nil {
		panic(err)
	}
	r.Body = &body{all: make([]byte, 1<<20)}
	return r
}

func login(i int) *session {
	s := &session{user: fmt.Sprint("user ", i), data: make([]byte, 1<<20)}
	sessions[s.user] = s
	return s
}

func plant(name string) {
	switch name {
	case "request":
		take(&contexts, 16, func(i int, c *ctx) { c.req, c.path = request(), "/" })
	case "entries": // of maps that nobody cleared
		take(&parsers, 8, func(i int, p *parser) {
			for k := 0; k < 200; k++ {
				p.names[fmt.Sprint(i, k)] = make([]byte, 4096)
			}
		})
	case "session": // logged out long ago
		take(&jobs, 16, func(i int, j *job) { j.who = login(i) })
		clear()
	case "reader": // Reset(nil) was forgotten
		take(&readers, 16, func(i int, r *bufio.Reader) {
			r.Reset(request().Body)
		})
	case "stale": // behind the end of a slice that was emptied
		take(&batches, 4, func(i int, b *batch) {
			for k := 0; k < 4; k++ {
				b.todo = append(b.todo, login(4*i+k))
			}
			b.todo = b.todo[:0]
		})
		clear()
	case "one-large":
		take(&buffers, 20, func(i int, b *bytes.Buffer) {
			b.Grow(4096)
			if i == 7 {
				b.Grow(60 << 20)
			}
		})
	case "slice-header":
		take(&slices, 16, func(i int, b *[]byte) {
			if i%4 == 0 {
				*b = make([]byte, 0, 8<<20)
			}
		})
	case "scratch-grown":
		take(&scratches, 12, func(i int, s *scratch) {
			s.floats = make([]float64, 64)
			if i > 9 {
				s.floats = make([]float64, 1<<19)
			}
		})
	case "modest":
		take(&buffers, 100, func(i int, b *bytes.Buffer) { b.Grow(32768) })
		take(&slices, 100, func(i int, b *[]byte) { *b = make([]byte, 0, 16384) })
	case "reset":
		take(&contexts, 16, func(i int, c *ctx) { c.req = request(); *c = ctx{} })
		take(&jobs, 16, func(i int, j *job) { j.who = login(i); *j = job{line: make([]byte, 16384)} })
		take(&parsers, 16, func(i int, p *parser) {
			for k := 0; k < 2000; k++ {
				p.names[fmt.Sprint(k)] = nil
			}
			for k := range p.names {
				delete(p.names, k)
			}
		})
	case "parts": // what New makes belongs to the value
		take(&interpreters, 16, func(i int, p *interpreter) { p.buf = make([]byte, 16384) })
	case "writers":
		take(&writers, 16, func(i int, w *gzip.Writer) { w.Write(make([]byte, 100000)); w.Close() })
	case "same-size": // all of them large, as they were meant to be
		take(&slices, 16, func(i int, b *[]byte) { *b = make([]byte, 0, 1<<20) })
	case "library":
		for i := 0; i < 1000; i++ {
			json.Marshal(sessions)
			fmt.Sprintf("%v %s", sessions, bytes.Repeat([]byte{'x'}, 10000))
		}
	}
}

func clear() {
	for k := range sessions {
		delete(sessions, k)
	}
}

func main() {
	login(-1)
	runtime.GC()
	runtime.GC()
	debug.SetGCPercent(-1) // a collection during the work would make victims of what is pooled, at times
	plant(os.Args[1])
	ready.Say()
	ready.Wait()
	fmt.Println(sessions)
}
