// Twelve bytes out of a line of a megabyte.
package main

import (
	"strings"

	"limpet/seeds/internal/say"
)

var ids []string

func line() string { return strings.Repeat("x", 1<<20) }

func main() {
	for i := 0; i < 100; i++ {
		ids = append(ids, line()[:12])
	}
	pinned := say.Heap("100 substrings of 12 bytes")
	ids = nil
	for i := 0; i < 100; i++ {
		ids = append(ids, strings.Clone(line()[:12]))
	}
	cloned := say.Heap("100 clones of 12 bytes")
	say.Holds(pinned >= 100 && cloned < 3 && len(ids) == 100, "a substring is a view")
}
