// quiet - the smallest Go program that stays: its main goroutine sleeps.
//
// EXPECT goroutine function=main.main wait=sleep count=1
package main

import (
	"os"
	"runtime"
	"strconv"
	"time"
)

var kept = []*string{new(string), new(string)}

func main() {
	runtime.GC() // too small for a cycle of its own: no mark bit would be set
	os.Stdout.WriteString("READY " + strconv.Itoa(os.Getpid()) + "\n")
	for {
		time.Sleep(time.Hour)
		*kept[0] += "x"
	}
}
