package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"runtime"
	"time"
)

type key struct{}

var base, stop = context.WithCancel(context.Background())

// A server's context knows the contexts of all its requests, which know their sessions.
func contextChildren() {
	theStore = newStore(count)
	for i := 0; i < 2*count; i++ {
		s := theStore.sessions[i]
		if s == nil { // nobody else has it: never cancelled
			s = newSession(i)
		}
		context.WithCancel(&withSession{base, s})
	}
	own("type", "main.store", count)
	same("type", "main.withSession", count)
}

// withSession is a context of its own making: propagateCancel goes through Value.
type withSession struct {
	context.Context
	s *session
}

type config struct {
	data []byte
}

type handle struct {
	ctx context.Context
}

var settings = struct {
	ctx context.Context
}{}

// All requests' contexts lead to the base, which has what belongs to the program.
func contextParent() {
	c := &config{make([]byte, count*size)}
	settings.ctx = context.WithValue(context.Background(), key{}, c)
	program = &owner{settings.ctx}
	settings.ctx = nil
	for i := 0; i < count; i++ {
		ctx, _ := context.WithCancel(program.ctx)
		keep = append(keep, &handle{ctx})
	}
	own("type", "main.owner", count)
}

type owner struct {
	ctx context.Context
}

var program *owner

func (s *session) expire() { s.id = -1 }

// A timer's function knows the session that it will end.
func timers() {
	theStore = newStore(count)
	for i := 0; i < count; i++ {
		s := theStore.sessions[i]
		time.AfterFunc(time.Hour+time.Duration(i)*time.Second, func() { s.expire() })
	}
	own("type", "main.store", count)
}

// An object with a finalizer is kept once more: the collector marks all that it points to.
func finalizers() {
	theStore = newStore(count)
	for _, s := range theStore.sessions {
		runtime.SetFinalizer(s, (*session).expire)
	}
	own("type", "main.store", count)
}

// conn is a driver's connection, which has a session.
type conn struct{ s *session }

func (c *conn) Prepare(string) (driver.Stmt, error) { return nil, driver.ErrSkip }
func (c *conn) Close() error                        { return nil }
func (c *conn) Begin() (driver.Tx, error)           { return nil, driver.ErrSkip }

type connector struct{ n int }

func (c *connector) Connect(context.Context) (driver.Conn, error) {
	c.n++
	return &conn{newSession(c.n)}, nil
}
func (c *connector) Driver() driver.Driver { return nil }

var db *sql.DB

//go:noinline
func query(c *sql.Conn, started chan<- bool) {
	started <- true
	<-make(chan bool)
	c.Close()
}

// A pool of connections knows those that are in use, too.
func database() {
	started := make(chan bool)
	db = sql.OpenDB(&connector{})
	db.SetMaxIdleConns(2 * count)
	var conns []*sql.Conn
	for i := 0; i < 2*count; i++ {
		c, err := db.Conn(context.Background())
		if err != nil {
			panic(err)
		}
		conns = append(conns, c)
	}
	for i, c := range conns {
		if i < count {
			c.Close()
			continue
		}
		go query(c, started)
		<-started
	}
	own("goroutine", "main.query", count)
	same("type", "sql.DB", count)
}
