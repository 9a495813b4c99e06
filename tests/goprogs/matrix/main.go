// matrix - body as an executable of its own.
package main

import (
	"limpet/goprogs/internal/ready"
	"limpet/goprogs/matrix/body"
)

func main() {
	body.Start()
	ready.Wait()
}
