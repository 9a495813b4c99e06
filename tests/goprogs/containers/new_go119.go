//go:build go1.19

package main

import "sync/atomic"

func makeTypedAtomics() {
	p := new(atomic.Pointer[point])
	sayValue("atomic pointer nil", p, nil)
	p = new(atomic.Pointer[point])
	p.Store(&point{5, 6})
	sayValue("atomic pointer", p, nil, elem("", point{5, 6}))
	i := new(atomic.Int64)
	i.Store(-5)
	sayValue("atomic int64", i, map[string]any{"value": -5})
	i32 := new(atomic.Int32)
	i32.Store(-6)
	sayValue("atomic int32", i32, map[string]any{"value": -6})
	u := new(atomic.Uint64)
	u.Store(77)
	sayValue("atomic uint64", u, map[string]any{"value": 77})
	ok := new(atomic.Bool)
	ok.Store(true)
	sayValue("atomic bool", ok, map[string]any{"value": true})
}
