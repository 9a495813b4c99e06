// truth - objects of several hundred types, each held in every way, and a list of what each one is.
//
// EXPECT type main.leaf count=2000
// Written to the file named by the argument: "ADDRESS KIND BYTES TYPE" a line.  KIND says how the object was made:
//
//	one      new(T)                          row      make([]T, n)
//	boxed    an interface's copy of a T      array    new([n]T)
//	tiny     any of these that may share a block of 16 bytes
//	closure  a func value; TYPE is its code  map, chan, string
//	inside   T, only pointed at from within: unnamed is right, any other name is wrong
//	lone     T, only pointed at from within, by what no other type has at that place
//	once     T, known to code that is compiled for its shape alone (go.shape.T)
//	first    T|U: a U whose only pointer is to its first field, a T: memory cannot tell
package main

import (
	"bufio"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"unsafe"

	"limpet/goprogs/internal/ready"
)

type fact struct {
	at    uintptr
	bytes uintptr
	kind  string
	name  string
}

var facts []fact

// kept is all that holds the objects: interfaces, so that a binary without symbols says what is in it.
var kept []any

func note(at unsafe.Pointer, kind string, t reflect.Type, n int) {
	bytes := t.Size() * uintptr(n)
	if bytes < 16 && !scanned(t) {
		kind = "tiny"
	}
	if at != nil && bytes > 0 {
		facts = append(facts, fact{uintptr(at), bytes, kind, t.String()})
	}
}

// scanned types hold pointers.
func scanned(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return t.Len() > 0 && scanned(t.Elem())
	case reflect.Struct:
		for i := 0; i < t.NumField(); i++ {
			if scanned(t.Field(i).Type) {
				return true
			}
		}
		return false
	}
	return t.Kind() > reflect.Complex128
}

func typeFor[T any]() reflect.Type { return reflect.TypeOf((*T)(nil)).Elem() }

func one[T any](p *T) *T {
	note(unsafe.Pointer(p), "one", typeFor[T](), 1)
	return p
}

func row[T any](s []T) []T {
	note(*(*unsafe.Pointer)(unsafe.Pointer(&s)), "row", typeFor[T](), cap(s))
	return s
}

func array[T any](p *[3]T) *[3]T {
	note(unsafe.Pointer(p), "array", typeFor[T](), 3)
	return p
}

func text(s string) string {
	facts = append(facts, fact{*(*uintptr)(unsafe.Pointer(&s)), uintptr(len(s)), "string", "string"})
	return s
}

// direct types are their own interface word: no copy is made.
func direct(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return true
	case reflect.Array, reflect.Struct, reflect.Interface:
		return t.Kind() == reflect.Interface || t.Size() <= 8
	}
	return false
}

func boxed[T any](v T) any {
	x := any(v)
	if t := typeFor[T](); !direct(t) {
		note((*[2]unsafe.Pointer)(unsafe.Pointer(&x))[1], "boxed", t, 1)
	}
	return x
}

func closure[F any](f F) F {
	at := *(*uintptr)(unsafe.Pointer(&f))
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	facts = append(facts, fact{at, 8, "closure", name})
	return f
}

func header[T any](x T, kind string) T {
	facts = append(facts, fact{*(*uintptr)(unsafe.Pointer(&x)), 8, kind, typeFor[T]().String()})
	return x
}

// The same shapes under many names: what only looks like a T must not be called one.
type (
	list[T any] struct {
		next *list[T]
		v    T
	}
	tree[T any] struct {
		left, right *tree[T]
		key         string
		v           T
	}
	option[T any] struct {
		v  T
		ok bool
	}
	pair[A, B any] struct {
		a A
		b B
	}
	embeds[T any] struct {
		option[T]
		*list[T]
		fmt.Stringer
		n [2]int32
	}
	wide[T any] struct {
		id   int
		cell [24]option[T]
		last *T
		pad  [20]int64
	}
	shaper interface{ shape() int }
	named  string
	flags  uint16
	leaf   struct {
		name string
		n    int
		p    *int
	}
	twin struct {
		title string
		count int
		q     *int
	}
	gap struct {
		a bool
		_ [7]byte
		p *leaf
		_ struct{}
	}
	deep struct {
		in struct {
			a, b struct {
				l [2]leaf
				f func(*leaf) error
			}
		}
		u unsafe.Pointer
	}
	giant struct {
		cells [3000]option[*leaf]
		n     [9]int
	}
)

func (l *list[T]) shape() int   { return 1 }
func (o option[T]) shape() int  { return 2 }
func (e *embeds[T]) shape() int { return 3 }
func (f flags) String() string  { return "flags" }

// holder has one object for every way of holding a T.
type holder[T any] struct {
	one    *T
	many   []*T
	row    []T
	rows   [][]T
	array  *[3]T
	byInt  map[int]*T
	byName map[string]T
	queue  chan *T
	values chan option[T]
	boxed  any
	shaped []shaper
	get    func() *T
	copied func() T
	method func() int
	chain  *list[T]
	tree   *tree[T]
	embeds *embeds[T]
	wide   *wide[T]
	inside *int
	middle *T
	tail   []T
	first  *T
	anon   *struct {
		x, y int
		v    *T
	}
	pp **T
}

func grow[T any](n int, mk func(int) T) *tree[T] {
	if n == 0 {
		return nil
	}
	return one(&tree[T]{grow(n/2, mk), grow(n-1-n/2, mk), "key", mk(n)})
}

// stranger points into an object that nothing else points at.
func stranger[T any](v T) (*int, *T, []T, *T) {
	p := &pair[leaf, option[T]]{b: option[T]{v: v}}
	note(unsafe.Pointer(p), "inside", typeFor[pair[leaf, option[T]]](), 1)
	w := &pair[T, [3]leaf]{a: v}
	note(unsafe.Pointer(w), "inside", typeFor[pair[T, [3]leaf]](), 1)
	s := row(make([]T, 9))
	f := &option[T]{v: v}
	facts = append(facts, fact{uintptr(unsafe.Pointer(f)), unsafe.Sizeof(*f), "first",
		typeFor[T]().String() + "|" + typeFor[option[T]]().String()})
	return &w.b[1].n, &p.b.v, s[4:7], &f.v
}

// Nothing else has a [5]rare: a slice of one says which struct it lies in.
type (
	rare struct {
		p *leaf
		n int32
	}
	lone struct {
		name string
		few  [5]rare
		last *twin
	}
)

func within(i int) []rare {
	p := &lone{name: "lone", last: newTwin(i)}
	p.few[2].p = newLeaf(i)
	note(unsafe.Pointer(p), "lone", typeFor[lone](), 1)
	return p.few[1:4]
}

// once keeps what it made in a variable of code that is shared by all types of that shape.
func once(i int) func() map[string]rare {
	f := onceValue(func() map[string]rare {
		m := map[string]rare{"k": {newLeaf(i), 1}}
		note(*(*unsafe.Pointer)(unsafe.Pointer(&m)), "once", typeFor[map[string]rare](), 1)
		return m
	})
	f()
	return f
}

func hold[T any](n int, mk func(int) T) *holder[T] {
	h := one(&holder[T]{byInt: header(map[int]*T{}, "map"), byName: header(map[string]T{}, "map"),
		queue: header(make(chan *T, n), "chan"), values: header(make(chan option[T], n), "chan")})
	fresh := func(i int) *T { p := new(T); *p = mk(i); return one(p) }
	h.one, h.many, h.row = fresh(0), row(make([]*T, n)), row(make([]T, n))
	for i := range h.many {
		h.many[i], h.row[i] = fresh(i), mk(i)
		h.byInt[i] = fresh(i)
		h.byName[text(fmt.Sprint("some key of more than sixteen bytes ", i))] = mk(i)
		h.queue <- fresh(i)
		h.values <- option[T]{mk(i), true}
		h.rows = append(h.rows, row(make([]T, i+1)))
		l := one(&list[T]{nil, mk(i)})
		h.shaped = append(h.shaped, l, boxed(option[T]{v: mk(i), ok: true}).(shaper),
			one(&embeds[T]{option[T]{mk(i), true}, l, flags(i), [2]int32{}}))
		h.chain = one(&list[T]{h.chain, mk(i)})
	}
	row(h.rows)
	row(h.shaped)
	h.array = array(new([3]T))
	h.boxed = boxed(mk(1))
	captured, value := fresh(2), mk(3)
	h.get = closure(func() *T { return captured })
	h.copied = closure(func() T { return value })
	h.method = closure(h.chain.shape)
	h.tree = grow(n, mk)
	h.embeds = one(&embeds[T]{list: h.chain})
	h.wide = one(&wide[T]{last: fresh(4)})
	h.inside, h.middle, h.tail, h.first = stranger(mk(5))
	h.anon = one(&struct {
		x, y int
		v    *T
	}{v: fresh(6)})
	h.pp = &h.many[0]
	return h
}

func all[T any](n int, mk func(int) T) {
	kept = append(kept, hold(n, mk), hold(n, func(i int) option[T] { return option[T]{v: mk(i)} }),
		hold(n, func(i int) pair[T, *leaf] { return pair[T, *leaf]{mk(i), newLeaf(i)} }),
		hold(n/2, func(i int) *T { p := new(T); *p = mk(i); return one(p) }),
		hold(n/2, func(i int) []T { return row(make([]T, i+2)) }),
		hold(n/2, func(i int) [2]T { return [2]T{mk(i), mk(i + 1)} }))
}

func newLeaf(i int) *leaf {
	return one(&leaf{text(fmt.Sprintf("leaf number %032d", i)), i, nil})
}

func newTwin(i int) *twin {
	return one(&twin{text(fmt.Sprintf("twin number %032d", i)), i, nil})
}

// made has types that no compiler has seen.
func made(i int) any {
	t := reflect.StructOf([]reflect.StructField{{Name: "L", Type: typeFor[*leaf]()},
		{Name: "N", Type: reflect.ArrayOf(i+2, typeFor[string]())}})
	p := reflect.New(t)
	p.Elem().Field(0).Set(reflect.ValueOf(newLeaf(i)))
	note(p.UnsafePointer(), "one", t, 1)
	return p.Interface()
}

func fill(n int) {
	all(n, func(i int) int { return i })
	all(n, func(i int) bool { return i&1 == 0 })
	all(n, func(i int) float32 { return float32(i) })
	all(n, func(i int) complex128 { return complex(float64(i), 1) })
	all(n, func(i int) string { return text(strings.Repeat("text", i+5)) })
	all(n, func(i int) named { return named(text(strings.Repeat("name", i+5))) })
	all(n, func(i int) flags { return flags(i) })
	all(n, func(i int) []byte { return row(make([]byte, 17+i)) })
	all(n, func(i int) any { return boxed(twin{"t", i, nil}) })
	all(n, func(i int) error { return one(&os.PathError{Op: "open", Path: "/"}) })
	all(n, func(i int) fmt.Stringer { return flags(i) })
	all(n, func(i int) uintptr { return uintptr(i) })
	all(n, func(i int) unsafe.Pointer { return nil })
	all(n, func(i int) [4]int { return [4]int{i} })
	all(n, func(i int) [0]int { return [0]int{} })
	all(n, func(i int) [2]string { return [2]string{text(strings.Repeat("a", i+20)), ""} })
	all(n, func(i int) leaf { return *newLeaf(i) })
	all(n, func(i int) twin { return *newTwin(i) })
	all(n, func(i int) gap { return gap{p: newLeaf(i)} })
	all(n, func(i int) deep { return deep{} })
	all(n, func(i int) *leaf { return newLeaf(i) })
	all(n, func(i int) *twin { return newTwin(i) })
	all(n, func(i int) func(int) int { return closure(func(k int) int { return k + i }) })
	all(n, func(i int) map[string]*leaf { return header(map[string]*leaf{"k": newLeaf(i)}, "map") })
	all(n, func(i int) chan *twin { return header(make(chan *twin, 2), "chan") })
	all(n, func(i int) struct{ p *leaf } { return struct{ p *leaf }{newLeaf(i)} })
	all(n, func(i int) [1]*twin { return [1]*twin{newTwin(i)} })
	all(n, func(i int) option[option[int8]] { return option[option[int8]]{} })
	for i := 0; i < 20; i++ {
		kept = append(kept, within(i), once(i))
	}
	for i := 0; i < 30; i++ {
		kept = append(kept, one(new(giant)), row(make([]giant, 2)), row(make([]option[*leaf], 700+i*50)), made(i))
	}
}

// waits holds its object by a stack alone.
func waits[T any](p *T, started chan<- bool) {
	started <- true
	select {}
	runtime.KeepAlive(p)
}

// write allocates nothing on the way: an address that has died must not become another object's.
func write(path string) {
	out, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	w := bufio.NewWriterSize(out, 1<<20)
	var line []byte
	for _, f := range facts {
		line = append(strconv.AppendUint(append(line[:0], "0x"...), uint64(f.at), 16), ' ')
		line = append(append(line, f.kind...), ' ')
		line = append(strconv.AppendUint(line, uint64(f.bytes), 10), ' ')
		w.Write(append(append(line, f.name...), '\n'))
	}
	if w.Flush() != nil || out.Close() != nil {
		panic("cannot write " + path)
	}
}

func main() {
	// What dies first leaves its slots, and stale words in them, to the living; then nothing is collected.
	fill(5)
	facts, kept = make([]fact, 0, 1<<19), nil
	runtime.GC()
	debug.SetGCPercent(-1)
	fill(30)
	started := make(chan bool)
	for i := 0; i < 20; i++ {
		go waits(one(&pair[leaf, int]{b: i}), started)
		go waits(one(&tree[twin]{key: "k"}), started)
		<-started
		<-started
	}
	write(os.Args[1])
	runtime.GC()
	runtime.GC()
	ready.Say(strconv.Itoa(len(facts)))
	ready.Wait()
}
