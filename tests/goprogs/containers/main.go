// containers - every container that limpet knows, with contents that it tells itself.
//
// One JSON line each before READY: where it is, its rtype, facts and entries.  The form of values is
// show()'s; tests compare it with what limpet says of the same address.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"unsafe"

	"limpet/goprogs/internal/ready"
)

// A line of the oracle.
type line struct {
	Name    string         `json:"name"`
	At      string         `json:"at"`
	Type    string         `json:"type"`
	Text    string         `json:"text"` // the type's name
	Facts   map[string]any `json:"facts,omitempty"`
	Entries [][3]string    `json:"entries"` // label, key, elem
	Ordered bool           `json:"ordered"`
}

var keep []any

type point struct{ X, Y int }

func typeAddr(t reflect.Type) string {
	return fmt.Sprintf("0x%x", (*[2]uintptr)(unsafe.Pointer(&t))[1])
}

func addr(p unsafe.Pointer) string { return fmt.Sprintf("@0x%x", uintptr(p)) }

func tell(l line) {
	if l.Entries == nil {
		l.Entries = [][3]string{}
	}
	out, err := json.Marshal(l)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(out))
}

// say tells of a map or chan value (at: its header), or of what p points to.
func say(name string, v any, facts map[string]any, ordered bool, entries [][3]string) {
	keep = append(keep, v)
	x := reflect.ValueOf(v)
	t := x.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	tell(line{name, fmt.Sprintf("0x%x", x.Pointer()), typeAddr(t), t.String(), facts, entries, ordered})
}

func joined(n int, at func(int) reflect.Value, depth int) string {
	var s []string
	for i := 0; i < n; i++ {
		s = append(s, show(at(i), depth+1))
	}
	return strings.Join(s, " ")
}

// show is the form of a value that both sides print: no pointer is followed but an interface's.
func show(v reflect.Value, depth int) string {
	switch v.Kind() {
	case reflect.Invalid:
		return "nil"
	case reflect.Bool:
		return fmt.Sprint(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return fmt.Sprint(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return fmt.Sprint(v.Uint())
	case reflect.Float32:
		return fmt.Sprintf("%g", v.Float())
	case reflect.Float64:
		return fmt.Sprintf("%g", v.Float())
	case reflect.Complex64, reflect.Complex128:
		return fmt.Sprintf("(%g,%g)", real(v.Complex()), imag(v.Complex()))
	case reflect.String:
		return `"` + v.String() + `"`
	case reflect.Array:
		return "[" + joined(v.Len(), v.Index, depth) + "]"
	case reflect.Slice:
		return "[" + joined(v.Len(), v.Index, depth) + "]"
	case reflect.Struct:
		return "{" + joined(v.NumField(), v.Field, depth) + "}"
	case reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		return "(" + v.Elem().Type().String() + ")" + show(v.Elem(), depth+1)
	case reflect.Func:
		return "func"
	}
	if v.Pointer() == 0 {
		return "nil"
	}
	return addr(v.UnsafePointer())
}

func text[T any](v T) string { return show(reflect.ValueOf(&v).Elem(), 0) }

func main() {
	debug.SetGCPercent(-1)
	makeNew()   // first: it collects, and a collection moves what is in pools
	makePools() // while there is one P
	makeMaps()
	makeSyncMaps()
	makeChans()
	makePlain()
	makeContexts()
	makeTimers()
	makeNet()
	makeSQL()
	fmt.Printf("KEEP %p\n", &keep[0])
	runtime.KeepAlive(keep)
	if len(os.Args) > 1 && os.Args[1] == "-q" {
		return
	}
	ready.Say()
	ready.Wait()
}
