package main

// channel-backlog: "asynchronous" by a big channel.  Closures are queued faster than the one worker runs them; the
// channel's 100,000 places hide it for a while, and each closure holds the message it is about.  Nothing is lost for
// ever here: let the senders rest and it drains.  But memory is what the queue was allowed to be.
//
// The twin has a small queue and says no when it is full.

// CASE channel-backlog EXPECT channel-backlog holder=main.mailQueue bytes>=4000000
// CASE channel-backlog-fixed NONE

import "errors"

// lab:begin
var mailQueue chan func()

func startMail() {
	mailQueue = make(chan func(), 100_000)
	go mailWorker()
}

func mailWorker() {
	for send := range mailQueue {
		send()
	}
}

func mailLater(message []byte) {
	mailQueue <- func() { smtp(message) }
}

// lab:end

// lab:fixed-begin
var mailQueueSmall = make(chan func(), 100)

var errBusy = errors.New("mail: busy")

func mailLaterFixed(message []byte) error {
	select {
	case mailQueueSmall <- func() { smtp(message) }:
		return nil
	default:
		return errBusy // the caller tries again, or tells its own caller
	}
}

// lab:fixed-end

func smtp([]byte) { atWork() }

func init() {
	add(mode{name: "channel-backlog", about: "closures queue in a big channel before one slow worker", enough: 5000,
		start: startMail, plant: func(int) { mailLater(payload(2 << 10)) },
		fixedStart: func() {
			go func() {
				for send := range mailQueueSmall {
					send()
				}
			}()
		}, fixed: func(int) { mailLaterFixed(payload(2 << 10)) }})
}
