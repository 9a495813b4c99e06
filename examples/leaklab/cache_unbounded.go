package main

// cache-unbounded: a map under a global that gets an entry for each user and loses none.  The oldest of all.
//
// The twin has an age and a number beyond which entries go.

// CASE cache-unbounded EXPECT global-growth holder=main.profiles type=map*profile* bytes>=4000000
// CASE cache-unbounded-fixed NONE

import (
	"sync"
	"time"
)

// lab:begin
type profile struct {
	name   string
	avatar []byte
	loaded time.Time
}

var (
	profilesMu sync.RWMutex
	profiles   = map[string]*profile{}
)

func profileOf(user string) *profile {
	profilesMu.Lock()
	defer profilesMu.Unlock()
	p := profiles[user]
	if p == nil {
		p = loadProfile(user)
		profiles[user] = p
	}
	return p
}

// lab:end

// lab:fixed-begin
const profilesMost = 200

func profileOfFixed(user string) *profile {
	profilesMu.Lock()
	defer profilesMu.Unlock()
	if p := profiles[user]; p != nil && time.Since(p.loaded) < time.Minute {
		return p
	}
	for old := range profiles { // any: better is an LRU
		if len(profiles) < profilesMost {
			break
		}
		delete(profiles, old)
	}
	p := loadProfile(user)
	profiles[user] = p
	return p
}

// lab:fixed-end

func loadProfile(user string) *profile {
	return &profile{name: user, avatar: payload(4 << 10), loaded: time.Now()}
}

func init() {
	add(mode{name: "cache-unbounded", about: "a map under a global that only grows", enough: 3000,
		plant: func(i int) { profileOf(text(i, 12)) }, fixed: func(i int) { profileOfFixed(text(i, 12)) }})
}
