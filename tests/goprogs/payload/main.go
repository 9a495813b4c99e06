// payload - so many MB (10^6) of byte slices, and so many of objects with pointers.
//
//	payload SLICES_MB OBJECTS_MB
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"

	"limpet/goprogs/internal/ready"
)

// A node has no byte that is zero, so that no zero page makes a file small.
type node struct {
	next *node
	n    [7]uint64
}

var (
	slices [][]byte
	nodes  *node
)

func fill(b []byte, seed uint64) {
	for i := range b {
		seed = seed*6364136223846793005 + 1442695040888963407
		b[i] = byte(seed>>33) | 1
	}
}

func main() {
	slicesMB, _ := strconv.Atoi(os.Args[1])
	objectsMB, _ := strconv.Atoi(os.Args[2])
	debug.SetGCPercent(25)
	sizes := []int{100, 1000, 5000, 30000, 1 << 20}
	for left, i := slicesMB*1000000, 0; left > 0; i++ {
		b := make([]byte, sizes[i%len(sizes)])
		fill(b, uint64(i))
		slices = append(slices, b)
		left -= len(b)
	}
	for i := 0; i < objectsMB*1000000/64; i++ {
		nodes = &node{next: nodes}
		for k := range nodes.n {
			nodes.n[k] = uint64(i)*0x9e3779b97f4a7c15 | 0x0101010101010101
		}
	}
	runtime.GC()
	debug.FreeOSMemory()
	ready.Say(fmt.Sprintf("slices=%d", len(slices)))
	ready.Wait()
}
