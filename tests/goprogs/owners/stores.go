package main

import (
	"container/list"
	"sync"

	"github.com/golang/groupcache/lru"
	hashilru "github.com/hashicorp/golang-lru/v2"
)

// scratch is what a pool keeps: a buffer, and by mistake the session it was last used for.
type scratch struct {
	buf  []byte
	last *session
}

var scratches sync.Pool

func pool() {
	theStore = newStore(count)
	for i := 0; i < count; i++ {
		scratches.Put(&scratch{buf: make([]byte, size), last: theStore.sessions[i]})
	}
	own("type", "main.store", count)
	same("type", "main.scratch", count)
}

// Half of what the cache has is the store's, the other half nobody else has.
var hashi *hashilru.Cache[int, *session]

func hashicorp() {
	theStore = newStore(count)
	hashi, _ = hashilru.New[int, *session](2 * count)
	for i, s := range theStore.sessions {
		hashi.Add(i, s)
	}
	for i := 0; i < count; i++ {
		hashi.Add(count+i, newSession(count+i))
	}
	own("type", "main.store", count)
	same("type", "internal.Entry[int,*main.session]", count)
}

var group *lru.Cache

func groupcache() {
	theStore = newStore(count)
	group = lru.New(2 * count)
	for i, s := range theStore.sessions {
		group.Add(i, s)
	}
	for i := 0; i < count; i++ {
		group.Add(count+i, newSession(count+i))
	}
	own("type", "main.store", count)
	same("type", "lru.Cache", count)
}

// recent is a cache as people write it.
type recent struct {
	order *list.List
	index map[int]*list.Element
}

func newRecent() *recent {
	return &recent{order: list.New(), index: map[int]*list.Element{}}
}

func (r *recent) add(s *session) {
	r.index[s.id] = r.order.PushFront(s)
}

// The compiler lays this one out in bss.
var cache = newRecent()

func listBesideMap() {
	theStore = newStore(count)
	for _, s := range theStore.sessions {
		cache.add(s)
	}
	for i := 0; i < count; i++ {
		cache.add(newSession(count + i))
	}
	own("type", "main.store", count)
}

// Whoever holds one element of a list reaches all of it, in the exact tree.
//
//go:noinline
func use(e *list.Element, started chan<- bool) {
	started <- true
	<-make(chan bool)
	e.Value.(*session).id++
}

func elementInUse() {
	started := make(chan bool)
	cache = newRecent()
	for i := 0; i < count; i++ {
		cache.add(newSession(i))
	}
	for _, id := range []int{3, count / 2} {
		go use(cache.index[id], started)
		<-started
	}
	own("type", "main.recent", count-2)
	own("goroutine", "main.use", 2)
}

// freeList is what people write before sync.Pool, or instead of it.
type freeList struct {
	c chan *scratch
}

var free *freeList

//go:noinline
func newFreeList() *freeList {
	return &freeList{make(chan *scratch, count)}
}

func freed() {
	theStore = newStore(count)
	free = newFreeList()
	for i := 0; i < count; i++ {
		free.c <- &scratch{buf: make([]byte, size), last: theStore.sessions[i]}
	}
	keep = append(keep, free) // an interface: its type is known without DWARF
	rule("pool", "main.freeList.c")
	own("type", "main.store", count)
	same("type", "main.scratch", count)
}

// register knows all sessions, to end them when the program ends.
type register struct {
	items map[*session]struct{}
}

var all *register

//go:noinline
func newRegister() *register {
	return &register{items: map[*session]struct{}{}}
}

func tracker() {
	theStore = newStore(count)
	all = newRegister()
	for _, s := range theStore.sessions {
		all.items[s] = struct{}{}
	}
	keep = append(keep, all)
	rule("pass", "main.register", "# it knows them, no more")
	own("type", "main.store", count)
}
