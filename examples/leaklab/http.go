package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// serve starts a real server with the limits that it should have, and returns its address.
func serve(h http.Handler) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	s := &http.Server{Handler: h, ReadTimeout: time.Hour, ReadHeaderTimeout: time.Minute, WriteTimeout: time.Hour, IdleTimeout: time.Minute}
	go s.Serve(l)
	return l.Addr().String()
}

// visitor is a client as it should be; it reads and closes what it gets.
var visitor = &http.Client{
	Timeout:   time.Minute,
	Transport: &http.Transport{MaxIdleConns: 100, MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64, IdleConnTimeout: time.Minute},
}

func visit(address, path, cookie, body string) {
	r, err := http.NewRequest("POST", "http"+"://"+address+path, strings.NewReader(body))
	if err != nil {
		fail(err)
	}
	r.Header.Set("Cookie", cookie)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := visitor.Do(r)
	if err != nil {
		fail(err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
}
