package main

import "time"

// when: the wall clock, within what the test allows.
func sayTimer[T any](name string, t *T, active bool, period time.Duration, in time.Duration, entries ...[3]string) {
	facts := map[string]any{"active": active, "period": int64(period)}
	if active {
		facts["when"] = time.Now().Add(in).UnixNano()
	}
	sayValue(name, t, facts, entries...)
}

func makeTimers() {
	t := time.NewTimer(time.Hour)
	sayTimer("timer", t, true, 0, time.Hour)
	t = time.NewTimer(time.Hour)
	t.Stop()
	sayTimer("timer stopped", t, false, 0, 0)
	t = time.NewTimer(time.Hour)
	t.Reset(2 * time.Hour)
	sayTimer("timer reset", t, true, 0, 2*time.Hour)
	t = time.NewTimer(time.Hour)
	t.Reset(time.Minute * 10)
	sayTimer("timer reset earlier", t, true, 0, 10*time.Minute)
	fired := time.AfterFunc(1, func() {})
	time.Sleep(20 * time.Millisecond)
	sayTimer("timer fired", fired, false, 0, 0)
	sayTimer("timer of a func", time.AfterFunc(time.Hour, func() {}), true, 0, time.Hour)
	sayTimer("ticker", time.NewTicker(30*time.Minute), true, 30*time.Minute, 30*time.Minute)
	k := time.NewTicker(30 * time.Minute)
	k.Stop()
	sayTimer("ticker stopped", k, false, 30*time.Minute, 0)
}
