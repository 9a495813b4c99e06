//go:build go1.24

package main

import (
	"runtime"
	"unique"
	"weak"
)

var (
	weaks   []weak.Pointer[node]
	strong  []*node
	handles []unique.Handle[string]
)

// Cleanups with arguments that only the special holds; weak pointers to the living and the dead.
func makeCleanups() {
	for i := 0; i < 1000; i++ {
		n := &node{val: i}
		captured := &node{val: -i}
		runtime.AddCleanup(n, func(arg *node) { arg.val += captured.val }, &node{name: "argument"})
		weaks = append(weaks, weak.Make(n), weak.Make(&node{val: i}))
		if i%2 == 0 {
			strong = append(strong, n)
		}
		handles = append(handles, unique.Make(string(make([]byte, i))))
	}
}
