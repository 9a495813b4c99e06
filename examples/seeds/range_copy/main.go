// A closure made in a Range over a sync.Map: with `v := value`, and with the one number that it needs.
package main

import (
	"sync"

	"limpet/seeds/internal/say"
)

type session struct {
	id  int
	buf []byte
}

var (
	sessions sync.Map
	jobs     []func() int
)

func fill() {
	for i := 0; i < 1000; i++ {
		sessions.Store(i, &session{i, make([]byte, 64<<10)})
	}
}

func drop() {
	sessions.Range(func(key, _ any) bool { sessions.Delete(key); return true })
}

func main() {
	fill()
	sessions.Range(func(_, value any) bool {
		v := value // "the cure": a copy of two words that point at the same session
		jobs = append(jobs, func() int { return v.(*session).id })
		return true
	})
	drop()
	with := say.Heap("map emptied, closures have v := value")

	jobs = nil
	fill()
	sessions.Range(func(_, value any) bool {
		id := value.(*session).id
		jobs = append(jobs, func() int { return id })
		return true
	})
	drop()
	without := say.Heap("map emptied, closures have only the id")
	say.Holds(with > 60 && without < 5, "a copied pointer keeps what it points at")
	_ = jobs[0]()
}
