//go:build !cgo

package main

func init() { absent["cgo"] = "needs a build with CGO_ENABLED=1" }
