// runtime-metadata - what the runtime keeps for itself.
//
// CASE peak             EXPECT runtime-metadata verdict=waste type=runtime.g count>=90000 bytes>=30000000
// CASE finalizers       EXPECT runtime-metadata verdict=suspect type=*main.small count>=150000
// CASE profile-all      EXPECT runtime-metadata verdict=waste count>=200000 anywhere
// CASE cleanups-on-one  EXPECT runtime-metadata verdict=suspect type=*main.small count>=20000 bytes>=4000000 needs=1.24
// CASE small-peak       NONE
// CASE running          NONE
// CASE some-finalizers  NONE
// CASE profile-default  NONE
// CASE cleanups         NONE needs=1.24
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"

	"limpet/goprogs/internal/ready"
)

type small struct {
	next *small
	id   int
	data [6]int
}

var (
	list  *small
	block = make(chan struct{})
)

func peak(n int) {
	var wg sync.WaitGroup
	end := make(chan struct{})
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func() {
			<-end
			wg.Done()
		}()
	}
	close(end)
	wg.Wait()
}

func running(n int) {
	for i := 0; i < n; i++ {
		go func() { <-block }()
	}
}

func finalizers(n int) {
	for i := 0; i < n; i++ {
		list = &small{next: list, id: i}
		runtime.SetFinalizer(list, func(s *small) { s.id = 0 })
	}
}

func objects(n int) {
	for i := 0; i < n; i++ {
		list = &small{next: list, id: i}
	}
}

var cases = map[string]func(){
	"peak":            func() { peak(100000) },
	"small-peak":      func() { peak(5000) },
	"running":         func() { running(12000) },
	"finalizers":      func() { finalizers(200000) },
	"some-finalizers": func() { finalizers(10000) },
	"profile-all": func() {
		runtime.MemProfileRate = 1
		objects(300000)
	},
	"profile-default": func() { objects(300000) },
}

func main() {
	if len(os.Args) != 2 || cases[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: runtime-metadata CASE")
		os.Exit(2)
	}
	if len(os.Args) > 2 { // the linker leaves profiling out where nobody reads a profile
		pprof.WriteHeapProfile(os.Stdout)
	}
	cases[os.Args[1]]()
	runtime.GC()
	runtime.GC()
	ready.Say("")
	ready.Wait()
	close(block)
}
