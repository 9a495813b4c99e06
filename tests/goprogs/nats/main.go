// nats - the real message broker, from the module proxy, JetStream's memory store on.
//
// EXPECT a real server: one read and one write loop a client, subscription trees, JetStream's timers.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

func main() {
	port := -1 // any
	if len(os.Args) > 1 {
		port, _ = strconv.Atoi(os.Args[1])
	}
	dir, err := os.MkdirTemp("", "nats")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, HTTPHost: "127.0.0.1", HTTPPort: -1,
		JetStream: true, StoreDir: dir, ProfPort: -1,
	})
	if err != nil {
		panic(err)
	}
	go s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		panic("not ready")
	}
	fmt.Printf("READY %d %s %s\n", os.Getpid(), s.Addr(), s.ProfilerAddr())
	s.WaitForShutdown()
}
