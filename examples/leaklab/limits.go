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
type catalogue struct {
	client *http.Client
	url    string
}

func newCatalogue(url string) *catalogue {
	return &catalogue{client: &http.Client{}, url: url} // no Timeout, the default Transport: no MaxConnsPerHost
}

func serveCatalogue(l net.Listener) {
	s := &http.Server{Handler: http.HandlerFunc(slowCatalogue)} // no ReadHeaderTimeout, no IdleTimeout, no WriteTimeout
	s.Serve(l)
}

// lab:end

// lab:fixed-begin
func newCatalogueFixed(url string) *catalogue {
	return &catalogue{url: url, client: &http.Client{
		Timeout:   2 * time.Second,
		Transport: &http.Transport{MaxConnsPerHost: 20, MaxIdleConnsPerHost: 20, IdleConnTimeout: time.Minute},
	}}
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

func (c *catalogue) ask() {
	r, _ := http.NewRequestWithContext(context.Background(), "GET", c.url, nil)
	if answer, err := c.client.Do(r); err == nil {
		answer.Body.Close()
	}
}

var theCatalogue *catalogue

func catalogueStart(serve func(net.Listener), open func(url string) *catalogue) func() {
	return func() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			fail(err)
		}
		go serve(l)
		theCatalogue = open("http" + "://" + l.Addr().String())
	}
}

func init() {
	ask := func(int) { go theCatalogue.ask() }
	settle := func() { time.Sleep(1500 * time.Millisecond) }
	add(mode{name: "limits", about: "http.Client and http.Server without limits, and a peer that does not answer", enough: 200,
		start: catalogueStart(serveCatalogue, newCatalogue), plant: ask, end: settle,
		fixedStart: catalogueStart(serveCatalogueFixed, newCatalogueFixed), fixed: ask,
		fixedEnd: func() { time.Sleep(3 * time.Second) }})
}
