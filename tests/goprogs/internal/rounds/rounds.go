// Package rounds lets a program show by its own figures whether it leaks: the same work three times, and after each
// time, with all garbage collected, how many goroutines and how many bytes are left.  SIGHUP asks for three more, which
// end with the line "ROUNDS" and the same figures.
package rounds

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Run does the work three times; words are "GOROUTINES BYTES" after each, for ready.Say.
func Run(work func()) []string {
	more := make(chan os.Signal, 1)
	signal.Notify(more, syscall.SIGHUP)
	words := three(work)
	go func() {
		for range more {
			fmt.Println("ROUNDS", strings.Join(three(work), " "))
		}
	}()
	return words
}

func three(work func()) (words []string) {
	for i := 0; i < 3; i++ {
		work()
		goroutines, bytes := rest()
		words = append(words, fmt.Sprint(goroutines), fmt.Sprint(bytes))
	}
	return words
}

// What is left once things have settled: goroutines that are about to end have half a second for it.
func rest() (int, uint64) {
	var m runtime.MemStats
	n := runtime.NumGoroutine()
	for still := 0; still < 5; still++ {
		time.Sleep(100 * time.Millisecond)
		if now := runtime.NumGoroutine(); now < n {
			n, still = now, 0
		}
	}
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return n, m.HeapAlloc
}
