//go:build !go1.19

package main

import (
	"math"
	"runtime/debug"
)

// There is no limit yet: the same by GOGC.
func setLimit(n int64) {
	if n != math.MaxInt64 {
		debug.SetGCPercent(4)
	}
}
