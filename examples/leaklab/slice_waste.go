package main

// slice-waste: room for a thousand, of which ten are used, for each of many.  "make([]T, 0, 1000), so that append does not
// have to grow" is right for a scratch buffer and wrong for what is kept.
//
// The twin clips what it keeps (slices.Clip alone would not give the room back: clone).

// CASE slice-waste EXPECT slice-waste holder=main.carts bytes>=4000000
// CASE slice-waste-fixed NONE

import "slices"

// lab:begin
type item struct{ id, price, amount, tax int }

var carts = map[int][]item{}

func newCart(user int) {
	cart := make([]item, 0, 1000)
	for i := 0; i < 10; i++ {
		cart = append(cart, item{id: i})
	}
	carts[user] = cart
}

// lab:end

// lab:fixed-begin
func newCartFixed(user int) {
	cart := make([]item, 0, 1000)
	for i := 0; i < 10; i++ {
		cart = append(cart, item{id: i})
	}
	carts[user] = slices.Clone(cart)
}

// lab:fixed-end

func init() {
	add(mode{name: "slice-waste", about: "slices with room for a thousand, and ten in them", enough: 400,
		plant: newCart, fixed: newCartFixed})
}
