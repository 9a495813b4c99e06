// owners MODE - programs in which something that only passes on would get the blame.
//
// In each mode sessions of 128 KiB belong to somebody, and a pool, a cache, a timer, a context …
// holds the same ones.  What belongs to whom is printed before READY, as the program made it:
//
//	OWN  type|goroutine NAME BYTES   what the owner's tree must say, within a percent
//	SAME type|goroutine NAME BYTES   what both trees must say
//
// and the exact tree must not say the same of OWN.  Lines RULE are for a rules file.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"sort"
	"strings"

	"limpet/goprogs/internal/ready"
)

const (
	size  = 128 << 10
	count = 64
)

// session is what takes the memory.
type session struct {
	id   int
	data []byte
}

// store owns sessions.
type store struct {
	sessions map[int]*session
}

var (
	theStore = newStore(0)
	keep     []any // what a mode needs to stay, without holding sessions
)

func newStore(n int) *store {
	s := &store{sessions: map[int]*session{}}
	for i := 0; i < n; i++ {
		s.sessions[i] = newSession(i)
	}
	return s
}

func newSession(id int) *session {
	return &session{id: id, data: make([]byte, size)}
}

func own(by, name string, n int) {
	fmt.Println("OWN", by, name, n*size)
}

func same(by, name string, n int) {
	fmt.Println("SAME", by, name, n*size)
}

func rule(words ...string) {
	fmt.Println("RULE", strings.Join(words, " "))
}

var modes = map[string]func(){
	"pool":       pool,
	"lru":        hashicorp,
	"groupcache": groupcache,
	"list":       listBesideMap,
	"element":    elementInUse,
	"children":   contextChildren,
	"parent":     contextParent,
	"timer":      timers,
	"finalizer":  finalizers,
	"database":   database,
	"tracker":    tracker,
	"freelist":   freed,
}

func main() {
	if len(os.Args) < 2 || modes[os.Args[1]] == nil {
		var names []string
		for name := range modes {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintln(os.Stderr, "want one of", strings.Join(names, " "))
		os.Exit(2)
	}
	debug.SetGCPercent(-1) // pools must keep what they have
	modes[os.Args[1]]()
	ready.Say()
	ready.Wait()
}
