// goroutines10k - ten thousand goroutines, blocked in every way there is.
//
// EXPECT goroutine function=main.blockRecv count=1000
// EXPECT goroutine function=main.blockSend count=1000
// EXPECT goroutine function=main.blockSelect count=1000
// EXPECT goroutine function=main.blockMutex count=1000
// EXPECT goroutine function=main.blockRWMutex count=1000
// EXPECT goroutine function=main.blockCond count=1000
// EXPECT goroutine function=main.blockWaitGroup count=1000
// EXPECT goroutine function=main.blockSleep count=1000
// EXPECT goroutine function=main.blockSocket count=500
// EXPECT goroutine function=main.blockPipe count=500
// EXPECT goroutine function=main.blockNilChan count=500
// EXPECT goroutine function=main.blockForever count=500
package main

import (
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"limpet/goprogs/internal/ready"
)

// payload is what each goroutine alone keeps alive.
type payload struct {
	id    int
	name  string
	parts []*int
}

func newPayload(i int) *payload {
	p := &payload{id: i, name: string(make([]byte, 100))}
	for j := 0; j < 5; j++ {
		p.parts = append(p.parts, new(int))
	}
	return p
}

var (
	recvFrom = make(chan *payload)
	sendTo   = make(chan *payload)
	mutex    sync.Mutex
	rw       sync.RWMutex
	cond     = sync.NewCond(&sync.Mutex{})
	group    sync.WaitGroup
)

func blockRecv(i int) {
	p := newPayload(i)
	<-recvFrom
	runtime.KeepAlive(p)
}

func blockSend(i int) { sendTo <- newPayload(i) }

func blockSelect(i int) {
	p, other := newPayload(i), make(chan int)
	select {
	case <-recvFrom:
	case sendTo <- p:
	case <-other:
	case <-time.After(10 * time.Hour):
	}
	runtime.KeepAlive(p)
}

func blockMutex(i int) {
	p := newPayload(i)
	mutex.Lock()
	defer mutex.Unlock()
	runtime.KeepAlive(p)
}

func blockRWMutex(i int) {
	p := newPayload(i)
	if i%2 == 0 {
		rw.RLock()
		defer rw.RUnlock()
	} else {
		rw.Lock()
		defer rw.Unlock()
	}
	runtime.KeepAlive(p)
}

func blockCond(i int) {
	p := newPayload(i)
	cond.L.Lock()
	cond.Wait()
	cond.L.Unlock()
	runtime.KeepAlive(p)
}

func blockWaitGroup(i int) {
	p := newPayload(i)
	group.Wait()
	runtime.KeepAlive(p)
}

func blockSleep(i int) {
	p := newPayload(i)
	time.Sleep(10 * time.Hour)
	runtime.KeepAlive(p)
}

func blockSocket(i int) {
	p := newPayload(i)
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		panic(err)
	}
	file := os.NewFile(uintptr(fds[0]), "pair")
	c, err := net.FileConn(file)
	if err != nil {
		panic(err)
	}
	file.Close()
	buf := make([]byte, 64)
	c.Read(buf)
	runtime.KeepAlive(p)
}

func blockPipe(i int) {
	p := newPayload(i)
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	r.Read(make([]byte, 16))
	runtime.KeepAlive(w)
	runtime.KeepAlive(p)
}

func blockNilChan(i int) {
	p := newPayload(i)
	var never chan int
	<-never
	runtime.KeepAlive(p)
}

func blockForever(i int) {
	p := newPayload(i)
	if p.id >= 0 {
		select {}
	}
	runtime.KeepAlive(p)
}

func start(n int, f func(int)) {
	for i := 0; i < n; i++ {
		go f(i)
	}
}

func main() {
	var limit syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	limit.Cur = limit.Max
	syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	mutex.Lock()
	rw.Lock()
	group.Add(1)
	for _, f := range []func(int){blockRecv, blockSend, blockSelect, blockMutex, blockRWMutex, blockCond,
		blockWaitGroup, blockSleep} {
		start(1000, f)
	}
	for _, f := range []func(int){blockSocket, blockPipe, blockNilChan, blockForever} {
		start(500, f)
	}
	time.Sleep(500 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	ready.Say()
	ready.Wait()
}
