package main

// nil-channel: a send on, or a receive from, a nil channel blocks for ever.  Mostly a field that a constructor forgot.
//
// The twin makes the channel.

// CASE nil-channel EXPECT goroutine-leak verdict=leak proof=proved function=main.*notifier*run count>=500
// CASE nil-channel-fixed NONE

// lab:begin
type notifier struct {
	events chan int
	buf    []byte
}

func newNotifier() *notifier {
	n := &notifier{buf: payload(8 << 10)} // events is nil
	go n.run()
	return n
}

func (n *notifier) run() {
	for e := range n.events {
		n.buf[0] = byte(e)
	}
}

// lab:end

// lab:fixed-begin
func newNotifierFixed() *notifier {
	n := &notifier{buf: payload(8 << 10), events: make(chan int, 1)}
	go n.run()
	return n
}

func (n *notifier) Close() { close(n.events) }

// lab:fixed-end

func init() {
	add(mode{name: "nil-channel", about: "goroutines wait for a nil channel", enough: 600,
		plant: func(int) { newNotifier() },
		fixed: func(int) { newNotifierFixed().Close() }})
}
