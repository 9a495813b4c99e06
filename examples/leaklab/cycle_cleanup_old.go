//go:build !go1.24

package main

func init() { absent["cycle-cleanup"] = "needs Go 1.24" }
