package main

import (
	"context"
	"reflect"
	"time"
)

type ctxKey struct{ name string }

// sayContext: c is a pointer to one of package context's own.
func sayContext(name string, c context.Context, facts map[string]any, entries ...[3]string) {
	keep = append(keep, c)
	v := reflect.ValueOf(c)
	say(name, v.Interface(), facts, false, entries)
}

func makeContexts() {
	root := context.Background()
	val := context.WithValue(root, ctxKey{"user"}, "ann")
	sayContext("context value", val, nil, elem("parent", root),
		[3]string{"value", text(any(ctxKey{"user"})), text(any("ann"))})
	parent, cancel := context.WithCancel(val)
	keep = append(keep, cancel)
	var kids [][3]string
	for i := 0; i < 12; i++ {
		kid, cancel := context.WithCancel(parent)
		keep = append(keep, cancel)
		if i%4 == 0 {
			cancel()
			sayContext("context cancelled", kid, map[string]any{"cancelled": true, "children": 0},
				append(cause(kid), elem("parent", parent))...)
			continue
		}
		kids = append(kids, elem("child", kid))
	}
	deadline := time.Now().Add(time.Hour)
	timed, cancel2 := context.WithDeadline(parent, deadline)
	keep = append(keep, cancel2)
	kids = append(kids, elem("child", timed))
	sayContext("context with children", parent, map[string]any{"cancelled": false, "children": len(kids)},
		append(append(kids, elem("parent", val)), cause(parent)...)...)
	sayContext("context with deadline", timed, map[string]any{"cancelled": false, "children": 0,
		"unix_ns": deadline.UnixNano()}, append(cause(timed), elem("parent", parent))...)
	makeWithoutCancel(parent)
}
