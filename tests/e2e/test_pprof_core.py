"""Profiles that real programs of several Go versions wrote: read, added up, compared with `go tool pprof`."""
import gzip
import os
import re
import statistics
import subprocess

import pytest

import build_targets
import profiles
from procs import limpet, limpet_json

PROGRAM = """package main

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

type table[K comparable] struct{ m map[K][]byte }

func (t *table[K]) put(k K, n int) { t.m[k] = alloc(n) }
func alloc(n int) []byte           { return make([]byte, n) }

var (
	kept [][]byte
	mu   sync.Mutex
)

func recurse(n int) {
	kept = append(kept, make([]byte, 4096))
	if n > 0 {
		recurse(n - 1)
		recurse(n / 3)
	}
}

func main() {
	runtime.MemProfileRate = 512
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	t, u := &table[string]{map[string][]byte{}}, &table[int]{map[int][]byte{}}
	for i := 0; i < 2000; i++ {
		t.put(string(rune('a'+i%1000))+"x", 100+i)
		u.put(i, 64)
	}
	recurse(7)
	var wg sync.WaitGroup
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := 0; j < 10; j++ {
				mu.Lock()
				time.Sleep(time.Millisecond)
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	runtime.GC()
	for _, kind := range []string{"heap", "allocs", "goroutine", "mutex", "block"} {
		for debug, end := range []string{".pb.gz", ".txt"} {
			f, _ := os.Create(filepath.Join(os.Args[1], kind+end))
			pprof.Lookup(kind).WriteTo(f, debug)
			f.Close()
		}
	}
	runtime.KeepAlive(t)
	runtime.KeepAlive(u)
}
"""

MINORS = ["1.18", "1.22", build_targets.NEWEST]
KINDS = ["heap", "allocs", "goroutine", "mutex", "block"]


@pytest.fixture(scope="module", params=MINORS)
def folder(request, tmp_path_factory):
    """Profiles of one Go version."""
    made = tmp_path_factory.mktemp("profiles")
    src = made / "src"
    src.mkdir()
    (src / "go.mod").write_text("module maker\n\ngo 1.18\n")
    (src / "main.go").write_text(PROGRAM)
    subprocess.run([build_targets.toolchain(request.param), "build", "-o", str(made / "maker"), "."], cwd=src, check=True,
                   env=dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-mod=mod"))
    subprocess.run([str(made / "maker"), str(made)], check=True)
    return made


def rows(*files, value, options=()):
    doc = limpet_json("top", *files, "--limit", "0", "--value", value, *options)
    return [(r["name"], r["flat"], r["cum"]) for r in doc["rows"]], doc


VALUES = {"heap": ["inuse_space", "alloc_space", "inuse_objects", "alloc_objects"], "allocs": ["alloc_space"],
          "goroutine": ["goroutine"], "mutex": ["contentions"], "block": ["contentions"]}


@pytest.mark.parametrize("kind", KINDS)
def test_top_is_pprofs(folder, kind):
    file = folder / (kind + ".pb.gz")
    for value in VALUES[kind]:
        theirs = profiles.pprof(file.read_bytes(), sample="sample_index=" + value)
        ours, doc = rows(file, value=value)
        assert ours == theirs
        assert doc["type"] == value and doc["total_rows"] == len(ours)


def merge_names(table):
    """Instances of a generic function as one: text says T[...], newer binary forms tell them apart."""
    sums = {}
    for name, flat, _ in table:
        name = name.split("[")[0]
        sums[name] = sums.get(name, 0) + flat
    return {n: s for n, s in sums.items() if s}


@pytest.mark.parametrize("kind", ["heap", "mutex", "block"])
def test_text_says_the_same(folder, kind):
    """debug=1 against the binary form, and whatever its name is."""
    named = folder / (kind + "-text.pb.gz")
    named.write_bytes((folder / (kind + ".txt")).read_bytes())
    for value in VALUES[kind]:
        text, doc = rows(named, value=value)
        assert doc["form"] == "text"
        binary, _ = rows(folder / (kind + ".pb.gz"), value=value)
        a, b = merge_names(text), merge_names(binary)
        # the profiler itself allocated between the two
        for name in set(a) | set(b):
            if not name.startswith(("runtime", "compress/", "os.", "bufio", "text/", "internal/", "fmt", "strings")):
                assert a.get(name) == b.get(name), (value, name)


def test_several_add_up(folder):
    files = [folder / "heap.pb.gz", folder / "allocs.pb.gz"]
    ours, doc = rows(*files, value="inuse_space")
    out = subprocess.run([build_targets.toolchain(build_targets.NEWEST), "tool", "pprof", "-top", "-inuse_space", "-unit=B",
                          "-nodefraction=0", "-nodecount=100000", *map(str, files)], capture_output=True, text=True, check=True,
                         env=dict(os.environ, GOTOOLCHAIN="local"))
    theirs = [line.split()[5] for line in out.stdout.splitlines() if "%" in line and "B " in line and "nodes" not in line
              and "flat%" not in line]
    assert [name for name, _, _ in ours] == theirs
    assert len(doc["target"]["paths"]) == 2
    one, _ = rows(files[0], value="inuse_space")
    two, _ = rows(files[1], value="inuse_space")
    assert sum(r[1] for r in ours) == sum(r[1] for r in one) + sum(r[1] for r in two)


def test_cut_files(folder):
    """As far as they go, and said to be cut."""
    whole = gzip.decompress((folder / "heap.pb.gz").read_bytes())
    cut = folder / "cut.pb"
    cut.write_bytes(whole[:len(whole) // 2])
    doc = limpet_json("top", cut, "--limit", "0", "--value", "3")
    assert doc["damage"] and doc["samples"] > 0
    packed = (folder / "heap.pb.gz").read_bytes()
    (folder / "cut.pb.gz").write_bytes(packed[:len(packed) // 2])
    assert limpet_json("top", folder / "cut.pb.gz", "--value", "3")["damage"]
    text = (folder / "heap.txt").read_bytes()
    (folder / "cut.txt").write_bytes(text[:len(text) // 3])
    assert limpet_json("top", folder / "cut.txt", "--value", "alloc_space")["rows"]


def test_words(folder):
    assert "inuse_space, " in limpet("top", folder / "heap.pb.gz", "--value", "nonsense", code=2).stderr.replace(
        "inuse_space\n", "inuse_space, ")
    assert "count nothing that all" in limpet("top", folder / "heap.pb.gz", folder / "mutex.pb.gz", code=4).stderr


def test_memstats(folder):
    """The runtime's own figures behind the text add up to Sys."""
    doc = limpet_json("memory", folder / "heap.txt")["memory"]
    said = dict(line[2:].split(" = ") for line in (folder / "heap.txt").read_text().splitlines()
                if line.startswith("# ") and " = " in line)
    assert doc["sys"] == int(said["Sys"]) == sum(line["bytes"] for line in doc["lines"] if line["part_of_sys"])
    assert doc["memstats"]["HeapAlloc"] == int(said["HeapAlloc"]) and doc["memstats"]["NumGC"] == int(said["NumGC"])
    assert "add" not in limpet("memory", folder / "heap.pb.gz", code=4).stderr


def ring(text, name):
    """PauseNs or PauseEnd, the oldest first."""
    found = [int(x) for x in re.search(rf"# {name} = \[([\d ]+)\]", text)[1].split()]
    n = int(re.search(r"# NumGC = (\d+)", text)[1])
    return found[:n] if n <= 256 else [found[i % 256] for i in range(n - 256, n)]


COLLECTING = """package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
)

var sink []byte

func main() {
	for i := 0; i < 300; i++ {
		sink = make([]byte, 100000)
		if i%60 == 0 || os.Args[1] != "few" {
			runtime.GC()
		}
	}
	if os.Args[1] == "off" {
		debug.SetGCPercent(-1)
	}
	pprof.Lookup("heap").WriteTo(os.Stdout, 1)
}
"""


@pytest.mark.parametrize("minor", ["1.18", build_targets.NEWEST])
def test_gc_of_memstats(minor, tmp_path):
    """When the newest collections were, and how long they stopped the program; of one whose collector is off."""
    (tmp_path / "main.go").write_text(COLLECTING)
    binary, out = tmp_path / "collecting", tmp_path / "heap.txt"
    subprocess.run([build_targets.toolchain(minor), "build", "-o", str(binary), str(tmp_path / "main.go")], check=True,
                   env=dict(os.environ, GOTOOLCHAIN="local"))
    for word, verdict in (("few", None), ("many", "forced-gc"), ("off", "gc-off")):
        text = subprocess.run([str(binary), word], stdout=subprocess.PIPE, check=True, text=True).stdout
        if word == "few":
            few = text
        out.write_text(text)
        doc = limpet_json("gc", out)
        said = dict(line[2:].split(" = ") for line in text.splitlines() if line.startswith("# ") and " = " in line)
        pauses, ends = ring(text, "PauseNs"), ring(text, "PauseEnd")
        assert doc["verdict"] == verdict or not verdict
        assert doc["gc"]["cycles"] == int(said["NumGC"]) and doc["gc"]["forced"] == int(said["NumForcedGC"]) >= 5
        stops = doc["gc"]["stops"]
        assert stops["n"] == len(pauses) == min(256, int(said["NumGC"]))
        assert stops["median_ns"] == statistics.median_low(pauses) and stops["max_ns"] == max(pauses)
        assert stops["p90_ns"] == sorted(pauses)[(len(pauses) - 1) * 9 // 10]
        assert doc["gc"]["last_pause_ns"] == pauses[-1]
        assert doc["gc"]["pause_total_ns"] == (sum(pauses) if len(pauses) < 256 else None)
        assert stops["window_ns"] == ends[-1] - ends[0]
        assert doc["gc"]["cycles_per_second"] == pytest.approx((len(ends) - 1) * 1e9 / (ends[-1] - ends[0]))
        assert doc["heap"]["goal"] == (None if word == "off" else int(said["NextGC"]))
        assert doc["gc"]["cpu_share"] == pytest.approx(float(said["GCCPUFraction"]), abs=1e-8)
        assert doc["settings"]["gogc"] is None
    out.write_text(text.split("# runtime.MemStats")[0])
    assert "MemStats" in limpet("gc", out, code=4).stderr
    cut_anywhere(out, few)


FIGURES = {"NumGC": ("gc", "cycles"), "NumForcedGC": ("gc", "forced"), "GCCPUFraction": ("gc", "cpu_share"),
           "HeapInuse": ("heap", "in_use"), "HeapAlloc": ("heap", "alloc"), "NextGC": ("heap", "goal"),
           "HeapReleased": ("heap", "released")}


def cut_anywhere(out, text):
    """What is not there is unknown: it is neither large, nor small, nor proof that all is well; nor is half a number one."""
    out.write_text(text)
    whole = limpet_json("gc", out)
    assert whole["verdict"] == "fine"
    start = text.index("# HeapIdle")
    cuts = sorted({*range(start, len(text), 97), *(text.index(f"# {name} = ") + len(name) + d for name in FIGURES for d in (5, 6, 7))})
    for at in (at for at in cuts if at > start):
        out.write_text(text[:at])
        there = text[:at].rpartition("\n")[0] + "\n"
        if "# HeapInuse" not in there:
            assert "MemStats" in limpet("gc", out, code=4).stderr
            continue
        doc = limpet_json("gc", out)
        assert doc["verdict"] == "fine", at
        for name, (part, key) in FIGURES.items():
            assert doc[part][key] == (whole[part][key] if f"# {name} = " in there else None), (at, name)
        assert bool(doc["damage"]) == (there != text[:at])
        words = limpet("gc", out).stdout
        assert str(2**64 - 1) not in words.replace(",", "") and ("costs little" in words) == ("# GCCPUFraction" in there)
    for name in FIGURES:
        out.write_text("".join(line for line in text.splitlines(keepends=True) if not line.startswith(f"# {name} = ")))
        doc = limpet_json("gc", out)
        assert doc["verdict"] == "fine" and doc[FIGURES[name][0]][FIGURES[name][1]] is None


def test_large_file_read_twice(folder):
    """From 512 KiB on samples are not kept: the same rows as when they are."""
    gen = folder / "profgen"
    bench = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "bench", "profgen")
    subprocess.run([build_targets.toolchain(build_targets.NEWEST), "build", "-o", str(gen), "."], cwd=bench, check=True,
                   env=dict(os.environ, GOTOOLCHAIN="local"))
    large = folder / "large.pb"
    subprocess.run([str(gen), str(large), "6000000", "3", "plain"], check=True, stdout=subprocess.DEVNULL)
    quick = limpet_json("top", large, "--limit", "0")
    kept = limpet_json("top", large, "--limit", "0", "--tag-ignore", "no-such-label")
    assert quick["rows"] == kept["rows"] and quick["total"] == kept["total"] and len(quick["rows"]) > 10000
    large.unlink()
