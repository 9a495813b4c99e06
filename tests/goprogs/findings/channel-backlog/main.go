// channel-backlog - queues that nobody empties, and some that somebody does.
//
// CASE closures EXPECT channel-backlog type=chan?func() bytes>=4000000
// CASE full EXPECT channel-backlog bytes>=4000000
// CASE field EXPECT channel-backlog bytes>=4000000
// CASE many EXPECT channel-backlog bytes>=4000000
//
// CASE slow-consumer NONE
// CASE consumer-by-field NONE
// CASE small NONE
// CASE empty NONE
package main

import (
	"os"
	"runtime"
	"time"

	"limpet/goprogs/internal/ready"
)

type job struct {
	id   int
	body []byte
}

type server struct {
	name string
	jobs chan *job
	done int
}

var (
	queue  = make(chan func(), 4096)
	events = make(chan *job, 512)
	theOne = &server{name: "one", jobs: make(chan *job, 2048)}
	shards []*server
	ticks  = make(chan int, 1<<16)
)

func newJob(i int) *job {
	return &job{i, make([]byte, 16<<10)}
}

func (s *server) run() {
	for {
		select {
		case j := <-s.jobs:
			s.done += len(j.body)
			time.Sleep(time.Second)
		}
	}
}

func plant(name string) {
	switch name {
	case "closures":
		for i := 0; i < 600; i++ {
			body := make([]byte, 16<<10)
			queue <- func() { body[0]++ }
		}
		for i := 0; i < 3000; i++ {
			queue <- func() {}
		}
	case "full":
		for k := 0; k < 20; k++ {
			go func() {
				for i := 0; ; i++ {
					events <- newJob(i)
				}
			}()
		}
	case "field":
		for i := 0; i < 1500; i++ {
			theOne.jobs <- newJob(i)
		}
	case "many":
		for k := 0; k < 50; k++ {
			s := &server{name: "shard", jobs: make(chan *job, 20)}
			shards = append(shards, s)
			for i := 0; i < 20; i++ {
				s.jobs <- newJob(i)
			}
		}
	case "slow-consumer":
		for i := 0; i < 400; i++ {
			events <- newJob(i)
		}
		go func() {
			for j := range events {
				j.body[0]++
				time.Sleep(time.Second)
			}
		}()
	case "consumer-by-field":
		for i := 0; i < 1500; i++ {
			theOne.jobs <- newJob(i)
		}
		go theOne.run()
	case "small":
		for i := 0; i < 20; i++ {
			events <- newJob(i)
		}
		for i := 0; i < 60000; i++ {
			ticks <- i
		}
	case "empty":
		for i := 0; i < 3; i++ {
			go func() {
				for j := range events {
					j.body[0]++
				}
			}()
		}
		for i := 0; i < 2000; i++ {
			events <- newJob(i)
		}
	}
}

func main() {
	plant(os.Args[1])
	time.Sleep(200 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	ready.Say()
	ready.Wait()
}
