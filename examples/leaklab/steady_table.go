package main

// steady-table: no leak.  A big table that is loaded at the start and stays: postcodes, prices, a model.  It is most of
// the heap, and it is what the program is for.

// CASE steady-table NONE

// lab:begin
type place struct {
	code string
	x, y float64
}

var places map[string]place

func loadPlaces() {
	places = make(map[string]place, 60_000)
	for i := 0; i < 60_000; i++ {
		code := text(i, 16)
		places[code] = place{code: code, x: float64(i), y: float64(-i)}
	}
}

// lab:end

func init() {
	add(mode{name: "steady-table", about: "no leak: a big table, loaded once", enough: 1,
		start: loadPlaces, plant: func(int) {}})
}
