//go:build sampled

package main

import (
	"os"
	"runtime/pprof"
)

// With it the linker keeps the memory profile.
func init() {
	if len(os.Args) > 9 {
		pprof.WriteHeapProfile(os.Stdout)
	}
}
