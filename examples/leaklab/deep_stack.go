package main

// deep-stack: goroutines that wait at the bottom of a deep recursion.  A stack grows by doubling and is not given back
// while its goroutine is deep in calls: a tree walk of a thousand levels that hands each leaf to a channel nobody reads
// costs hundreds of kilobytes a goroutine, in stacks, which no heap profile shows.
//
// The twin walks with a slice as its stack and a channel that is read.

// CASE deep-stack EXPECT goroutine-leak verdict=leak proof=proved function=main.walkDeep bytes>=8000000
// CASE deep-stack-fixed NONE

// lab:begin
func walkDeep(level int, out chan<- int) int {
	var path [32]int // of this level
	path[level%32] = level
	if level == 0 {
		out <- path[0] // nobody reads
		return 0
	}
	return walkDeep(level-1, out) + path[level%32]
}

func walkTree() {
	go walkDeep(1000, make(chan int))
}

// lab:end

// lab:fixed-begin
func walkTreeFixed() {
	out := make(chan int, 1)
	go walkDeep(1000, out)
	<-out
}

// lab:fixed-end

func init() {
	add(mode{name: "deep-stack", about: "goroutines wait at the bottom of a deep recursion", enough: 60,
		plant: func(int) { walkTree() }, fixed: func(int) { walkTreeFixed() }})
}
