package main

import (
	"fmt"
	"reflect"
	"time"
)

func queued[T any](label string, vs ...T) [][3]string {
	var out [][3]string
	for _, v := range vs {
		out = append(out, [3]string{label, "", text(v)})
	}
	return out
}

func sayChan(name string, c any, closed bool, receivers, senders int, entries [][3]string) {
	v := reflect.ValueOf(c)
	say(name, c, map[string]any{"len": v.Len(), "cap": v.Cap(), "closed": closed, "receivers": receivers,
		"senders": senders}, true, entries)
}

// blocked starts f and gives it the time to block.
func blocked(f func()) {
	go f()
	time.Sleep(5 * time.Millisecond)
}

func makeChans() {
	sayChan("chan unused", make(chan int), false, 0, 0, nil)
	ring := make(chan string, 5)
	for i := 0; i < 8; i++ {
		if i >= 5 {
			<-ring
		}
		ring <- fmt.Sprint("v", i)
	}
	<-ring
	sayChan("chan round its end", ring, false, 0, 0, queued("queued", "v4", "v5", "v6", "v7"))
	shut := make(chan point, 9)
	shut <- point{1, 2}
	shut <- point{3, 4}
	close(shut)
	sayChan("chan closed", shut, true, 0, 0, queued("queued", point{1, 2}, point{3, 4}))
	none := make(chan struct{}, 4)
	none <- struct{}{}
	none <- struct{}{}
	sayChan("chan of nothing", none, false, 0, 0, queued("queued", struct{}{}, struct{}{}))
	wide := make(chan [40]int64, 2)
	wide <- [40]int64{1, 39: 2}
	sayChan("chan of wide", wide, false, 0, 0, queued("queued", [40]int64{1, 39: 2}))
	x := 3
	pointers := make(chan *int, 3)
	pointers <- &x
	pointers <- nil
	sayChan("chan of pointers", pointers, false, 0, 0, queued("queued", &x, nil))
	anys := make(chan any, 3)
	anys <- 1
	anys <- "two"
	anys <- point{3, 3}
	sayChan("chan of any", anys, false, 0, 0, queued[any]("queued", 1, "two", point{3, 3}))

	full := make(chan int, 2)
	full <- 10
	full <- 11
	for i := 12; i < 15; i++ {
		i := i // for Go to 1.21
		blocked(func() { full <- i })
	}
	sayChan("chan with senders", full, false, 0, 3,
		append(queued("queued", 10, 11), queued("sender", 12, 13, 14)...))
	direct := make(chan one)
	for i := 0; i < 3; i++ {
		blocked(func() { direct <- one{fmt.Sprint("s", i)} })
	}
	other := make(chan one)
	blocked(func() {
		select {
		case direct <- one{"selected"}:
		case <-other:
		}
	})
	sayChan("chan of senders only", direct, false, 0, 4,
		queued("sender", one{"s0"}, one{"s1"}, one{"s2"}, one{"selected"}))
	sayChan("chan of a select", other, false, 1, 0, nil)
	wanted := make(chan int, 1)
	for i := 0; i < 5; i++ {
		blocked(func() { <-wanted })
	}
	sayChan("chan with receivers", wanted, false, 5, 0, nil)
}
