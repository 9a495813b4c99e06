// victim is a Go server that notices what a snapshot could do to it: signals that
// it did not send, descriptors kept open, answers that are wrong or late.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	addr    = flag.String("addr", "127.0.0.1:7701", "HTTP")
	heapMB  = flag.Int("heap", 50, "MiB of live heap")
	spin    = flag.Bool("spin", false, "one goroutine per P that never leaves user code")
	gc      = flag.Bool("gc", false, "allocate all the time, GOGC=10")
	threads = flag.Int("threads", 0, "threads blocked in read(2)")
	churn   = flag.Bool("churn", false, "make and end threads all the time")
	urg     = flag.Bool("urg", false, "send ourselves SIGURG all the time")
	execs   = flag.Bool("execs", false, "run /bin/true all the time")
)

var (
	keep   [][]byte
	sigs   atomic.Int64
	execOK atomic.Int64
	execNo atomic.Int64
)

func fill() {
	for i := 0; i < *heapMB; i++ {
		b := make([]byte, 1<<20)
		for j := range b {
			b[j] = byte(i * j)
		}
		keep = append(keep, b)
	}
}

func spinner() {
	x := 0
	for {
		x++
		if x < 0 {
			fmt.Println(x)
		}
	}
}

func allocator() {
	for {
		var s [][]byte
		for i := 0; i < 2000; i++ {
			s = append(s, make([]byte, 700))
		}
		runtime.KeepAlive(s)
	}
}

func blocked() {
	runtime.LockOSThread()
	var p [2]int
	syscall.Pipe(p[:])
	var b [1]byte
	for {
		if n, err := syscall.Read(p[0], b[:]); n != 0 || err != syscall.EINTR {
			fmt.Fprintln(os.Stderr, "read from an empty pipe gave", n, err)
			os.Exit(3)
		}
	}
}

// A locked goroutine that returns takes its thread with it.
func churner() {
	for {
		done := make(chan bool)
		go func() {
			runtime.LockOSThread()
			time.Sleep(time.Millisecond)
			close(done)
		}()
		<-done
	}
}

func urger() {
	for {
		syscall.Kill(os.Getpid(), syscall.SIGURG)
		time.Sleep(20 * time.Microsecond)
	}
}

func execer() {
	for {
		if exec.Command("/bin/true").Run() == nil {
			execOK.Add(1)
		} else {
			execNo.Add(1)
		}
	}
}

// Holds what others wait for, and lets go of all of it at once when told.
func holder(w http.ResponseWriter, r *http.Request) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	lock, err := os.Create(r.FormValue("lock"))
	if err != nil || syscall.Flock(int(lock.Fd()), syscall.LOCK_EX) != nil {
		http.Error(w, "lock", 500)
		return
	}
	cat := exec.Command("cat")
	in, _ := cat.StdinPipe()
	cat.Start()
	fmt.Fprintln(w, ln.Addr().(*net.TCPAddr).Port)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		var b [1]byte
		c.Read(b[:]) // the word to let go
		t := time.Now()
		ln.Close()
		lock.Close()
		in.Close()
		c.Close()
		cat.Wait()
		catGone.Store(int64(time.Since(t)))
	}()
}

var catGone atomic.Int64

func count(dir string) int {
	e, _ := os.ReadDir(dir)
	return len(e)
}

func main() {
	flag.Parse()
	fill()
	runtime.GC()
	c := make(chan os.Signal, 100)
	signal.Notify(c, syscall.SIGCHLD)
	go func() {
		for range c {
			sigs.Add(1)
		}
	}()
	http.HandleFunc("/sum", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		h := sha256.Sum256(b)
		fmt.Fprint(w, hex.EncodeToString(h[:]))
	})
	http.HandleFunc("/hold", holder)
	http.HandleFunc("/state", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"sigchld":%d,"fds":%d,"threads":%d,"cat_ns":%d,"exec_ok":%d,"exec_bad":%d}`,
			sigs.Load(), count("/proc/self/fd"), count("/proc/self/task"), catGone.Load(),
			execOK.Load(), execNo.Load())
	})
	for i := 0; *spin && i < runtime.GOMAXPROCS(0); i++ {
		go spinner()
	}
	for i := 0; *gc && i < 4; i++ {
		go allocator()
	}
	for i := 0; i < *threads; i++ {
		go blocked()
	}
	if *churn {
		go churner()
		go churner()
	}
	if *urg {
		go urger()
	}
	if *execs {
		go execer()
	}
	fmt.Fprintln(os.Stderr, http.ListenAndServe(*addr, nil))
}
