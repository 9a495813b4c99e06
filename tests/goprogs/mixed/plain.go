package main

import (
	"container/list"
	"strconv"
	"sync"
)

// node has pointers at both ends and a hole in the middle.
type node struct {
	next *node
	val  int
	name string
	data []byte
}

type session struct {
	id    int64
	user  *node
	attrs map[string]string
	body  any
}

type pair[K comparable, V any] struct {
	key K
	val V
}

// shape is implemented by a pointer, a value with pointers, a value that is one pointer, and a number.
type shape interface{ area() int }

type square struct{ side *int }
type circle int
type poly struct {
	corners []pair[int, *node]
	name    string
}

func (s square) area() int { return *s.side }
func (c circle) area() int { return int(c) }
func (p *poly) area() int  { return len(p.corners) }

type plain struct {
	nodes    []*node
	head     *node
	sessions map[string]*session
	shapes   []shape
	anys     []any
	tiny     []*uint16
	bytes    []*byte
	words    []string
	sub      []string
	list     *list.List
	syncMap  *sync.Map
	pools    []*sync.Pool
	structs  map[pair[int, string]]*node
	values   map[int]pair[*node, [3]*int]
	empties  []*struct{}
	chans    []chan *node
	iface    []chan any
}

var byName map[string]*session

func makePlain() plain {
	p := plain{}
	for i := 0; i < 100000; i++ {
		n := &node{next: p.head, val: i, name: "node-" + strconv.Itoa(i)}
		if i%7 == 0 {
			n.data = make([]byte, i%500)
		}
		p.head = n
		p.nodes = append(p.nodes, n)
	}
	p.sessions = map[string]*session{}
	for i := 0; i < 20000; i++ {
		s := &session{id: int64(i), user: p.nodes[i], body: strconv.Itoa(i)}
		if i%3 == 0 {
			s.attrs = map[string]string{"lang": strconv.Itoa(i), "agent": "a" + strconv.Itoa(i)}
		}
		p.sessions["user"+strconv.Itoa(i)] = s
	}
	byName = p.sessions
	p.addShapes()
	p.addSmall()
	p.addContainers()
	return p
}

func (p *plain) addShapes() {
	for i := 0; i < 5000; i++ {
		side := new(int)
		*side = i
		p.shapes = append(p.shapes, square{side}, circle(i+1000),
			&poly{corners: []pair[int, *node]{{i, p.nodes[i]}, {i + 1, &node{val: i}}}, name: "p"})
		p.anys = append(p.anys, i+1000, strconv.Itoa(i), []int{i}, &i, pair[int, *node]{i, p.nodes[i]},
			[4]*node{p.nodes[i], nil, p.nodes[i+1], {val: 1}}, [1]*node{p.nodes[i]},
			map[int]int{i: i}, func() int { return i }, make(chan int, 1), struct{}{})
	}
}

// Tiny allocations share 16-byte blocks: some of each block live on, some do not.
func (p *plain) addSmall() {
	for i := 0; i < 30000; i++ {
		w, b := new(uint16), new(byte)
		*w = uint16(i)
		if i%3 == 0 {
			p.tiny = append(p.tiny, w)
		}
		if i%5 == 0 {
			p.bytes = append(p.bytes, b)
		}
		s := "some longer text number " + strconv.Itoa(i)
		p.words = append(p.words, s)
		p.sub = append(p.sub, s[5:10])
	}
	p.empties = append(p.empties, &struct{}{}, new(struct{}))
}

func (p *plain) addContainers() {
	p.list, p.syncMap = list.New(), &sync.Map{}
	p.structs = map[pair[int, string]]*node{}
	p.values = map[int]pair[*node, [3]*int]{}
	for i := 0; i < 2000; i++ {
		p.list.PushBack(&node{val: i})
		p.syncMap.Store(strconv.Itoa(i), &node{val: i})
		p.structs[pair[int, string]{i, "k" + strconv.Itoa(i)}] = p.nodes[i]
		p.values[i] = pair[*node, [3]*int]{&node{val: i}, [3]*int{nil, new(int), nil}}
	}
	for i := 0; i < 50; i++ {
		pool := &sync.Pool{New: func() any { return new(node) }}
		for j := 0; j < 20; j++ {
			pool.Put(&node{val: j})
		}
		p.pools = append(p.pools, pool)
		c, d := make(chan *node, 16), make(chan any, 4)
		for j := 0; j < 10; j++ {
			c <- &node{val: j}
		}
		d <- &node{}
		p.chans, p.iface = append(p.chans, c), append(p.iface, d)
	}
}
