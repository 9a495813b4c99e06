//go:build !go1.21

package main

import "context"

func makeWithoutCancel(context.Context) {}

func clear[K comparable, V any](m map[K]V) {
	for k := range m {
		delete(m, k)
	}
}

func max(a, b int) int {
	if a > b {
		return a
	}
	return b
}
