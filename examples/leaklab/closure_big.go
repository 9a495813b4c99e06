package main

// closure-big: a callback needs one word of a big answer, and captures the answer.
//
// The twin takes the word out first.

// CASE closure-big EXPECT closure-capture holder=main.onReload function=*watchConfig* bytes>=4000000
// CASE closure-big-fixed NONE

// lab:begin
var onReload = map[string]func() string{}

func watchConfig(name string, answer *configAnswer) {
	onReload[name] = func() string { return answer.etag }
}

// lab:end

// lab:fixed-begin
func watchConfigFixed(name string, answer *configAnswer) {
	etag := answer.etag
	onReload[name] = func() string { return etag }
}

// lab:fixed-end

type configAnswer struct {
	etag string
	body []byte
}

func init() {
	answer := func(i int) *configAnswer { return &configAnswer{text(i, 8), payload(16 << 10)} }
	add(mode{name: "closure-big", about: "a callback that needs one word and captures the whole answer", enough: 500,
		plant: func(i int) { watchConfig(text(i, 16), answer(i)) },
		fixed: func(i int) { watchConfigFixed(text(i, 16), answer(i)) }})
}
