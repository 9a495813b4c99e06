package main

// client-fds: http.Client is made to be shared.  Here each call has its own, with its own Transport; each Transport keeps
// its connection ready for a second request that never comes, and a Transport with an idle connection is not collected,
// for the connection's goroutines hold it.  Two file descriptors a call (client and server are one process here) until
// "too many open files".
//
// The twin has one client.

// CASE client-fds EXPECT unclosed-resource count>=150
// CASE client-fds-fixed NONE

import (
	"io"
	"net/http"
)

// lab:begin
func fetchPrice(url string) ([]byte, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2}} // "to be on the safe side"
	answer, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(answer.Body)
}

// lab:end

// lab:fixed-begin
func fetchPriceFixed(url string) ([]byte, error) {
	answer, err := visitor.Get(url) // one for all
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(answer.Body)
}

// lab:fixed-end

var priceURL string

func fetch(price func(string) ([]byte, error)) func(int) {
	return func(int) {
		if _, err := price(priceURL); err != nil {
			fail(err) // "too many open files", in the end
		}
	}
}

func init() {
	start := func() {
		priceURL = "http" + "://" + serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("12.50")) }))
	}
	add(mode{name: "client-fds", about: "an http.Client and Transport for each call, until descriptors run out", enough: 200,
		start: start, plant: fetch(fetchPrice), fixedStart: start, fixed: fetch(fetchPriceFixed)})
}
