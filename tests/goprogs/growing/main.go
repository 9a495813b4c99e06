// Program growing is looked at twice: each SIGHUP is one round of work, answered by "ROUND n".
// main.sessions grows by 4 MiB a round; main.cache, full from the first round on, replaces all that it
// holds; main.events, a slice of values, grows by append; main.table never changes.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"limpet/goprogs/internal/ready"
)

const (
	perRound  = 4096
	cacheMost = 8192
)

type session struct {
	id  int
	buf []byte
}

type entry struct {
	key  int
	data [1000]byte
}

type event struct {
	at, what int
	who      *string
	more     [4]int
}

var (
	sessions = map[int]*session{}
	cache    = map[int]*entry{}
	events   []event
	table    = map[int]*entry{}
	round    int
	name     = "somebody"
)

func newSession(id int) *session { return &session{id, make([]byte, 1000)} }

func newEntry(key int) *entry { return &entry{key: key} }

func work() {
	round++
	for i := 0; i < perRound; i++ {
		id := round*perRound + i
		sessions[id] = newSession(id)
		for k := 0; k < 4; k++ {
			events = append(events, event{at: id, what: k, who: &name})
		}
	}
	for i := 0; i < cacheMost; i++ {
		delete(cache, (round-1)*cacheMost+i)
		cache[round*cacheMost+i] = newEntry(i)
	}
	runtime.GC()
	runtime.GC()
}

func main() {
	if len(os.Args) > 9 {
		runtime.MemProfile(nil, true) // who has this in it is profiled
	}
	for i := 0; i < cacheMost; i++ {
		table[i] = newEntry(i)
	}
	c := make(chan os.Signal, 4)
	signal.Notify(c, syscall.SIGHUP)
	work()
	work()
	ready.Say()
	for range c {
		work()
		fmt.Println("ROUND", round)
	}
}
