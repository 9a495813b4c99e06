//go:build go1.24

package main

import (
	"runtime"
	"time"
	"weak"
)

func makeNew() {
	x := &point{9, 8}
	keep = append(keep, x)
	w := weak.Make(x)
	sayValue("weak", &w, map[string]any{"alive": true}, elem("", *x))
	dead := weak.Make(&point{1, 1})
	runtime.GC()
	time.Sleep(time.Millisecond)
	sayValue("weak dead", &dead, map[string]any{"alive": dead.Value() != nil})
	makeHandles()
}
