package main

// file: files are opened and not closed.  os.File has a finalizer, so a file that is merely forgotten is closed some day,
// at a collection; these are kept in a list, and stay open until the process may open no more.
//
// The twin closes each when it has been read.

// CASE file EXPECT unclosed-resource count>=300
// CASE file-fixed NONE

import (
	"os"
	"strings"
)

// lab:begin
var logs []*os.File

func firstLine(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	logs = append(logs, f) // "we may want to go on reading"
	return readLine(f)
}

// lab:end

// lab:fixed-begin
func firstLineFixed(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return readLine(f)
}

// lab:fixed-end

func readLine(f *os.File) (string, error) {
	buf := make([]byte, 200)
	n, err := f.Read(buf)
	line, _, _ := strings.Cut(string(buf[:n]), "\n")
	return line, err
}

func readStatus(firstLine func(string) (string, error)) func(int) {
	return func(int) {
		if _, err := firstLine("/proc/self/status"); err != nil {
			fail(err)
		}
	}
}

func init() {
	add(mode{name: "file", about: "files that are opened and never closed", enough: 400,
		plant: readStatus(firstLine), fixed: readStatus(firstLineFixed)})
}
