"""`limpet report` of a process beside its own log, dump, profiles and compiler's report, in any order; and of these alone.

One server that leaks and its twin that does the same work and lets go of it: who holds what, and which line made it, stands
in its source (TRUTH)."""
import gzip
import json
import os
import shutil
import subprocess
import types
import urllib.request

import pytest

import procs
from procs import Target, build_targets, limpet, limpet_json

SOURCE = os.path.join(procs.TESTS, "goprogs", "mixlab", "main.go")
ROUNDS, SESSIONS, BYTES = 400, 16, 16 << 10


def line_of(word):
    with open(SOURCE, encoding="utf-8") as f:
        return next(i for i, line in enumerate(f, 1) if "TRUTH " + word in line)


def escape_report(path):
    done = subprocess.run([build_targets.toolchain(build_targets.NEWEST), "build", "-gcflags=-m=2", "-o", os.devnull, "."],
                          cwd=os.path.dirname(SOURCE), capture_output=True, text=True, check=True,
                          env=dict(os.environ, GOTOOLCHAIN="local"))
    with open(path, "w", encoding="utf-8") as f:
        f.write(done.stderr)


def gather(tmp, mode):
    """The server, looked at by everybody."""
    e = types.SimpleNamespace(folder=tmp, mode=mode)
    lab = Target("mixlab", args=["-mode", mode, "-rounds", ROUNDS], env={"GODEBUG": "gctrace=1"})
    address = lab.wait_line("HALF")[0].split()[2]
    e.half = os.path.join(tmp, "half.pb.gz")
    with urllib.request.urlopen(procs.HTTP + address + "/debug/pprof/heap", timeout=30) as answer, open(e.half, "wb") as f:
        f.write(answer.read())
    with lab:
        def save(name, path):
            with open(os.path.join(tmp, name), "wb") as f:
                f.write(lab.get(path))
            setattr(e, name.split(".")[0], os.path.join(tmp, name))
        save("heap.pb.gz", "/debug/pprof/heap?gc=1")  # else what the last collection saw
        save("goroutines.txt", "/debug/pprof/goroutine?debug=2")
        save("counts.pb.gz", "/debug/pprof/goroutine")
        save("delta.pb.gz", "/debug/pprof/heap?seconds=1")
        e.log = os.path.join(tmp, "server.log")
        with open(e.log, "w", encoding="utf-8") as f:
            f.write("\n".join(filter(None, lab.lines)) + "\n")
        e.escape = os.path.join(tmp, "escape.txt")
        escape_report(e.escape)
        e.pid = lab.pid
        e.live = limpet_json("report", e.goroutines, lab.pid, e.log, e.heap, e.escape, e.counts)
        e.text = limpet("report", lab.pid, e.log, e.goroutines).stdout
        e.core = os.path.join(tmp, "server.core")
        limpet("snapshot", lab.pid, "-o", e.core)
    return e


@pytest.fixture(scope="module")
def leaking(tmp_path_factory):
    return gather(str(tmp_path_factory.mktemp("leak")), "leak")


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    return gather(str(tmp_path_factory.mktemp("healthy")), "healthy")


def said(finding, file):
    return next((x for x in finding.get("evidence", []) if x["from"] == file), None)


def of_kind(doc, kind):
    found = [f for f in doc["findings"] if f["kind"] == kind]
    assert found, [f["title"] for f in doc["findings"]]
    return found[0]


def test_the_leak_is_supported_by_each(leaking):
    held = of_kind(leaking.live, "global-growth")
    assert held["retained_bytes"] >= ROUNDS * SESSIONS * BYTES
    for file, words in (("server.log", "verdict leak"), ("heap.pb.gz", f"main.newSession (main.go:{line_of('allocates')})"),
                        ("escape.txt", f"main.go:{line_of('allocates')}")):
        one = said(held, file)
        assert one and one["supports"] == "yes" and words in one["says"], (file, held.get("evidence"))
    assert held["verdict"] == "suspect", "no text makes a leak of it"
    assert said(held, "goroutines.txt") is None, "goroutines say nothing of a map"


def test_goroutines_are_counted_alike(leaking):
    leak = of_kind(leaking.live, "goroutine-leak")
    assert leak["verdict"] == "leak" and leak["proof"] == "proved" and leak["goroutine"]["count"] == ROUNDS
    for file in ("goroutines.txt", "counts.pb.gz"):
        one = said(leak, file)
        assert one["supports"] == "yes" and one["says"].startswith(f"{ROUNDS} goroutines of main.worker"), one
    assert said(leak, "server.log")["supports"] == "nothing", "some KiB are no part of that growth"


def test_what_each_is(leaking):
    by = {x["file"]: x for x in leaking.live["evidence"]}
    assert {(k, x["kind"]) for k, x in by.items()} == {
        ("goroutines.txt", "goroutines"), ("server.log", "gclog"), ("heap.pb.gz", "profile"), ("escape.txt", "escape"),
        ("counts.pb.gz", "profile")}
    assert by["heap.pb.gz"]["same_program"] == by["goroutines.txt"]["same_program"] == "yes"
    assert by["server.log"]["same_program"] == "unknown"
    assert by["heap.pb.gz"]["at"] and by["server.log"]["at"] is None
    commands = [x["command"] for x in leaking.live["missing"]]
    assert any(f"limpet snapshot {leaking.pid} " in c for c in commands)
    assert not any("gctrace" in c or "escape.txt" in c for c in commands), "what is given is not missing"
    assert "gctrace" not in leaking.text and "go build -gcflags=-m=2" in leaking.text


def test_the_healthy_twin(healthy):
    verdicts = [f["verdict"] for f in healthy.live["findings"]]
    assert "leak" not in verdicts and "suspect" not in verdicts
    log = next(x for x in healthy.live["evidence"] if x["kind"] == "gclog")
    assert "verdict steady" in log["what"] and "verdict leak" not in log["what"]
    assert not healthy.live["missing"]
    alone = limpet_json("report", healthy.log, healthy.heap, healthy.goroutines)
    assert alone["findings"] == [] and "Nothing in it points at a leak" in limpet("report", healthy.log, healthy.heap).stdout


def test_contradictions_are_said(leaking, healthy):
    """The leaking server's core beside its twin's papers: each says that it has nothing of it."""
    doc = limpet_json("report", healthy.log, leaking.core, healthy.goroutines, healthy.heap)
    held, leak = of_kind(doc, "global-growth"), of_kind(doc, "goroutine-leak")
    assert said(held, "server.log")["supports"] == "no" and "verdict steady" in said(held, "server.log")["says"]
    assert said(held, "heap.pb.gz")["supports"] == "no"
    assert said(leak, "goroutines.txt")["supports"] == "no"
    assert leak["verdict"] == "leak" and leak["proof"] == "proved", "what is proved stays proved"


def test_evidence_of_another_program_says_nothing(leaking, tmp_path):
    dump = str(tmp_path / "other.txt")
    with Target("mixed") as other:
        with open(dump, "w", encoding="utf-8") as f:
            f.write(other.stacks())
    doc = limpet_json("report", leaking.core, dump)
    assert doc["evidence"][0]["same_program"] == "no", doc["evidence"]
    assert all(said(f, "other.txt") is None for f in doc["findings"])


STRANGER = """package main

import (
	"os"
	"runtime/pprof"
	"time"
)

func idle(c chan int) { <-c }

func main() {
	for i := 0; i < 300; i++ {
		go idle(make(chan int))
	}
	time.Sleep(100 * time.Millisecond)
	pprof.Lookup("goroutine").WriteTo(os.Stdout, 2)
}
"""


def test_a_stranger_of_one_function_says_nothing(leaking, tmp_path):
    """One function of its own is too little to call it another program, and none of the look's is no reason to believe it."""
    source, dump = tmp_path / "main.go", tmp_path / "stranger.txt"
    source.write_text(STRANGER)
    done = subprocess.run([build_targets.toolchain(build_targets.NEWEST), "run", source], capture_output=True, check=True,
                          env=dict(os.environ, GOTOOLCHAIN="local"))
    dump.write_bytes(done.stdout)
    doc = limpet_json("report", leaking.core, dump)
    assert doc["evidence"][0]["same_program"] == "unknown" and "300" in doc["evidence"][0]["what"]
    assert all((said(f, "stranger.txt") or {"supports": "nothing"})["supports"] == "nothing" for f in doc["findings"])
    assert not any("main.idle" in f["title"] for f in doc["findings"]), "what it suspects is not of the look"
    text = limpet("report", leaking.core, dump).stdout
    assert "against it" not in text and "for it" not in text
    # behind a dump of the same program: one row of dumps, of which the last one counts
    after = limpet("report", leaking.core, leaking.goroutines, dump).stdout
    assert "against it" not in after
    before = of_kind(limpet_json("report", leaking.core, dump, leaking.goroutines), "goroutine-leak")["evidence"][0]
    assert before["supports"] == "yes" and before["says"].startswith(f"{ROUNDS} goroutines of main.worker")


def test_without_a_look(leaking):
    doc = limpet_json("report", leaking.heap, leaking.log, leaking.goroutines, leaking.escape)
    assert doc["target"]["kind"] == "evidence"
    grown = of_kind(doc, "heap-growth")
    assert grown["verdict"] == "suspect" and grown["proof"] == "measured"
    assert 0.9 <= grown["retained_bytes"] / (ROUNDS * SESSIONS * BYTES) <= 1.1
    assert said(grown, "heap.pb.gz")["supports"] == "yes" and "main.newSession" in said(grown, "heap.pb.gz")["says"]
    assert any("limpet report PID" in x["command"] for x in doc["missing"])
    rows = doc["joined"][0]["escapes"]
    assert rows[0]["line"] == line_of("allocates") and rows[0]["inuse_bytes"] >= 0.9 * ROUNDS * SESSIONS * BYTES
    assert all(r["retained_bytes"] is None and r["retained_guess_bytes"] is None for r in rows), "a profile has no holders"
    assert [r["inuse_bytes"] for r in rows] == sorted((r["inuse_bytes"] for r in rows), reverse=True)
    table = limpet("report", leaking.heap, leaking.log, leaking.escape).stdout.split("Escapes of ")[1].splitlines()
    assert table[2].split()[0] == "?"


def test_warnings_without_a_look(leaking, tmp_path):
    """What was made through a warning's line a profile has; what it keeps nobody knows, where it was met and where not."""
    vet = tmp_path / "vet.json"
    vet.write_text(json.dumps({"limpet/goprogs/mixlab": {"lostcancel": [
        {"posn": f"./main.go:{line}:2", "message": "the cancel function"} for line in (line_of("allocates"), 1)]}}, indent=1))
    rows = limpet_json("report", leaking.heap, leaking.log, vet)["joined"][0]["lint"]
    assert [r["line"] for r in rows] == [line_of("allocates"), 1]
    assert rows[0]["inuse_bytes"] >= 0.9 * ROUNDS * SESSIONS * BYTES and rows[1]["inuse_bytes"] == 0
    assert all(r["retained_bytes"] is None and r["retained_guess_bytes"] is None for r in rows)


def test_forms_without_a_look(leaking, tmp_path):
    """Markdown, SARIF, JUnit, what is left out, how many: as of a look."""
    stuck = tmp_path / "stuck.txt"  # of another program, whose goroutines are
    stuck.write_bytes(subprocess.run([build_targets.build("gotext", build_targets.NEWEST), "twice"], capture_output=True, check=True).stderr)
    files = [leaking.half, leaking.heap, leaking.log, leaking.escape, stuck]
    doc = limpet_json("report", *files, "--limit", 0)
    titles = [f["title"] for f in doc["findings"]]
    assert len(titles) == doc["total_findings"] >= 2
    text = limpet("report", *files, "--markdown").stdout
    assert text.startswith("## limpet report\n") and text.count("\n### ") == len(titles)
    for f in doc["findings"]:
        assert f["signature"] in text
        assert text.count("**evidence:** " + f["evidence"][0]["from"].replace("_", "\\_")) >= 1
    assert "<summary>evidence</summary>" in text and "<summary>lines of compiler and linter</summary>" in text
    assert text.count("<details>") == text.count("</details>") and text.count("```") % 2 == 0
    one = limpet_json("report", *files, "--limit", 1)
    assert [f["title"] for f in one["findings"]] == titles[:1] and one["total_findings"] == len(titles)
    assert f"{len(titles) - 1} more finding" in limpet("report", *files, "--limit", 1).stdout
    out = {name: tmp_path / name for name in ("sarif", "junit")}
    limpet("report", *files, "--sarif", out["sarif"], "--junit", out["junit"])
    results = json.loads(out["sarif"].read_text())["runs"][0]["results"]
    assert {r["message"]["text"].split("\n")[0] for r in results if r["ruleId"]} and len(results) == len(titles)
    assert "<testsuite" in out["junit"].read_text()
    assert json.loads(limpet("report", *files, "--format", "sarif").stdout)["version"] == "2.1.0"
    assert "--since" in limpet("report", *files, "--since", leaking.core, code=2).stderr


def test_what_evidence_found_is_left_out(leaking, tmp_path):
    """By signature, for a while or for ever, with a look and without one."""
    files = [leaking.half, leaking.heap, leaking.log]
    for more in ([], [leaking.core]):
        doc = limpet_json("report", *more, *files, "--limit", 0)
        own = [f for f in doc["findings"] if f["kind"] in ("heap-growth", "growth", "gc-tuning")]
        if not own:
            assert more, doc["findings"]
            continue
        gone = own[0]["signature"]
        rest = limpet_json("report", *more, *files, "--limit", 0, "--ignore", gone)
        assert gone not in [f["signature"] for f in rest["findings"]] and rest["total_findings"] == doc["total_findings"] - 1
        assert [x["signature"] for x in rest["ignored"]] == [gone]
        known = tmp_path / "known"
        known.write_text(f"known {gone} until 2999-01-01 fills up in an hour\n")
        assert "fills up in an hour" in " ".join(limpet("report", *more, *files, "--known", known).stdout.split())
        known.write_text(f"known {gone} until 2999-01-01 typing error above\n\n{gone} until 2999-01-01 no first word\n")
        assert ":3: " in limpet("report", *more, *files, "--known", known, code=2).stderr
        known.write_text(f"known {gone} until 2020-01-01 was thought to fill up\n")
        assert "was thought to fill up" in " ".join(limpet("report", *more, *files, "--known", known, "--limit", 0).stdout.split())


def test_markdown_of_a_look_has_the_evidence(leaking):
    text = limpet("report", leaking.core, leaking.log, leaking.heap, leaking.escape, "--markdown").stdout
    assert "**evidence:** server.log, for it: " in text and "<summary>evidence</summary>" in text
    assert "<summary>roots</summary>" in text and "<summary>what more would tell</summary>" in text


def test_two_profiles_show_what_grew(leaking, healthy):
    """One of half-way, one of the end, in any order: the program's own count of rounds says what is between."""
    between = ROUNDS * SESSIONS * BYTES / 2
    for order in ((leaking.half, leaking.heap), (leaking.heap, leaking.half)):
        f = of_kind(limpet_json("report", *order), "heap-growth")
        assert f["verdict"] == "suspect" and f"main.newSession (main.go:{line_of('allocates')})" in f["title"]
        assert 0.8 <= f["retained_bytes"] / between <= 1.2
    held = of_kind(limpet_json("report", leaking.heap, leaking.core, leaking.half), "global-growth")
    assert said(held, "heap.pb.gz")["supports"] == "yes" and "since half.pb.gz" in said(held, "heap.pb.gz")["says"]
    assert limpet_json("report", healthy.half, healthy.heap)["findings"] == []


def test_the_same_profile_twice_is_no_growth(leaking, tmp_path):
    """Packed anew, with another time in it, or as it is: what is in use supports as one profile does, and nothing weakens."""
    with open(leaking.heap, "rb") as f:
        raw = gzip.decompress(f.read())
    again, later = tmp_path / "again.pb", tmp_path / "later.pb"
    again.write_bytes(raw)
    stamp = json.loads(limpet("report", leaking.heap, "--json").stdout)["evidence"][0]["at"]
    assert stamp
    at, n = next((at, n) for at in range(len(raw)) for n in [varint_at(raw, at + 1)]
                 if raw[at] == 9 << 3 and n and 1 << 60 < n[0] < 1 << 62)
    later.write_bytes(raw[:at + 1] + varint(n[0] + 420 * 10 ** 9) + raw[n[1]:])  # seven minutes later
    want = said(of_kind(limpet_json("report", leaking.core, leaking.heap), "global-growth"), "heap.pb.gz")["supports"]
    assert want == "yes"
    for copy in (again, later):
        doc = limpet_json("report", leaking.core, leaking.heap, copy)
        assert any("the same as" in x["what"] for x in doc["evidence"]) == (copy == again)
        for f in doc["findings"]:
            assert all(e["supports"] != "no" for e in f.get("evidence", [])), f
        last = next(e for e in of_kind(doc, "global-growth")["evidence"] if "in use that" in e["says"])
        assert ("nothing of growth" in last["says"]) == (copy == later)
        assert last["supports"] == "yes" and "+0 B" not in last["says"], last


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def varint_at(raw, at):
    """Value and end; None: too long for one."""
    n = 0
    for i, byte in enumerate(raw[at:at + 10]):
        n |= (byte & 127) << 7 * i
        if byte < 128:
            return n, at + i + 1
    return None


def test_what_changed_is_no_state(leaking):
    doc = limpet_json("report", leaking.delta, leaking.heap)
    assert doc["findings"] == [], "a difference is no earlier state"
    assert any("what changed in the heap" in x["what"] for x in doc["evidence"])


def test_a_log_with_all_in_it(leaking, tmp_path):
    """One file: what the program printed, its collections, then its goroutines."""
    log = str(tmp_path / "all.log")
    with open(log, "wb") as out:
        for name in (leaking.log, leaking.goroutines):
            with open(name, "rb") as f:
                shutil.copyfileobj(f, out)
    doc = limpet_json("report", leaking.core, log)
    assert {x["kind"] for x in doc["evidence"]} == {"gclog", "goroutines"}
    assert said(of_kind(doc, "goroutine-leak"), "all.log")["supports"] in ("yes", "nothing")


def test_cut_evidence_is_used_and_said(leaking, tmp_path):
    with open(leaking.heap, "rb") as f:
        packed = f.read()
    for name, data in (("cut.pb.gz", packed[:len(packed) * 2 // 3]), ("cut.pb", gzip.decompress(packed)[:-40])):
        path = str(tmp_path / name)
        with open(path, "wb") as f:
            f.write(data)
        done = limpet("report", path, leaking.log, "--json", code=None)
        assert done.returncode in (0, 4), done.stderr
        if not done.returncode:
            assert '"damaged"' in done.stdout


@pytest.mark.parametrize("what, code, words", [
    (["{core}", "{core}"], 2, "one look at a time"),
    (["{log}", "{elf}"], 4, "no evidence of memory"),
    (["{log}", "{junk}"], 4, "no goroutines, no lines of gctrace"),
    (["{log}", "/no/such/file"], 3, "No such file"),
])
def test_what_cannot_be_read_beside(leaking, tmp_path, what, code, words):
    junk = str(tmp_path / "junk")
    with open(junk, "w", encoding="utf-8") as f:
        f.write("hello\n" * 100)
    names = {"core": leaking.core, "log": leaking.log, "elf": procs.LIMPET, "junk": junk}
    done = limpet("report", *(w.format(**names) for w in what), code=code)
    assert words in done.stderr and done.stderr.count("\n") == 1


def test_one_profile_alone(leaking):
    doc = limpet_json("report", leaking.heap)
    assert doc["evidence"][0]["kind"] == "profile" and "main.newSession" in doc["evidence"][0]["what"]


CLEAN = {"vet": "{}\n", "vet22": "# example.com/p\n# [example.com/p]\n{}\n", "package": '{"example.com/p": {}}\n',
         "golangci": '{"Issues":[],"Report":{"Linters":[{"Name":"govet","Enabled":true}]}}\n', "golangci1": '{"Issues":null,"Report":{}}\n',
         "sarif": '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"gosec","rules":[{"id":"G112"}]}},"results":[]}]}\n'}


@pytest.mark.parametrize("name", list(CLEAN))
def test_a_clean_linter(leaking, tmp_path, name):
    """Nothing to warn of is an answer: alone, and beside a look, whose report stands."""
    file = tmp_path / "clean.json"
    file.write_text(CLEAN[name])
    alone = limpet_json("report", file)
    assert alone["target"]["kind"] == "lint" and alone["warnings"] == 0 and alone["lint"] == []
    doc = limpet_json("report", leaking.core, file)
    assert of_kind(doc, "global-growth") and doc["evidence"][0]["kind"] == "lint"
    assert doc["evidence"][0]["what"].startswith("0 warnings")


def test_an_empty_file(leaking, tmp_path):
    """staticcheck writes one if it has nothing to say; so does a program whose log went elsewhere."""
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    doc = limpet_json("report", leaking.core, empty, leaking.log)
    assert [(x["file"], x["kind"]) for x in doc["evidence"]] == [("empty", "empty"), ("server.log", "gclog")]
    assert "empty file" in limpet("report", leaking.core, empty).stdout
    assert limpet_json("report", empty, leaking.log)["findings"]
    for alone in ([empty], [empty, empty]):
        assert "an empty file" in limpet("report", *alone, code=4).stderr


def test_the_same_file_twice_counts_once(leaking, tmp_path):
    """By its name, by another, packed: evidence is no better for being said again."""
    copies = {}
    for file in (leaking.log, leaking.escape, leaking.goroutines):
        link, packed = tmp_path / ("link-" + os.path.basename(file)), tmp_path / (os.path.basename(file) + ".gz")
        os.symlink(file, link)
        with open(file, "rb") as f:
            packed.write_bytes(gzip.compress(f.read()))
        copies[file] = (file, link, packed)
    once = limpet_json("report", leaking.core, *copies)
    for again in zip(*copies.values()):
        doc = limpet_json("report", leaking.core, *copies, *again)
        assert [f.get("evidence") and [e["supports"] for e in f["evidence"]] for f in doc["findings"]] == \
            [f.get("evidence") and [e["supports"] for e in f["evidence"]] for f in once["findings"]]
        assert len(doc["joined"]) == 1 and sum("the same as" in x["what"] for x in doc["evidence"]) == 3
        assert {x["kind"] for x in doc["evidence"]} == {"gclog", "escape", "goroutines"}


VET = {"limpet/goprogs/mixlab": {"lostcancel": [{"posn": "./main.go:1:2", "message": "the cancel function"}]}}
STATICCHECK = [{"code": "SA1015", "severity": "error", "location": {"file": "main.go", "line": 1, "column": 2},
                "end": {}, "message": "time.Tick leaks"}]


@pytest.mark.parametrize("order", [("log", "goroutines", "escape", "vet"), ("vet", "escape", "log"), ("escape", "staticcheck"),
                                   ("goroutines", "staticcheck"), ("staticcheck", "escape", "goroutines", "log")])
@pytest.mark.parametrize("beside", [True, False])
def test_a_file_with_several_kinds(leaking, tmp_path, order, beside):
    """Whatever stands first, each is read whole, beside a look and alone."""
    parts = {"vet": json.dumps(VET, indent=1) + "\n", "staticcheck": "".join(json.dumps(x, separators=(",", ":")) + "\n" for x in STATICCHECK)}
    for name in ("log", "goroutines", "escape"):
        with open(getattr(leaking, name), encoding="utf-8") as f:
            parts[name] = f.read()
    log = tmp_path / "all.log"
    log.write_text("".join(parts[name] for name in order))
    doc = limpet_json("report", *([leaking.core] if beside else []), log)
    words = {"log": "gclog", "vet": "lint", "staticcheck": "lint"}
    assert sorted(x["kind"] for x in doc["evidence"]) == sorted(words.get(name, name) for name in order)
    assert not any(x.get("damaged") for x in doc["evidence"] + doc["joined"]), doc["evidence"]
    what = {x["kind"]: x["what"] for x in doc["evidence"]}
    if "lint" in what:
        assert what["lint"].startswith("1 warnings")
    if "goroutines" in what:
        whole = limpet_json("report", leaking.core, leaking.goroutines)["evidence"][0]["what"]
        assert what["goroutines"].split(",")[0] == whole.split(",")[0]
