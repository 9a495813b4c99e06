package main

// pool-dirty: an object goes back to its sync.Pool with the references of its last use.  What hangs on it (here a
// request with its body) lives until somebody takes that very object out again, or until two collections have passed;
// under steady load the pool is never idle, so in effect always.
//
// The twin resets what it puts back.

// CASE pool-dirty EXPECT sync-pool-dirty holder=main.encoders bytes>=4000000
// CASE pool-dirty-fixed NONE

import (
	"bytes"
	"net/http"
	"sync"
)

// lab:begin
type encoder struct {
	out []byte
	req *http.Request // whose answer we encode
}

var encoders = sync.Pool{New: func() any { return &encoder{out: make([]byte, 0, 512)} }}

func encodeFor(r *http.Request) {
	e := encoders.Get().(*encoder)
	e.req = r
	e.out = append(e.out[:0], r.URL.Path...)
	encodersBusy(e)
}

func putBack(e *encoder) {
	encoders.Put(e) // e.req comes along
}

// lab:end

// lab:fixed-begin
func putBackClean(e *encoder) {
	e.req, e.out = nil, e.out[:0]
	encoders.Put(e)
}

// lab:fixed-end

// Many are in use at once, as under load; then all go back.
var encodersOut []*encoder

func encodersBusy(e *encoder) { encodersOut = append(encodersOut, e) }

func encodersBack(put func(*encoder)) func() {
	return func() {
		for _, e := range encodersOut {
			put(e)
		}
		encodersOut = nil
	}
}

func uploaded() *http.Request {
	r, err := http.NewRequest("POST", "/upload", bytes.NewReader(payload(32<<10)))
	if err != nil {
		fail(err)
	}
	return r
}

func init() {
	plant := func(int) {
		encodeFor(uploaded())
		if len(encodersOut) == 500 {
			encodersBack(putBack)()
		}
	}
	fixed := func(int) {
		encodeFor(uploaded())
		if len(encodersOut) == 500 {
			encodersBack(putBackClean)()
		}
	}
	add(mode{name: "pool-dirty", about: "objects go back to a sync.Pool with their references", enough: 400, noGC: true,
		plant: plant, end: encodersBack(putBack), fixed: fixed, fixedEnd: encodersBack(putBackClean)})
}
