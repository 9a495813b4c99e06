// paths - values behind every kind of step that a Go expression can make, each held in one way.
//
// For each leaf it prints {"expr": …, "at": …}: where it is by the program's own word, as one who reads this source would
// write it.  What Go has no words for is said as limpet says it.
package main

import (
	"container/list"
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"limpet/goprogs/internal/ready"
)

type leaf struct {
	id   int
	text string
	pad  [3]int
}

type node struct {
	n    int
	p    *leaf
	next *node
}

type embedded struct {
	_     [2]int
	inner *leaf
}

type point struct{ x, y int8 }

type label struct {
	name string
	at   point
}

type holder struct {
	name string
	of   *leaf
}

type pair[K comparable, V any] struct {
	key K
	val V
}

type shape interface{ area() int }

func (n *node) area() int      { return n.n }
func (p pair[K, V]) area() int { return 0 }

type keeper interface{ keep() *leaf }

func (l *leaf) keep() *leaf { return l }

type big struct {
	pad [20]int
	p   *leaf
}

type bigKey struct {
	pad  [20]int64
	name string
}

type deep struct {
	embedded
	*node
	plain   *leaf
	nested  struct{ in struct{ most *leaf } }
	array   [4]*leaf
	grid    [2][3]struct{ a, b *leaf }
	slice   []*leaf
	rows    [][]node
	cut     []*leaf
	tail    []*leaf
	tailRow []node
	chain   *node
	pp      **leaf
	ppp     ***node
	toField *holder
	byName  map[string]*node
	byInt   map[int64]pair[string, *leaf]
	byBool  map[bool]*leaf
	byRune  map[rune]*leaf
	byReal  map[float64]*leaf
	byCmplx map[complex128]*leaf
	byPoint map[point]*leaf
	byLabel map[label][]*leaf
	byArray map[[2]uint16]*leaf
	byAny   map[any]*leaf
	byShape map[shape]*leaf
	byPtr   map[*leaf]int
	byHold  map[holder]bool
	byBig   map[bigKey]big
	many    map[int]*leaf
	ofMaps  map[string]map[string]*leaf
	anyPtr  any
	anyVal  any
	anyMap  any
	anyRow  any
	shape   shape
	keeper  keeper
	byValue func() int
	byRef   func() int
	nested2 func() func() int
	method  func() int
	queue   chan *leaf
	queue2  chan pair[string, *leaf]
	list    *list.List
	synced  sync.Map
	ctx     context.Context
	atomic  atomic.Pointer[node]
	value   atomic.Value
	raw     unsafe.Pointer
	generic pair[pair[int, string], *pair[string, []*leaf]]
	timer   *time.Timer
	pool    *sync.Pool
	text    string
	bytes   []byte
}

var (
	all    []*deep
	direct *leaf
	one    deep
	named  = map[string]*holder{}
)

type said struct {
	expr string
	at   unsafe.Pointer
}

var (
	told   []said
	leaves int
)

// say makes the leaf that the expression is the address of.
func say(format string, args ...any) *leaf {
	l := &leaf{}
	leaves++
	l.id = leaves
	tell(unsafe.Pointer(l), format, args...)
	return l
}

func tell(at unsafe.Pointer, format string, args ...any) {
	told = append(told, said{fmt.Sprintf(format, args...), at})
}

func fill(d *deep, x string) {
	fillPlain(d, x)
	fillSlices(d, x)
	fillMaps(d, x)
	fillInterfaces(d, x)
	fillFuncs(d, x)
	fillRest(d, x)
}

func fillPlain(d *deep, x string) {
	d.embedded.inner = say("%s.embedded.inner", x)
	d.node = &node{p: say("%s.node.p", x)}
	d.plain = say("%s.plain", x)
	d.nested.in.most = say("%s.nested.in.most", x)
	d.array[2] = say("%s.array[2]", x)
	d.grid[1][2].b = say("%s.grid[1][2].b", x)
	d.chain = &node{next: &node{next: &node{p: say("%s.chain.next.next.p", x)}}}
	p := say("(*%s.pp)", x)
	d.pp = &p
	n := &node{p: say("(*(*%s.ppp)).p", x)}
	pn := &n
	d.ppp = &pn
	d.generic.val = &pair[string, []*leaf]{val: []*leaf{nil, say("%s.generic.val.val[1]", x)}}
}

func fillSlices(d *deep, x string) {
	for i := 0; i < 5; i++ {
		d.slice = append(d.slice, say("%s.slice[%d]", x, i))
		row := make([]node, 3)
		row[i%3].p = say("%s.rows[%d][%d].p", x, i, i%3)
		d.rows = append(d.rows, row)
	}
	d.cut = make([]*leaf, 2, 8)
	d.cut[:8][6] = say("%s.cut[:8][6]", x)
	whole := make([]*leaf, 10)
	whole[7] = say("%s.tail[2]", x)
	d.tail = whole[5:9]
	nodes := make([]node, 6)
	nodes[4].p = say("%s.tailRow[1].p", x)
	d.tailRow = nodes[3:]
}

func fillMaps(d *deep, x string) {
	d.byName = map[string]*node{"k7": {p: say("%s.byName[\"k7\"].p", x)}, "é\n\"": {p: say("%s.byName[\"é\\n\\\"\"].p", x)}}
	d.byInt = map[int64]pair[string, *leaf]{-5: {"a", say("%s.byInt[-5].val", x)}}
	d.byBool = map[bool]*leaf{true: say("%s.byBool[true]", x)}
	d.byRune = map[rune]*leaf{'x': say("%s.byRune[120]", x)}
	d.byReal = map[float64]*leaf{1.5: say("%s.byReal[1.5]", x), 0.1: say("%s.byReal[0.1]", x)}
	d.byCmplx = map[complex128]*leaf{1 + 2i: say("%s.byCmplx[(1+2i)]", x)}
	d.byPoint = map[point]*leaf{{1, 2}: say("%s.byPoint[main.point{x: 1, y: 2}]", x)}
	d.byLabel = map[label][]*leaf{{"n", point{3, 4}}: {say("%s.byLabel[main.label{name: \"n\", at: main.point{x: 3, y: 4}}][0]", x)}}
	d.byArray = map[[2]uint16]*leaf{{7, 8}: say("%s.byArray[[2]uint16{7, 8}]", x)}
	d.byAny = map[any]*leaf{"text": say("%s.byAny[\"text\"]", x), 5: say("%s.byAny[5]", x), int8(5): say("%s.byAny[int8(5)]", x),
		point{1, 1}: say("%s.byAny[main.point{x: 1, y: 1}]", x)}
	d.byShape = map[shape]*leaf{pair[int, string]{1, "s"}: say("%s.byShape[main.pair[int,string]{key: 1, val: \"s\"}]", x)}
	key := say("") // a key is in no expression of Go
	told[len(told)-1].expr = fmt.Sprintf("%s.byPtr/*key*/[(*main.leaf)(%#x)]", x, uintptr(unsafe.Pointer(key)))
	d.byPtr = map[*leaf]int{key: 1}
	d.byHold = map[holder]bool{{"h", say("")}: true}
	last := &told[len(told)-1]
	last.expr = fmt.Sprintf("%s.byHold/*key*/[main.holder{name: \"h\", of: (*main.leaf)(%#x)}].of", x, uintptr(last.at))
	d.byBig = map[bigKey]big{{name: "large"}: {p: say("")}}
	told[len(told)-1].expr = "" // the literal is long
	d.many = map[int]*leaf{}
	for i := 0; i < 40; i++ {
		d.many[i] = say("%s.many[%d]", x, i)
	}
	d.ofMaps = map[string]map[string]*leaf{"a": {"b": say("%s.ofMaps[\"a\"][\"b\"]", x)}}
}

func fillInterfaces(d *deep, x string) {
	d.anyPtr = &node{p: say("%s.anyPtr.(*main.node).p", x)}
	d.anyVal = node{p: say("%s.anyVal.(main.node).p", x)}
	d.anyMap = map[string]*leaf{"in": say("%s.anyMap.(map[string]*main.leaf)[\"in\"]", x)}
	d.anyRow = []*leaf{nil, say("%s.anyRow.([]*main.leaf)[1]", x)}
	d.shape = &node{p: say("%s.shape.(*main.node).p", x)}
	d.keeper = say("%s.keeper", x)
	d.value.Store(&node{p: say("%s.value.v.(*main.node).p", x)})
	d.ctx = context.WithValue(context.Background(), point{}, say("%s.ctx.(*context.valueCtx).val", x))
}

//go:noinline
func capture(l *leaf, more []*leaf) func() int {
	return func() int { return l.id + more[0].id }
}

//go:noinline
func counter(l *leaf) (func() int, *int) {
	var n struct {
		pad [4]*leaf
		n   int
	}
	n.pad[3] = l
	return func() int { n.n++; return n.n + len(n.pad[3].text) }, &n.n
}

func fillFuncs(d *deep, x string) {
	l, more := say("%s.byValue.l", x), []*leaf{say("%s.byValue.more[0]", x)}
	d.byValue = capture(l, more)
	d.byRef, _ = counter(say("%s.byRef.n.pad[3]", x))
	n := &node{p: say("")}
	d.method = n.area
}

func fillRest(d *deep, x string) {
	d.queue = make(chan *leaf, 4)
	d.queue <- say("")
	<-d.queue
	d.queue <- say("%s.queue/*queued 0*/", x)
	d.queue <- say("%s.queue/*queued 1*/", x)
	d.queue2 = make(chan pair[string, *leaf], 3)
	d.queue2 <- pair[string, *leaf]{"q", say("%s.queue2/*queued 0*/.val", x)}
	d.list = list.New()
	d.list.PushBack(say("%s.list.root.next.Value", x))
	d.list.PushBack(say("%s.list.root.prev.Value", x))
	for i := 0; i < 20; i++ {
		d.synced.Store(i, say(""))
	}
	d.synced.Store("k", &node{p: say("")})
	d.atomic.Store(&node{p: say("%s.atomic.v", x)})
	told[len(told)-1].expr = fmt.Sprintf("(*main.node)(%s.atomic.v).p", x)
	d.raw = unsafe.Pointer(&node{p: say("")}) // nothing tells its type
	kept := say("")
	d.timer = time.AfterFunc(time.Hour, func() { kept.id++ })
	d.pool = &sync.Pool{}
	d.pool.Put(say(""))
	h := &holder{of: say("%s.toField.of", x)}
	d.toField = h
	text := make([]byte, 200)
	d.text = string(text)
	tell(*(*unsafe.Pointer)(unsafe.Pointer(&d.text)), "%s.text", x)
	d.bytes = make([]byte, 100)
	tell(unsafe.Pointer(&d.bytes[0]), "%s.bytes", x)
}

// Locals of a frame that waits: a pointer, a struct, a variable that is on the heap itself.
//
//go:noinline
func wait(i int, up *sync.WaitGroup, stop chan int) {
	lock.Lock()
	kept := node{p: say("kept.p"), n: i}
	shared := node{p: say("shared.p")}
	list := makeList(say("")) // in pieces here and there: no expression of dlv's has it in all versions
	lock.Unlock()
	up.Done()
	share(&shared)
	<-stop
	runtime.KeepAlive(kept)
	runtime.KeepAlive(shared)
	runtime.KeepAlive(list)
	fmt.Println(kept.p, shared.p, list)
}

var (
	lock  sync.Mutex
	ring  *node
	stuck *node
)

// Cycles: one that the collector will free when it is let go, one that it never will.
func makeRings() {
	ring = &node{next: &node{}}
	ring.next.next = ring
	stuck = &node{next: &node{}}
	stuck.next.next = stuck
	runtime.SetFinalizer(stuck, func(*node) {})
}

//go:noinline
func makeList(l *leaf) []*leaf { return []*leaf{l} }

//go:noinline
func share(n *node) { n.n++ }

func main() {
	var up sync.WaitGroup
	for i := 0; i < 20; i++ {
		d := new(deep)
		all = append(all, d)
		fill(d, fmt.Sprintf("main.all[%d]", i))
	}
	direct = say("main.direct")
	fill(&one, "main.one")
	for i := 0; i < 200; i++ {
		name := fmt.Sprintf("name-%d", i)
		named[name] = &holder{of: say("main.named[%q].of", name)}
	}
	for i := 0; i < 10; i++ {
		up.Add(1)
		go wait(i, &up, make(chan int))
	}
	up.Wait()
	for _, t := range told {
		if t.expr != "" {
			fmt.Printf("{\"expr\": %q, \"at\": \"%#x\"}\n", t.expr, uintptr(t.at))
		}
	}
	told = nil
	makeRings()
	runtime.GC()
	runtime.GC()
	ready.Say()
	ready.Wait()
}
