// nsq - the real message queue's nsqd, from the module proxy: HTTP-ADDRESS TCP-ADDRESS FOLDER.
//
// EXPECT a real server: topics and channels with queues of messages in memory, a pair of goroutines a connection.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/nsqio/nsq/nsqd"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Println("usage: nsq HTTP-ADDRESS TCP-ADDRESS FOLDER")
		os.Exit(2)
	}
	opts := nsqd.NewOptions()
	opts.HTTPAddress, opts.TCPAddress, opts.DataPath = os.Args[1], os.Args[2], os.Args[3]
	opts.LogLevel = 4 // only what is fatal
	daemon, err := nsqd.New(opts)
	if err != nil {
		fmt.Println("nsq:", err)
		os.Exit(1)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-stop
		daemon.Exit()
	}()
	if err := daemon.Main(); err != nil {
		fmt.Println("nsq:", err)
		os.Exit(1)
	}
}
