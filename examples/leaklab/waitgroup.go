package main

// waitgroup: Add(2), and on the way of the error only one Done.  The one who waits waits for ever ("sync.WaitGroup.Wait"
// since Go 1.25, "semacquire" before).
//
// The twin defers Done.

// CASE waitgroup EXPECT goroutine-leak verdict=leak proof=proved function=main.uploadAll count>=500
// CASE waitgroup-fixed NONE

import (
	"errors"
	"sync"
)

// lab:begin
func uploadAll(parts [2][]byte) {
	var wg sync.WaitGroup
	wg.Add(len(parts))
	for i := range parts {
		go uploadPart(&wg, parts[i])
	}
	wg.Wait()
	finishUpload(parts)
}

func uploadPart(wg *sync.WaitGroup, part []byte) {
	if err := upload(part); err != nil {
		return // without wg.Done()
	}
	wg.Done()
}

// lab:end

// lab:fixed-begin
func uploadAllFixed(parts [2][]byte) {
	var wg sync.WaitGroup
	wg.Add(len(parts))
	for i := range parts {
		go func() {
			defer wg.Done()
			upload(parts[i])
		}()
	}
	wg.Wait()
	finishUpload(parts)
}

// lab:fixed-end

func upload(part []byte) error {
	if part[0] == 0 {
		return errors.New("upload: refused")
	}
	return nil
}

//go:noinline
func finishUpload([2][]byte) {}

func init() {
	parts := func() [2][]byte { return [2][]byte{payload(4 << 10), payload(4 << 10)} }
	add(mode{name: "waitgroup", about: "a WaitGroup that misses a Done", enough: 600,
		plant: func(int) { go uploadAll(parts()) }, fixed: func(int) { go uploadAllFixed(parts()) }})
}
