// mixed - every way in which Go lays an object out, a few hundred thousand small ones, all reachable.
//
// EXPECT type main.node count=100000
// EXPECT type main.session count=20000
// EXPECT type main.wide count=3000
// EXPECT type main.finalized count=500
// EXPECT map main.byName count=20000
// EXPECT goroutine function=main.holder count=20
package main

import (
	"runtime"

	"limpet/goprogs/internal/ready"
)

// Everything hangs off this one variable, or off the goroutines and the runtime's tables.
var all struct {
	plain plain
	large large
	funcs funcs
	times times
	odd   odd
}

func main() {
	all.plain = makePlain()
	all.large = makeLarge()
	all.funcs = makeFuncs()
	all.times = makeTimes()
	all.odd = makeOdd()
	startHolders()
	makeSpecials()
	makeCleanups()
	runtime.GC()
	runtime.GC()
	ready.Say()
	ready.Wait()
}
