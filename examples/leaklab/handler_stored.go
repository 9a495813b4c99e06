package main

// handler-stored: "the last request of each session, for the support page".  The map holds *http.Request, and a request
// holds its headers (the cookies here), its body reader, its context and the connection behind it; sessions come, none goes.
//
// The twin keeps the two words that the page shows, and forgets sessions after a thousand.

// CASE handler-stored EXPECT global-growth holder=main.lastRequest type=*http.Request* bytes>=4000000
// CASE handler-stored-fixed NONE

import (
	"net/http"
	"strings"
	"sync"
)

// lab:begin
var (
	lastRequestMu sync.Mutex
	lastRequest   = map[string]*http.Request{} // by session
)

func supportHandler(w http.ResponseWriter, r *http.Request) {
	session, _ := r.Cookie("session")
	lastRequestMu.Lock()
	lastRequest[session.Value] = r
	lastRequestMu.Unlock()
}

// lab:end

// lab:fixed-begin
type lastSeen struct{ path, agent string }

var seen = map[string]lastSeen{}

func supportHandlerFixed(w http.ResponseWriter, r *http.Request) {
	session, _ := r.Cookie("session")
	lastRequestMu.Lock()
	defer lastRequestMu.Unlock()
	if len(seen) >= 1000 {
		clear(seen)
	}
	seen[strings.Clone(session.Value)] = lastSeen{strings.Clone(r.URL.Path), strings.Clone(r.UserAgent())}
}

// lab:fixed-end

var supportServer string

func visitSupport(i int) {
	visit(supportServer, "/support", "session="+strings.TrimSpace(text(i, 32))+"; seen="+strings.Repeat("p", 4<<10), "")
}

func init() {
	add(mode{name: "handler-stored", about: "a map of *http.Request, one for each session", enough: 1500,
		start: func() { supportServer = serve(http.HandlerFunc(supportHandler)) }, plant: visitSupport,
		fixedStart: func() { supportServer = serve(http.HandlerFunc(supportHandlerFixed)) }, fixed: visitSupport})
}
