// lib - body for a host that is not Go: c-shared and c-archive.
package main

import "C"

import "limpet/goprogs/matrix/body"

//export MatrixStart
func MatrixStart() C.int {
	body.Start()
	return 42
}

func main() {}
