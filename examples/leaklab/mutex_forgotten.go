package main

// mutex-forgotten: the way of the error returns without Unlock.  The next who comes waits for ever, and no one holds the
// lock: there is no goroutine to look at, only a mutex that says "locked".
//
// The twin defers Unlock.

// CASE mutex-forgotten EXPECT goroutine-leak verdict=leak proof=proved function=main.*journal*write count>=500
// CASE mutex-forgotten-fixed NONE

import (
	"errors"
	"sync"
)

// lab:begin
type journal struct {
	mu  sync.Mutex
	buf []byte
}

func (j *journal) write(line []byte) error {
	j.mu.Lock()
	if len(line) == 0 {
		return errors.New("journal: empty line") // still locked
	}
	j.buf = append(j.buf, line...)
	j.mu.Unlock()
	return nil
}

// lab:end

// lab:fixed-begin
func (j *journal) writeFixed(line []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(line) == 0 {
		return errors.New("journal: empty line")
	}
	j.buf = append(j.buf, line...)
	return nil
}

// lab:fixed-end

func useJournal(write func(*journal, []byte) error) func(int) {
	return func(int) {
		j := &journal{buf: payload(8 << 10)}
		write(j, nil)
		go write(j, []byte("second"))
	}
}

func init() {
	add(mode{name: "mutex-forgotten", about: "a mutex that was locked and never unlocked", enough: 600,
		plant: useJournal((*journal).write), fixed: useJournal((*journal).writeFixed)})
}
