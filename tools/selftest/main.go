// selftest is the child of `limpet doctor --selftest`: a small heap, marked by a collection, and an echo.
//
// No package but runtime and syscall: what is in limpet has its weight.
package main

import (
	"runtime"
	"syscall"
)

type node struct {
	next *node
	pad  [4]uint64
}

var (
	list   *node
	byName = map[string]*node{}
)

func main() {
	for i := 0; i < 1000; i++ {
		list = &node{next: list}
		byName[string(rune('a'+i%26))] = list
	}
	go func() { select {} }()
	runtime.GC()
	runtime.GC()
	syscall.Write(1, []byte("READY\n"))
	var b [1]byte
	for {
		n, err := syscall.Read(0, b[:])
		if n <= 0 || err != nil {
			return
		}
		syscall.Write(1, b[:])
	}
}
