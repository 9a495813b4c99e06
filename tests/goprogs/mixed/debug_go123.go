//go:build go1.23

// The module says go 1.22 so that every toolchain builds it; timers shall be those of the newer runtime.
//go:debug default=go1.23

package main
