// canary - strings that must not leave: one in every place where a program can keep one.
//
// All begin with the same six letters, put together at run time, so that the executable itself
// has none.  Behind them stands the place: "<letters>-mapkey-…".  Prints READY, then addresses of
// objects that hold some, name=0x….
package main

import (
	"bytes"
	"container/list"
	"context"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"limpet/goprogs/internal/ready"
)

// letters is "YrAnAc" turned round.
func letters() string {
	b := []byte("YrAnAc")
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// say makes a canary of a place on the heap; long enough to be no tiny object.
func say(place string, n int) string {
	return strings.Clone(fmt.Sprintf("%s-%s-%04d-padding-that-makes-it-longer", letters(), place, n))
}

func fixed(place string) (a [32]byte) {
	copy(a[:], say(place, 1)[:31])
	return
}

type inner struct{ N int }

// Record has bytes of its own beside a pointer: its object is scanned.
type Record struct {
	Next  *inner
	Field [32]byte
	Name  string
	Raw   []byte
}

// Big has its type in a malloc header.
type Big struct {
	Record
	Many [100]*inner
}

type item struct {
	p *inner
	b [32]byte
}

var (
	globalBytes  [32]byte // noptrbss
	globalMixed  Record   // bss
	globalData   = [32]byte{1}
	globalString string
	big          []*Big
	stringKeys   = map[string]*Record{}
	inlineKeys   = map[[32]byte]*inner{}
	inlineNoscan = map[[32]byte]int{}
	values       = map[int]string{}
	records      []*Record
	strs         []string
	blobs        [][]byte
	anys         []any
	numbers      = make(chan [32]byte, 8)
	items        = make(chan item, 8)
	texts        = make(chan string, 8)
	syncMap      sync.Map
	linked       = list.New()
	buffer       bytes.Buffer
	builder      strings.Builder
	mapping      []byte
	made         []any
	unicode      []string
	runes        [][]rune
	short        = map[[8]byte]*inner{}
)

func fillMaps() {
	for i := 0; i < 200; i++ {
		stringKeys[say("mapkey", i)] = &Record{Next: &inner{i}, Field: fixed("field"), Name: say("string", i),
			Raw: []byte(say("slice", i))}
		values[i] = say("mapvalue", i)
		var k [32]byte
		copy(k[:], say("inlinekey", i)[:31])
		k[31] = byte(i)
		inlineKeys[k] = &inner{i}
		copy(k[:], say("noscankey", i)[:31])
		inlineNoscan[k] = i
		var s [8]byte
		copy(s[:], letters())
		s[6], s[7] = byte(i), 1
		short[s] = &inner{i}
	}
}

func fillRest() {
	for i := 0; i < 100; i++ {
		records = append(records, &Record{Next: &inner{i}, Field: fixed("field"), Name: say("string", i),
			Raw: []byte(say("slice", i))})
		strs = append(strs, say("string", i))
		blobs = append(blobs, bytes.Repeat([]byte(say("slice", i)), 100))
		anys = append(anys, say("any", i), fixed("boxed"))
		syncMap.Store(say("syncmap", i), say("syncmap", i))
		linked.PushBack(say("list", i))
		unicode = append(unicode, "ключ-"+say("unicode", i)+"-値")
		runes = append(runes, []rune(say("runes", i)))
	}
	for i := 0; i < 10; i++ {
		big = append(big, &Big{Record: *records[i]})
	}
	for i := 0; i < 4; i++ {
		numbers <- fixed("chanbytes")
		items <- item{&inner{i}, fixed("chanfield")}
		texts <- say("chanstring", i)
	}
	buffer.WriteString(say("buffer", 0))
	builder.WriteString(say("builder", 0))
	globalBytes, globalData = fixed("global"), fixed("globaldata")
	globalMixed = Record{Field: fixed("globalfield"), Name: say("string", 1)}
	globalString = say("string", 2)
}

// outside: memory that is not Go's.
func outside() {
	var err error
	mapping, err = syscall.Mmap(-1, 0, 1<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	for i := 0; i < 100; i++ {
		copy(mapping[i*5000:], say("mmap", i))
	}
}

// garbage: it lived, and is free memory now.
func garbage() {
	var old [][]byte
	for i := 0; i < 20000; i++ {
		old = append(old, []byte(say("garbage", i)))
	}
	runtime.KeepAlive(old)
}

// Types that the program makes itself: their masks are bytes on the heap.
func makeTypes() {
	for i := 1; i <= 3; i++ {
		f := []reflect.StructField{{Name: "P", Type: reflect.TypeOf(&inner{})},
			{Name: "A", Type: reflect.ArrayOf(100*i, reflect.TypeOf("")), Tag: ""}}
		v := reflect.New(reflect.StructOf(f))
		v.Elem().Field(0).Set(reflect.ValueOf(&inner{i}))
		v.Elem().Field(1).Index(99).SetString(say("string", i))
		made = append(made, v.Interface())
	}
}

//go:noinline
func argument(a [32]byte, s string, stop chan struct{}) {
	<-stop
	runtime.KeepAlive(a)
	runtime.KeepAlive(s)
}

//go:noinline
func local(stop chan struct{}) {
	var b [64]byte
	copy(b[:], say("stack", 1))
	<-stop
	fmt.Fprintln(os.Stderr, b)
}

func goroutines() {
	stop := make(chan struct{})
	for i := 0; i < 3; i++ {
		go argument(fixed("argument"), say("string", i), stop)
		go local(stop)
		captured := fixed("captured")
		go func() {
			<-stop
			runtime.KeepAlive(captured)
		}()
	}
	go pprof.Do(context.Background(), pprof.Labels("user", say("label", 1), say("labelkey", 1), "x"),
		func(context.Context) { <-stop })
	for i := 0; i < 3; i++ {
		go func() { numbers2 <- fixed("chansend") }()
	}
}

var numbers2 = make(chan [32]byte) // nobody receives

func nameThread() {
	runtime.LockOSThread()
	name := append([]byte(say("thread", 1)[:15]), 0)
	syscall.RawSyscall(syscall.SYS_PRCTL, 15, uintptr(unsafe.Pointer(&name[0])), 0)
	select {}
}

func main() {
	fillMaps()
	fillRest()
	outside()
	garbage()
	makeTypes()
	goroutines()
	go nameThread()
	for i := 0; i < 20; i++ {
		runtime.Gosched()
	}
	runtime.GC()
	runtime.GC()
	debug.SetGCPercent(-1)
	ready.Say(fmt.Sprintf("record=%p big=%p string=%p bytes=%p chan=%p", records[0], big[0], unsafe.StringData(strs[0]), &blobs[0][0], numbers))
	ready.Wait()
}
