// global-growth - containers under a global variable that are large, and some that may be.
//
// CASE map-of-sessions EXPECT global-growth verdict=suspect type=map[string]*main.session holder=*main.* count>=40000 bytes>=4000000
// CASE slice-of-records EXPECT global-growth verdict=suspect type=[]main.record bytes>=4000000
// CASE inline-map EXPECT global-growth verdict=suspect count>=100000 bytes>=4000000
// CASE container-list EXPECT global-growth verdict=suspect count>=40000 bytes>=4000000
// CASE linked-list EXPECT global-growth verdict=suspect type=*main.link count>=40000 bytes>=4000000
// CASE tree EXPECT global-growth verdict=suspect type=*main.treeNode bytes>=4000000
// CASE trie EXPECT global-growth verdict=suspect bytes>=4000000
// CASE sync-map EXPECT global-growth verdict=suspect count>=40000 bytes>=4000000
// CASE lru-without-bound EXPECT global-growth verdict=suspect count>=40000 bytes>=4000000
// CASE root-struct EXPECT global-growth verdict=suspect count>=40000 bytes>=4000000
// CASE main-local EXPECT global-growth verdict=suspect count>=40000 bytes>=4000000
// CASE lru-full NONE
// CASE max-entries NONE
// CASE sharded-bounded NONE
// CASE made-by-init NONE
// CASE small NONE
// CASE garbage NONE
// CASE gogc-off NONE
// CASE local-work NONE
package main

import (
	"container/list"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"limpet/goprogs/internal/ready"
)

type session struct {
	id    string
	state [12]uint64
}

type record struct {
	name string
	v    [6]int64
}

type row struct {
	a, b, c, d, e, f int64
}

type link struct {
	next *link
	body [16]uint64
}

type treeNode struct {
	left, right *treeNode
	key         uint64
	body        [12]uint64
}

type trieNode struct {
	kids map[byte]*trieNode
	body [24]uint64
}

// An LRU as everybody writes it; without max nothing is ever evicted.
type lru struct {
	max   int
	order *list.List
	items map[uint64]*list.Element
}

type entry struct {
	key uint64
	s   *session
}

func (c *lru) add(k uint64) {
	c.items[k] = c.order.PushFront(&entry{k, newSession(int(k))})
	if c.max > 0 && c.order.Len() > c.max {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.items, last.Value.(*entry).key)
	}
}

type boundedMap struct {
	maxEntries int
	mu         sync.Mutex
	m          map[string]*session
}

type sharded struct {
	shards [16]*boundedMap
}

type server struct {
	name  string
	table map[uint64]*session
}

var (
	sessions any
	records  []record
	rows     map[int64]row
	queue    *list.List
	links    *link
	tree     *treeNode
	trie     any
	byKey    sync.Map
	cache    *lru
	bounded  any
	shards   any
	theSrv   *server
	words    map[string]*session
	few      map[string]*session
)

func init() {
	if len(os.Args) > 1 && os.Args[1] == "made-by-init" {
		words = make(map[string]*session)
		for i := 0; i < n; i++ {
			words[fmt.Sprint("word ", i)] = newSession(i)
		}
	}
}

const n = 50000

func newSession(i int) *session { return &session{id: fmt.Sprint("session ", i)} }

func insert(t *treeNode, depth int) *treeNode {
	if depth == 0 {
		return nil
	}
	return &treeNode{left: insert(t, depth-1), right: insert(t, depth-1), key: uint64(depth)}
}

func grow(depth int) *trieNode {
	t := &trieNode{}
	if depth > 0 {
		t.kids = map[byte]*trieNode{}
		for b := byte(0); b < 12; b++ {
			t.kids[b] = grow(depth - 1)
		}
	}
	return t
}

func newLRU(max int) *lru {
	return &lru{max: max, order: list.New(), items: map[uint64]*list.Element{}}
}

func fill(m map[string]*session, n int) {
	for i := 0; i < n; i++ {
		m[fmt.Sprint(i)] = newSession(i)
	}
}

//go:noinline
func plant(name string) any {
	switch name {
	case "map-of-sessions":
		m := map[string]*session{}
		fill(m, n)
		sessions = m
	case "slice-of-records":
		for i := 0; i < n*2; i++ {
			records = append(records, record{name: fmt.Sprint(i)})
		}
	case "inline-map":
		rows = map[int64]row{}
		for i := int64(0); i < 2*n; i++ {
			rows[i] = row{a: i}
		}
	case "container-list":
		queue = list.New()
		for i := 0; i < n; i++ {
			queue.PushBack(newSession(i))
		}
	case "linked-list":
		for i := 0; i < n; i++ {
			links = &link{next: links}
		}
	case "tree":
		tree = insert(nil, 16)
	case "trie":
		trie = grow(4)
	case "sync-map":
		for i := 0; i < n; i++ {
			byKey.Store(i, newSession(i))
		}
	case "lru-without-bound":
		cache = newLRU(0)
		for i := uint64(0); i < n; i++ {
			cache.add(i)
		}
	case "root-struct":
		theSrv = &server{name: "api", table: map[uint64]*session{}}
		for i := uint64(0); i < n; i++ {
			theSrv.table[i] = newSession(int(i))
		}
	case "main-local":
		m := map[string]*session{}
		fill(m, n)
		return m
	case "lru-full":
		cache = newLRU(n)
		for i := uint64(0); i < 2*n; i++ {
			cache.add(i)
		}
	case "max-entries":
		b := &boundedMap{maxEntries: n * 2, m: map[string]*session{}}
		fill(b.m, n)
		bounded = b
	case "sharded-bounded":
		s := &sharded{}
		for i := range s.shards {
			s.shards[i] = &boundedMap{maxEntries: 8192, m: map[string]*session{}}
			fill(s.shards[i].m, 8000)
		}
		shards = s
	case "small":
		few = map[string]*session{}
		fill(few, 1000)
	case "garbage":
		m := map[string]*session{}
		fill(m, n)
		sessions = m
		sessions = nil
	case "gogc-off":
		debug.SetGCPercent(-1)
		for i := 0; i < 100; i++ {
			fill(map[string]*session{}, 1000)
		}
	case "local-work":
		begun := make(chan bool)
		go func() { // a job that builds a table of its own and is not done with it
			m := map[string]*session{}
			fill(m, n)
			begun <- true
			time.Sleep(time.Hour)
			runtime.KeepAlive(m)
		}()
		<-begun
	}
	return nil
}

func main() {
	runtime.MemProfile(nil, true) // without which the linker drops the memory profile
	held := plant(os.Args[1])
	if os.Args[1] != "gogc-off" && os.Args[1] != "garbage" {
		runtime.GC()
		runtime.GC()
	}
	ready.Say()
	ready.Wait()
	runtime.KeepAlive(held)
	fmt.Sprint(sessions, records, rows, queue, links, tree, trie, cache, bounded, shards, theSrv, words, few)
}
