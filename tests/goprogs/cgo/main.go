// cgo - C in the way: callbacks into Go from C threads, C that spins, panics recovered across C, memory of malloc.
//
// EXPECT type main.held count=300
// EXPECT goroutine function=main.callbackBlocks count=8
package main

/*
#cgo CFLAGS: -O1 -g0
#cgo LDFLAGS: -lpthread
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void goBlock(uintptr_t);
extern int64_t goCount(int64_t);
extern void goPanics(int64_t);

static atomic_ullong spins;

// A thread that Go does not know until it calls in.
static void *foreign(void *arg)
{
	(void)arg;
	for (int64_t i = 0;; i++) {
		goCount(i);
		usleep(1000);
	}
	return NULL;
}

static void *lonely(void *arg)
{
	(void)arg;
	for (;;)
		usleep(20000);
	return NULL;
}

static void start_threads(void)
{
	pthread_t t;

	for (int i = 0; i < 3; i++)
		pthread_create(&t, NULL, foreign, NULL);
	pthread_create(&t, NULL, lonely, NULL);
}

// Frames of C between frames of Go.
static __attribute__((noinline)) void call_block(uintptr_t handle)
{
	volatile char room[200];

	memset((void *)room, 1, sizeof(room));
	goBlock(handle);
	room[0]++;
}

static __attribute__((noinline)) void call_panics(int64_t depth)
{
	goPanics(depth);
}

static void spin(void)
{
	for (;;) {
		for (volatile int i = 0; i < 100000; i++)
			;
		atomic_fetch_add(&spins, 1);
		usleep(500);
	}
}

static void *take(size_t n)
{
	return memset(malloc(n), 0xc0, n);
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"runtime/cgo"
	"sync/atomic"
	"time"
	"unsafe"

	"limpet/goprogs/internal/ready"
)

type held struct {
	n    int
	next *held
	text string
}

var (
	list    []*held
	fromC   []unsafe.Pointer
	counted int64
	blocked int64
	inside  unsafe.Pointer // *held
)

//export goCount
func goCount(i C.int64_t) C.int64_t {
	atomic.StorePointer(&inside, unsafe.Pointer(&held{n: int(i) - 1000000}))
	if i%50 == 0 {
		callPanics(3)
	}
	return C.int64_t(atomic.AddInt64(&counted, 1))
}

//export goBlock
func goBlock(handle C.uintptr_t) {
	callbackBlocks(cgo.Handle(handle).Value().(*held))
}

// callbackBlocks waits for ever with Go, C and Go frames below it.
func callbackBlocks(h *held) {
	mine := &held{n: h.n, text: "callback"}
	atomic.AddInt64(&blocked, 1)
	<-make(chan int)
	runtime.KeepAlive(mine)
}

//export goPanics
func goPanics(depth C.int64_t) {
	if depth > 0 {
		C.call_panics(depth - 1)
		return
	}
	panic(fmt.Sprint("from the depth of C"))
}

// callPanics lets a panic run through frames of C and recovers it.
func callPanics(depth int) {
	defer func() {
		if recover() == nil {
			panic("no panic came through C")
		}
	}()
	C.call_panics(C.int64_t(depth))
}

// A panic that is recovered while C waits below; the goroutine goes on in the deferred function.
func blockInDefer(h *held) {
	defer func() {
		_ = recover()
		C.call_block(C.uintptr_t(cgo.NewHandle(h)))
	}()
	C.call_panics(2)
}

func main() {
	for i := 0; i < 284; i++ {
		list = append(list, &held{n: i, text: fmt.Sprint(i)})
	}
	for i := 0; i < 100; i++ {
		fromC = append(fromC, C.take(100000))
	}
	C.start_threads()
	for i := 0; i < 8; i++ {
		h := &held{n: i}
		if i%2 == 0 {
			go C.call_block(C.uintptr_t(cgo.NewHandle(h)))
		} else {
			go blockInDefer(h)
		}
	}
	go C.spin()
	for atomic.LoadInt64(&blocked) < 8 || atomic.LoadInt64(&counted) < 100 {
		time.Sleep(time.Millisecond)
	}
	runtime.GC()
	runtime.GC()
	ready.Say()
	for {
		callPanics(2)
		time.Sleep(5 * time.Millisecond)
	}
}
