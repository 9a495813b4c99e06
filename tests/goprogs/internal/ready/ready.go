// Package ready is how test programs talk to the tests.
//
//	READY <pid> [words]   on stdout once all is in place
//	SIGUSR1               runtime.GC() twice, then "GC <NumGC> <HeapObjects> <HeapAlloc>"
//	SIGUSR2               "STACKS", the dump of all goroutines as debug=2 prints it, "END"
package ready

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// Say prints READY and starts to listen for the two signals.
func Say(words ...string) {
	Listen()
	fmt.Println(strings.Join(append([]string{"READY", fmt.Sprint(os.Getpid())}, words...), " "))
}

// Wait blocks for ever, as a server's main does.
func Wait() {
	<-make(chan struct{})
}

// Listen answers SIGUSR1 and SIGUSR2 from a goroutine of its own.
func Listen() {
	c := make(chan os.Signal, 4)
	signal.Notify(c, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for s := range c {
			if s == syscall.SIGUSR1 {
				collect()
			} else {
				stacks()
			}
		}
	}()
}

func collect() {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Println("GC", m.NumGC, m.HeapObjects, m.HeapAlloc)
}

func stacks() {
	for n := 1 << 20; ; n *= 2 {
		buf := make([]byte, n)
		if used := runtime.Stack(buf, true); used < n {
			os.Stdout.WriteString("STACKS\n" + string(buf[:used]) + "\nEND\n")
			return
		}
	}
}
