//go:build goexperiment.arenas

// arenas - user arenas: objects of many types in chunks, full, half full, freed, and held from inside only.
//
// EXPECT built with GOEXPERIMENT=arenas
package main

import (
	"arena"
	"runtime"

	"limpet/goprogs/internal/ready"
)

type node struct {
	next *node
	val  int
	name string
}

type wide struct {
	kids [20]*node
	text string
	pad  [40]int
}

var (
	arenas []*arena.Arena
	heads  []*node
	wides  []*wide
	slices [][]*node
)

func fill(a *arena.Arena, n int) *node {
	var head *node
	for i := 0; i < n; i++ {
		in := arena.New[node](a)
		in.next, in.val, in.name = head, i, string(make([]byte, 20+i%50))
		head = in
		if i%100 == 0 {
			w := arena.New[wide](a)
			w.kids[i/100%20] = &node{val: -i, next: in}
			wides = append(wides, w)
			s := arena.MakeSlice[*node](a, 30, 50)
			s[29] = &node{val: i}
			slices = append(slices, s)
			_ = arena.MakeSlice[byte](a, 1000, 1000)
		}
	}
	return head
}

func main() {
	for i := 0; i < 6; i++ {
		a := arena.NewArena()
		nwides, nslices := len(wides), len(slices)
		head := fill(a, 2000+i*30000)
		switch {
		case i == 4:
			clear(wides[nwides:])
			clear(slices[nslices:])
			wides, slices = wides[:nwides], slices[:nslices]
			a.Free()
		case i%2 == 0:
			arenas = append(arenas, a)
			heads = append(heads, head)
		default:
			heads = append(heads, head) // the arena itself is forgotten: its chunks live while pointed into
		}
	}
	runtime.GC()
	runtime.GC()
	ready.Say()
	ready.Wait()
}
