// unclosed-resource - answers, rows, files and connections that nobody closed, and what is fine.
//
// CASE body EXPECT unclosed-resource verdict=leak proof=proved count>=300 bytes>=4000000 also=goroutine-leak
// CASE body-error EXPECT unclosed-resource verdict=leak proof=proved count>=300 also=goroutine-leak
// CASE body-kept EXPECT unclosed-resource verdict=suspect holder=*Response* count>=300
// CASE rows EXPECT unclosed-resource verdict=leak type=database/sql.DB count>=64
// CASE rows-kept EXPECT unclosed-resource verdict=suspect count>=64
// CASE files EXPECT unclosed-resource verdict=waste type=os.File count>=200
// CASE files-kept EXPECT unclosed-resource verdict=suspect count>=400
// CASE conns EXPECT unclosed-resource verdict=suspect count>=100
// CASE transports EXPECT unclosed-resource verdict=leak type=net/http.Transport count>=100 also=goroutine-leak
// CASE pool NONE
// CASE streaming NONE
// CASE serving NONE
// CASE files-in-use NONE
// CASE db-pool NONE
// CASE transport-shared NONE
package main

import (
	"bufio"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	_ "limpet/goprogs/internal/fakedb"
	"limpet/goprogs/internal/ready"
)

type fetcher struct {
	client *http.Client
	kept   map[int]*http.Response
}

var (
	theFetcher *fetcher
	theDB      *sql.DB
	theRows    []*sql.Rows
	theFiles   = map[string]*os.File{}
	theConns   []net.Conn
	mu         sync.Mutex
)

// long gives answers that do not end with the header; hold keeps them open.
func long(hold bool) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	answer := make([]byte, 100<<10)
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/missing" {
			w.WriteHeader(404)
		}
		w.Write(answer)
		if hold {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	}))
	return "http://" + l.Addr().String()
}

func newFetcher() *fetcher {
	return &fetcher{client: &http.Client{Transport: &http.Transport{}}, kept: map[int]*http.Response{}}
}

//go:noinline
func (f *fetcher) status(url string) int {
	resp, err := f.client.Get(url)
	if err != nil {
		panic(err)
	}
	return resp.StatusCode // and the body stays open
}

//go:noinline
func (f *fetcher) check(url string) error {
	resp, err := f.client.Get(url)
	if err != nil {
		return err
	}
	if resp.StatusCode != 200 {
		return fmt.Errorf("status %d", resp.StatusCode) // before the defer
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

//go:noinline
func openOne(i int) string {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		panic(err)
	}
	b := bufio.NewReaderSize(f, 64)
	line, _ := b.ReadString('\n')
	return line
}

func openDB(n int, keep bool) {
	var err error
	if theDB, err = sql.Open("fakedb", "x"); err != nil {
		panic(err)
	}
	theDB.SetMaxOpenConns(500)
	for i := 0; i < n; i++ {
		rows, err := theDB.Query("select")
		if err != nil {
			panic(err)
		}
		rows.Next()
		if keep {
			theRows = append(theRows, rows)
		}
	}
}

func main() {
	switch os.Args[1] {
	case "body":
		theFetcher = newFetcher()
		url := long(false)
		for i := 0; i < 300; i++ {
			theFetcher.status(url)
		}
	case "body-error":
		theFetcher = newFetcher()
		url := long(false)
		for i := 0; i < 300; i++ {
			theFetcher.check(url + "/missing")
		}
	case "body-kept":
		theFetcher = newFetcher()
		url := long(false)
		for i := 0; i < 300; i++ {
			resp, err := theFetcher.client.Get(url)
			if err != nil {
				panic(err)
			}
			theFetcher.kept[i] = resp
		}
	case "rows":
		openDB(64, false)
	case "rows-kept":
		openDB(64, true)
	case "files":
		debug.SetGCPercent(-1)
		for i := 0; i < 200; i++ {
			openOne(i)
		}
	case "files-kept":
		for i := 0; i < 400; i++ {
			f, err := os.Open("/proc/self/status")
			if err != nil {
				panic(err)
			}
			theFiles[fmt.Sprint("tenant", i)] = f
		}
	case "conns":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		for i := 0; i < 100; i++ {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				panic(err)
			}
			in, err := l.Accept()
			if err != nil {
				panic(err)
			}
			fmt.Fprintln(in, "hello")
			in.Close() // the other side is done
			theConns = append(theConns, c)
		}
	case "transports":
		url := long(false)
		for i := 0; i < 120; i++ {
			c := &http.Client{Transport: &http.Transport{}}
			resp, err := c.Get(url)
			if err != nil {
				panic(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	case "transport-shared":
		theFetcher = newFetcher()
		url := long(false)
		for i := 0; i < 300; i++ {
			resp, err := theFetcher.client.Get(url)
			if err != nil {
				panic(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	case "pool":
		theFetcher = &fetcher{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}}
		url := long(false)
		var all sync.WaitGroup
		for i := 0; i < 60; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				resp, err := theFetcher.client.Get(url)
				if err != nil {
					panic(err)
				}
				time.Sleep(300 * time.Millisecond)
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}()
		}
		all.Wait()
	case "streaming":
		theFetcher = newFetcher()
		url := long(true)
		for i := 0; i < 60; i++ {
			go func() {
				resp, err := theFetcher.client.Get(url)
				if err != nil {
					panic(err)
				}
				defer resp.Body.Close()
				io.Copy(io.Discard, resp.Body)
			}()
		}
		time.Sleep(500 * time.Millisecond)
	case "serving":
		url := long(false)
		for i := 0; i < 150; i++ {
			c, err := net.Dial("tcp", url[len("http://"):])
			if err != nil {
				panic(err)
			}
			fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			go io.Copy(io.Discard, c)
		}
		time.Sleep(300 * time.Millisecond)
	case "files-in-use":
		for i := 0; i < 30; i++ {
			f, err := os.Open("/proc/self/status")
			if err != nil {
				panic(err)
			}
			theFiles[fmt.Sprint("segment", i)] = f
		}
	case "db-pool":
		var err error
		if theDB, err = sql.Open("fakedb", "x"); err != nil {
			panic(err)
		}
		theDB.SetMaxIdleConns(64)
		var all sync.WaitGroup
		for i := 0; i < 64; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				rows, err := theDB.Query("select")
				if err != nil {
					panic(err)
				}
				rows.Next()
				time.Sleep(200 * time.Millisecond)
				rows.Close()
			}()
		}
		all.Wait()
	}
	if os.Args[1] != "files" {
		runtime.GC()
		runtime.GC()
	}
	time.Sleep(1200 * time.Millisecond)
	ready.Say()
	ready.Wait()
}
