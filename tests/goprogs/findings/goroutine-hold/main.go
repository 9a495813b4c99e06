// goroutine-hold - goroutines that go on, and keep much meanwhile.
//
// CASE dropped-cache EXPECT goroutine-hold function=main.janitor bytes>=4000000
// CASE many EXPECT goroutine-hold function=main.session count>=200 bytes>=4000000
// CASE waits-for-peer EXPECT goroutine-hold function=main.upload bytes>=4000000
// CASE deep EXPECT goroutine-hold function=main.deep* anywhere
//
// CASE small NONE
// CASE main-holds NONE
package main

import (
	"net"
	"os"
	"runtime"
	"time"

	"limpet/goprogs/internal/ready"
)

type page struct {
	text []byte
	next *page
}

func pages(n int) *page {
	var p *page
	for i := 0; i < n; i++ {
		p = &page{make([]byte, 8<<10), p}
	}
	return p
}

// The cache was given up by all others; its janitor has it still.
func janitor(cache map[int]*page) {
	for {
		time.Sleep(time.Hour)
		for k := range cache {
			delete(cache, k)
			break
		}
	}
}

func session(tick *time.Ticker) {
	state := pages(4)
	for range tick.C {
		state.text[0]++
	}
}

// Its peer: takes connections, and nothing else.
var silent net.Listener

// A whole file in memory, for a peer that says nothing.
func upload(c net.Conn) {
	file := make([]byte, 8<<20)
	var b [1]byte
	for {
		n, err := c.Read(b[:])
		if err != nil {
			return
		}
		copy(file[len(file)/2:], b[:n])
	}
}

func deep(n int) int {
	var room [64]int
	if n == 0 {
		time.Sleep(time.Hour)
		return 0
	}
	room[n%64] = n
	return deep(n-1) + room[(n+1)%64]
}

func plant(name string) {
	switch name {
	case "dropped-cache":
		cache := map[int]*page{}
		for i := 0; i < 1000; i++ {
			cache[i] = pages(1)
		}
		go janitor(cache)
	case "many":
		for i := 0; i < 200; i++ {
			go session(time.NewTicker(time.Hour))
		}
	case "waits-for-peer":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		silent = l
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			panic(err)
		}
		go upload(c)
	case "deep":
		go deep(40000)
	case "small":
		for i := 0; i < 20; i++ {
			go session(time.NewTicker(time.Hour))
		}
	}
}

func main() {
	plant(os.Args[1])
	var all *page
	if os.Args[1] == "main-holds" {
		all = pages(2000)
	}
	time.Sleep(100 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	ready.Say()
	time.Sleep(time.Hour)
	runtime.KeepAlive(all)
}
