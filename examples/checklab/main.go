// checklab - small web servers of which one half leaks and the other half only looks like it, for `limpet check`.
//
//	checklab -list                     the modes: "leak" or "ok", and what each does
//	checklab MODE                      serves at 127.0.0.1:$LIMPET_PORT (without it: any port), says READY with the address
//	checklab load [-n 100]             so many requests, each with a number of its own, then the end
//
//	limpet check --load 'checklab load' -- checklab map
//
// What a mode does stands in leaks.go and healthy.go; a mode is one handler.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"
)

// A mode is one server.
type mode struct {
	leaks bool
	about string
	start func()
	serve func(id int, r *http.Request) string
}

var modes = map[string]mode{}

// Where the server listens, for those that are their own client.
var address string

func show() {
	var names []string
	for name := range modes {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		truth := "ok"
		if modes[name].leaks {
			truth = "leak"
		}
		fmt.Printf("%-4s %-12s %s\n", truth, name, modes[name].about)
	}
}

func serve(m mode) error {
	l, err := net.Listen("tcp", "127.0.0.1:"+port())
	if err != nil {
		return err
	}
	address = l.Addr().String()
	if m.start != nil {
		m.start()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.URL.Query().Get("id"))
		io.WriteString(w, m.serve(id, r))
	})
	mux.HandleFunc("/upstream", func(w http.ResponseWriter, r *http.Request) {
		w.Write(make([]byte, 16<<10))
	})
	fmt.Println("READY", os.Getpid(), address)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute, IdleTimeout: time.Minute}
	return server.Serve(l)
}

func port() string {
	if p := os.Getenv("LIMPET_PORT"); p != "" {
		return p
	}
	return "0"
}

// load sends n requests from four clients.  Its numbers are never those of another run: they start at the time.
func load(args []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	n := flags.Int("n", 100, "requests")
	to := flags.String("to", "127.0.0.1:"+port(), "where the server listens")
	flags.Parse(args)
	first := int(time.Now().UnixNano())
	next := make(chan int)
	failed := make(chan error, 4)
	var clients sync.WaitGroup
	for c := 0; c < 4; c++ {
		clients.Add(1)
		go func() {
			defer clients.Done()
			client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for id := range next {
				if err := get(client, fmt.Sprintf("http://%s/?id=%d", *to, first+id)); err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			}
		}()
	}
	for i := 0; i < *n; i++ {
		next <- i
	}
	close(next)
	clients.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func get(client *http.Client, url string) error {
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func main() {
	var err error
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if m, ok := modes[name]; ok {
		err = serve(m)
	} else if name == "load" {
		err = load(os.Args[2:])
	} else if name == "-list" {
		show()
	} else {
		err = fmt.Errorf("usage: checklab MODE | load [-n N] | -list")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "checklab:", err)
		os.Exit(2)
	}
}
