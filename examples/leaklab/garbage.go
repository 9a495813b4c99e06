package main

// garbage: no leak.  A burst of work has left a hundred megabytes of garbage, and the collector has not run since.  RSS
// says "large"; what is alive is next to nothing.

// CASE garbage NONE

// lab:begin
func burst(n int) {
	var last []byte
	for i := 0; i < n; i++ {
		last = payload(64 << 10)
	}
	burstScratch = last
}

// lab:end

var burstScratch []byte

func init() {
	add(mode{name: "garbage", about: "no leak: garbage that waits for the collector", enough: 1, noGC: true,
		plant: func(int) { burst(1600) }})
}
