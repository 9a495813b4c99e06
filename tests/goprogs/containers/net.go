package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"syscall"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func fdOf(c syscall.Conn) int {
	fd := -1
	raw := must(c.SyscallConn())
	raw.Control(func(x uintptr) { fd = int(x) })
	return fd
}

func sayConn[T any](name string, c *T, fd, family, sotype int, connected bool, network string, local, remote net.Addr) {
	sayValue(name, c, map[string]any{"fd": fd, "closed": false, "family": family, "sotype": sotype, "connected": connected},
		elem("net", network), elem("laddr", local), elem("raddr", remote))
}

func makeNet() {
	f := must(os.Open("/proc/self/exe"))
	sayValue("file", f, map[string]any{"fd": fdOf(f), "closed": false}, elem("name", "/proc/self/exe"))
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	sayValue("pipe", r, map[string]any{"fd": fdOf(r), "closed": false, "nonblock": true}, elem("name", "|0"))
	w.Close()
	keep = append(keep, w)
	gone := must(os.Open("/dev/null"))
	inner := gone
	gone.Close()
	sayValue("file closed", inner, map[string]any{"fd": -1, "closed": true}, elem("name", "/dev/null"))

	l := must(net.Listen("tcp", "127.0.0.1:0")).(*net.TCPListener)
	c := must(net.Dial("tcp", l.Addr().String())).(*net.TCPConn)
	s := must(l.Accept()).(*net.TCPConn)
	sayConn("tcp listener", l, fdOf(l), syscall.AF_INET, syscall.SOCK_STREAM, false, "tcp", l.Addr(), nil)
	sayConn("tcp client", c, fdOf(c), syscall.AF_INET, syscall.SOCK_STREAM, true, "tcp", c.LocalAddr(), c.RemoteAddr())
	// net never says of an accepted one that it is connected.
	sayConn("tcp server", s, fdOf(s), syscall.AF_INET, syscall.SOCK_STREAM, false, "tcp", s.LocalAddr(), s.RemoteAddr())
	u := must(net.ListenPacket("udp", "127.0.0.1:0")).(*net.UDPConn)
	sayConn("udp", u, fdOf(u), syscall.AF_INET, syscall.SOCK_DGRAM, false, "udp", u.LocalAddr(), nil)
	name := fmt.Sprintf("@limpet-containers-%d", os.Getpid())
	ul := must(net.Listen("unix", name)).(*net.UnixListener)
	uc := must(net.Dial("unix", name)).(*net.UnixConn)
	sayConn("unix", uc, fdOf(uc), syscall.AF_UNIX, syscall.SOCK_STREAM, true, "unix", uc.LocalAddr(), uc.RemoteAddr())
	keep = append(keep, ul)
	makeHTTP()
}

func makeHTTP() {
	req := must(http.NewRequest("PUT", "http"+"://127.0.0.1/path?q=1", strings.NewReader("body")))
	req.Header.Set("X-Token", "abc")
	var pattern [][3]string
	if f := reflect.ValueOf(req).Elem().FieldByName("Pattern"); f.IsValid() { // from 1.23 on
		pattern = append(pattern, [3]string{"pattern", "", show(f, 0)})
	}
	say("request", req, map[string]any{"content_length": 4, "close": false}, false, append(pattern, [][3]string{
		elem("method", req.Method), elem("url", req.URL), elem("proto", req.Proto), elem("host", req.Host),
		elem("header", req.Header), elem("body", req.Body), elem("remote", ""), elem("uri", ""),
		elem("response", req.Response), elem("ctx", req.Context())}...))
	sayMap("header", req.Header)
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(203)
		io.WriteString(w, strings.Repeat("x", 100))
		w.(http.Flusher).Flush()
		select {}
	}))
	res := must(http.Get("http" + "://" + l.Addr().String() + "/"))
	say("response", res, map[string]any{"status_code": 203, "content_length": -1, "close": false}, false, [][3]string{
		elem("status", res.Status), elem("proto", res.Proto), elem("header", res.Header), elem("body", res.Body),
		elem("request", res.Request)})
	sayMap("header of the answer", res.Header)
}
