package main

// handler-runs-on: the handler has answered, and a goroutine of it still works with the request: a mail is sent, a
// counter is written.  That keeps the request for a moment.  It is no leak: the goroutine comes to its end.

// CASE handler-runs-on NONE

import (
	"net/http"
	"net/url"
	"time"
)

// lab:begin
func orderHandler(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	w.WriteHeader(http.StatusAccepted)
	go func() {
		time.Sleep(time.Minute) // the mail server is slow today
		sendMail(r.Form.Get("address"))
	}()
}

// lab:end

func sendMail(string) {}

var orderServer string

func init() {
	add(mode{name: "handler-runs-on", about: "no leak: goroutines of handlers that finish their work later", enough: 100,
		start: func() { orderServer = serve(http.HandlerFunc(orderHandler)) },
		plant: func(i int) { visit(orderServer, "/order", "", url.Values{"address": {text(i, 1<<10)}}.Encode()) }})
}
