package main

// handler-blocked: the handler waits for an answer that nobody will give.  render() goes home without a word when the
// form is wrong, so the handler's goroutine stays in "chan receive", and with it *http.Request, its parsed form and
// the connection: the client is long gone, but a handler is not interrupted.
//
// The twin answers in every case, and stops waiting when the client has left.

// CASE handler-blocked EXPECT goroutine-leak verdict=leak proof=proved function=main.renderHandler count>=300
// CASE handler-blocked-fixed NONE

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
)

// lab:begin
func renderHandler(w http.ResponseWriter, r *http.Request) {
	page := make(chan string)
	go render(r.FormValue("text"), page)
	renderEntered.Add(1)
	fmt.Fprint(w, <-page)
}

func render(text string, page chan<- string) {
	if text[0] != '{' {
		return // the handler never hears of it
	}
	page <- "<p>" + text
}

// lab:end

// lab:fixed-begin
func renderHandlerFixed(w http.ResponseWriter, r *http.Request) {
	page := make(chan string, 1)
	go renderFixed(r.FormValue("text"), page)
	renderEntered.Add(1)
	select {
	case p, ok := <-page:
		if !ok {
			http.Error(w, "bad text", http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, p)
	case <-r.Context().Done(): // the client has left
	}
}

func renderFixed(text string, page chan<- string) {
	defer close(page) // whatever happens, the handler hears of it
	if text[0] == '{' {
		page <- "<p>" + text
	}
}

// lab:fixed-end

var (
	renderEntered atomic.Int64
	renderServer  string
)

// A client that asks and leaves.
func askAndLeave(i int) {
	form := url.Values{"text": {text(i, 16<<10)}}.Encode()
	c, err := net.Dial("tcp", renderServer)
	if err != nil {
		fail(err)
	}
	fmt.Fprintf(c, "POST /render HTTP/1.1\r\nHost: lab\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		len(form), form)
	until(func() bool { return renderEntered.Load() > int64(i) })
	c.Close()
}

func init() {
	add(mode{name: "handler-blocked", about: "HTTP handlers wait for an answer that nobody gives", enough: 400,
		start: func() { renderServer = serve(http.HandlerFunc(renderHandler)) }, plant: askAndLeave,
		fixedStart: func() { renderServer = serve(http.HandlerFunc(renderHandlerFixed)) }, fixed: askAndLeave})
}
