package main

import (
	"bufio"
	"bytes"
	"container/list"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

func sayList(name string, l *list.List) {
	var out [][3]string
	for e := l.Front(); e != nil; e = e.Next() {
		out = append(out, [3]string{"", "", text(e.Value)})
	}
	say(name, l, map[string]any{"len": l.Len()}, true, out)
}

func saySlice[T any](name string, s []T) {
	p := new([]T)
	*p = s
	say(name, p, map[string]any{"len": len(s), "cap": cap(s)}, true, queued("", s...))
}

func sayValue[T any](name string, p *T, facts map[string]any, entries ...[3]string) {
	say(name, p, facts, true, entries)
}

func elem[T any](label string, v T) [3]string { return [3]string{label, "", text(v)} }

func ptr[T any](v T) *T { return &v }

func makePlain() {
	sayList("list unused", new(list.List))
	l := list.New()
	for i := 0; i < 6; i++ {
		l.PushBack(i)
	}
	l.PushFront("front")
	l.PushFront(point{1, 2})
	l.Remove(l.Front().Next())
	l.Remove(l.Back())
	sayList("list", l)
	emptied := list.New()
	emptied.Remove(emptied.PushBack(1))
	sayList("list emptied", emptied)
	makeTexts()
	makeAtomics()
	makeReflected()
	makeTimes()

	held := new(sync.Mutex)
	held.Lock()
	for i := 0; i < 3; i++ {
		blocked(held.Lock)
	}
	sayValue("mutex", held, map[string]any{"locked": true, "waiters": 3})
	sayValue("mutex free", new(sync.Mutex), map[string]any{"locked": false, "waiters": 0})
}

func makeTexts() {
	saySlice("slice", append(make([]int, 0, 10), 1, 2, 3))
	saySlice("slice of strings", []string{"a", "", "c"})
	saySlice[point]("slice nil", nil)
	back := make([]byte, 100)
	saySlice("slice of the middle", back[10:14:20])
	sayValue("string", ptr("hello"), map[string]any{"len": 5})
	sayValue("string empty", ptr(""), map[string]any{"len": 0})

	b := bytes.NewBufferString("0123456789")
	b.Next(4)
	sayValue("buffer", b, map[string]any{"len": 6, "cap": b.Cap(), "read": 4})
	sb := new(strings.Builder)
	sb.WriteString("builder")
	sayValue("builder", sb, map[string]any{"len": 7, "cap": sb.Cap(), "read": 0})
	sr := strings.NewReader("reader")
	sr.ReadByte()
	sayValue("string reader", sr, map[string]any{"len": 5, "read": 1})
	br := bufio.NewReaderSize(strings.NewReader("0123456789"), 64)
	br.ReadByte()
	br.ReadByte()
	keep = append(keep, br)
	sayValue("bufio reader", br, map[string]any{"read": 2, "written": 10})
	bw := bufio.NewWriter(new(bytes.Buffer))
	bw.WriteString("abc")
	sayValue("bufio writer", bw, map[string]any{"buffered": 3})
}

func makeAtomics() {
	v := new(atomic.Value)
	v.Store(point{7, 8})
	sayValue("atomic value", v, nil, elem("", any(point{7, 8})))
	makeTypedAtomics()
}

func makeReflected() {
	sayValue("reflect.Value zero", new(reflect.Value), nil)
	for _, x := range []any{42, "text", point{1, 2}, &point{3, 4}, []int{1, 2}, [1]*int{nil}, true} {
		v := reflect.ValueOf(x)
		sayValue("reflect.Value of "+v.Type().String(), &v, nil, [3]string{"", "", show(v, 0)})
	}
	v := reflect.ValueOf(&point{5, 6}).Elem().Field(1)
	sayValue("reflect.Value of a field", &v, nil, [3]string{"", "", show(v, 0)})
	_ = unsafe.Pointer(nil)
}

func makeTimes() {
	for name, t := range map[string]time.Time{"time zero": {}, "time now": time.Now(), "time unix": time.Unix(1700000000, 123456789),
		"time before": time.Date(1500, 2, 3, 4, 5, 6, 7, time.UTC), "time far": time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		t := t // for Go to 1.21
		facts := map[string]any{"zero": t.IsZero(), "unix": t.Unix()}
		if y := t.Year(); y > 1700 && y < 2200 {
			facts["unix_ns"] = t.UnixNano()
		}
		sayValue(name, &t, facts)
	}
}
