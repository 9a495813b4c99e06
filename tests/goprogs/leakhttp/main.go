// leakhttp - the demo: a web shop that leaks the way real ones do.
//
// EXPECT global-growth type=*main.Session root=main.sessions
// EXPECT goroutine-leak function=main.(*Auditor).wait wait="chan receive"
//
// Each visitor without a cookie gets a session that nobody ever evicts, and each request starts an audit
// whose answer has no reader once the request's deadline is over: the goroutine waits for ever.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"limpet/goprogs/internal/body"
	"limpet/goprogs/internal/ready"
)

// Session is what the shop remembers of a visitor.
type Session struct {
	ID      string
	Created time.Time
	Cart    []*Item
	History []string
	render  []byte
}

// Item is one thing in a cart.
type Item struct {
	SKU   string
	Count int
	Price map[string]int
}

// Auditor checks requests against a slow service.
type Auditor struct{ queue chan *audit }

type audit struct {
	visitor string
	path    string
	answer  chan bool
	ctx     context.Context
}

var (
	mu       sync.Mutex
	sessions = map[string]*Session{}
	auditor  = &Auditor{queue: make(chan *audit, 64)}
)

func newSession() *Session {
	id := make([]byte, 16)
	rand.Read(id)
	s := &Session{ID: hex.EncodeToString(id), Created: time.Now(), render: make([]byte, 4096)}
	for i := 0; i < 3; i++ {
		s.Cart = append(s.Cart, &Item{SKU: fmt.Sprintf("sku-%d", i), Count: i, Price: map[string]int{"EUR": i * 100}})
	}
	mu.Lock()
	sessions[s.ID] = s
	mu.Unlock()
	return s
}

func findSession(r *http.Request) *Session {
	if c, err := r.Cookie("session"); err == nil {
		mu.Lock()
		defer mu.Unlock()
		if s := sessions[c.Value]; s != nil {
			return s
		}
	}
	return newSession()
}

// serve answers audits, but slower than they come in.
func (a *Auditor) serve() {
	for job := range a.queue {
		time.Sleep(20 * time.Millisecond)
		select {
		case <-job.ctx.Done(): // the request is over: nobody told wait
		case job.answer <- true:
		}
	}
}

// wait is the leak: it listens to the answer, and not to the context.
func (a *Auditor) wait(job *audit) {
	if !<-job.answer {
		fmt.Println("audit failed:", job.path)
	}
}

func page(w http.ResponseWriter, r *http.Request) {
	s := findSession(r)
	mu.Lock()
	s.History = append(s.History, r.URL.Path)
	mu.Unlock()
	ctx, cancel := context.WithTimeout(r.Context(), 50*time.Millisecond)
	defer cancel()
	job := &audit{visitor: s.ID, path: r.URL.Path, answer: make(chan bool), ctx: ctx}
	go auditor.wait(job)
	select {
	case auditor.queue <- job:
	default:
	}
	var seed uint64
	var n int
	fmt.Sscanf(r.URL.RawQuery, "seed=%d&n=%d", &seed, &n)
	buf := make([]byte, min(max(n, 0), 1<<20))
	body.Fill(seed, buf)
	http.SetCookie(w, &http.Cookie{Name: "session", Value: s.ID})
	w.Write(buf)
}

func main() {
	addr := "127.0.0.1:0"
	if len(os.Args) > 1 {
		addr = os.Args[1]
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		panic(err)
	}
	go auditor.serve()
	http.HandleFunc("/", page)
	ready.Say(l.Addr().String())
	panic(http.Serve(l, nil))
}
