"""Reports of the compiler and of linters: alone, and joined with what is alive.

The truth is in the programs: lines marked "STAYS count bytes" make so much that stays.  The reports are what the
toolchains themselves write.
"""
import json
import os
import re
import subprocess

import pytest

import build_targets
from procs import Target, limpet, limpet_json

PROGS = build_targets.PROGS
# GODEBUG's rate holds from the first allocation on, which setting the variable in main does not
RATE = {"GODEBUG": "memprofilerate=4096"}
QUICK = {("esccache", "1.22"), ("escclosure", "1.27")}
PROGRAMS = [pytest.param(p, m, marks=[] if (p, m) in QUICK else pytest.mark.full)
            for p in ("esccache", "escclosure")
            for m in ("1.18", "1.19", "1.20", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27")]
STATICCHECK = "honnef.co/go/tools/cmd/staticcheck@v0.6.1"


def go(minor, *words, cwd=PROGS, check=True):
    env = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-buildvcs=false", GOWORK="off", CGO_ENABLED="0")
    if minor == "1.19":
        env["GODEBUG"] = "goindex=0"
    done = subprocess.run([build_targets.toolchain(minor), *words], cwd=cwd, env=env, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    assert not check or done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def modfile(folder, minor):
    return ["-modfile=" + build_targets.old_mod(str(folder), minor)] if minor in build_targets.OLD_MINORS else []


class Built:
    """A program and what the compiler said while it was built."""

    def __init__(self, folder, program, minor, *flags, m="-m=2"):
        self.binary = str(folder / program)
        self.report = str(folder / (program + ".txt"))
        words = ["build", "-ldflags=-s -w", *flags, "-gcflags=limpet/goprogs/...=" + m, "-o", self.binary]
        said = go(minor, *words, *modfile(folder, minor), "./" + program)
        with open(self.report, "w", encoding="utf-8") as f:
            f.write(said)


def marks(program, word):
    """(base name, line) -> figures behind the word."""
    found = {}
    for folder, _, names in os.walk(os.path.join(PROGS, program)):
        for name in names:
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                for number, line in enumerate(f, 1):
                    at = re.search(rf"// {word}((?: \d+)*)$", line.rstrip())
                    if at:
                        found[name, number] = [int(x) for x in at.group(1).split()]
    assert found
    return found


def rows_by_line(joined):
    rows = {}
    for r in joined["escapes"]:
        rows.setdefault((os.path.basename(r["file"]), r["line"]), []).append(r)
    return rows


def check_truth(program, joined):
    rows = rows_by_line(joined)
    for at, (count, size) in marks(program, "STAYS").items():
        best = max(rows[at], key=lambda r: r["inuse_bytes"])
        # a size class wastes an eighth at most; a sample is a sample (runtime.init of 1.18 and 1.19 takes GODEBUG's rate back)
        slack = max(0.1, 4 / (best["sampled"] + 1) ** 0.5)
        assert count * size * (1 - slack) <= best["inuse_bytes"] <= count * size * (1.125 + slack), (at, best)
        assert best["others"] == 0 and not best["ambiguous_file"], best
    return rows


@pytest.mark.parametrize("program, minor", PROGRAMS)
def test_what_escapes_and_stays(program, minor, tmp_path):
    """Line 6: of each line that makes what stays the join has the bytes, by the program's own samples."""
    built = Built(tmp_path, program, minor)
    with Target(program, binary=built.binary, env=RATE) as t:
        report = limpet_json("report", t.pid, built.report)
    joined = report["joined"][0]
    assert joined["by_samples"]
    rows = check_truth(program, joined)
    if program == "esccache":
        (goes,) = marks(program, "GOES")
        passing = max(rows[goes], key=lambda r: r["alloc_bytes"])
        assert passing["inuse_bytes"] < 100000 < passing["alloc_bytes"] and passing["reason"] == "interface"
        block = max((r for r in joined["escapes"] if r["expr"].startswith("new([512]byte")), key=lambda r: r["inuse_bytes"])
        assert block["line"] == [n for (_, n), x in marks(program, "STAYS").items() if x == [8000, 512]][0]
        cache = next(f for f in report["findings"] if f["kind"] == "global-growth" and "session" in f["type"])
        assert any(e["supports"] == "yes" and "make([]byte, size(i))" in e["says"] for e in cache["evidence"]), cache
    else:
        reasons = {r["expr"]: r["reason"] for r in joined["escapes"] if (os.path.basename(r["file"]), r["line"]) in
                   marks(program, "STAYS")}
        assert reasons["p"] == "captured-by-reference" and reasons["q"] == "sent" and reasons["&row{...}"] == "stored"
        (closure,) = marks(program, "CLOSURE")
        if minor in ("1.18", "1.19") and closure not in rows:
            return  # too small for its rate
        held = max(rows[closure], key=lambda r: r["retained_bytes"])
        assert held["retained_bytes"] >= held["sampled"] * 4096 > 0, held  # each holds its page


def test_other_paths(tmp_path):
    """Built with -trimpath, or the report made in another folder: the same lines."""
    built = Built(tmp_path, "escclosure", "1.26", "-trimpath")
    with Target("escclosure", binary=built.binary, env=RATE) as t:
        check_truth("escclosure", limpet_json("report", built.report, t.pid)["joined"][0])  # in any order
        elsewhere = tmp_path / "elsewhere.txt"
        with open(built.report, encoding="utf-8") as f:
            elsewhere.write_text(re.sub(r"limpet/goprogs/escclosure/(?=[\w/]*\.go)", "../../x/escclosure/", f.read()))
        check_truth("escclosure", limpet_json("report", t.pid, elsewhere)["joined"][0])
        # of another program nothing is joined, though a main.go with such lines is in it
        other = tmp_path / "other.txt"
        other.write_text(elsewhere.read_text().replace("# limpet/goprogs/escclosure", "# example.com/other"))
        assert not limpet_json("report", t.pid, other)["joined"][0]["escapes"]


def test_store_and_json_folder(tmp_path):
    """-json=0,DIR as a TARGET, and beside a store."""
    folder = tmp_path / "json"
    built = Built(tmp_path, "escclosure", "1.26", m=f"-json=0,{folder}")
    with open(built.report, encoding="utf-8") as f:
        assert "escapes" not in f.read()
    alone = limpet_json("report", folder, "--limit", "0")
    page = [r for r in alone["escapes"] if r["expr"] == "p" and r["what"] != "leaking-param"]
    assert page and page[0]["reason"] == "captured-by-reference" and page[0]["flow"]
    assert alone["form"] == "-json=0" and alone["go"].startswith("go1.26")
    with Target("escclosure", binary=built.binary, env=RATE) as t:
        check_truth("escclosure", limpet_json("report", t.pid, folder)["joined"][0])
        store = tmp_path / "x.limpet"
        limpet("snapshot", t.pid, "-o", store)
    rows = rows_by_line(limpet_json("report", store, folder)["joined"][0])
    for at, (count, size) in marks("escclosure", "STAYS").items():
        assert max(r["inuse_bytes"] for r in rows[at]) > count * size * 0.85


def vet(minor, folder, program):
    path = folder / "vet.json"
    path.write_text(go(minor, "vet", "-json", *modfile(folder, minor), "./" + program, check=False))
    return str(path)


def warnings(path):
    return {(w["rule"], w["line"], w["column"], w["message"]) for w in limpet_json("report", path, "--limit", "0")["lint"]}


def check_cuts(folder, path):
    """Cut anywhere: the warnings that are whole, and said to be cut."""
    data = open(path, "rb").read()
    want, had = warnings(path), set()
    cut = folder / "cut"
    for i in range(1, 24):
        cut.write_bytes(data[:len(data) * i // 24])
        done = limpet("report", cut, "--json", "--limit", "0", code=None)
        assert done.returncode in (0, 4), done
        if done.returncode:
            assert not had and done.stderr.count("\n") == 1
            continue
        doc = json.loads(done.stdout)
        have = {(w["rule"], w["line"], w["column"], w["message"]) for w in doc["lint"]}
        assert had <= have <= want, (i, have - want, had - have)
        assert doc["target"]["damaged"] or have == want
        had = have
    assert len(had) >= len(want) - 1


def test_cut_lint(tmp_path):
    check_cuts(tmp_path, vet("1.27", tmp_path, "esclint"))


def test_lint_rises(tmp_path):
    """A warning through whose line memory was made stands above one whose line was never run."""
    built = Built(tmp_path, "esclint", "1.26", "-tags=sampled")
    lint = vet("1.26", tmp_path, "esclint")
    lines = {k: n for (_, n), k in ((at, tail) for tail in ("runs", "never", "waits")
                                    for at in marks("esclint", "LOSTCANCEL " + tail))}
    with Target("esclint", binary=built.binary, env=RATE) as t:
        report = limpet_json("report", t.pid, lint, built.report)
    warnings = report["joined"][0]["lint"]
    assert [w["line"] for w in warnings] == [lines["runs"], lines["waits"], lines["never"]]
    assert (warnings[0]["retained_guess_bytes"] or warnings[0]["retained_bytes"]) > 400 * 2048
    assert warnings[1]["inuse_bytes"] > 0 == warnings[2]["inuse_bytes"] == warnings[2]["retained_bytes"]
    leak = next(f for f in report["findings"] if f["kind"] == "context-leak")
    assert any(e["from"] == "vet.json" and f":{lines['runs']}: lostcancel" in e["says"] and "keeps about" in e["says"]
               for e in leak["evidence"]), leak["evidence"]
    check_truth("esclint", report["joined"][1])
    text = limpet("report", lint).stdout
    assert "3 about what may stay" in text and "never cancelled" in text


@pytest.mark.parametrize("minor", ["1.27"] + [pytest.param(f"1.{m}", marks=pytest.mark.full) for m in range(21, 27)])
def test_by_code(minor, tmp_path):
    """Without samples the code says which call makes such objects; of warnings nobody knows, and it is said."""
    built = Built(tmp_path, "esclint", minor)
    lint = vet(minor, tmp_path, "esclint")
    with Target("esclint", binary=built.binary) as t:
        report = limpet_json("report", t.pid, built.report, lint)
        text = limpet("report", t.pid, lint).stdout
    assert not report["joined"][0]["by_samples"]
    (at, (count, size)), = marks("esclint", "STAYS").items()
    job = max(rows_by_line(report["joined"][0])[at], key=lambda r: r["inuse_bytes"])
    assert job["inuse_bytes"] == job["retained_bytes"] == count * size and job["calls"] == 1 and job["sampled"] == 0
    assert "without stacks nobody knows" in text


def test_alone(tmp_path):
    """What the compiler and vet say is counted as they say it."""
    built = Built(tmp_path, "escclosure", "1.27")
    with open(built.report, encoding="utf-8") as f:
        said = f.read()
    got = limpet_json("report", built.report, "--limit", "0")
    want = {(m[1], int(m[2]), int(m[3])) for m in
            re.finditer(r"^(\S+\.go):(\d+):(\d+): (?:moved to heap: .*|.* escapes to heap(?: in .*:)?)$", said, re.M)}
    have = {(r["file"], r["line"], r["column"]) for r in got["escapes"] if r["what"] != "leaking-param"}
    assert have == want
    params = set(re.findall(r"^(\S+\.go):(\d+):(\d+): leaking param", said, re.M))
    assert got["params"] == len(params)
    assert sum(r["places"] for r in got["rows"]) == len(got["escapes"])
    for by in ("function", "file", "package", "line", "form"):
        top = limpet_json("top", built.report, "--by", by, "--limit", "0")
        assert sum(r["places"] for r in top["rows"]) == len(got["escapes"]), by
    assert "want reason" in limpet("top", built.report, "--by", "moon", code=2).stderr


def test_errors(tmp_path):
    empty = tmp_path / "folder"
    empty.mkdir()
    assert "-json=0,DIR" in limpet("report", empty, code=4).stderr
    cut = tmp_path / "cut.json"
    cut.write_text('{"Issues":[{"FromLinter":"bodyclose","Text":"close","Pos":{"Filename":"a.go","Line":3,"Column":1}},{"From')
    got = limpet_json("report", cut)
    assert got["warnings"] == 1 and got["target"]["damaged"]
    both = limpet("report", cut, cut, code=None)
    assert both.returncode in (0, 4)
    evil = tmp_path / "evil.txt"
    evil.write_text("./a\x1b[31m.go:3:4: \x1b]0;x\x07y escapes to heap\n")
    assert "\x1b" not in limpet("report", evil).stdout


@pytest.mark.full
def test_staticcheck(tmp_path):
    """The real one, pinned; its SA1015 and the like are known."""
    folder = os.path.join(build_targets.CACHE, "bin")
    os.makedirs(folder, exist_ok=True)
    binary = os.path.join(folder, "staticcheck")
    if not os.path.exists(binary):
        env = dict(os.environ, GOTOOLCHAIN="local", GOBIN=folder, GOFLAGS="", CGO_ENABLED="0")
        subprocess.run([build_targets.toolchain("1.26"), "install", STATICCHECK], env=env, check=True)
    (tmp_path / "go.mod").write_text("module example.com/tick\n\ngo 1.22\n")
    (tmp_path / "main.go").write_text('package main\n\nimport "time"\n\nfunc f() {\n\tfor range time.Tick(1) {\n\t\treturn\n'
                                      '\t}\n}\n\nfunc main() {\n\tfor {\n\t\tdefer f()\n\t}\n}\n')
    env = dict(os.environ, GOTOOLCHAIN="local", CGO_ENABLED="0",
               PATH=os.path.dirname(build_targets.toolchain("1.26")) + ":" + os.environ["PATH"])
    done = subprocess.run([binary, "-f", "json", "./..."], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True, check=False)
    out = tmp_path / "staticcheck.json"
    out.write_text(done.stdout)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert said
    got = limpet_json("report", out, "--limit", "0")
    assert {(w["rule"], w["line"]) for w in got["lint"]} == {(x["code"], x["location"]["line"]) for x in said}
    assert any(w["rule"] == "SA5003" and w["finding"] == "goroutine-hold" for w in got["lint"]), done.stdout


LEAKY = """package main

import (
	"context"
	"database/sql"
	"net/http"
	"time"
)

func fetch() int {
	r, err := http.Get("http://127.0.0.1:1/")
	if err != nil {
		return 0
	}
	return r.StatusCode
}

func count(db *sql.DB) (n int) {
	rows, err := db.Query("select 1")
	if err != nil {
		return 0
	}
	for rows.Next() {
		n++
	}
	return n
}

func wait() error {
	ctx, _ := context.WithTimeout(context.Background(), time.Hour)
	return ctx.Err()
}

func main() {
	println(fetch(), count(nil), wait())
}
"""
GOLANGCI = {"1": ("github.com/golangci/golangci-lint/cmd/golangci-lint@v1.64.8", ["--disable-all", "--out-format", "json"]),
            "2": ("github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.5.0",
                  ["--default", "none", "--show-stats=false", "--output.json.path", "stdout"])}


@pytest.mark.full
@pytest.mark.parametrize("major", list(GOLANGCI))
def test_golangci(major, tmp_path):
    """The real one of both generations, as JSON and SARIF: its rules about what is not closed are known as what they leave."""
    module, words = GOLANGCI[major]
    folder = os.path.join(build_targets.CACHE, "bin" + major)
    os.makedirs(folder, exist_ok=True)
    binary = os.path.join(folder, "golangci-lint")
    tool = build_targets.toolchain("1.24")
    env = dict(os.environ, GOTOOLCHAIN="local", GOBIN=folder, GOFLAGS="", CGO_ENABLED="0",
               PATH=os.path.dirname(tool) + ":" + os.environ["PATH"])
    if not os.path.exists(binary):
        subprocess.run([tool, "install", module], env=env, check=True)
    (tmp_path / "go.mod").write_text("module example.com/leaky\n\ngo 1.22\n")
    (tmp_path / "main.go").write_text(LEAKY)

    def lint(*how):
        done = subprocess.run([binary, "run", "-E", "bodyclose,sqlclosecheck,rowserrcheck,govet,noctx", *how, "./..."],
                              cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 1, done
        return done.stdout

    out = tmp_path / "lint.json"
    out.write_text(lint(*words))
    said = json.loads(out.read_text().splitlines()[0])["Issues"]
    names = {x["FromLinter"] for x in said}
    assert {"bodyclose", "govet"} <= names, said  # of several on one line it names one
    got = limpet_json("report", out, "--limit", "0")
    assert sorted(w["line"] for w in got["lint"]) == sorted(x["Pos"]["Line"] for x in said)
    check_cuts(tmp_path, out)
    about = {w["rule"]: w["finding"] for w in got["lint"]}
    assert about["bodyclose"] == "unclosed-resource" and about["lostcancel"] == "context-leak", about
    if major == "2":
        sarif = tmp_path / "lint.sarif"
        sarif.write_text(lint("--default", "none", "--show-stats=false", "--output.sarif.path", "stdout"))
        check_cuts(tmp_path, sarif)
        again = limpet_json("report", sarif, "--limit", "0")
        assert sorted((w["line"], w["message"]) for w in again["lint"]) == sorted((w["line"], w["message"]) for w in got["lint"])


LIBRARY = """package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

var names []string

func book(n int) {
	names = append(names, strings.Repeat(fmt.Sprint(n), 300)) // BOOK
}

func main() {
	for i := 0; i < 20000; i++ {
		book(i)
	}
	fmt.Println("READY", os.Getpid())
	runtime.MemProfile(nil, false) // else the linker leaves samples out
	for {
		time.Sleep(time.Hour)
		fmt.Println(len(names))
	}
}
"""


def test_made_in_a_library(tmp_path):
    """What a function of the standard library makes: the report's own line that called it is named, and no reason made up."""
    (tmp_path / "go.mod").write_text("module example.com/booked\n\ngo 1.22\n")
    (tmp_path / "main.go").write_text(LIBRARY)
    report = tmp_path / "escape.txt"
    report.write_text(go("1.26", "build", "-gcflags=-m=2", "-o", "booked", ".", cwd=tmp_path))
    line = next(n for n, text in enumerate(LIBRARY.splitlines(), 1) if "// BOOK" in text)
    with Target("booked", binary=str(tmp_path / "booked"), env=RATE) as t:
        got = limpet_json("report", t.pid, report)
    said = [e for f in got["findings"] for e in f.get("evidence", []) if "where it is made" in e["says"]]
    assert said and all(e["supports"] == "nothing" for e in said), got["findings"]
    assert any(f"called from main.book, main.go:{line}, is in no file" in e["says"] for e in said), said


TABLES = """package main

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

var tables [][]*[4096]byte

func table() []*[4096]byte {
	t := make([]*[4096]byte, 64<<10)
	for i := 0; i < 500; i++ {
		t[i] = new([4096]byte)
	}
	return t
}

func main() {
	for i := 0; i < 6; i++ {
		tables = append(tables, table())
	}
	fmt.Println("READY", os.Getpid())
	runtime.MemProfile(nil, false) // else the linker leaves samples out
	for {
		time.Sleep(time.Hour)
		fmt.Println(len(tables))
	}
}
"""


def test_what_a_few_hold_is_not_multiplied(tmp_path):
    """Tables as large as the rate are sampled two of three; what one holds is held once, sampled or not."""
    (tmp_path / "go.mod").write_text("module example.com/tables\n\ngo 1.22\n")
    (tmp_path / "main.go").write_text(TABLES)
    report = tmp_path / "escape.txt"
    report.write_text(go("1.26", "build", "-gcflags=-m=2", "-o", "tables", ".", cwd=tmp_path))
    with Target("tables", binary=str(tmp_path / "tables")) as t:
        got = limpet_json("report", t.pid, report)
        text = limpet("report", t.pid, report).stdout
    rows = [r for r in got["joined"][0]["escapes"] if r["expr"].startswith("make(") and r["sampled"]]
    if not rows:
        pytest.skip("none of six was sampled")
    each = (64 << 10) * 8 + 500 * 4096
    assert rows[0]["retained_bytes"] == rows[0]["sampled"] * each
    assert rows[0]["retained_guess_bytes"] is None, "six or fewer say nothing of the others"
    assert f"retained is what {rows[0]['sampled']} sampled hold" in " ".join(text.split())


EITHER = """package main

import (
	"fmt"
	"os"
	"time"
)

type job struct {
	name [200]byte
	c    chan int
}

var kept []*job

func left() *job  { return &job{c: make(chan int, 1)} }
func right() *job { return &job{c: make(chan int, 2)} }

func worker(j *job) {
	<-j.c
	fmt.Println(j.name[0])
}

func main() {
	for i := 0; i < 200; i++ {
		kept = append(kept, left())
		go worker(right())
	}
	fmt.Println("READY", os.Getpid())
	for {
		time.Sleep(time.Hour)
		fmt.Println(len(kept))
	}
}
"""


def test_a_guessed_origin_supports_nothing(tmp_path):
    """Two calls make such, and without samples nobody knows which of them made these: no line of either is for the finding."""
    (tmp_path / "go.mod").write_text("module example.com/either\n\ngo 1.22\n")
    (tmp_path / "main.go").write_text(EITHER)
    report = tmp_path / "escape.txt"
    report.write_text(go("1.26", "build", "-gcflags=-m=2", "-o", "either", ".", cwd=tmp_path))
    with Target("either", binary=str(tmp_path / "either")) as t:
        got = limpet_json("report", t.pid, report)
    leak = next(f for f in got["findings"] if f["kind"] == "goroutine-leak")
    assert leak["allocated_at_inferred"]["of"] >= 2, leak
    said = [e for e in leak.get("evidence", []) if "main.go" in e["says"]]
    assert said and all(e["supports"] == "nothing" and "if it was made there" in e["says"] for e in said), leak


BOX = """package box

type Node[V any] struct {
	v   V
	pad []byte
}

type Box[V any] struct{ m map[int]*Node[V] }

//go:noinline
func (b *Box[V]) Put(k int, v V) {
	if b.m == nil {
		b.m = map[int]*Node[V]{}
	}
	b.m[k] = &Node[V]{v: v,
		pad: make([]byte, 4096)} // BOX
}
"""
BOXES = """package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"example.com/boxes/box"
)

var b box.Box[string]

func main() {
	for i := 0; i < 2000; i++ {
		b.Put(i, "x")
	}
	fmt.Println("READY", os.Getpid())
	runtime.MemProfile(nil, false) // else the linker leaves samples out
	for {
		time.Sleep(time.Hour)
		b.Put(-1, "y")
	}
}
"""


def test_generic_code_of_another_package(tmp_path):
    """The compiler speaks of it below the name of the package that instantiates it."""
    (tmp_path / "go.mod").write_text("module example.com/boxes\n\ngo 1.22\n")
    for folder, text in (("box", BOX), ("cmd/app", BOXES)):
        os.makedirs(tmp_path / folder)
        (tmp_path / folder / "main.go").write_text(text)
    report = tmp_path / "escape.txt"
    report.write_text(go("1.26", "build", "-gcflags=all=-m=2", "-o", "boxes", "./cmd/app", cwd=tmp_path))
    line = next(n for n, text in enumerate(BOX.splitlines(), 1) if "// BOX" in text)
    with Target("boxes", binary=str(tmp_path / "boxes"), env=RATE) as t:
        got = limpet_json("report", t.pid, report)
    row = max((r for r in got["joined"][0]["escapes"] if r["line"] == line and "box" in r["file"]), key=lambda r: r["inuse_bytes"])
    assert 0.85 * 2000 * 4096 <= row["inuse_bytes"] <= 1.15 * 2000 * 4096 and not row["ambiguous_file"], row
