package main

// body: the status is all that is wanted, and the body is not closed.  Each such answer keeps its connection: a file
// descriptor, two goroutines of net/http (readLoop and writeLoop), their buffers; and no connection is used twice.
//
// The twin reads what is left, and closes.

// CASE body EXPECT unclosed-resource count>=150
// CASE body-fixed NONE

import (
	"io"
	"net/http"
)

// lab:begin
func healthy(url string) (bool, error) {
	answer, err := prober.Get(url)
	if err != nil {
		return false, err
	}
	return answer.StatusCode == 200, nil // answer.Body.Close() is missing
}

// lab:end

// lab:fixed-begin
func healthyFixed(url string) (bool, error) {
	answer, err := prober.Get(url)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // read to the end: the connection is used again
	return answer.StatusCode == 200, nil
}

// lab:fixed-end

// A client with limits, except that it must be able to leak.
var prober = &http.Client{Timeout: hour, Transport: &http.Transport{IdleConnTimeout: hour, MaxIdleConnsPerHost: 4, MaxConnsPerHost: 10000}}

var probed string

func probe(healthy func(string) (bool, error)) func(int) {
	return func(int) {
		if _, err := healthy(probed); err != nil {
			fail(err)
		}
	}
}

func init() {
	start := func() {
		probed = "http" + "://" + serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Write(payload(32 << 10))
		})) + "/health"
	}
	add(mode{name: "body", about: "bodies of HTTP answers that nobody closes", enough: 200,
		start: start, plant: probe(healthy), fixedStart: start, fixed: probe(healthyFixed)})
}
