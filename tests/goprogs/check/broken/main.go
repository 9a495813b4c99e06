// broken - a server for the gate that goes wrong in the way it is told to.
//
// Listens on a port of the kernel's choice (says it as "listening on HOST:PORT"); GET / does the work.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"
)

type session struct {
	id   int
	text []byte
}

var (
	mode  = flag.String("mode", "ok", "what goes wrong")
	cache = map[int]*session{}
	lock  = make(chan struct{}, 1)
	count int
	never = make(chan int)
)

// work is one request.
func work() {
	lock <- struct{}{}
	defer func() { <-lock }()
	count++
	switch *mode {
	case "leak":
		cache[count] = &session{count, make([]byte, 1000)} // the line
	case "goroutines":
		go func() { never <- count }()
	case "crash-load":
		if count >= 5 {
			fmt.Println("about to crash")
			go panic("no more") // in a handler net/http would catch it
		}
	case "exit":
		if count >= 8 {
			os.Exit(0)
		}
	default:
		cache[count%10] = &session{count, make([]byte, 1000)}
	}
}

func fork(args ...string) {
	c := exec.Command("sh", append([]string{"-c"}, args...)...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	if err := c.Start(); err != nil {
		panic(err)
	}
}

func main() {
	profile := flag.Bool("profile", false, "keep allocation samples")
	mark := flag.String("mark", "limpet-check-mark", "in the command line of what is forked")
	flag.Parse()
	if *profile {
		defer pprof.Lookup("heap").WriteTo(os.Stdout, 0)
	}
	switch *mode {
	case "crash-start":
		fmt.Fprintln(os.Stderr, "no configuration: \x1b[31mgiving up\x1b[0m")
		os.Exit(7)
	case "never":
		for {
			fmt.Println("starting …")
			time.Sleep(50 * time.Millisecond)
		}
	case "ignore":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
	case "forks":
		fork("while :; do sleep 0.1; : " + *mark + "; done")
		fork("trap '' TERM; setsid sh -c 'while :; do sleep 0.1; : " + *mark + "; done' & wait")
	case "daemon":
		fork("setsid sh -c 'while :; do sleep 0.1; : " + *mark + "; done' >/dev/null 2>&1 &")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("listening on", l.Addr())
	stop := make(chan os.Signal, 1)
	if !strings.HasPrefix(*mode, "ignore") {
		signal.Notify(stop, syscall.SIGTERM)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		work()
		fmt.Fprintln(w, count)
	}))
	<-stop
	fmt.Println("stopping")
}
