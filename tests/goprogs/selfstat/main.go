// selfstat - says what the runtime counts about itself, without changing it by saying so.
//
// SIGUSR1: one line "STATS name value ...", written from a buffer that was there before.  Arguments:
// -busy: a goroutine that allocates until it is killed; -hold N: MiB that are held; -goroutines N
// that wait; -exit N: so many have ended; -gc=false: no collection before READY.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/metrics"
	"strconv"
	"sync"
	"syscall"
)

var (
	hold   [][]byte
	sink   []byte
	stats  runtime.MemStats
	buf    = make([]byte, 0, 4096)
	sample = []metrics.Sample{
		{Name: "/cpu/classes/gc/total:cpu-seconds"},
		{Name: "/cpu/classes/gc/mark/idle:cpu-seconds"},
		{Name: "/cpu/classes/total:cpu-seconds"},
	}
)

func put(name string, value uint64) {
	buf = append(buf, ' ')
	buf = append(buf, name...)
	buf = append(buf, ' ')
	buf = strconv.AppendUint(buf, value, 10)
}

// Nanoseconds; 0 in a Go that does not count them.
func seconds(i int) uint64 {
	if sample[i].Value.Kind() != metrics.KindFloat64 {
		return 0
	}
	return uint64(sample[i].Value.Float64() * 1e9)
}

func say() {
	metrics.Read(sample)
	runtime.ReadMemStats(&stats)
	buf = append(buf[:0], "STATS"...)
	put("cycles", uint64(stats.NumGC))
	put("forced", uint64(stats.NumForcedGC))
	put("total_alloc", stats.TotalAlloc)
	put("mallocs", stats.Mallocs)
	put("frees", stats.Frees)
	put("heap_goal", stats.NextGC)
	put("heap_in_use", stats.HeapInuse)
	put("heap_released", stats.HeapReleased)
	put("heap_idle", stats.HeapIdle)
	put("stacks", stats.StackInuse)
	put("pause_total_ns", stats.PauseTotalNs)
	put("last_pause_ns", stats.PauseNs[(stats.NumGC+255)%256])
	put("last_gc_unix_ns", stats.LastGC)
	put("goroutines", uint64(runtime.NumGoroutine()))
	put("gc_cpu_ns", seconds(0))
	put("gc_idle_ns", seconds(1))
	put("total_cpu_ns", seconds(2))
	buf = append(buf, '\n')
	syscall.Write(1, buf)
}

func main() {
	busy := flag.Bool("busy", false, "")
	mib := flag.Int("hold", 8, "")
	n := flag.Int("goroutines", 0, "")
	exit := flag.Int("exit", 0, "")
	gc := flag.Bool("gc", true, "")
	flag.Parse()
	for i := 0; i < *mib*16; i++ {
		hold = append(hold, make([]byte, 65536-i))
	}
	var wg sync.WaitGroup
	for i := 0; i < *exit; i++ {
		wg.Add(1)
		go func() { wg.Done() }()
	}
	wg.Wait()
	block := make(chan int)
	for i := 0; i < *n; i++ {
		go func() { <-block }()
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	if *gc {
		runtime.GC()
	}
	if *busy {
		go func() {
			for i := 1; ; i++ {
				sink = make([]byte, i%3000)
			}
		}()
	}
	metrics.Read(sample)
	fmt.Println("READY", os.Getpid())
	for range signals {
		say()
	}
}
