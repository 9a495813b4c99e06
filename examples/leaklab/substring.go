package main

// substring: a word of a long line is kept, and with it the line: a substring is a pointer into the string it was cut
// from, and the collector frees whole allocations only.
//
// The twin clones the word (strings.Clone).

// CASE substring EXPECT substring-pin holder=main.sessionIDs bytes>=4000000
// CASE substring-fixed NONE

import "strings"

// lab:begin
var sessionIDs = map[int]string{}

func rememberID(n int, line string) {
	sessionIDs[n] = line[:8]
}

// lab:end

// lab:fixed-begin
func rememberIDFixed(n int, line string) {
	sessionIDs[n] = strings.Clone(line[:8])
}

// lab:fixed-end

func init() {
	add(mode{name: "substring", about: "eight letters keep a line of kilobytes alive", enough: 2000,
		plant: func(i int) { rememberID(i, text(i, 4<<10)) }, fixed: func(i int) { rememberIDFixed(i, text(i, 4<<10)) }})
}
