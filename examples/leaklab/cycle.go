package main

// cycle: no leak.  Parent and child point to each other, an interface holds itself, a map is a value of itself: when
// nothing outside points to them they are garbage.  Go's collector starts from the roots and does not count references.

// CASE cycle NONE

// lab:begin
type family struct {
	parent, child *family
	self          any
	album         map[string]any
	buf           []byte
}

func cycles() {
	a, b := &family{buf: payload(8 << 10)}, &family{buf: payload(8 << 10)}
	a.child, b.parent = b, a
	a.self = a
	a.album = map[string]any{}
	a.album["itself"] = a.album
}

// lab:end

func init() {
	add(mode{name: "cycle", about: "no leak: cycles, an interface and a map that hold themselves", enough: 2000,
		plant: func(int) { cycles() }})
}
