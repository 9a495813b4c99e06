// s = s[:0] and append(s[:i], s[i+1:]...) keep what they seem to drop.
package main

import (
	"slices"

	"limpet/seeds/internal/say"
)

var s []*[1 << 20]byte

func fill() {
	s = make([]*[1 << 20]byte, 100)
	for i := range s {
		s[i] = new([1 << 20]byte)
	}
}

func main() {
	fill()
	s = s[:0]
	cut := say.Heap("100 MB, then s = s[:0]")
	fill()
	clear(s)
	s = s[:0]
	cleared := say.Heap("100 MB, then clear(s); s = s[:0]")
	fill()
	for len(s) > 1 {
		s = slices.Delete(s, 0, 1) // clears the tail since Go 1.22
	}
	deleted := say.Heap("100 MB, then slices.Delete down to one")
	say.Holds(cut >= 100 && cleared <= 1 && deleted <= 2, "the array behind the slice is what counts")
}
