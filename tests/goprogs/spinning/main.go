// spinning - goroutines that never call and never stop, more of them than processors.
//
// Each holds a list whose head is in a register only, in a function without a frame of its own: the
// ones that run are known by their registers, the others by what asynchronous preemption saved.
//
// EXPECT goroutine function=main.leaf count=8 state=running|runnable
package main

import (
	"os"
	"runtime"
	"strconv"
	"time"
)

const (
	nspinners = 8
	nlist     = 1000
)

type node struct {
	next *node
	val  int64
	pad  [4]int64
}

var stop int32
var sums [nspinners]int64

//go:noinline
func leaf(p *node, stop *int32) int64 {
	sum := p.val
	for *stop == 0 {
		sum += p.val
	}
	return sum + p.next.val
}

//go:noinline
func list(n int) *node {
	var head *node
	for i := 0; i < n; i++ {
		head = &node{next: head, val: int64(i)}
	}
	return head
}

func spin(i int) {
	sums[i] = leaf(list(nlist), &stop)
}

func main() {
	runtime.GOMAXPROCS(2)
	for i := 0; i < nspinners; i++ {
		go spin(i)
	}
	time.Sleep(500 * time.Millisecond)
	for i := 0; i < 3; i++ {
		runtime.GC()
	}
	os.Stdout.WriteString("READY " + strconv.Itoa(os.Getpid()) + "\n")
	for {
		time.Sleep(time.Hour)
	}
}
