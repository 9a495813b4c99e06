"""`limpet check -- go test`: the moment between two repetitions, packages and tests that leak, and those that cannot be
checked.

The moment is checked against what the tests themselves write to a file when they begin and end.
"""
import json
import os
import subprocess
import time

import pytest

import build_targets
import procs
from test_check_outputs import LEAKY, check, go_env, write_module

MOD = "module example.com/t\n\ngo 1.22\n"

# Each test says when it begins and ends; what it starts goes on, and prints.
DIARY = """package diary

import (
	"fmt"
	"os"
	"testing"
	"time"
)

var f, _ = os.OpenFile(os.Getenv("DIARY"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0600)

func diary(t *testing.T) {
	fmt.Fprintln(f, "begin", t.Name())
	t.Cleanup(func() { fmt.Fprintln(f, "end", t.Name()) })
}

var noise bool

func TestMain(m *testing.M) { os.Exit(m.Run()) }

func TestPrints(t *testing.T) {
	diary(t)
	if !noise && os.Getenv("NOISE") != "" {
		noise = true
		go func() {
			for {
				fmt.Println("--- PASS: NotATest (0.00s)")
				time.Sleep(time.Millisecond)
			}
		}()
	}
	for i := 0; i < 20; i++ {
		fmt.Println("line", i)
	}
	fmt.Print("no end of line")
}

func TestSubtests(t *testing.T) {
	diary(t)
	for _, n := range []string{"a", "b"} {
		t.Run(n, func(t *testing.T) { t.Parallel(); t.Log("log") })
	}
}

func TestParallel1(t *testing.T) { t.Parallel(); diary(t); time.Sleep(time.Millisecond) }
func TestParallel2(t *testing.T) { t.Parallel(); diary(t); go func() { select {} }() }
func TestSkipped(t *testing.T)   { diary(t); t.Skip("not here") }
"""
TESTS = 5


def build_test(folder, minor=build_targets.NEWEST, *flags):
    binary = os.path.join(folder, "x.test")
    subprocess.run(["go", "test", "-c", "-o", binary, *flags, "."], cwd=folder, env=go_env(minor), check=True)
    return binary


def goroutines_of(pid):
    out = subprocess.run([procs.LIMPET, "goroutines", str(pid), "--json", "--limit", "0"], stdout=subprocess.PIPE, check=True)
    return sum(g["function"].startswith("example.com/t.TestParallel2.func") for g in json.loads(out.stdout)["goroutines"])


def pace(tmp_path, minor, *flags):
    """Ten repetitions; behind each the diary has whole repetitions and nothing else."""
    write_module(tmp_path, {"go.mod": MOD, "diary_test.go": DIARY})
    binary = build_test(tmp_path, minor, *flags)
    diary, socket = tmp_path / "diary", str(tmp_path / "s")
    env = dict(go_env(minor), DIARY=str(diary))
    with subprocess.Popen([procs.LIMPET, "--pace", socket, "0", "--", binary, "-test.v=true", "-test.count=100000"], cwd=tmp_path,
                          env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as pacer:
        try:
            while b"one repetition is over" not in pacer.stdout.readline():
                assert pacer.poll() is None
            pid = int(subprocess.run(["ps", "-o", "pid=", "--ppid", str(pacer.pid)], stdout=subprocess.PIPE, check=True).stdout)
            for n in range(1, 11):
                time.sleep(0.02)  # were it not held, it would go on here
                lines = diary.read_text().splitlines()
                assert len(lines) == n * 2 * TESTS, (n, lines[-2 * TESTS:])
                for i in range(n):
                    part = lines[i * 2 * TESTS:(i + 1) * 2 * TESTS]
                    assert sorted(part) == sorted(f"{w} {t}" for w in ("begin", "end") for t in (
                        "TestPrints", "TestSubtests", "TestParallel1", "TestParallel2", "TestSkipped"))
                if n in (1, 10):
                    assert goroutines_of(pid) == n
                out = subprocess.run([procs.LIMPET, "--pace-next", socket], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     timeout=60)
                assert out.returncode == 0, out.stderr
                os.set_blocking(pacer.stdout.fileno(), False)
                pacer.stdout.read()
        finally:
            pacer.kill()
    with pytest.raises(ProcessLookupError):  # PR_SET_PDEATHSIG
        for _ in range(100):
            os.kill(pid, 0)
            time.sleep(0.05)


def test_moment(tmp_path):
    pace(tmp_path, build_targets.NEWEST)


@pytest.mark.full
@pytest.mark.parametrize("minor", build_targets.MINORS)
def test_moment_versions(tmp_path, minor):
    pace(tmp_path, minor)


@pytest.mark.full
def test_moment_race(tmp_path):
    pace(tmp_path, build_targets.NEWEST, "-race")


def results(out):
    return {(c["suite"], c["name"]): c for c in json.loads(out.stdout)["checks"]}


def broken(name, body, more=""):
    return {f"{name}/a_test.go": f'package a\n\nimport (\n\t"os"\n\t"testing"\n)\n\nvar _ = os.Args\n{more}\n{body}\n'}


def cannot(tmp_path, files, expect):
    """The result of each package; nothing runs on, nothing remains."""
    tmp = tmp_path / "tmp"
    tmp.mkdir()
    write_module(tmp_path, {"go.mod": MOD, **files})
    out = check(tmp_path, "--format", "json", "--", "go", "test", "./...", env=go_env(TMPDIR=str(tmp)))
    assert out.returncode == 3, out.stderr
    got = {name.rsplit("/", 1)[1]: c for (_, name), c in results(out).items()}
    assert {n: c["result"] for n, c in got.items()} == expect
    left = subprocess.run(["pgrep", "-f", str(tmp)], stdout=subprocess.PIPE).stdout.split()
    assert not left and not os.listdir(tmp), (left, os.listdir(tmp))
    return got


def test_cannot_be_checked(tmp_path):
    """Tests that fail, do not build, are not there: said of each."""
    got = cannot(tmp_path, {
        **broken("fails", 'func TestA(t *testing.T) {}\nfunc TestB(t *testing.T) { t.Fatal("for this reason") }'),
        **broken("wrong", "func TestA(t *testing.T) { nothing() }"),
        "none/a.go": "package a\n"}, {"fails": "broken", "none": "skipped", "wrong": "broken"})
    assert got["fails"]["why"] == "TestB fails" and "for this reason" in got["fails"]["output"]
    assert "undefined: nothing" in got["wrong"]["output"]


@pytest.mark.full
def test_cannot_be_repeated(tmp_path):
    """Tests that fail later on, panic, exit, or are none."""
    got = cannot(tmp_path, {
        **broken("twice", 'var n int\n\nfunc TestOnce(t *testing.T) {\n\tif n++; n > 2 {\n\t\tt.Fatal("again")\n\t}\n}'),
        **broken("panics", 'func TestA(t *testing.T) { panic("the end") }'),
        **broken("exits", "func TestMain(m *testing.M) { os.Exit(3) }\nfunc TestA(t *testing.T) {}"),
        **broken("only", "func BenchmarkA(b *testing.B) {}")},
        {"twice": "broken", "panics": "broken", "exits": "broken", "only": "skipped"})
    assert "TestOnce fails in run 3" in got["twice"]["why"]
    assert "the end" in got["panics"]["output"]


def test_usage(tmp_path):
    write_module(tmp_path, {"go.mod": MOD, "a.go": "package a\n"})
    out = check(tmp_path, "--", "go", "test", "./none")
    assert out.returncode == 2 and b"go list" in out.stderr and out.stderr.count(b"\n") == 1
    out = check(tmp_path, "--", "./none.test")
    assert out.returncode == 3 and b"none.test" in out.stderr
    out = check(tmp_path, "--", "go", "test", "-run")
    assert out.returncode == 2 and b"wants a value" in out.stderr


FOUR = {
    "go.mod": MOD,
    "four.go": """package four

import "sync"

var kept [][]byte
var pool = sync.Pool{New: func() any { return new([4096]byte) }}

func Keep() { kept = append(kept, make([]byte, 700)) }

func Ask() chan int {
	c := make(chan int)
	go func() { c <- 1 }() // line 12: nobody receives
	return c
}

func Pooled() { pool.Put(pool.Get()) }
""",
    "four_test.go": """package four

import "testing"

func TestHealthy(t *testing.T) { Pooled() }

func TestKeeps(t *testing.T) { Keep() }

func TestAsks(t *testing.T) { Ask() }

func TestTable(t *testing.T) {
	for _, name := range []string{"a", "b", "c"} {
		t.Run(name, func(t *testing.T) { t.Parallel(); Pooled() })
	}
}
""",
}


def four(tmp_path, minor, *flags):
    write_module(tmp_path, FOUR)
    out = check(tmp_path, "--format", "json", "--", "go", "test", *flags, ".", env=go_env(minor), seconds=600)
    assert out.returncode == 1, out.stderr
    got = results(out)
    pkg = "example.com/t"
    assert {k[1]: c["result"] for k, c in got.items()} == {
        pkg: "failed", "TestHealthy": "passed", "TestKeeps": "failed", "TestAsks": "failed", "TestTable": "passed"}
    assert got["", pkg]["why"].startswith("TestKeeps, TestAsks: ")
    keeps = got[pkg, "TestKeeps"]["findings"]
    assert any("kept" in r["held_by"] and abs(r["objects_per_round"] - 1) < 0.2 and r["at"]["path"] == "four.go" and
               r["at"]["line"] == 8 for r in keeps)
    asks = [r for r in got[pkg, "TestAsks"]["findings"] if r["kind"] == "goroutine-leak"]
    assert len(asks) == 1 and (asks[0]["proof"], asks[0]["at"]["path"], asks[0]["at"]["line"]) == ("proved", "four.go", 12)
    return got


@pytest.mark.full
@pytest.mark.parametrize("minor", build_targets.MINORS)
def test_names_the_test(tmp_path, minor):
    four(tmp_path, minor)


@pytest.mark.full
def test_race(tmp_path):
    four(tmp_path, build_targets.NEWEST, "-race")


@pytest.mark.full
def test_binary(tmp_path):
    """A binary that is there already, one test of it."""
    write_module(tmp_path, LEAKY)
    binary = build_test(tmp_path)
    out = check(tmp_path, "--json", "--", binary, "-test.run", "TestOpen")
    assert out.returncode == 1, out.stderr
    (key, c), = results(out).items()
    assert key == ("", "x.test") and c["result"] == "failed"
