// limits-unset - servers, clients and pools without limits, where it matters and where it does not.
//
// Prints what is set: "SET type field value", for `limpet audit`.
//
// CASE client EXPECT limits-unset verdict=suspect type=net/http.Client holder=*main.gateway* count>=48
// CASE client-no-context EXPECT limits-unset verdict=suspect type=net/http.Client count>=48
// CASE db EXPECT limits-unset verdict=suspect type=database/sql.DB count>=60
// CASE server EXPECT limits-unset verdict=suspect type=net/http.Server count>=64
// CASE client-timeout NONE
// CASE client-deadline NONE
// CASE db-limited NONE
// CASE server-limited NONE
// CASE defaults NONE
package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	_ "limpet/goprogs/internal/fakedb"
	"limpet/goprogs/internal/ready"
)

type gateway struct {
	name   string
	client *http.Client
	inner  http.Client
}

var (
	theGateway *gateway
	theDB      *sql.DB
	theServer  *http.Server
	keep       []net.Conn
	never      = make(chan bool)
)

func set(typ, field string, value any) {
	if d, ok := value.(time.Duration); ok {
		value = int64(d)
	}
	fmt.Println("SET", typ, field, value)
}

// silent accepts and never answers.
func silent() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			keep = append(keep, c)
		}
	}()
	return l.Addr().String()
}

func newTransport() *http.Transport {
	t := &http.Transport{MaxIdleConnsPerHost: 7, IdleConnTimeout: 42 * time.Second, MaxConnsPerHost: 500}
	set("net/http.Transport", "MaxIdleConnsPerHost", 7)
	set("net/http.Transport", "IdleConnTimeout", 42*time.Second)
	set("net/http.Transport", "MaxConnsPerHost", 500)
	set("net/http.Transport", "ResponseHeaderTimeout", 0)
	return t
}

func ask(ctx context.Context, c *http.Client, addr string) {
	body := make([]byte, 128<<10) // what waits with it
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+addr+"/", nil)
	if err != nil {
		panic(err)
	}
	if resp, err := c.Do(req); err == nil {
		io.ReadFull(resp.Body, body)
		resp.Body.Close()
	}
	runtime.KeepAlive(body)
}

func clients(n int, timeout time.Duration, deadline time.Duration) {
	theGateway = &gateway{name: "pay", client: &http.Client{Transport: newTransport(), Timeout: timeout}}
	set("net/http.Client", "Timeout", timeout)
	addr := silent()
	for i := 0; i < n; i++ {
		go func() {
			ctx := context.Background()
			if deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, deadline)
				defer cancel()
			}
			ask(ctx, theGateway.client, addr)
		}()
	}
}

func queries(n, limit int) {
	var err error
	if theDB, err = sql.Open("fakedb", "x"); err != nil {
		panic(err)
	}
	theDB.SetMaxOpenConns(limit)
	theDB.SetConnMaxLifetime(7 * time.Minute)
	set("database/sql.DB", "MaxOpenConns", limit)
	set("database/sql.DB", "ConnMaxLifetime", 7*time.Minute)
	for i := 0; i < n; i++ {
		go func() {
			rows, err := theDB.Query("select")
			if err != nil {
				return
			}
			defer rows.Close()
			for rows.Next() {
				<-time.After(time.Hour) // what is done with each row
			}
		}()
	}
}

func server(n int, header time.Duration) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	theServer = &http.Server{ReadHeaderTimeout: header, MaxHeaderBytes: 12345}
	set("net/http.Server", "ReadHeaderTimeout", header)
	set("net/http.Server", "MaxHeaderBytes", 12345)
	set("net/http.Server", "IdleTimeout", 0)
	go theServer.Serve(l)
	for i := 0; i < n; i++ {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			panic(err)
		}
		fmt.Fprint(c, "GET / HTTP/1.1\r\nX: ")
		keep = append(keep, c)
	}
}

func main() {
	switch os.Args[1] {
	case "client":
		clients(48, 0, 0)
	case "client-no-context":
		addr := silent()
		theGateway = &gateway{name: "pay", inner: http.Client{Transport: newTransport()}}
		set("net/http.Client", "Timeout", 0)
		for i := 0; i < 48; i++ {
			go func() {
				body := make([]byte, 128<<10)
				if resp, err := theGateway.inner.Get("http://" + addr + "/"); err == nil {
					resp.Body.Close()
				}
				runtime.KeepAlive(body)
			}()
		}
	case "client-timeout":
		clients(48, time.Hour, 0)
	case "client-deadline":
		clients(48, 0, time.Hour)
	case "db":
		queries(64, 0)
	case "db-limited":
		queries(64, 40)
	case "server":
		server(80, 0)
	case "server-limited":
		server(80, time.Hour)
	case "defaults":
		theGateway = &gateway{client: http.DefaultClient}
		theServer = &http.Server{}
	}
	time.Sleep(500 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	time.Sleep(1200 * time.Millisecond)
	ready.Say()
	ready.Wait()
}
