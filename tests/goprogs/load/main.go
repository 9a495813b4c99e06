// load - asks a server without pause, checks every byte of every answer, and keeps a histogram of latencies.
//
//	load -addr HOST:PORT [-mode sum|file|nats] [-clients N] [-for 10s] [-file PATH]
//
// Ends after -for or on SIGTERM with one JSON document:
//
//	{"requests":…,"failures":…,"bytes":…,"first_failure":"…","p50_ns":…,"p99_ns":…,"p999_ns":…,"max_ns":…}
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"limpet/goprogs/internal/body"
	"limpet/goprogs/internal/hist"
)

// client asks once; an error is a failed request.
type client interface {
	ask(seed uint64) (nbytes int, err error)
}

type result struct {
	Requests int64  `json:"requests"`
	Failures int64  `json:"failures"`
	Bytes    int64  `json:"bytes"`
	First    string `json:"first_failure"`
	P50      int64  `json:"p50_ns"`
	P99      int64  `json:"p99_ns"`
	P999     int64  `json:"p999_ns"`
	Max      int64  `json:"max_ns"`
}

var (
	addr    = flag.String("addr", "", "HOST:PORT of the server")
	mode    = flag.String("mode", "sum", "sum, file or nats")
	clients = flag.Int("clients", 8, "connections at once")
	length  = flag.Duration("for", time.Hour, "how long")
	file    = flag.String("file", "", "mode file: what the server shall answer")
	pause   = flag.Duration("pause", 0, "between two requests of a client")
)

type httpSum struct{ c *http.Client }

func (h httpSum) ask(seed uint64) (int, error) {
	want := make([]byte, 200+seed%20000)
	body.Fill(seed, want)
	return get(h.c, fmt.Sprintf("%s://%s/page%d?seed=%d&n=%d", "http", *addr, seed%10, seed, len(want)), want)
}

type httpFile struct {
	c    *http.Client
	want []byte
}

func (h httpFile) ask(seed uint64) (int, error) {
	return get(h.c, fmt.Sprintf("%s://%s/?%d", "http", *addr, seed), h.want)
}

func get(c *http.Client, url string, want []byte) (int, error) {
	r, err := c.Get(url)
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	if err != nil {
		return len(got), err
	}
	if r.StatusCode != 200 || !bytes.Equal(got, want) {
		return len(got), fmt.Errorf("%s: status %d, %d bytes that differ from the %d expected", url, r.StatusCode, len(got), len(want))
	}
	return len(got), nil
}

func newClient() (client, error) {
	switch *mode {
	case "nats":
		return dialNats(*addr)
	case "file":
		want, err := os.ReadFile(*file)
		return httpFile{&http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}, want}, err
	}
	return httpSum{&http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}}, nil
}

func main() {
	flag.Parse()
	var r result
	var first sync.Once
	var wg sync.WaitGroup
	h := hist.New()
	stop := make(chan struct{})
	for i := 0; i < *clients; i++ {
		c, err := newClient()
		if err != nil {
			fmt.Fprintln(os.Stderr, "load:", err)
			os.Exit(1)
		}
		wg.Add(1)
		go func(seed uint64) {
			defer wg.Done()
			for ; ; seed++ {
				select {
				case <-stop:
					return
				default:
				}
				start := time.Now()
				n, err := c.ask(seed)
				h.Add(time.Since(start).Nanoseconds())
				atomic.AddInt64(&r.Requests, 1)
				atomic.AddInt64(&r.Bytes, int64(n))
				if err != nil {
					atomic.AddInt64(&r.Failures, 1)
					first.Do(func() { r.First = err.Error() })
				}
				time.Sleep(*pause)
			}
		}(uint64(i) * 1000003)
	}
	waitForEnd()
	close(stop)
	wg.Wait()
	r.P50, r.P99, r.P999, r.Max = h.Quantile(0.5), h.Quantile(0.99), h.Quantile(0.999), h.Quantile(1)
	json.NewEncoder(os.Stdout).Encode(&r)
}

func waitForEnd() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-end:
	case <-time.After(*length):
	}
}
