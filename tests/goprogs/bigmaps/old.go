//go:build !go1.21

package main

func clear[K comparable, V any](m map[K]V) {
	for k := range m {
		delete(m, k)
	}
}
