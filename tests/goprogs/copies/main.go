// Program copies leaks what is also wasteful: each SIGHUP adds 10,000 orders to main.orders, each with
// five lines of text that are copies of five texts; answered by "ROUND n".
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"limpet/goprogs/internal/ready"
)

type order struct {
	id    int
	lines []string
}

var orders = map[int]*order{}

func book(id int) {
	o := &order{id: id}
	for i := 0; i < 5; i++ {
		o.lines = append(o.lines, strings.Repeat("x", 100+i))
	}
	orders[id] = o
}

func work(round int) {
	for i := 0; i < 10000; i++ {
		book(round*10000 + i)
	}
	runtime.GC()
}

func main() {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	work(0)
	ready.Say()
	for round := 1; ; round++ {
		<-hup
		work(round)
		fmt.Println("ROUND", round)
	}
}
