// Program threepoints is looked at three times: before its load, under it, and when all has settled.  Each
// SIGHUP leads to the next of them, answered by "POINT n".
//
//	main.leaked   comes with the load and stays
//	main.cached   8192 of them, others after the load, others again when it has settled
//	main.scratch  is there during the load only
//	main.fixed    never changes
//
// and of goroutines: main.stuck comes and stays, main.worker ends with the load, main.keeper was there before.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"limpet/goprogs/internal/ready"
)

const many = 8192

type leaked struct {
	id   int
	data [500]byte
}

type cached struct {
	id   int
	next *cached
	data [400]byte
}

type scratch struct {
	id   int
	data [700]byte
}

type fixed struct {
	id   int
	data [300]byte
}

var (
	list  []*leaked
	cache = map[int]*cached{}
	held  []*scratch
	table [many]*fixed
	never = make(chan int)
	done  chan int
)

func newLeaked(id int) *leaked { return &leaked{id: id} }

func turnOver() {
	clear(cache)
	for i := 0; i < many; i++ {
		cache[i] = &cached{id: i}
	}
}

func stuck()  { <-never }
func keeper() { <-never }
func worker() { <-done }

func load() {
	done = make(chan int)
	for i := 0; i < many; i++ {
		list = append(list, newLeaked(i))
		held = append(held, &scratch{id: i})
	}
	turnOver()
	for i := 0; i < 50; i++ {
		go stuck()
	}
	for i := 0; i < 30; i++ {
		go worker()
	}
}

func settle() {
	held = nil
	close(done)
	turnOver()
}

func main() {
	debug.SetGCPercent(-1)
	if len(os.Args) > 9 {
		runtime.MemProfile(nil, true) // who has this in it is profiled
	}
	for i := range table {
		table[i] = &fixed{id: i}
	}
	turnOver()
	for i := 0; i < 20; i++ {
		go keeper()
	}
	c := make(chan os.Signal, 4)
	signal.Notify(c, syscall.SIGHUP)
	runtime.GC()
	ready.Say()
	for n := 2; ; n++ {
		<-c
		switch n {
		case 2:
			load()
		case 3:
			settle()
		}
		runtime.GC()
		for i := 0; i < 100; i++ {
			runtime.Gosched()
		}
		fmt.Println("POINT", n)
	}
}
