package main

import (
	"bytes"
	"container/list"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// lru is the usual one: a list in the order of use, and a map into it.
type lru struct {
	sync.Mutex
	most  int
	order *list.List
	byID  map[int]*list.Element
}

func newLRU(most int) *lru {
	return &lru{most: most, order: list.New(), byID: map[int]*list.Element{}}
}

func (c *lru) put(id int, value any) {
	c.Lock()
	defer c.Unlock()
	c.byID[id] = c.order.PushFront([2]any{id, value})
	for c.order.Len() > c.most {
		oldest := c.order.Back()
		delete(c.byID, oldest.Value.([2]any)[0].(int))
		c.order.Remove(oldest)
	}
}

var cache *lru

func serveLRU(id int, r *http.Request) string {
	cache.put(id, make([]byte, 500))
	return "ok"
}

// It is full before the first request: only what is in it changes.
func startFull() {
	cache = newLRU(1000)
	for i := 0; i < cache.most; i++ {
		cache.put(-i, make([]byte, 500))
	}
}

// It is full after twenty loads of a hundred.
func startFilling() {
	cache = newLRU(2000)
}

// Buffers out of a pool.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func servePool(id int, r *http.Request) string {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	for i := 0; i < 50; i++ {
		fmt.Fprintf(b, "line %d of %d\n", i, id)
	}
	return b.String()
}

// A table that has an entry for each of 1,500 customers once each has come.
type customer struct {
	id   int
	name string
}

var customers = map[int]*customer{}

func serveLazy(id int, r *http.Request) string {
	lock.Lock()
	defer lock.Unlock()
	who := rand.Intn(1500)
	if customers[who] == nil {
		customers[who] = &customer{who, fmt.Sprint("customer ", who)}
	}
	return customers[who].name
}

// What was put in is taken out after two seconds.
type entry struct {
	until time.Time
	value []byte
}

var entries = map[int]entry{}

func startTTL() {
	go func() {
		for range time.Tick(200 * time.Millisecond) {
			lock.Lock()
			for id, e := range entries {
				if time.Now().After(e.until) {
					delete(entries, id)
				}
			}
			lock.Unlock()
		}
	}()
}

func serveTTL(id int, r *http.Request) string {
	lock.Lock()
	defer lock.Unlock()
	entries[id] = entry{time.Now().Add(2 * time.Second), make([]byte, 400)}
	return "ok"
}

// Workers that are started when there is work for one more, until there are thirty-two.
type job struct {
	id   int
	done chan string
}

var (
	jobs    = make(chan job)
	workers int
)

func work() {
	scratch := make([]byte, 8<<10)
	for j := range jobs {
		time.Sleep(time.Millisecond)
		j.done <- fmt.Sprint(j.id, len(scratch))
	}
}

func serveWorkers(id int, r *http.Request) string {
	j := job{id, make(chan string, 1)}
	lock.Lock()
	if workers < 32 && rand.Intn(20) == 0 {
		workers++
		go work()
	}
	some := workers > 0
	lock.Unlock()
	if !some {
		return "nobody there yet"
	}
	jobs <- j
	return <-j.done
}

// A client that keeps its connections, for a while and not more than eight.
var keeping = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
	MaxIdleConns: 8, MaxIdleConnsPerHost: 8, IdleConnTimeout: 3 * time.Second}}

func serveIdle(id int, r *http.Request) string {
	var all sync.WaitGroup
	for i := 0; i < 1+id%3; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			if answer, err := keeping.Get("http://" + address + "/upstream"); err == nil {
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
		}()
	}
	all.Wait()
	return "ok"
}

// Twenty thousand things, of which each request makes some anew.
var things [20000]*session

func startChurn() {
	for i := range things {
		things[i] = &session{id: i, buf: make([]byte, 100)}
	}
}

func serveChurn(id int, r *http.Request) string {
	lock.Lock()
	defer lock.Unlock()
	for i := 0; i < 20; i++ {
		at := rand.Intn(len(things))
		things[at] = &session{id: id, user: fmt.Sprint(id), buf: make([]byte, 50+rand.Intn(100))}
	}
	return "ok"
}

// Records are collected, and written when there are 730 of them.
var batch []*session

func serveBatch(id int, r *http.Request) string {
	lock.Lock()
	defer lock.Unlock()
	batch = append(batch, &session{id: id, buf: make([]byte, 150)})
	if len(batch) >= 730 {
		batch = nil
	}
	return "ok"
}

// Much garbage, and a collector that is told to take its time.
func startGarbage() {
	debug.SetGCPercent(1000)
}

func serveGarbage(id int, r *http.Request) string {
	total := 0
	for i := 0; i < 100; i++ {
		total += len(strings.Repeat("garbage ", 100+rand.Intn(100)))
	}
	return fmt.Sprint(total)
}

// Tables that are made when they are needed for the first time, of which there are sixty.
var tables [60]struct {
	once sync.Once
	rows map[string][]byte
}

func serveOnce(id int, r *http.Request) string {
	t := &tables[int(rand.ExpFloat64()*10)%len(tables)]
	t.once.Do(func() {
		t.rows = map[string][]byte{}
		for i := 0; i < 50; i++ {
			t.rows[fmt.Sprint("row ", i)] = make([]byte, 100)
		}
	})
	return fmt.Sprint(len(t.rows))
}

// The last 1,200 events, a counter for each of few labels, and each of 300 words once.
var (
	ring  [1200]*session
	at    int
	count = map[string]*int{}
	words = map[string]string{}
)

func serveRing(id int, r *http.Request) string {
	lock.Lock()
	defer lock.Unlock()
	ring[at%len(ring)] = &session{id: id, user: r.URL.String()}
	at++
	label := fmt.Sprint("status ", rand.Intn(5))
	if count[label] == nil {
		count[label] = new(int)
	}
	*count[label]++
	word := fmt.Sprint("word ", rand.Intn(300))
	if _, ok := words[word]; !ok {
		words[word] = word
	}
	return words[word]
}

func init() {
	modes["ok-lru"] = mode{about: "a full LRU cache", start: startFull, serve: serveLRU}
	modes["ok-filling"] = mode{about: "an LRU cache that is full after 2,000 requests", start: startFilling, serve: serveLRU}
	modes["ok-pool"] = mode{about: "buffers out of a sync.Pool", serve: servePool}
	modes["ok-lazy"] = mode{about: "a map that fills with 1,500 customers, in any order", serve: serveLazy}
	modes["ok-ttl"] = mode{about: "a cache whose entries go after two seconds", start: startTTL, serve: serveTTL}
	modes["ok-workers"] = mode{about: "workers started when needed, up to 32", serve: serveWorkers}
	modes["ok-idle"] = mode{about: "a client that keeps up to eight connections", serve: serveIdle}
	modes["ok-churn"] = mode{about: "20,000 objects, of which some are made anew", start: startChurn, serve: serveChurn}
	modes["ok-batch"] = mode{about: "records that are collected, and let go at 730", serve: serveBatch}
	modes["ok-garbage"] = mode{about: "much garbage with GOGC=1000", start: startGarbage, serve: serveGarbage}
	modes["ok-once"] = mode{about: "60 tables made when needed for the first time", serve: serveOnce}
	modes["ok-ring"] = mode{about: "the last 1,200 events, bounded labels, words kept once", serve: serveRing}
}
