// The compiler says "moved to heap: big"; the collector takes it all the same.
package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"limpet/seeds/internal/say"
)

//go:noinline
func use(p *[1 << 20]byte) { p[0]++; keep = p }

var keep *[1 << 20]byte

func escapes() {
	var big [1 << 20]byte
	use(&big)
}

func report() string {
	_, file, _, _ := runtime.Caller(0)
	cmd := exec.Command("go", "build", "-gcflags=-m", "-o", os.DevNull, filepath.Base(file))
	cmd.Dir = filepath.Dir(file)
	out, _ := cmd.CombinedOutput()
	for _, line := range strings.Split(string(out), "\n") {
		if strings.Contains(line, "moved to heap: big") {
			return line[strings.Index(line, "moved"):]
		}
	}
	return "(the compiler was not asked: no go command here)"
}

func main() {
	say.Line("go build -gcflags=-m says", report())
	for i := 0; i < 100; i++ {
		escapes()
	}
	held := say.Heap("after 100 calls of 1 MB, last one held")
	keep = nil
	free := say.Heap("and let go")
	say.Holds(held <= 3 && free <= 1, "on the heap does not mean for ever")
}
