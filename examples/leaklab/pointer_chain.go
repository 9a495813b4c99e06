package main

// pointer-chain: the map has three entries and looks harmless.  Behind each is a struct, in it a slice, in it pointers to
// structs with buffers: the megabytes are four steps away, and a heap profile shows only who allocated the last one.
//
// The twin removes what is done from the slice, and zeroes the place it was in (slices.Delete does since Go 1.22).

// CASE pointer-chain EXPECT pointer-chain holder=main.tenants bytes>=4000000
// CASE pointer-chain-fixed NONE

import "slices"

// lab:begin
type tenant struct {
	name string
	jobs []*tenantJob
}

type tenantJob struct {
	done  bool
	input []byte
}

var tenants = map[string]*tenant{}

func runJob(t *tenant, input []byte) {
	j := &tenantJob{input: input}
	t.jobs = append(t.jobs, j)
	j.done = true
}

// lab:end

// lab:fixed-begin
func runJobFixed(t *tenant, input []byte) {
	j := &tenantJob{input: input}
	t.jobs = append(t.jobs, j)
	j.done = true
	t.jobs = slices.DeleteFunc(t.jobs, func(j *tenantJob) bool { return j.done })
}

// lab:fixed-end

func tenantOf(i int) *tenant {
	name := [...]string{"north", "south", "west"}[i%3]
	if tenants[name] == nil {
		tenants[name] = &tenant{name: name}
	}
	return tenants[name]
}

func init() {
	add(mode{name: "pointer-chain", about: "map -> struct -> slice -> *T, one owner through several levels", enough: 3000,
		plant: func(i int) { runJob(tenantOf(i), payload(3<<10)) },
		fixed: func(i int) { runJobFixed(tenantOf(i), payload(3<<10)) }})
}
