"""What is said of profiles that are cut, empty, changes, totals, of several files; whose labels go where."""
import gzip
import json
import os
import re
import subprocess

import pytest

import build_targets
import pprof_file
from procs import TESTS, limpet, limpet_json

MINOR = build_targets.NEWEST


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What profmaker writes, and what a program of our own does with labels and a mutex that is sampled."""
    folder = tmp_path_factory.mktemp("words")
    env = dict(os.environ, GOTOOLCHAIN="local")
    for name, src in (("maker", os.path.join(TESTS, "goprogs", "profmaker", "main.go")), ("own", str(folder / "own.go"))):
        (folder / "own.go").write_text(OWN)
        subprocess.run([build_targets.toolchain(MINOR), "build", "-o", str(folder / name), src], check=True, env=env)
        subprocess.run([str(folder / name), str(folder)], check=True, stdout=subprocess.DEVNULL)
    return folder


OWN = """package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

func spin(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

func write(name, kind string, debug int) {
	f, err := os.Create(filepath.Join(os.Args[1], name))
	if err != nil {
		panic(err)
	}
	pprof.Lookup(kind).WriteTo(f, debug)
	f.Close()
}

func main() {
	f, _ := os.Create(filepath.Join(os.Args[1], "labels.pb.gz"))
	pprof.StartCPUProfile(f)
	for i, tenant := range []string{"customer-4711", "customer-0815", ""} {
		pprof.Do(context.Background(), pprof.Labels("tenant", tenant), func(context.Context) {
			spin(time.Duration(4-i) * 100 * time.Millisecond)
		})
	}
	pprof.StopCPUProfile()
	f.Close()
	runtime.SetMutexProfileFraction(4)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := 0; j < 200; j++ {
				mu.Lock()
				time.Sleep(20 * time.Microsecond)
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	write("lock.pb.gz", "mutex", 0)
	write("lock.txt", "mutex", 1)
}
"""


def pprof(*args):
    done = subprocess.run([build_targets.toolchain(MINOR), "tool", "pprof", *map(str, args)], capture_output=True, text=True, check=True,
                          env=dict(os.environ, GOTOOLCHAIN="local"))
    return done.stdout


def state_of(made):
    return next(f for f in sorted(made.glob("heap*.pb.gz")) if "delta" not in f.name)


def test_labels_are_ordered(made):
    """The largest first, as pprof's -tags has them; a label without a value is none, there and here."""
    rows = limpet_json("top", made / "labels.pb.gz", "--by", "label:tenant", "--values", "full")["rows"]
    theirs = re.findall(r"^\s+(\S+) \(\s*\S+%\): (customer-\d+)$", pprof("-tags", made / "labels.pb.gz"), re.M)
    ours = [r["name"].removeprefix("tenant: ") for r in rows if "customer" in r["name"]]
    assert ours == [name for _, name in theirs] and len(ours) == 2
    assert [r["flat"] for r in rows] == sorted((r["flat"] for r in rows), reverse=True)
    assert not any(r["name"] == "tenant: 0" for r in rows) and any(r["name"] == "(no label tenant)" for r in rows)
    first = limpet_json("top", made / "labels.pb.gz", "--by", "label", "--limit", "1")["rows"]
    assert first[0]["flat"] == max(r["flat"] for r in limpet_json("top", made / "labels.pb.gz", "--by", "label", "--limit", "0")["rows"])


def test_labels_that_are_written(made, tmp_path):
    """Equal unless it is asked for otherwise; then not even among the texts."""
    whole = pprof_file.read(str(made / "labels.pb.gz"))
    for policy, kept in ((None, True), ("full", True), ("hash", False), ("none", False)):
        out = tmp_path / "out.pb.gz"
        limpet("profile", made / "labels.pb.gz", "-o", out, *(["--values", policy] if policy else []))
        assert (b"customer-" in gzip.decompress(out.read_bytes())) == kept, policy
        ours = pprof_file.read(str(out))
        assert sum(v[-1] for _, _, v in ours.samples) == sum(v[-1] for _, _, v in whole.samples)
        values = {dict(labels).get("tenant") for _, labels, _ in ours.samples} - {None, "", 0}
        assert len(values) == (1 if policy == "none" else 2)


def test_what_cancels_out(made, tmp_path):
    """A state and the changes after it: the total is of what remains, as pprof says."""
    delta, state = made / "heap.delta.pb.gz", state_of(made)
    doc = limpet_json("top", delta, state, "--limit", "0")
    merged = tmp_path / "merged.pb.gz"
    limpet("profile", delta, state, "-o", merged)
    assert doc["total"] == limpet_json("top", merged)["total"]
    assert min(v[-1] for _, _, v in pprof_file.read(str(delta)).samples) < 0, "nothing cancels out"
    shown = re.search(r"of (\S+) total", pprof("-top", "-unit=B", delta, state))[1]
    assert doc["total"] == int(shown.removesuffix("B"))


def cut(made, tmp_path):
    text = (made / "heap.debug1").read_bytes()
    path = tmp_path / "half.txt"
    path.write_bytes(text[:text.index(b"# runtime.MemStats") * 2 // 3])
    return path


def test_cut_is_said_everywhere(made, tmp_path):
    half, whole = cut(made, tmp_path), made / "heap.debug1"
    words = "cut short"
    for args in (("profile", half, "-o", tmp_path / "z.gz"), ("top", half, "--sort", "ratio"), ("list", half, ".", "--value", "alloc_space"),
                 ("diff", whole, half), ("diff", whole, whole, half), ("top", half, "--format", "dot"), ("top", half, "--format", "flame"),
                 ("top", half, whole), ("top", half, "--by", "label")):
        done = limpet(*args)
        assert words in done.stderr + done.stdout, args
        assert words not in limpet(*[whole if a == half else a for a in args]).stderr, args
        assert words not in limpet(*args, "--quiet").stderr
    assert "its end is missing" in limpet("gc", half, code=4).stderr and "its end is missing" in limpet("memory", half, code=4).stderr
    done = limpet("profile", half, "-o", tmp_path / "z.gz", "--json")
    assert json.loads(done.stdout)["damage"] == words


def test_changes_are_no_state(made):
    delta = made / "heap.delta.pb.gz"
    state = state_of(made)
    assert "?seconds=" in limpet("top", delta, "--sort", "ratio", code=4).stderr
    for old, new in ((delta, state), (state, delta)):
        notes = limpet_json("diff", old, new)["notes"]
        assert any("?seconds=" in n for n in notes) and not any("two moments" in n for n in notes)
    assert any("two moments" in n for n in limpet_json("diff", state, state)["notes"])
    assert any("?seconds=" in n for n in limpet_json("diff", state, state, delta)["notes"])


def test_rows_of_profiles(made):
    state = state_of(made)
    later = next(f for f in made.glob("allocs*.pb.gz") if "delta" not in f.name)
    assert any("order in which" in n for n in limpet_json("diff", state, state, state)["notes"])  # equally old
    assert any("never fall" in n for n in limpet_json("diff", state, later, state, "--value", "alloc_space")["notes"])
    assert "--sort" in limpet("diff", state, state, state, "--sort", "cum", code=2).stderr


def test_mutexes_as_text(made):
    """Go multiplies by the fraction, pprof's reading of the text again: it is said, with the number."""
    text, binary = (limpet_json("top", made / f"lock.{form}", "--value", "contentions")["total"] for form in ("txt", "pb.gz"))
    assert text == 4 * binary
    assert "times 4," in " ".join(limpet("top", made / "lock.txt").stdout.split())
    assert "times too high" not in limpet("top", made / "lock.pb.gz").stdout


@pytest.mark.parametrize("option", [
    "top --granularity line", "top --tree exact", "top --owners none", "top --count 2", "top --dump 3", "top --package-depth 1",
    "tree --depth 1", "diff --requests 3", "diff --objects", "diff --for 3s", "gc --svg x.svg", "gc --stream 2"])
def test_options_of_others_are_refused(made, option):
    command, *more = option.split()
    files = [made / "heap.debug1"] if command == "gc" else [state_of(made)] * (2 if command == "diff" else 1)
    done = limpet(command, *files, *more, code=2)
    assert more[0] in done.stderr and "is a profile" in done.stderr and not done.stdout


def test_what_is_not_there_is_said(made, tmp_path):
    state = state_of(made)
    assert "--focus matched nothing" in limpet("top", state, "--focus", "no.such.function").stdout
    assert "ratio" in limpet("top", state, "--sort", "bogus", code=2).stderr
    for more in (("--by", "label", "--format", "dot"), ("--by", "label", "--html", tmp_path / "x.html"),
                 ("--sort", "ratio", "--html", tmp_path / "x.html"), ("--sort", "ratio", "--value", "inuse_space"),
                 ("--by", "label", "--sort", "ratio")):
        limpet("top", state, *more, code=2)
    delta = made / "heap.delta.pb.gz"
    assert "below 0" in limpet("profile", delta, "--format", "speedscope", "-o", tmp_path / "s.json").stderr
    assert "below 0" not in limpet("profile", state, "--format", "speedscope", "-o", tmp_path / "s.json").stderr
