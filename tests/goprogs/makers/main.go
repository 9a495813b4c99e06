// Makers keeps objects that are each made at places of their own, and says where: "MADE type line…" before READY.
// Nothing here reads the memory profile, so the linker leaves it out: only the code tells.
package main

import (
	"fmt"
	"runtime"
	"sort"

	"limpet/goprogs/internal/ready"
)

type single struct {
	next *single
	pad  [5]int
}
type twice struct {
	s *string
	n [3]int
}
type inRow struct {
	p *int
	q [2]int
}
type grown struct {
	p *int
	q [4]int
}
type boxed struct {
	p *int
	q [6]int
}
type msg struct{ p *int }
type cell struct {
	p *int
	q [7]int
}
type library struct {
	p *int
	q [8]int
}

var (
	singles   *single
	twices    []*twice
	rows      []inRow
	growing   []grown
	boxes     []any
	channels  []chan *msg
	cells     = map[int]*cell{}
	functions []func() *library
	word      = "word"
	made      = map[string]map[int]bool{}
)

// Called right before what it notes, on the line above it.
func note(kind string) {
	_, _, line, _ := runtime.Caller(1)
	if made[kind] == nil {
		made[kind] = map[int]bool{}
	}
	made[kind][line+1] = true
}

//go:noinline
func fill(i int) {
	note("main.single")
	singles = &single{next: singles}
	if i%2 == 0 {
		note("main.twice")
		twices = append(twices, &twice{s: &word})
	} else {
		note("main.twice")
		twices = append(twices, &twice{n: [3]int{i}})
	}
	v := boxed{q: [6]int{i}}
	note("main.boxed")
	boxes = append(boxes, v)
	note("chan *main.msg")
	channels = append(channels, make(chan *msg, 2))
	note("main.cell")
	cells[i] = &cell{}
	note("main.library")
	l := &library{q: [8]int{i}}
	functions = append(functions, func() *library { return l })
}

func main() {
	for i := 0; i < 50; i++ {
		fill(i)
		note("[]main.grown")
		growing = append(growing, grown{})
	}
	note("[]main.inRow")
	rows = make([]inRow, 500+len(growing))
	kinds := []string{}
	for k := range made {
		kinds = append(kinds, k)
	}
	sort.Strings(kinds)
	for _, k := range kinds {
		fmt.Print("MADE ", k)
		for line := range made[k] {
			fmt.Print(" #", line)
		}
		fmt.Println()
	}
	ready.Say()
	ready.Wait()
}
