//go:build go1.20

package main

import "context"

// cause of a context that was cancelled, or not.
func cause(c context.Context) [][3]string { return [][3]string{elem("cause", context.Cause(c))} }
