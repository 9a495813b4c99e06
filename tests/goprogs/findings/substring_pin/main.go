// substring_pin - short strings cut from long ones, and strings that only look like it.
//
// CASE records EXPECT substring-pin verdict=waste proof=measured holder=*record* type=string count>=500 bytes>=30000000
// CASE one EXPECT substring-pin verdict=waste holder=title bytes>=7000000
// CASE keys EXPECT substring-pin verdict=waste type=string count>=2000 bytes>=15000000
// CASE lines EXPECT substring-pin verdict=waste type=string count>=20000 bytes>=15000000
// CASE interfaces EXPECT substring-pin verdict=waste count>=300 bytes>=15000000
// CASE cloned NONE
// CASE whole NONE
// CASE covered NONE
// CASE used-besides NONE
// CASE literals NONE
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"strings"

	"limpet/goprogs/internal/ready"
)

type record struct {
	id    string
	stamp int64
}

type page struct {
	title string
	body  []byte
}

type document struct {
	text string
	part string
}

var (
	index   map[int]*record
	latest  any
	seen    map[string]int
	words   []string
	values  []any
	docs    []*document
	readers []*bufio.Reader
	buffers []*bytes.Buffer
)

// text makes n bytes that are equal to no others.
func text(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = 'a' + b[i]%26
	}
	return string(b)
}

func plant(name string) {
	switch name {
	case "records": // 36 bytes of a message of 64 KiB each
		index = map[int]*record{}
		for i := 0; i < 600; i++ {
			index[i] = &record{id: text(65536)[100:136], stamp: int64(i)}
		}
	case "one": // the title of a big page
		latest = &page{title: text(8 << 20)[64:96]}
	case "keys": // of a map, the first word of lines
		seen = map[string]int{}
		for i := 0; i < 2000; i++ {
			line := fmt.Sprintf("%08d ", i) + text(9000)
			seen[line[:8]] = i
		}
	case "lines": // fields of log lines
		for i := 0; i < 24000; i++ {
			words = append(words, strings.Fields(text(20) + " " + text(900))[0])
		}
	case "interfaces":
		for i := 0; i < 300; i++ {
			values = append(values, text(65536)[5:25])
		}
	case "cloned":
		index = map[int]*record{}
		for i := 0; i < 600; i++ {
			index[i] = &record{id: strings.Clone(text(65536)[100:136])}
		}
	case "whole":
		for i := 0; i < 100; i++ {
			words = append(words, text(65536))
		}
	case "covered": // many parts, which together are most of it
		for i := 0; i < 20; i++ {
			t := text(1 << 19)
			for k := 0; k+64 < len(t); k += 64 {
				words = append(words, t[k:k+60])
			}
		}
	case "used-besides": // the whole is there as well
		for i := 0; i < 200; i++ {
			t := text(65536)
			docs = append(docs, &document{text: t, part: t[10:30]})
		}
	case "literals":
		for i := 0; i < 2000; i++ {
			readers = append(readers, bufio.NewReader(strings.NewReader("part of the executable"[:4])))
			readers[i].ReadByte()
			b := bytes.NewBuffer(make([]byte, 0, 4096))
			b.WriteString("a few bytes")
			buffers = append(buffers, b)
		}
	}
}

func main() {
	plant(os.Args[1])
	runtime.GC()
	runtime.GC()
	ready.Say()
	ready.Wait()
	fmt.Println(len(index), latest, len(seen), len(words), len(values), len(docs), len(readers), len(buffers))
}
