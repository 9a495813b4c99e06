// labelhttp - an HTTP server that labels its handlers by route and tenant, and keeps books of what they hold.
//
//	/ROUTE?tenant=T&total=N&n=N[&give=1][&take=1][&common=1]   holds, for ever: see internal/onbehalf
//	/truth                                                    its books
//	/goroutines                                               the goroutine profile, with labels
//
// Goroutines without labels hold memory, too.
package main

import (
	"context"
	"net"
	"net/http"
	"runtime/pprof"

	"limpet/goprogs/internal/onbehalf"
	"limpet/goprogs/internal/ready"
)

// What an application has once, around all of its handlers.
func labelled(route string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		labels := pprof.Labels("route", route, "tenant", r.URL.Query().Get("tenant"))
		pprof.Do(r.Context(), labels, func(ctx context.Context) { next(w, r.WithContext(ctx)) })
	}
}

func handle(_ http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	place, _ := pprof.Label(r.Context(), "route")
	tenant, _ := pprof.Label(r.Context(), "tenant")
	onbehalf.Hold(r.Context(), []onbehalf.Who{{Place: place, Tenant: tenant}}, onbehalf.Int(q.Get("total")), onbehalf.Int(q.Get("n")),
		q.Get("give") != "", q.Get("take") != "", q.Get("common") != "")
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/cart", labelled("/cart", handle))
	http.HandleFunc("/search", labelled("/search", handle))
	http.HandleFunc("/report/", labelled("/report/{id}", handle))
	http.HandleFunc("/truth", onbehalf.Serve)
	http.HandleFunc("/goroutines", func(w http.ResponseWriter, _ *http.Request) {
		pprof.Lookup("goroutine").WriteTo(w, 1)
	})
	for i := 0; i < 8; i++ {
		go onbehalf.Hold(context.Background(), nil, 300<<10, 5000, false, false, false)
	}
	ready.Say(l.Addr().String())
	panic(http.Serve(l, nil))
}
