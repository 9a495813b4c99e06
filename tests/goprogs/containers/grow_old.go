//go:build !go1.24 || (!go1.26 && !goexperiment.swissmap)

package main

import "unsafe"

// growing looks into runtime.hmap (map.go, from 1.24 on map_noswiss.go): oldbuckets is not nil.
func growing(header unsafe.Pointer, facts map[string]any) {
	facts["growing"] = *(*uintptr)(unsafe.Add(header, 24)) != 0
}
