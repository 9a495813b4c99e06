package main

// limits: a client without a timeout, a server without timeouts, and a peer that does not answer.  Requests wait as long
// as it pleases the other side; each has its goroutines, its buffers, its descriptor.  Nothing here is a bug that one can
// point at: it is the absence of three lines.
//
// The twin has the three lines.

// CASE limits EXPECT limits-unset
// CASE limits-fixed NONE

import (
	"context"
	"net"
	"net/http"
	"time"
)

// lab:begin
var catalogue = &http.Client{} // no Timeout, the default Transport: no MaxConnsPerHost

func serveCatalogue(l net.Listener) {
	s := &http.Server{Handler: http.HandlerFunc(slowCatalogue)} // no ReadHeaderTimeout, no IdleTimeout, no WriteTimeout
	s.Serve(l)
}

// lab:end

// lab:fixed-begin
var catalogueFixed = &http.Client{
	Timeout:   2 * time.Second,
	Transport: &http.Transport{MaxConnsPerHost: 20, MaxIdleConnsPerHost: 20, IdleConnTimeout: time.Minute},
}

func serveCatalogueFixed(l net.Listener) {
	s := &http.Server{
		Handler:           http.TimeoutHandler(http.HandlerFunc(slowCatalogue), time.Second, "later"),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute,
	}
	s.Serve(l)
}

// lab:fixed-end

const hour = time.Hour

func slowCatalogue(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-time.After(hour):
	}
}

var catalogueAddress string

func catalogueStart(serve func(net.Listener)) func() {
	return func() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			fail(err)
		}
		catalogueAddress = "http" + "://" + l.Addr().String()
		go serve(l)
	}
}

func askCatalogue(c *http.Client) func(int) {
	return func(int) {
		go func() {
			r, _ := http.NewRequestWithContext(context.Background(), "GET", catalogueAddress, nil)
			if answer, err := c.Do(r); err == nil {
				answer.Body.Close()
			}
		}()
	}
}

func init() {
	settle := func() { time.Sleep(300 * time.Millisecond) }
	add(mode{name: "limits", about: "http.Client and http.Server without limits, and a peer that does not answer", enough: 200,
		start: catalogueStart(serveCatalogue), plant: askCatalogue(catalogue), end: settle,
		fixedStart: catalogueStart(serveCatalogueFixed), fixed: askCatalogue(catalogueFixed),
		fixedEnd: func() { time.Sleep(3 * time.Second) }})
}
