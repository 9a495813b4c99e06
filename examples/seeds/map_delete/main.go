// A million entries deleted from a map; then the map itself replaced.
package main

import "limpet/seeds/internal/say"

var m map[int][128]byte

func main() {
	m = make(map[int][128]byte)
	for i := 0; i < 1_000_000; i++ {
		m[i] = [128]byte{}
	}
	full := say.Heap("with a million entries")
	for i := range m {
		delete(m, i)
	}
	empty := say.Heap("after deleting them all")
	fresh := make(map[int][128]byte, len(m))
	for k, v := range m {
		fresh[k] = v
	}
	m = fresh
	copied := say.Heap("after copying what is left")
	say.Holds(empty > full/2 && copied < 3, "only a new map gives the memory back")
}
