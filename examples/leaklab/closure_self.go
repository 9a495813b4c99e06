package main

// closure-self: a retry that calls itself is a closure that captures itself: a cycle, which the collector frees like any
// other.  The leak is the list of retries, from which a retry that has come to its end is not removed; with the closure
// goes all that it has captured, here the message.
//
// The twin drops the list; the closures still capture themselves, and go.

// CASE closure-self EXPECT closure-capture holder=main.retries bytes>=4000000
// CASE closure-self-fixed NONE

// lab:begin
var retries []func(attempt int) bool

func deliver(message []byte) {
	var try func(attempt int) bool
	try = func(attempt int) bool {
		if attempt == 3 || len(message) == 0 {
			return true
		}
		return try(attempt + 1)
	}
	retries = append(retries, try) // and when it is done?
	try(0)
}

// lab:end

// lab:fixed-begin
func deliverFixed(message []byte) {
	var try func(attempt int) bool
	try = func(attempt int) bool {
		if attempt == 3 || len(message) == 0 {
			return true
		}
		return try(attempt + 1)
	}
	try(0)
}

// lab:fixed-end

func init() {
	add(mode{name: "closure-self", about: "closures that capture themselves, and a list that keeps them", enough: 2500,
		plant: func(int) { deliver(payload(4 << 10)) }, fixed: func(int) { deliverFixed(payload(4 << 10)) }})
}
