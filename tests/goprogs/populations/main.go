// populations - a program that knows its own numbers: strings, maps, slices, channels, timers,
// contexts, pools, finalizers, files and sockets, printed as JSON after "TRUTH ".
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"limpet/goprogs/internal/ready"
)

type names struct {
	many   []string // 10,000 copies of one text, each with memory of its own
	few    []string // 10 different ones, 3 copies each
	single []string // all different
	pin    string   // 20 bytes of a buffer of 1 MiB
	shared []string // one text that all share
}

type cache struct {
	full    map[int]int
	emptied map[string]*item // 10,000 inserted, 9,990 deleted
	big     map[int32]int64
}

type item struct {
	n   int
	buf []byte
}

type window struct {
	view []byte // 100 bytes in the middle of 64 KiB
}

type mailbox struct {
	backlog chan *item // 7 of 16
	full    chan int   // full, 5 senders wait
	idle    chan string
	closed  chan bool
}

type keyA struct{}
type keyB string

var (
	theNames  *names
	theCache  *cache
	theItems  []*item
	theWindow *window
	theBox    *mailbox
	timers    []any
	stopped   []*time.Timer
	contexts  []context.Context
	cancels   []context.CancelFunc
	thePool   = sync.Pool{New: newBuffer}
	closers   []any
	truth     = map[string]any{}
)

type buffer struct {
	b [4096]byte
	p *int
}

func newBuffer() any { return &buffer{} }

func addr(p any) string { return fmt.Sprintf("%p", p) }

func makeStrings() {
	for i := 0; i < 10000; i++ {
		theNames.many = append(theNames.many, strings.Clone("the same customer's name, again and again"))
	}
	for i := 0; i < 10; i++ {
		for k := 0; k < 3; k++ {
			theNames.few = append(theNames.few, "text number "+strconv.Itoa(1000000+i)+" of ten, three times")
		}
	}
	for i := 0; i < 500; i++ {
		theNames.single = append(theNames.single, "only once in this program "+strconv.Itoa(i))
	}
	one := strings.Clone("shared by all of its hundred holders")
	for i := 0; i < 100; i++ {
		theNames.shared = append(theNames.shared, one)
	}
	theNames.pin = strings.Repeat("0123456789abcdef", 65536)[5000:5020]
	truth["strings"] = map[string]any{"many": 10000, "many_len": len(theNames.many[0]), "few": 10, "few_copies": 3, "few_len": len(theNames.few[0]),
		"pin_visible": 20, "pin_bytes": 1 << 20}
}

func makeMaps() {
	theCache.full = map[int]int{}
	for i := 0; i < 1000; i++ {
		theCache.full[i] = i
	}
	theCache.emptied = map[string]*item{}
	for i := 0; i < 10000; i++ {
		theCache.emptied[strconv.Itoa(i)] = &item{n: i}
	}
	for i := 10; i < 10000; i++ {
		delete(theCache.emptied, strconv.Itoa(i))
	}
	theCache.big = make(map[int32]int64, 5000)
	for i := 0; i < 5000; i++ {
		theCache.big[int32(i)] = int64(i)
	}
	truth["maps"] = map[string]any{
		"map[int]int":           1000,
		"map[string]*main.item": 10,
		"map[int32]int64":       5000,
	}
}

func makeSlices() {
	for i := 0; i < 200; i++ {
		theItems = append(theItems, &item{n: i, buf: make([]byte, 100, 8192)})
	}
	big := make([]byte, 65536)
	theWindow.view = big[30000:30100:30100]
	truth["slices"] = map[string]any{"item_arrays": 200, "item_waste": 200 * (8192 - 100),
		"view_visible": 100, "view_bytes": 65536}
}

func makeChans() {
	theBox.backlog = make(chan *item, 16)
	for i := 0; i < 7; i++ {
		theBox.backlog <- &item{n: i}
	}
	theBox.full = make(chan int, 3)
	for i := 0; i < 3; i++ {
		theBox.full <- i
	}
	for i := 0; i < 5; i++ {
		go func(n int) { theBox.full <- n }(1000 + i)
	}
	theBox.idle = make(chan string)
	for i := 0; i < 4; i++ {
		go func() { <-theBox.idle }()
	}
	theBox.closed = make(chan bool)
	close(theBox.closed)
	truth["chans"] = map[string]any{
		"backlog": map[string]any{"addr": addr(theBox.backlog), "len": 7, "cap": 16, "senders": 0, "receivers": 0, "closed": false},
		"full":    map[string]any{"addr": addr(theBox.full), "len": 3, "cap": 3, "senders": 5, "receivers": 0, "closed": false},
		"idle":    map[string]any{"addr": addr(theBox.idle), "len": 0, "cap": 0, "senders": 0, "receivers": 4, "closed": false},
		"closed":  map[string]any{"addr": addr(theBox.closed), "len": 0, "cap": 0, "senders": 0, "receivers": 0, "closed": true},
	}
}

func onTimer() { println("never") }

func makeTimers() {
	for i := 0; i < 10; i++ {
		timers = append(timers, time.NewTicker(time.Duration(i+1)*time.Hour))
	}
	for i := 0; i < 5; i++ {
		timers = append(timers, time.AfterFunc(1000*time.Hour, onTimer))
	}
	for i := 0; i < 3; i++ {
		t := time.NewTimer(500 * time.Hour)
		t.Stop()
		stopped = append(stopped, t)
	}
	truth["timers"] = map[string]any{"tickers": 10, "funcs": 5, "func": "main.onTimer", "stopped": 3,
		"when_hours": 1000}
}

func makeContexts() {
	root, cancel := context.WithCancel(context.Background())
	cancels = append(cancels, cancel)
	contexts = append(contexts, root)
	for i := 0; i < 20; i++ {
		child, stop := context.WithCancel(root)
		cancels = append(cancels, stop)
		contexts = append(contexts, child)
	}
	deadline, stop := context.WithDeadline(root, time.Unix(4000000000, 0))
	cancels = append(cancels, stop)
	contexts = append(contexts, deadline)
	contexts = append(contexts, context.WithValue(deadline, keyA{}, 1), context.WithValue(root, keyB("k"), "v"))
	done, stop := context.WithCancel(context.Background())
	stop()
	contexts = append(contexts, done)
	truth["contexts"] = map[string]any{"cancel": 22, "timeout": 1, "value": 2, "root": addr(root),
		"root_children": 21, "cancelled": 1, "keys": []string{"main.keyA", "main.keyB"},
		"deadline": "2096-10-02T07:06:40", "depth": 3}
}

func makePools() {
	for i := 0; i < 12; i++ {
		thePool.Put(&buffer{})
	}
	runtime.GC() // to the victims
	for i := 0; i < 5; i++ {
		thePool.Put(&buffer{})
	}
	truth["pools"] = map[string]any{"addr": addr(&thePool), "max": 17, "new": "main.newBuffer", "elem": 4104}
}

type resource struct {
	p *int
	n [6]int
}

func finalize(r *resource) { r.n[0]++ }

var resources []*resource

func makeFinalizers() {
	for i := 0; i < 50; i++ {
		r := &resource{}
		runtime.SetFinalizer(r, finalize)
		resources = append(resources, r)
	}
	truth["finalizers"] = map[string]any{"type": "main.resource", "function": "main.finalize", "count": 50}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// What one descriptor is.
type descriptor struct {
	Fd    int    `json:"fd"` // -1: closed
	Kind  string `json:"kind"`
	State string `json:"state"`
	Type  string `json:"type"`
	Addr  string `json:"addr"`
	Path  string `json:"path"`
	Local string `json:"local"`
	Peer  string `json:"peer"`
}

var descriptors []descriptor

func fdOf(c any) int {
	fd := -1
	must(c.(syscall.Conn).SyscallConn()).Control(func(x uintptr) { fd = int(x) })
	return fd
}

func hold(c any, d descriptor) {
	closers = append(closers, c)
	d.Fd, d.Addr, d.Type, d.State = fdOf(c), addr(c), fmt.Sprintf("%T", c)[1:], "open"
	descriptors = append(descriptors, d)
}

func holdConn(c net.Conn, kind string) {
	hold(c, descriptor{Kind: kind, Local: c.LocalAddr().String(), Peer: c.RemoteAddr().String()})
}

func makeSockets(network, at string) {
	l := must(net.Listen(network, at))
	hold(l, descriptor{Kind: network, Local: l.Addr().String()})
	for i := 0; i < 4; i++ {
		holdConn(must(net.Dial(network, l.Addr().String())), network)
		holdConn(must(l.Accept()), network)
	}
}

func makeFiles() {
	dir := must(os.MkdirTemp("", "populations"))
	for i := 0; i < 3; i++ {
		f := must(os.Create(dir + "/file" + strconv.Itoa(i)))
		f.WriteString("12345")
		hold(f, descriptor{Kind: "file", Path: f.Name()})
	}
	d := must(os.Open(dir))
	hold(d, descriptor{Kind: "directory", Path: dir})
	makeSockets("tcp", "127.0.0.1:0")
	u := must(net.ListenPacket("udp", "127.0.0.1:0"))
	hold(u, descriptor{Kind: "udp", Local: u.LocalAddr().String()})
	name := fmt.Sprintf("@limpet-populations-%d", os.Getpid())
	ul := must(net.Listen("unix", name))
	hold(ul, descriptor{Kind: "unix", Path: name})
	uc := must(net.Dial("unix", name))
	hold(uc, descriptor{Kind: "unix", Peer: name})
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	hold(r, descriptor{Kind: "pipe"})
	hold(w, descriptor{Kind: "pipe"})
}

func openBare(path string) int { return must(syscall.Open(path, syscall.O_RDONLY, 0)) }

//go:noinline
func dropFile(path string) int {
	return fdOf(must(os.Open(path)))
}

// Descriptors whose objects are not as they should be; nothing may be opened or collected after it.
func makeOddFiles() {
	held := must(os.Open("/proc/self/comm"))
	closers = append(closers, held)
	held.Close()
	descriptors = append(descriptors, descriptor{Fd: -1, Kind: "file", State: "closed", Type: "os.File", Addr: addr(held),
		Path: "/proc/self/comm"})
	descriptors = append(descriptors, descriptor{Fd: openBare("/proc/self/limits"), Kind: "file", State: "no object",
		Path: fmt.Sprintf("/proc/%d/limits", os.Getpid())})
	descriptors = append(descriptors, descriptor{Fd: dropFile("/proc/self/status"), Kind: "file", State: "garbage", Type: "os.file",
		Path: fmt.Sprintf("/proc/%d/status", os.Getpid())})
	behind := must(os.Open("/proc/self/stat"))
	closers = append(closers, behind)
	descriptors = append(descriptors, descriptor{Fd: fdOf(behind), Kind: "file", State: "not open", Type: "os.File",
		Addr: addr(behind), Path: "/proc/self/stat"})
	syscall.Close(fdOf(behind))
	truth["fds"] = descriptors
}

func main() {
	theNames, theCache, theWindow, theBox = &names{}, &cache{}, &window{}, &mailbox{}
	makeStrings()
	makeMaps()
	makeSlices()
	makeChans()
	makeTimers()
	makeContexts()
	makeFinalizers()
	makeFiles()
	runtime.GC()
	makePools()
	makeOddFiles()
	time.Sleep(50 * time.Millisecond)
	fmt.Println("TRUTH " + string(must(json.Marshal(truth))))
	ready.Say()
	ready.Wait()
}
