//go:build !go1.19

package main

func makeTypedAtomics() {}
