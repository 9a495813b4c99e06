"""Go's own programs that leak goroutines, wrapped so that they stay and say what their runtime finds.

Source: src/runtime/testdata/testgoroutineleakprofile of Go 1.26 and later, copied at test time out of the
toolchain.  The wrapper keeps the program alive after its leak is set up, and on SIGUSR1 prints what
runtime/pprof's own "goroutineleak" profile finds at that instant (nothing before 1.26, which has none).
"""
import fcntl
import hashlib
import os
import re
import shutil
import subprocess

import build_targets

PARTS = {"micro": "", "goker": "goker"}
LEFT_OUT = {"main.go", "stresstests.go"}
SOURCES = ["1.26", "1.27"]
PROFILED = ["1.26", "1.27"]

MAIN = """package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"time"
)

const yieldCount = 10

var cmds = map[string]func(){}

func register(name string, f func()) {
	cmds[name] = f
}

func registerInit(name string, f func()) {
	if len(os.Args) >= 2 && os.Args[1] == name {
		f()
	}
}

type quiet struct{}

func (quiet) WriteTo(io.Writer, int) error { return nil }

func leakProfile() quiet { return quiet{} }

func stay(int) {
	for {
		time.Sleep(time.Hour)
	}
}

func say() {
	var b bytes.Buffer
	p := pprof.Lookup("goroutineleak")
	for i := 0; i < 2 && p != nil; i++ { // the first frees what the tiny allocator holds on to
		b.Reset()
		p.WriteTo(&b, 2)
	}
	fmt.Printf("LEAKS\\n%s\\nEND\\n", b.String())
}

func oracle() {
	c := make(chan os.Signal, 4)
	signal.Notify(c, syscall.SIGUSR1)
	for range c {
		say()
	}
}

func main() {
	f := cmds[os.Args[1]]
	if f == nil {
		panic("unknown: " + os.Args[1])
	}
	go oracle()
	time.AfterFunc(1500*time.Millisecond, func() { fmt.Println("READY", os.Getpid()) })
	f()
	stay(0)
}
"""


def source_dir(minor):
    go = build_targets.toolchain(minor)
    return os.path.join(os.path.dirname(os.path.dirname(go)), "src/runtime/testdata/testgoroutineleakprofile")


def names(minor, part):
    """Cases of a part as the sources register them."""
    found = []
    for path in _files(minor, part):
        with open(path, encoding="utf-8") as f:
            found += re.findall(r'register\("(\w+)"', f.read())
    return sorted(found)


def _files(minor, part):
    folder = os.path.join(source_dir(minor), PARTS[part])
    return sorted(os.path.join(folder, n) for n in os.listdir(folder) if n.endswith(".go") and n not in LEFT_OUT)


def _wrapped(text):
    text = text.replace('pprof.Lookup("goroutineleak")', "leakProfile()").replace("os.Exit(0)", "stay(0)")
    return text if "pprof." in text else text.replace('\t"runtime/pprof"\n', "")


def build(minor, part, sources="1.27", flavour="stripped"):
    """Path of the program: sources of one version, compiled with another."""
    folder = os.path.join(build_targets.CACHE, "leaks", f"{part}{sources}-go{minor}-{flavour}")
    binary = os.path.join(folder, "prog")
    go = build_targets.toolchain(minor)
    texts = {"main.go": MAIN, "go.mod": f"module leaks\n\ngo {min(minor, '1.22')}\n"}
    for path in _files(sources, part):
        with open(path, encoding="utf-8") as f:
            texts[os.path.basename(path)] = _wrapped(f.read())
    digest = hashlib.sha256(repr((go, flavour, sorted(texts.items()))).encode()).hexdigest()
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = os.path.join(folder, "stamp")
        if os.path.exists(binary) and os.path.exists(stamp):
            with open(stamp, encoding="ascii") as f:
                if f.read() == digest:
                    return binary
        src = os.path.join(folder, "src")
        shutil.rmtree(src, ignore_errors=True)
        os.makedirs(src)
        for name, text in texts.items():
            with open(os.path.join(src, name), "w", encoding="utf-8") as f:
                f.write(text)
        arguments, _ = build_targets.flags(flavour)
        env = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-buildvcs=false", GOWORK="off", CGO_ENABLED="0")
        if minor == "1.19":  # see tools/go-toolchain
            env["GODEBUG"] = "goindex=0"
        if minor == "1.26":
            env["GOEXPERIMENT"] = "goroutineleakprofile"
        subprocess.run([go, "build", *arguments, "-o", binary, "."], cwd=src, env=env, check=True,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        shutil.rmtree(src)
        with open(stamp, "w", encoding="ascii") as f:
            f.write(digest)
    return binary


def expectations():
    """What the runtime's own test expects: {case: ([pattern], must they all be there)}."""
    path = os.path.join(source_dir("1.27"), "../../goroutineleakprofile_test.go")
    with open(path, encoding="utf-8") as f:
        text = re.sub(r"(?m)^\s*//.*$", "", f.read())
    return {m[2]: (re.findall(r"`([^`]*)`", m[3]), m[1] == "makeTest")
            for m in re.finditer(r'(makeTest|makeFlakyTest)\("(\w+)"((?:,?\s*`[^`]*`)*)', text)}
