// shop - a small web shop with gorilla/sessions, as a project would have it in its CI: a server, and visitors for it.
//
//	shop -listen 127.0.0.1:8080
//	shop -visit 100 -listen 127.0.0.1:8080      so many requests, then the end
//
// gorilla/sessions#122, as in ../sessions: behind ClearHandler a middleware makes another request with its context, and
// that one stays in a global map with all that it holds.  v1.1.3 has it; v1.2.0 uses the request's own context.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	_ "net/http/pprof" // keeps the memory profile in the program: limpet names the lines that allocate
	"strings"
	"time"

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

func cart(w http.ResponseWriter, r *http.Request) {
	session, _ := store.Get(r, "cart")
	items, _ := session.Values["items"].(int)
	session.Values["items"] = items + 1
	if err := session.Save(r, w); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "%v has %d things in the cart\n", r.Context().Value(userKey{}), items+1)
}

func serve(address string) error {
	mux := http.NewServeMux()
	mux.Handle("/", withUser(http.HandlerFunc(cart)))
	server := &http.Server{Addr: address, Handler: gorilla.ClearHandler(mux), ReadHeaderTimeout: time.Minute}
	return server.ListenAndServe()
}

func visit(address string, n int) error {
	client := &http.Client{Timeout: time.Minute}
	for i := 0; i < n; i++ {
		r, err := http.NewRequest("GET", "http://"+address+"/", nil)
		if err != nil {
			return err
		}
		r.Header.Set("X-User", fmt.Sprint("user", i))
		r.Header.Set("X-Trace", strings.Repeat("0123456789abcdef", 16))
		answer, err := client.Do(r)
		if err != nil {
			return err
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
	return nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address")
	visits := flag.Int("visit", 0, "be so many visitors instead")
	flag.Parse()
	if *visits > 0 {
		if err := visit(*listen, *visits); err != nil {
			log.Fatal(err)
		}
		return
	}
	log.Fatal(serve(*listen))
}
