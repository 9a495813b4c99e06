package main

// wide is over 512 bytes with pointers: its spans carry malloc headers.
type wide struct {
	id   int
	subs [40]*node
	pad  [30]int
	last *node
	text string
}

// giant has one mask word a pointer word, far too many: a GC program up to Go 1.23, built on demand since 1.24.
type giant struct {
	n     int
	cells [6000]struct {
		p   *node
		val [2]int
		s   string
	}
	tail *node
}

type large struct {
	wides   []*wide
	rows    [][]wide
	matrix  []*[128]*node
	giants  []*giant
	many    []*node
	noscan  [][]byte
	slots   [][]pair[string, *node]
	middle  []*int
	pastEnd [][]int
	nested  []*[64][16]struct{ a, b *node }
}

// bss is a variable whose own mask is long.
var bss [5000]struct {
	n int
	p *node
	_ [3]int
}

func makeLarge() large {
	l := large{}
	for i := 0; i < 3000; i++ {
		w := &wide{id: i, last: &node{val: i}, text: "w"}
		w.subs[i%40] = &node{val: i}
		l.wides = append(l.wides, w)
	}
	for i := 0; i < 30; i++ {
		row := make([]wide, 1+i)
		for j := range row {
			row[j].last = &node{val: j}
			row[j].subs[39] = &node{val: -j}
		}
		l.rows = append(l.rows, row)
		m := new([128]*node)
		m[i], m[127] = &node{val: i}, &node{val: i}
		l.matrix = append(l.matrix, m)
		slots := make([]pair[string, *node], 5000)
		slots[4999] = pair[string, *node]{"last", &node{}}
		l.slots = append(l.slots, slots)
		block := make([]int, 3000)
		l.middle = append(l.middle, &block[1500])
		l.pastEnd = append(l.pastEnd, block[3000:])
		l.noscan = append(l.noscan, make([]byte, 100000+i))
		n := new([64][16]struct{ a, b *node })
		n[63][15].b, n[i][3].a = &node{val: i}, &node{val: i}
		l.nested = append(l.nested, n)
	}
	for i := 0; i < 8; i++ {
		g := &giant{tail: &node{val: i}}
		for j := 0; j < len(g.cells); j += 100 {
			g.cells[j].p, g.cells[j].s = &node{val: j}, string(rune('a'+i))+"text"
		}
		l.giants = append(l.giants, g)
	}
	l.many = make([]*node, 1<<20)
	for i := 0; i < len(l.many); i += 1 << 10 {
		l.many[i] = &node{val: i}
	}
	for i := range bss {
		bss[i].p = &node{val: i}
	}
	return l
}
