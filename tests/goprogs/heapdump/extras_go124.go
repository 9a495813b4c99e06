//go:build go1.24

package main

import (
	"runtime"
	"weak"
)

const nextras = 50

var extras struct {
	held  []*node
	weaks []weak.Pointer[node]
}

// Only the cleanup's closure holds `held`: a dump has no cleanups.
func makeExtras() {
	for i := 0; i < nextras; i++ {
		n, held := fresh(i, "with a cleanup"), fresh(-i, "by a cleanup")
		runtime.AddCleanup(n, func(m *node) { m.val++ }, held)
		extras.held = append(extras.held, n)
		extras.weaks = append(extras.weaks, weak.Make(n))
	}
}
