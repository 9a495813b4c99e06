// prey - a little of everything that limpet reads, so small that a run over it takes milliseconds.
//
// Maps, channels with waiters, select, defers, a panic in flight, finalizers, timers, closures,
// generics, an interface cycle, a large object, arrays by GC program, a substring, labels, a memory profile.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

type node struct {
	next, other *node
	name        string
	any         interface{}
	m           map[string]*node
}

type pair[K comparable, V any] struct {
	k K
	v V
	n *pair[K, V]
}

type wide struct {
	a [40]*node
	b [64]uintptr
	c [3]interface{}
}

type huge struct {
	rows [2000]struct {
		p *node
		n [7]int
	}
}

var (
	all    = map[string]*node{}
	ints   = map[int]wide{}
	pairs  *pair[string, []byte]
	big    = new(huge)
	bigRow [3000]struct {
		s string
		n int
	}
	fns   []func() *node
	hold  sync.WaitGroup
	mu    sync.Mutex
	chans = []chan *node{make(chan *node), make(chan *node, 8)}
	nils  chan int
)

func deep(n int, keep *node) {
	var local wide
	local.a[n%40] = keep
	defer func() {
		if e := recover(); e != nil {
			hold.Done()
			<-chans[0] // for ever, in a deferred call of a panic
		}
	}()
	if n == 0 {
		panic(fmt.Sprint("prey ", len(local.a)))
	}
	deep(n-1, keep)
	runtime.KeepAlive(&local)
}

func labelled() {
	for i := 0; i < 6; i++ {
		hold.Add(1)
		labels := pprof.Labels("prey", fmt.Sprint("number ", i%3), "all", "of them")
		pprof.Do(context.Background(), labels, func(context.Context) {
			go func() {
				keep := &node{name: fmt.Sprint("labelled ", i)}
				hold.Done()
				<-nils
				runtime.KeepAlive(keep)
			}()
		})
	}
}

func waiters() {
	labelled()
	go func() { hold.Done(); mu.Lock() }()
	go func() { hold.Done(); <-nils }()
	go func() {
		hold.Done()
		select {
		case x := <-chans[0]:
			_ = x
		case chans[0] <- nil:
		case <-time.After(time.Hour):
		}
	}()
	for i := 0; i < 3; i++ {
		n := &node{name: fmt.Sprint("w", i)}
		go func() {
			defer runtime.KeepAlive(n)
			hold.Done()
			time.Sleep(time.Hour)
		}()
		go deep(i*3, n)
	}
}

func main() {
	runtime.MemProfileRate = 256
	runtime.MemProfile(nil, false) // else the linker leaves the profile out
	text := fmt.Sprint("some text that is shared ", os.Getpid())
	for i := 0; i < 300; i++ {
		n := &node{name: text[i%20:], next: all[fmt.Sprint(i-1)]}
		n.any, n.other = n, n
		all[fmt.Sprint(i)] = n
		if i%10 == 0 {
			n.m = map[string]*node{"self": n}
			ints[i] = wide{c: [3]interface{}{i, text, &n.name}}
			runtime.SetFinalizer(&node{any: n}, func(*node) {})
			keep := &node{next: n}
			runtime.SetFinalizer(keep, func(*node) {})
			fns = append(fns, func() *node { return keep })
			pairs = &pair[string, []byte]{n.name, make([]byte, 100), pairs}
			chans[1] <- n
			<-chans[1]
			big.rows[i].p = n
			bigRow[i].s = n.name
			time.AfterFunc(time.Hour, func() { _ = n })
		}
	}
	chans[1] <- all["7"]
	mu.Lock()
	hold.Add(9)
	waiters()
	hold.Wait()
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	fmt.Println("READY", os.Getpid())
	<-make(chan int)
}
