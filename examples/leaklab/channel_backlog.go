package main

// channel-backlog: "asynchronous" by a big channel.  The worker has gone home at the first error, and nobody has noticed:
// closures go on being queued, each with the message it is about, and the channel's 10,000 places hide it for long.
// Then all senders block.
//
// The twin's worker goes on after an error, its queue is small, and who finds it full is told.

// CASE channel-backlog EXPECT channel-backlog holder=main.mailQueue bytes>=4000000
// CASE channel-backlog-fixed NONE

import (
	"errors"
	"io"
	"log"
)

// lab:begin
var mailQueue chan func() error

func startMail() {
	mailQueue = make(chan func() error, 10_000)
	go mailWorker()
}

func mailWorker() {
	for send := range mailQueue {
		if err := send(); err != nil {
			log.Print(err)
			return
		}
	}
}

func mailLater(message []byte) {
	mailQueue <- func() error { return smtp(message) }
}

// lab:end

// lab:fixed-begin
var mailQueueSmall = make(chan func() error, 100)

var errBusy = errors.New("mail: busy")

func mailWorkerFixed() {
	for send := range mailQueueSmall {
		if err := send(); err != nil {
			log.Print(err)
		}
	}
}

func mailLaterFixed(message []byte) error {
	select {
	case mailQueueSmall <- func() error { return smtp(message) }:
		return nil
	default:
		return errBusy // the caller tries again, or tells its own caller
	}
}

// lab:fixed-end

func smtp([]byte) error { return errors.New("smtp: 451 try again later") }

func init() {
	add(mode{name: "channel-backlog", about: "closures queue in a big channel whose worker has gone home", enough: 8000,
		start: func() { log.SetOutput(io.Discard); startMail() }, plant: func(int) { mailLater(payload(2 << 10)) },
		fixedStart: func() { log.SetOutput(io.Discard); go mailWorkerFixed() }, fixed: func(int) { mailLaterFixed(payload(2 << 10)) }})
}
