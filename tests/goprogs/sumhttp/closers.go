package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// What the tests have the program open, and close while a twin is held.
var open struct {
	sync.Mutex
	conns  []net.Conn
	lock   *os.File
	port   net.Listener
	stdin  io.WriteCloser
	exited chan time.Time
}

func addClosers() {
	http.HandleFunc("/open", doOpen)
	http.HandleFunc("/close/conns", closeConns)
	http.HandleFunc("/close/lock", closeLock)
	http.HandleFunc("/close/port", closePort)
	http.HandleFunc("/close/pipe", closePipe)
}

// doOpen answers "<address that keeps its connections> <address of the port that will be freed>".
func doOpen(w http.ResponseWriter, r *http.Request) {
	open.Lock()
	defer open.Unlock()
	keep, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	go func() {
		for {
			c, err := keep.Accept()
			if err != nil {
				return
			}
			open.Lock()
			open.conns = append(open.conns, c)
			open.Unlock()
		}
	}()
	open.port, _ = net.Listen("tcp", "127.0.0.1:0")
	open.lock, _ = os.OpenFile(r.URL.Query().Get("lock"), os.O_RDWR|os.O_CREATE, 0o600)
	syscall.Flock(int(open.lock.Fd()), syscall.LOCK_EX)
	child := exec.Command("cat")
	open.stdin, _ = child.StdinPipe()
	open.exited = make(chan time.Time, 1)
	if err := child.Start(); err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	go func() {
		child.Wait()
		open.exited <- time.Now()
	}()
	fmt.Fprint(w, keep.Addr(), " ", open.port.Addr())
}

func closeConns(w http.ResponseWriter, _ *http.Request) {
	open.Lock()
	defer open.Unlock()
	for _, c := range open.conns {
		c.Close()
	}
	fmt.Fprint(w, len(open.conns))
}

func closeLock(http.ResponseWriter, *http.Request) { open.lock.Close() }
func closePort(http.ResponseWriter, *http.Request) { open.port.Close() }

// closePipe answers the nanoseconds until the child saw the end of its input and exited.
func closePipe(w http.ResponseWriter, _ *http.Request) {
	start := time.Now()
	open.stdin.Close()
	select {
	case at := <-open.exited:
		fmt.Fprint(w, at.Sub(start).Nanoseconds())
	case <-time.After(20 * time.Second):
		http.Error(w, "the child saw no end of its input", 500)
	}
}
