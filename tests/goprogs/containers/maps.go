package main

import (
	"fmt"
	"math"
	"reflect"
	"strings"
)

func entriesOf(m reflect.Value) [][3]string {
	var out [][3]string
	for it := m.MapRange(); it.Next(); {
		out = append(out, [3]string{"", show(it.Key(), 0), show(it.Value(), 0)})
	}
	return out
}

func sayMap(name string, m any) {
	v := reflect.ValueOf(m)
	facts := map[string]any{"len": v.Len()}
	growing(v.UnsafePointer(), facts)
	say(name, m, facts, false, entriesOf(v))
}

type small struct {
	A int8
	B int64
	C bool
}
type big [200]byte
type kinds interface{ kind() string }
type one struct{ s string }
type two int

func (o one) kind() string  { return o.s }
func (t *two) kind() string { return "two" }

func counted(n int) map[string]int {
	m := map[string]int{}
	for i := 0; i < n; i++ {
		m[fmt.Sprint("key", i)] = i
	}
	return m
}

func makeMaps() {
	// 53, 833, 6657: one more than 6.5 in each bucket, so that an old map has just begun to grow.
	for _, n := range []int{0, 1, 7, 8, 9, 53, 54, 100, 833, 1000, 6657, 6700, 30000, 100000} {
		sayMap(fmt.Sprint("map of ", n), counted(n))
	}
	makeDeleted()
	makeKeys()
	makeWide()
	makeOdd()
}

func makeDeleted() {
	m := counted(10000)
	for i := 10; i < 10000; i++ {
		delete(m, fmt.Sprint("key", i))
	}
	sayMap("map after mass deletion", m)
	m = counted(6657)
	for i := 0; i < 6657; i += 2 {
		delete(m, fmt.Sprint("key", i))
	}
	sayMap("map deleted from while growing", m)
	m = counted(6657)
	for i := 0; i < 300; i += 3 {
		delete(m, fmt.Sprint("key", i))
	}
	sayMap("map a little deleted from while growing", m)
	m = counted(500)
	for k := range m {
		delete(m, k)
	}
	sayMap("map emptied", m)
	m = counted(500)
	clear(m)
	sayMap("map cleared", m)
	m = counted(500)
	clear(m)
	m[""] = 1
	sayMap("map cleared and used", m)
	// Keys come and go: overflow buckets, until an old map grows to the same size.
	ints := map[int]int{}
	facts := map[string]any{}
	for i := 0; i < 60000 && facts["growing"] != true; i++ {
		ints[i] = i
		if i >= 700 {
			delete(ints, i-700)
		}
		if i > 10000 {
			growing(reflect.ValueOf(ints).UnsafePointer(), facts)
		}
	}
	sayMap("map of a window", ints)
	for n := 1000; n < 1100; n += 7 { // some stage of an evacuation each
		m := map[int32]int16{}
		for i := 0; i < n; i++ {
			m[int32(i*7919)] = int16(i)
		}
		for i := 0; i < n/2; i++ {
			delete(m, int32(i*7919))
		}
		sayMap(fmt.Sprint("map of int32 ", n), m)
	}
}

func makeKeys() {
	nan := math.NaN()
	floats := map[float64]string{nan: "a", 1.5: "d", math.Inf(1): "inf", math.Copysign(0, -1): "zero"}
	floats[nan] = "b"
	floats[nan] = "c"
	sayMap("map of floats", floats)
	t := two(2)
	x := 7
	sayMap("map of any", map[any]any{1: "int", "s": 2, point{1, 2}: []int{1}, [2]int8{3, 4}: nil, true: 1.5,
		&x: &x, nan: nan, complex(1, 2): uint8(9), nil: "nil", kinds(one{"k"}): kinds(&t), uintptr(5): map[string]int(nil)})
	sayMap("map of interfaces", map[kinds]int{one{"a"}: 1, &t: 2, one{"b"}: 3})
	sayMap("map of arrays", map[[3]int16]string{{1, 2, 3}: "x", {-1, -2, -3}: "y"})
	sayMap("map of structs", map[point]small{{1, 2}: {-1, 1 << 40, true}, {3, 4}: {2, -5, false}})
	sayMap("map of strings in structs", map[one]one{{"key"}: {"value"}, {""}: {}})
	sayMap("map of pointers", map[*int]*two{&x: &t, nil: nil})
	sayMap("map of bools", map[bool]byte{true: 1, false: 2})
	sayMap("map of chans", map[chan int]int{make(chan int): 1, nil: 2})
	sayMap("map of complex", map[complex128]complex64{complex(1, -2): complex(3, 4.5)})
	set := map[uint16]struct{}{}
	for i := 0; i < 300; i++ {
		set[uint16(i*200)] = struct{}{}
	}
	sayMap("set", set)
	sayMap("map of nothing", map[struct{}]string{{}: "only"})
	sayMap("map of nothing to nothing", map[struct{}]struct{}{{}: {}})
	sayMap("map of empty arrays", map[[0]int]int{{}: 3})
}

func makeWide() {
	keys, elems, both, edge := map[big]int{}, map[int][300]byte{}, map[big][129]byte{}, map[[128]byte][128]byte{}
	for i := 0; i < 40; i++ {
		k, e := big{byte(i), 1}, [300]byte{byte(i), 2, 299: byte(i)}
		keys[k] = i
		elems[i] = e
		both[k] = [129]byte{3, 128: byte(i)}
		edge[[128]byte{byte(i)}] = [128]byte{127: byte(i)}
	}
	for i := 0; i < 40; i += 3 {
		delete(keys, big{byte(i), 1})
		delete(both, big{byte(i), 1})
	}
	sayMap("map of wide keys", keys)
	sayMap("map of wide elems", elems)
	sayMap("map of both wide", both)
	sayMap("map of just not wide", edge)
	sayMap("small map of wide", map[big]big{{1}: {2}})
}

func makeOdd() {
	sayMap("map with a hint", make(map[string]int, 1000))
	hinted := make(map[int8]int64, 300)
	for i := -100; i < 100; i++ {
		hinted[int8(i)] = int64(i) << 33
	}
	sayMap("map of int8", hinted)
	m := map[int64]int8{}
	for i := 0; i < 200; i++ {
		m[int64(i)<<40] = int8(i)
	}
	sayMap("map to int8", m)
	sayMap("map of slices", map[string][]byte{"a": []byte("xyz"), "nil": nil, "empty": {}})
	sayMap("map of maps", map[int]map[int]int{1: {2: 3}, 4: nil})
	sayMap("map of funcs", map[string]func(){"f": func() {}, "nil": nil})
	sayMap("map of errors", map[string]error{"a": fmt.Errorf("e"), "nil": nil})
	long := map[string]string{}
	for i := 0; i < 20; i++ {
		long[strings.Repeat("k", i*50)] = strings.Repeat("v", i*100)
	}
	sayMap("map of long strings", long)
	// A type that no source mentions: reflect makes it.
	made := reflect.MakeMap(reflect.MapOf(reflect.TypeOf(point{}), reflect.TypeOf([3]uint16{})))
	for i := 0; i < 20; i++ {
		made.SetMapIndex(reflect.ValueOf(point{i, -i}), reflect.ValueOf([3]uint16{1, uint16(i), 3}))
	}
	sayMap("map made by reflect", made.Interface())
}
