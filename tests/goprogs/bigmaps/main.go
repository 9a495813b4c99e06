// bigmaps - maps of every kind of key and value, millions of entries, full, grown, emptied and in the middle.
//
// EXPECT map main.all.ints count=1000000
// EXPECT map main.all.texts count=300000
// EXPECT map main.all.structs count=200000
// EXPECT map main.all.pointers count=200000
// EXPECT map main.all.wide count=20000
// EXPECT type main.entry count=1601000
package main

import (
	"fmt"
	"runtime"
	"strconv"

	"limpet/goprogs/internal/ready"
)

type entry struct {
	n    int
	next *entry
}

type key struct {
	a int
	s string
}

// Keys and values over 128 bytes are kept outside of the map's groups.
type wideKey [20]int
type wideVal struct {
	p [20]*entry
	s string
}

var all struct {
	ints     map[int]*entry
	texts    map[string]int
	structs  map[key]*entry
	pointers map[*entry]*entry
	wide     map[wideKey]wideVal
	anys     map[any]any
	small    []map[string]*entry
	deleted  map[int]*entry
	cleared  map[string]*entry
	noscan   map[int64]int64
	sets     map[string]struct{}
	floats   map[float64][]*entry
	nested   map[int]map[int]*entry
	growing  []map[int]*entry
	over     map[int32]*entry
}

func main() {
	fillPlain()
	fillWide()
	fillShrunk()
	fillGrowing()
	fillOverwritten()
	runtime.GC()
	runtime.GC()
	ready.Say(fmt.Sprint(len(all.ints)))
	ready.Wait()
}

func fillPlain() {
	all.ints = map[int]*entry{}
	for i := 0; i < 1000000; i++ {
		all.ints[i] = &entry{n: i}
	}
	all.texts, all.sets = map[string]int{}, map[string]struct{}{}
	for i := 0; i < 300000; i++ {
		all.texts["text"+strconv.Itoa(i)] = i
		if i%3 == 0 {
			all.sets["set"+strconv.Itoa(i)] = struct{}{}
		}
	}
	all.structs, all.pointers = map[key]*entry{}, make(map[*entry]*entry, 200000)
	for i := 0; i < 200000; i++ {
		all.structs[key{i, strconv.Itoa(i)}] = &entry{n: i}
		all.pointers[&entry{n: i}] = &entry{n: -i}
	}
	all.noscan = map[int64]int64{}
	for i := int64(0); i < 300000; i++ {
		all.noscan[i] = i
	}
}

func fillWide() {
	all.wide = map[wideKey]wideVal{}
	for i := 0; i < 20000; i++ {
		v := wideVal{s: strconv.Itoa(i)}
		v.p[i%20] = all.ints[i]
		all.wide[wideKey{i}] = v
	}
	all.anys, all.floats, all.nested = map[any]any{}, map[float64][]*entry{}, map[int]map[int]*entry{}
	for i := 0; i < 20000; i++ {
		all.anys[i] = strconv.Itoa(i)
		all.anys[strconv.Itoa(i)] = all.ints[i]
		all.anys[key{i, "k"}] = [2]int{i, i}
		all.floats[float64(i)/3] = []*entry{all.ints[i]}
		if all.nested[i%1000] == nil {
			all.nested[i%1000] = map[int]*entry{}
		}
		all.nested[i%1000][i] = all.ints[i]
	}
	for i := 0; i < 20000; i++ {
		m := map[string]*entry{}
		for j := 0; j < i%9; j++ {
			m[strconv.Itoa(j)] = all.ints[j]
		}
		all.small = append(all.small, m)
	}
}

// Room without content: deleted one by one, and cleared at once.
func fillShrunk() {
	all.deleted, all.cleared = map[int]*entry{}, map[string]*entry{}
	for i := 0; i < 200000; i++ {
		all.deleted[i] = &entry{n: i}
		all.cleared[strconv.Itoa(i)] = &entry{n: i}
	}
	for i := 0; i < 199000; i++ {
		delete(all.deleted, i)
	}
	clear(all.cleared)
}

// Each size once: some of them are in the middle of growing, old buckets and new ones both in use.
func fillGrowing() {
	for n := 1; n < 3000; n += 7 {
		m := map[int]*entry{}
		for i := 0; i < n; i++ {
			m[i] = all.ints[i]
		}
		all.growing = append(all.growing, m)
	}
}

// The same room used again: tombstones, overflow, same-size growth.
func fillOverwritten() {
	all.over = map[int32]*entry{}
	for i := int32(0); i < 300000; i++ {
		all.over[i] = all.ints[int(i)]
		if i > 1000 {
			delete(all.over, i-1000)
		}
	}
}
