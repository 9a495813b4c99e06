// plughost - opens the plugin that is its argument, and is nothing else.
package main

import (
	"os"
	"plugin"
)

func main() {
	p, err := plugin.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	start, err := p.Lookup("Start")
	if err != nil {
		panic(err)
	}
	start.(func())()
	<-make(chan struct{})
}
