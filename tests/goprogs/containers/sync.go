package main

import (
	"fmt"
	"runtime"
	"sync"
	"time"
)

func saySyncMap(name string, m *sync.Map, old map[string]any) {
	facts := map[string]any{}
	for k, v := range old {
		facts[k] = v
	}
	keep = append(keep, m)
	entries := [][3]string{}
	// Not m.Range: it would make the dirty map the read one.
	for k, v := range contents[m] {
		entries = append(entries, [3]string{"", text(k), text(v)})
	}
	facts["len"] = len(entries)
	say(name, m, facts, false, entries)
}

// What each sync.Map should hold.
var contents = map[*sync.Map]map[any]any{}

func store(m *sync.Map, k, v any) {
	m.Store(k, v)
	if contents[m] == nil {
		contents[m] = map[any]any{}
	}
	contents[m][k] = v
}

func remove(m *sync.Map, k any) {
	m.Delete(k)
	delete(contents[m], k)
}

func promote(m *sync.Map) { m.Range(func(any, any) bool { return true }) }

func makeSyncMaps() {
	saySyncMap("sync.Map unused", new(sync.Map), nil)
	m := new(sync.Map)
	store(m, "one", 1)
	saySyncMap("sync.Map of one", m, nil)
	m = new(sync.Map)
	for i := 0; i < 3000; i++ {
		store(m, i, point{i, -i})
	}
	saySyncMap("sync.Map never promoted", m, nil)
	m = new(sync.Map)
	for i := 0; i < 3000; i++ {
		store(m, fmt.Sprint(i), i)
	}
	promote(m)
	for i := 0; i < 3000; i += 3 {
		remove(m, fmt.Sprint(i))
	}
	saySyncMap("sync.Map with deleted", m, nil)
	makeExpunged()
	m = new(sync.Map)
	x := 5
	for _, k := range []any{1, "s", point{1, 2}, &x, 2.5, [2]string{"a", "b"}, true, nil, int8(1)} {
		store(m, k, k)
	}
	store(m, "nil", nil)
	saySyncMap("sync.Map of kinds", m, nil)
	m = new(sync.Map)
	for i := 0; i < 100; i++ {
		store(m, i, i)
	}
	for i := 0; i < 100; i++ {
		remove(m, i)
	}
	saySyncMap("sync.Map emptied", m, nil)
}

func makeExpunged() {
	m := new(sync.Map)
	for i := 0; i < 20; i++ {
		store(m, i, i*i)
	}
	promote(m)
	for i := 0; i < 10; i++ {
		remove(m, i) // p is nil
	}
	store(m, "new", "dirty") // makes the dirty map: those are expunged now
	saySyncMap("sync.Map with expunged", m, nil)
	m2 := new(sync.Map)
	for i := 0; i < 20; i++ {
		store(m2, i, i*i)
	}
	promote(m2)
	for i := 0; i < 10; i++ {
		remove(m2, i)
	}
	store(m2, "new", "dirty")
	store(m2, 3, "back") // was expunged
	remove(m2, 15)       // in both
	remove(m2, "new")    // only in dirty
	saySyncMap("sync.Map with one back", m2, nil)
	promote(m2)
	saySyncMap("sync.Map promoted again", m2, nil)
}

type pooled struct{ n int }

// label: of this cycle or the last; where in it is the scheduler's.
func sayPool(name string, p *sync.Pool, now, old []*pooled) {
	var entries [][3]string
	for _, x := range now {
		entries = append(entries, [3]string{"now", "", text(any(x))})
	}
	for _, x := range old {
		entries = append(entries, [3]string{"victim", "", text(any(x))})
	}
	say(name, p, map[string]any{"len": len(entries)}, false, entries)
}

func fill(p *sync.Pool, n int) []*pooled {
	var all []*pooled
	for i := 0; i < n; i++ {
		x := &pooled{i}
		all = append(all, x)
		p.Put(x)
	}
	keep = append(keep, all)
	return all
}

func makePools() {
	ps := runtime.GOMAXPROCS(1)
	empty, some, many, victims := new(sync.Pool), new(sync.Pool), new(sync.Pool), new(sync.Pool)
	some.New = func() any { return new(pooled) }
	old := fill(victims, 30)
	runtime.GC()
	a, b, c := fill(some, 1), fill(many, 100), fill(victims, 12)
	sayPool("pool unused", empty, nil, nil)
	sayPool("pool of one", some, a, nil)
	sayPool("pool of many", many, b, nil)
	sayPool("pool with victims", victims, c, old)
	runtime.GOMAXPROCS(max(ps, 4))
	shared := new(sync.Pool)
	var lock sync.Mutex
	var all []*pooled
	var wait sync.WaitGroup
	for i := 0; i < 8; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for k := 0; k < 50; k++ {
				x := &pooled{k}
				shared.Put(x)
				lock.Lock()
				all = append(all, x)
				lock.Unlock()
				if k%10 == 0 {
					time.Sleep(time.Microsecond)
				}
			}
		}()
	}
	wait.Wait()
	sayPool("pool of several Ps", shared, all, nil)
}
