// promhttp - a web server whose handlers are instrumented by prometheus/client_golang.
//
// prometheus/client_golang#987 (CVE-2022-21698): the request's method becomes a label as it came, and whoever sends
// ever new methods makes ever new time series, which are never dropped.  v1.11.0 has it; in v1.11.1 what is no known
// method is "unknown".
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"limpet/goprogs/internal/ready"
	"limpet/goprogs/internal/rounds"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var (
	requests = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total", Help: "Requests."},
		[]string{"code", "method"})
	seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "request_seconds", Help: "How long they took."},
		[]string{"code", "method"})
)

func main() {
	prometheus.MustRegister(requests, seconds)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello\n") })
	mux := http.NewServeMux()
	mux.Handle("/", promhttp.InstrumentHandlerDuration(seconds, promhttp.InstrumentHandlerCounter(requests, hello)))
	mux.Handle("/metrics", promhttp.Handler())
	server := &http.Server{Handler: mux, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: time.Minute,
		ReadHeaderTimeout: time.Minute}
	go server.Serve(l)
	client := &http.Client{Timeout: time.Minute}
	n := 0
	ready.Say(rounds.Run(func() {
		for i := 0; i < 2000; i++ {
			n++
			r, _ := http.NewRequest(fmt.Sprint("SCAN", n), "http://"+l.Addr().String()+"/", nil)
			answer, err := client.Do(r)
			if err != nil {
				panic(err)
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
	})...)
	ready.Wait()
}
