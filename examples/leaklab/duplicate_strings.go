package main

// duplicate-strings: what comes from a network or a file is a new string each time.  Ten thousand records of which each
// says "Federal Republic of Germany" keep it ten thousand times.
//
// The twin keeps one of each (a map; from Go 1.23 the package unique).

// CASE duplicate-strings EXPECT duplicate-strings bytes>=2000000
// CASE duplicate-strings-fixed NONE

// lab:begin
type address struct {
	id      int
	country string
}

var addresses []address

func parseAddress(id int, country []byte) {
	addresses = append(addresses, address{id, string(country)})
}

// lab:end

// lab:fixed-begin
var interned = map[string]string{}

func intern(b []byte) string {
	if s, ok := interned[string(b)]; ok { // no allocation: the compiler knows this form
		return s
	}
	s := string(b)
	interned[s] = s
	return s
}

func parseAddressFixed(id int, country []byte) {
	addresses = append(addresses, address{id, intern(country)})
}

// lab:fixed-end

func init() {
	countries := [][]byte{[]byte("The Federal Republic of Germany, Bundesrepublik Deutschland"),
		[]byte("The People's Republic of China, Zhonghua Renmin Gongheguo"), []byte("The French Republic, Republique francaise, Metropole")}
	add(mode{name: "duplicate-strings", about: "the same few strings, kept tens of thousands of times", enough: 60000,
		plant: func(i int) { parseAddress(i, countries[i%3]) },
		fixed: func(i int) { parseAddressFixed(i, countries[i%3]) }})
}
