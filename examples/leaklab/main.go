// leaklab - the well-known ways in which Go programs lose memory, one a mode, to learn them and to watch a tool name them.
//
//	leaklab -list                               the modes
//	leaklab -mode ticker -rate 100/s            leak a hundred tickers a second, for ever
//	leaklab -mode ticker -rate 100/s -for 30s   for half a minute, then keep what there is
//	leaklab -mode ticker -n 5000                5,000 at once
//	leaklab -mode ticker -test                  as many as it takes to matter
//	leaklab -mode ticker-fixed ...              the same work, done right (or: -mode ticker -fixed)
//
// READY and the process id are printed once all is planted; then it waits to be looked at.  SIGUSR1 runs the collector
// twice and prints NumGC, HeapObjects and HeapAlloc; SIGINT ends it.
//
// One file a mode; what a mode shows is between the lines "lab:begin" and "lab:end" of its file, and docs/lab has a page
// for it.  The CASE lines say what a diagnosis has to find: tests/findings.py runs them.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A mode is one way to leak, or one that only looks like it.
type mode struct {
	name   string
	about  string
	enough int // as many as -test plants

	start func() // once, before all
	plant func(i int)
	end   func() // once, after all

	fixedStart func()
	fixed      func(i int) // the same work without the leak; nil: there is no twin
	fixedEnd   func()

	// What counts is garbage itself, or lies in pools that a collection empties.
	noGC bool
}

var modes = map[string]mode{}

func add(m mode) {
	modes[m.name] = m
}

// Modes whose libraries or whose Go are not in this build, and why.
var absent = map[string]string{}

func showModes() {
	var names []string
	for name := range modes {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		m := modes[name]
		if m.fixed != nil {
			name += " (-fixed)"
		}
		fmt.Printf("%-28s %s\n", name, m.about)
	}
}

// perSecond reads "100/s", "100" and "6000/m".
func perSecond(text string) (float64, error) {
	number, unit, _ := strings.Cut(text, "/")
	rate, err := strconv.ParseFloat(number, 64)
	if unit == "m" || unit == "min" {
		rate /= 60
	} else if unit != "" && unit != "s" {
		err = fmt.Errorf("unit %q", unit)
	}
	if err != nil || rate <= 0 {
		return 0, fmt.Errorf("leaklab: -rate %s: want a number and /s or /m", text)
	}
	return rate, nil
}

// steadily plants at a rate until ctx ends.
func steadily(ctx context.Context, rate float64, plant func(i int)) int {
	began := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; {
		select {
		case <-ctx.Done():
			return i
		case <-tick.C:
			for due := int(rate * time.Since(began).Seconds()); i < due && ctx.Err() == nil; i++ {
				plant(i)
			}
		}
	}
}

// answerSignals collects on SIGUSR1 and says what there is, as tests/goprogs/internal/ready does.
func answerSignals() {
	c := make(chan os.Signal, 4)
	signal.Notify(c, syscall.SIGUSR1)
	go func() {
		for range c {
			var m runtime.MemStats
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&m)
			fmt.Println("GC", m.NumGC, m.HeapObjects, m.HeapAlloc)
		}
	}()
}

func fail(words ...any) {
	fmt.Fprintln(os.Stderr, words...)
	os.Exit(2)
}

func find(name string, fixed bool) mode {
	if base := strings.TrimSuffix(name, "-fixed"); base != name {
		name, fixed = base, true
	}
	m, ok := modes[name]
	if why := absent[name]; !ok && why != "" {
		fail("leaklab: mode", name, why)
	}
	if !ok {
		fail("leaklab: no mode", strconv.Quote(name)+"; leaklab -list shows them")
	}
	if fixed {
		if m.fixed == nil {
			fail("leaklab: mode", name, "has no fixed twin")
		}
		m.start, m.plant, m.end = m.fixedStart, m.fixed, m.fixedEnd
	}
	return m
}

func main() {
	var (
		name  = flag.String("mode", "", "what to do; see -list")
		rate  = flag.String("rate", "100/s", "how many a second")
		long  = flag.Duration("for", 0, "how long to go on (0: for ever)")
		n     = flag.Int("n", 0, "plant so many at once instead")
		test  = flag.Bool("test", false, "plant as many at once as it takes to matter")
		fixed = flag.Bool("fixed", false, "the same work without the leak")
		show  = flag.Bool("list", false, "show the modes")
	)
	flag.Parse()
	if *show {
		showModes()
		return
	}
	if *name == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	m := find(*name, *fixed)
	perSec, err := perSecond(*rate)
	if err != nil {
		fail(err)
	}
	if *test {
		*n = m.enough
	}
	run(m, *n, perSec, *long)
}

func run(m mode, n int, rate float64, long time.Duration) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	answerSignals()
	if m.start != nil {
		m.start()
	}
	if n > 0 {
		for i := 0; i < n; i++ {
			m.plant(i)
		}
	} else {
		fmt.Printf("leaklab: %s, %g a second, pid %d\n", m.name, rate, os.Getpid())
		until, cancel := ctx, context.CancelFunc(func() {})
		if long > 0 {
			until, cancel = context.WithTimeout(ctx, long)
		}
		n = steadily(until, rate, m.plant)
		cancel()
	}
	if m.end != nil {
		m.end()
	}
	if !m.noGC {
		runtime.GC()
		runtime.GC()
	}
	fmt.Println("READY", os.Getpid(), m.name, n)
	<-ctx.Done()
}
