// plug - body as a plugin: its types, functions and globals are a module of their own.
package main

import "limpet/goprogs/matrix/body"

// Start is looked up by name.
func Start() {
	body.Start()
}
