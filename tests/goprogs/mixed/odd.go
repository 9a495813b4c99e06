package main

import (
	"runtime"
	"sync"
	"unsafe"
)

type finalized struct {
	n    *node
	self *finalized
	buf  []byte
}

type odd struct {
	kept     []*finalized
	pointers []unsafe.Pointer
	arrays   [3]*[2]any
	once     *sync.Once
}

func makeOdd() odd {
	o := odd{once: new(sync.Once)}
	for i := 0; i < 200; i++ {
		n := &node{val: i}
		o.pointers = append(o.pointers, unsafe.Pointer(&n.name))
	}
	o.arrays[1] = &[2]any{&node{}, "x"}
	return o
}

// Objects with finalizers: 500 held, 500 that the next cycle finds dead.  A closure keeps its captures alive.
func makeSpecials() {
	for i := 0; i < 1000; i++ {
		f := &finalized{n: &node{val: i}, buf: make([]byte, 100)}
		captured := &node{val: -i}
		runtime.SetFinalizer(f, func(f *finalized) { f.n = captured })
		if i%2 == 0 {
			all.odd.kept = append(all.odd.kept, f)
		}
	}
}

// holder keeps memory in its frames only: locals, deferred calls, a panic under way.
func holder(i int, stop chan struct{}, up *sync.WaitGroup) {
	local := [3]*node{{val: i}, {val: i + 1}, nil}
	text := string(make([]byte, 1000+i))
	defer func() {
		_ = recover()
		<-stop
		runtime.KeepAlive(local)
	}()
	if i%4 == 0 {
		defer func(n *node) {
			up.Done()
			<-stop
			n.val++
		}(&node{val: i})
		panic(&node{name: text})
	}
	deep(i*10, &local, stop, up)
	runtime.KeepAlive(text)
}

// deep holds the address of a variable in each frame of a long stack.
func deep(n int, up *[3]*node, stop chan struct{}, ready *sync.WaitGroup) {
	mine := [3]*node{up[0], {val: n}, nil}
	if n > 0 {
		deep(n-1, &mine, stop, ready)
	} else {
		ready.Done()
		<-stop
	}
	up[2] = mine[1]
}

func startHolders() {
	var up sync.WaitGroup
	stop := make(chan struct{})
	for i := 0; i < 20; i++ {
		up.Add(1)
		go holder(i, stop, &up)
	}
	up.Wait()
}
