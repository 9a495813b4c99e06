// Channels that were never closed, with values in them.
package main

import "limpet/seeds/internal/say"

func main() {
	for i := 0; i < 1000; i++ {
		ch := make(chan [1024]byte, 100)
		ch <- [1024]byte{}
	}
	mb := say.Heap("after a thousand channels of 100 KB, none closed")
	say.Holds(mb < 5, "a channel is an object like any other")
}
