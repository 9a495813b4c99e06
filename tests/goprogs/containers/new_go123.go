//go:build go1.23

package main

import "unique"

func makeHandles() {
	h := unique.Make("unique text")
	sayValue("handle", &h, nil, elem("", "unique text"))
	hp := unique.Make(point{4, 5})
	sayValue("handle of a struct", &hp, nil, elem("", point{4, 5}))
}
