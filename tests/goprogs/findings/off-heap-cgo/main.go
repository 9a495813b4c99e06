// off-heap-cgo - memory of C that nobody frees.
//
// CASE malloc       EXPECT off-heap verdict=suspect bytes>=60000000
// CASE malloc-large EXPECT off-heap verdict=suspect bytes>=60000000
// CASE strings      EXPECT off-heap verdict=suspect bytes>=40000000
// CASE freed        NONE
// CASE little       NONE
package main

/*
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void *filled(size_t n)
{
	void *p = malloc(n);

	return p ? memset(p, 1, n) : p;
}

static void trim(void)
{
	malloc_trim(0);
}
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"unsafe"

	"limpet/goprogs/internal/ready"
)

var lost unsafe.Pointer

func leak(n, size int) {
	for i := 0; i < n; i++ {
		lost = C.filled(C.size_t(size))
	}
}

// C.CString without C.free: the classic.
func cstrings() {
	s := strings.Repeat("x", 1000)
	for i := 0; i < 48<<10; i++ {
		lost = unsafe.Pointer(C.CString(s))
	}
}

func freed() {
	all := make([]unsafe.Pointer, 0, 64<<10)
	for i := 0; i < 64<<10; i++ {
		all = append(all, C.filled(1000))
	}
	for _, p := range all {
		C.free(p)
	}
	C.trim()
}

var cases = map[string]func(){
	"malloc":       func() { leak(64<<10, 1000) },
	"malloc-large": func() { leak(64, 1<<20) },
	"strings":      cstrings,
	"freed":        freed,
	"little":       func() { leak(1000, 1000) },
}

func main() {
	if len(os.Args) != 2 || cases[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: off-heap-cgo CASE")
		os.Exit(2)
	}
	cases[os.Args[1]]()
	runtime.GC()
	ready.Say("")
	ready.Wait()
}
