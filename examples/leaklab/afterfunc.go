package main

// afterfunc: a session arms its expiry with time.AfterFunc and is closed long before, without Stop.  The timer is armed
// for a day; until then it holds the closure, the closure the session, the session its buffers.  A timer with a function
// is not collected on any Go version, for the function is still to run.
//
// The twin stops the timer when the session is closed.

// CASE afterfunc EXPECT timer-leak function=main.*penTimed* bytes>=4000000 count>=1500
// CASE afterfunc-fixed NONE

import "time"

// lab:begin
type timedSession struct {
	buf    []byte
	expiry *time.Timer
}

func openTimedSession() *timedSession {
	s := &timedSession{buf: payload(4 << 10)}
	s.expiry = time.AfterFunc(24*time.Hour, func() { s.close() })
	return s
}

func (s *timedSession) close() {
	s.buf = s.buf[:0] // and the timer?
}

// lab:end

// lab:fixed-begin
func (s *timedSession) closeFixed() {
	s.expiry.Stop()
	s.buf = nil
}

// lab:fixed-end

func init() {
	add(mode{name: "afterfunc", about: "time.AfterFunc for a day, of sessions that end in a second", enough: 2000,
		plant: func(int) { openTimedSession().close() },
		fixed: func(int) { openTimedSession().closeFixed() }})
}
