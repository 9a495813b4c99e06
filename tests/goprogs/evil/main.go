// evil - names that a test replaces in the binary by escape sequences of the same length.
package main

import (
	"fmt"
	"runtime"

	"limpet/goprogs/internal/ready"
)

type EvilTypeEvilTypeEvil struct {
	evilFieldevilField *EvilTypeEvilTypeEvil
	n                  [100]*int
}

// Holder is found by its own name.
type Holder struct {
	evilFieldevilField *EvilTypeEvilTypeEvil
	n                  [100]*int
}

var (
	holder *Holder
	boxed  any
	stop   = make(chan *EvilTypeEvilTypeEvil)
)

//go:noinline
func evilFuncevilFuncevil(e *EvilTypeEvilTypeEvil) {
	<-stop
	runtime.KeepAlive(e)
}

func main() {
	holder = &Holder{evilFieldevilField: &EvilTypeEvilTypeEvil{}}
	for i := 0; i < 100; i++ {
		e := &EvilTypeEvilTypeEvil{}
		e.evilFieldevilField = holder.evilFieldevilField
		holder.evilFieldevilField = e
	}
	boxed = holder
	go evilFuncevilFuncevil(&EvilTypeEvilTypeEvil{})
	runtime.GC()
	ready.Say(fmt.Sprintf("%p", holder))
	ready.Wait()
}
