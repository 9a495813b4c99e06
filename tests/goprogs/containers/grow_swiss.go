//go:build go1.24 && (go1.26 || goexperiment.swissmap)

package main

import "unsafe"

func growing(unsafe.Pointer, map[string]any) {}
