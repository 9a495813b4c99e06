//go:build go1.19

package main

import "runtime/debug"

func setLimit(n int64) { debug.SetMemoryLimit(n) }
