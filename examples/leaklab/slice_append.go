package main

// slice-append: a slice under a global to which each error is appended, for a status page that shows the last ten.
//
// The twin keeps the last ten.

// CASE slice-append EXPECT global-growth holder=main.lastErrors bytes>=4000000
// CASE slice-append-fixed NONE

// lab:begin
type failure struct {
	where string
	dump  []byte
}

var lastErrors []*failure

func report(f *failure) {
	lastErrors = append(lastErrors, f)
}

// lab:end

// lab:fixed-begin
func reportFixed(f *failure) {
	if len(lastErrors) == 10 {
		copy(lastErrors, lastErrors[1:])
		lastErrors = lastErrors[:9]
	}
	lastErrors = append(lastErrors, f)
}

// lab:fixed-end

func init() {
	newFailure := func(i int) *failure { return &failure{text(i, 12), payload(2 << 10)} }
	add(mode{name: "slice-append", about: "a slice under a global that is only appended to", enough: 4000,
		plant: func(i int) { report(newFailure(i)) }, fixed: func(i int) { reportFixed(newFailure(i)) }})
}
