package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"limpet/goprogs/internal/body"
)

// natsClient speaks just enough of the protocol: it publishes to a subject of its own and reads it back.
type natsClient struct {
	c       net.Conn
	r       *bufio.Reader
	subject string
}

func dialNats(addr string) (client, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	n := &natsClient{c: c, r: bufio.NewReader(c), subject: strings.ReplaceAll(c.LocalAddr().String(), ":", "-")}
	n.subject = strings.ReplaceAll(n.subject, ".", "-")
	if _, err := n.r.ReadString('\n'); err != nil { // INFO {…}
		return nil, err
	}
	_, err = fmt.Fprintf(c, "CONNECT {\"verbose\":false}\r\nSUB %s 1\r\n", n.subject)
	return n, err
}

func (n *natsClient) ask(seed uint64) (int, error) {
	want := make([]byte, 100+seed%4000)
	body.Fill(seed, want)
	n.c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := fmt.Fprintf(n.c, "PUB %s %d\r\n%s\r\n", n.subject, len(want), want); err != nil {
		return 0, err
	}
	for {
		line, err := n.r.ReadString('\n')
		if err != nil {
			return 0, err
		}
		switch {
		case strings.HasPrefix(line, "PING"):
			fmt.Fprint(n.c, "PONG\r\n")
		case strings.HasPrefix(line, "MSG"):
			return n.check(want)
		case strings.HasPrefix(line, "-ERR"):
			return 0, fmt.Errorf("nats: %s", line)
		}
	}
}

func (n *natsClient) check(want []byte) (int, error) {
	got := make([]byte, len(want)+2)
	if _, err := io.ReadFull(n.r, got); err != nil {
		return 0, err
	}
	if !bytes.Equal(got[:len(want)], want) {
		return len(want), fmt.Errorf("nats: message of %d bytes differs", len(want))
	}
	return len(want), nil
}
