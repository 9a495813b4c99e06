// sessions - a web server with gorilla/sessions and a middleware that adds a value to the request's context.
//
// gorilla/sessions#122: sessions are registered in a global map of gorilla/context whose key is the *http.Request.
// ClearHandler removes the request that it saw; a middleware behind it that calls r.WithContext makes another one,
// which stays in the map for good with all that it holds.  v1.1.3 has it; v1.2.0 uses the request's own context.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"limpet/goprogs/internal/ready"
	"limpet/goprogs/internal/rounds"

	gorilla "github.com/gorilla/context"
	"github.com/gorilla/sessions"
)

var store = sessions.NewCookieStore([]byte("0123456789abcdef0123456789abcdef"))

type userKey struct{}

func withUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, r.Header.Get("X-User"))))
	})
}

func hello(w http.ResponseWriter, r *http.Request) {
	session, _ := store.Get(r, "visit")
	session.Values["seen"] = true
	if err := session.Save(r, w); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "hello %v\n", r.Context().Value(userKey{}))
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", withUser(http.HandlerFunc(hello)))
	server := &http.Server{Handler: gorilla.ClearHandler(mux), ReadTimeout: time.Minute, WriteTimeout: time.Minute,
		IdleTimeout: time.Minute, ReadHeaderTimeout: time.Minute}
	go server.Serve(l)
	client := &http.Client{Timeout: time.Minute}
	ready.Say(rounds.Run(func() {
		for i := 0; i < 1000; i++ {
			r, _ := http.NewRequest("GET", "http://"+l.Addr().String()+"/", nil)
			r.Header.Set("X-User", fmt.Sprint("user", i))
			r.Header.Set("X-Trace", strings.Repeat("0123456789abcdef", 64))
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
