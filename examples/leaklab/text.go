package main

import (
	"strconv"
	"strings"
	"time"
)

// payload is n bytes that are really there.
func payload(n int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; i += 512 {
		b[i] = byte(i)
	}
	return b
}

// text is n letters, different for each i.
func text(i, n int) string {
	s := strconv.Itoa(i) + " "
	return s + strings.Repeat("x", n-len(s))
}

// until waits for what other goroutines have still to do, at most ten seconds.
func until(done func() bool) {
	for end := time.Now().Add(10 * time.Second); !done() && time.Now().Before(end); {
		time.Sleep(2 * time.Millisecond)
	}
}

// atWork is at work for a moment: an hour, as a lab is patient.
func atWork() {
	time.Sleep(time.Hour)
}

// atOnceOrSoon gives goroutines of the runtime a moment, those of finalizers above all.
func atOnceOrSoon() {
	time.Sleep(20 * time.Millisecond)
}
