package main

// cache-keys: the cache is right and its key is wrong.  The key has the whole query string, with a tracking parameter
// that is different in each request: nothing is ever found, everything is kept.
//
// The twin's key has what the answer depends on.

// CASE cache-keys EXPECT global-growth holder=main.answers bytes>=4000000
// CASE cache-keys-fixed NONE

import (
	"net/url"
	"sync"
)

// lab:begin
type answerKey struct{ path, query string }

var (
	answersMu sync.Mutex
	answers   = map[answerKey]int{}
)

func cachedAnswer(u *url.URL) int {
	k := answerKey{u.Path, u.RawQuery} // "?page=1&utm_id=5f3a…"
	return answerFor(k)
}

// lab:end

// lab:fixed-begin
func cachedAnswerFixed(u *url.URL) int {
	k := answerKey{u.Path, "page=" + u.Query().Get("page")}
	return answerFor(k)
}

// lab:fixed-end

func answerFor(k answerKey) int {
	answersMu.Lock()
	defer answersMu.Unlock()
	n, ok := answers[k]
	if !ok {
		n = len(k.query)
		answers[k] = n
	}
	return n
}

func init() {
	ask := func(answer func(*url.URL) int) func(int) {
		return func(i int) {
			u, _ := url.Parse("/shop/list?page=1&utm_id=" + url.QueryEscape(text(i, 200)))
			answer(u)
		}
	}
	add(mode{name: "cache-keys", about: "a cache whose keys are never the same twice", enough: 30000,
		plant: ask(cachedAnswer), fixed: ask(cachedAnswerFixed)})
}
