package main

// map-delete: a map that once had a million entries and now has a hundred.  A Go map does not shrink: buckets (until Go
// 1.23) and tables (Swiss maps, from 1.24) stay as large as they ever were.
//
// The twin makes a new map when few are left.

// CASE map-delete EXPECT map-bloat holder=main.online bytes>=4000000
// CASE map-delete-fixed NONE

// lab:begin
type presence struct{ since, seen, node int64 }

var online = map[int64]presence{}

func evening(users int) {
	for i := 0; i < users; i++ {
		online[int64(i)] = presence{node: int64(i)}
	}
}

func night(stay int) {
	for id := range online {
		if id >= int64(stay) {
			delete(online, id)
		}
	}
}

// lab:end

// lab:fixed-begin
func nightFixed(stay int) {
	few := make(map[int64]presence, stay)
	for id, p := range online {
		if id < int64(stay) {
			few[id] = p
		}
	}
	online = few
}

// lab:fixed-end

func init() {
	add(mode{name: "map-delete", about: "a map that was big once", enough: 3,
		plant: func(int) { evening(400_000); night(100) }, fixed: func(int) { evening(400_000); nightFixed(100) }})
}
