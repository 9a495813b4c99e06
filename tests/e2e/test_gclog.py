"""GC logs: every collection found, none invented, verdicts right.

The truth is what the programs themselves counted (runtime.MemStats at their end), and the log before noise was
mixed in.
"""
import collections
import json
import os
import random
import re
import subprocess
import tempfile

import pytest

import build_targets
from procs import FULL, Target, limpet, limpet_json

VERSIONS = build_targets.OLD_MINORS + build_targets.MINORS
WHOLE = re.compile(rb"gc (\d+) @([\d.]+)s \d+%(?: \(checking for goroutine leaks\))?: [\d.+]+ ms clock, "
                   rb"[\d.+/]+ ms cpu, (\d+)->(\d+)->(\d+) MB, (\d+) MB goal, (?:\d+ MB stacks, \d+ MB globals, )?"
                   rb"(\d+) P( \(forced\))?")

WANTED = {
    "leak-map": "leak", "leak-goroutines": "leak", "leak-slow": "leak",
    "warm-lru": "warming-cache", "warm-lazy": "warming-cache",
    "steady-server": "steady", "steady-bursts": "steady",
    "spiral-gogc": "death-spiral", "spiral-limit": "death-spiral",
    "forced": "forced-gc",
}


def start(kind, minor, err, *more, debug="gctrace=1", before=None):
    binary = build_targets.build("gclab", minor)
    return subprocess.Popen([binary, kind, "60", *more], stdout=subprocess.PIPE, stderr=err,
                            env=dict(os.environ, GODEBUG=debug), preexec_fn=before)


def end(process):
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return json.loads(out)


def run(kind, minor, *more, **opts):
    """(what the program counted, its stderr)"""
    with tempfile.TemporaryFile() as err:
        truth = end(start(kind, minor, err, *more, **opts))
        err.seek(0)
        return truth, err.read()


def gc(folder, log, *more):
    path = os.path.join(folder, "x.log")
    with open(path, "wb") as f:
        f.write(log)
    return limpet_json("gc", path, "--limit", "0", *more)


def numbers(stream):
    return [c["gc"] for c in stream["cycles"]]


def whole(doc, truths):
    """Streams are the processes, each with all its collections."""
    for s in doc["streams"]:
        assert numbers(s) == list(range(1, s["collections"] + 1)) and s["missing"] == 0
    assert sorted(s["collections"] for s in doc["streams"]) == sorted(t["num_gc"] for t in truths)
    assert doc["collections"] == sum(t["num_gc"] for t in truths)
    assert doc["broken"] == 0
    # One more may say so: a runtime.GC that waits for the cycle which is going on has set work.userForced already
    # when that one's line is written (runtime/mgc.go, gcStart; seen up to Go 1.21).
    forced = zip(sorted(s["forced"] for s in doc["streams"]), sorted(t["num_forced_gc"] for t in truths))
    assert all(truth <= seen <= truth + 1 for seen, truth in forced)


def same_as_raw(stream, raw):
    """Each collection as the runtime wrote it."""
    want = [m.groups() for m in WHOLE.finditer(raw)]
    assert len(want) == stream["collections"]
    for c, (n, at, h0, h1, h2, goal, procs, forced) in zip(stream["cycles"], want):
        assert c["gc"] == int(n) and c["at_ns"] == round(float(at) * 1e9)
        assert [c["heap_begin"] >> 20, c["heap_end"] >> 20, c["heap_live"] >> 20] == [int(h0), int(h1), int(h2)]
        assert c["goal"] is None or c["goal"] >> 20 == int(goal)
        assert c["procs"] == int(procs) and c["forced"] == (forced is not None)


def began(streams):
    return sorted((c["gc"], c["at_ns"], c["heap_live"] >> 20) for s in streams for c in s["cycles"])


def raw_began(raw):
    return [(int(m[1]), round(float(m[2]) * 1e9), int(m[5])) for m in WHOLE.finditer(raw)]


# --- what people's logs look like ---

def docker(raw, pick, name):
    for line in raw.decode().split("\n")[:-1]:
        text = json.dumps(line + "\n").replace(">", "\\u003e").replace("<", "\\u003c")
        yield f'{{"log":{text},"stream":"stderr","time":"2026-03-01T10:{pick.randrange(60):02d}:00.5Z"}}\n'


def kubernetes(raw, pick, name):
    for line in raw.decode().split("\n")[:-1]:
        yield f"[pod/{name}/app] 2026-03-01T10:{pick.randrange(60):02d}:00.{pick.randrange(10**9):09d}Z stderr F {line}\n"


def journald(raw, pick, name):
    pid = pick.randrange(1000, 30000)
    for line in raw.decode().split("\n")[:-1]:
        yield f"Mar {pick.randrange(1, 28):2d} 10:00:{pick.randrange(60):02d} host {name}[{pid}]: {line}\n"


def journal_json(raw, pick, name):
    pid = pick.randrange(1000, 30000)
    for line in raw.decode().split("\n")[:-1]:
        yield json.dumps({"__REALTIME_TIMESTAMP": str(pick.randrange(10**15)), "_PID": str(pid), "MESSAGE": line,
                          "SYSLOG_IDENTIFIER": name}) + "\n"


def compose(raw, pick, name):
    for line in raw.decode().split("\n")[:-1]:
        yield f"{name}-1  | {line}\n"


def riffle(pick, *logs):
    """Each in its own order."""
    logs = [list(x) for x in logs]
    while any(logs):
        log = pick.choice([x for x in logs if x])
        yield log.pop(0)


def others(pick, n):
    """Lines of a program, some that look like the runtime's."""
    for i in range(n):
        yield pick.choice([
            f"2026/03/01 10:00:{i % 60:02d} GET /cart 200 {i} us\n", "gc cycle of the session store: 12 MB, 4 P\n",
            f"gc {i} @ rack 7: 3->4->5 MB, 6 MB goal\n", "scav nothing\n", "panic: no, just a word\n", "\n",
            f"{i}\n", f'{{"level":"info","msg":"gc {i}","mb":"4->5"}}\n'])


WRAPS = [docker, kubernetes, journald, journal_json, compose]


@pytest.mark.parametrize("minor", VERSIONS if FULL else ["1.27"])
def test_own_noise(minor, tmp_path):
    """The program writes to the same stderr, also between the pieces of the runtime's lines."""
    truth, log = run("steady-bursts", minor, "noise", debug="gctrace=1,scavtrace=1,gcpacertrace=1")
    doc = gc(tmp_path, log)
    whole(doc, [truth])
    assert doc["streams"][0]["pacer"]["lines"] > 0


@pytest.mark.parametrize("minor", VERSIONS if FULL else ["1.22"])
def test_processes_that_share_stderr(minor, tmp_path):
    """Two of one program and one of another at the same time: pieces of their lines lie in each other."""
    with tempfile.TemporaryFile() as err:
        all_of_them = [start("steady-server", minor, err), start("forced", minor, err),
                       start("steady-bursts", minor, err, "noise")]
        truths = [end(p) for p in all_of_them]
        err.seek(0)
        log = err.read()
    doc = gc(tmp_path, log)
    # Every line that stands whole in the log is found. Of those in pieces of each other most are; two whose pieces
    # alternate down to the digits ("45" and "11" are "4511") cannot be told apart, and are counted as missing or broken.
    truth = sum(t["num_gc"] for t in truths)
    pieced = truth - len(WHOLE.findall(log))
    assert truth - max(pieced, 0) - 2 <= doc["collections"] <= truth
    for s in doc["streams"]:
        assert numbers(s) == sorted(set(numbers(s)))
        assert s["missing"] == s["last"] - s["first"] + 1 - s["collections"]
    # Where several of one process are missing in a row, it may go on as another.
    assert len(doc["streams"]) == 3 or (len(doc["streams"]) == 4 and pieced >= 4)
    if len(doc["streams"]) == 3:
        for last, num_gc in zip(sorted(s["last"] for s in doc["streams"]), sorted(t["num_gc"] for t in truths)):
            assert num_gc - pieced <= last <= num_gc
    print(minor, pieced, "in pieces,", sum(s["pieced"] for s in doc["streams"]), "of those found;", doc["collections"], "of", truth)


@pytest.mark.parametrize("minor", VERSIONS if FULL else ["1.26"])
def test_collectors_of_logs(minor, tmp_path):
    """Prefixes and JSON of those who collect logs; two containers riffled, with other lines."""
    pick = random.Random(minor)
    one, raw1 = run("forced", minor)
    two, raw2 = run("steady-server", minor)
    for wrap in WRAPS:
        log = "".join(riffle(pick, wrap(raw1, pick, "web"), others(pick, 300)))
        doc = gc(tmp_path, log.encode())
        whole(doc, [one])
        same_as_raw(doc["streams"][0], raw1)
        log = "".join(riffle(pick, wrap(raw1, pick, "web"), wrap(raw2, pick, "shop"), others(pick, 300)))
        doc = gc(tmp_path, log.encode())
        whole(doc, [one, two])
        if wrap is docker:
            # It names no container: the first cycles of two programs, of 3 MB each, may change places.
            assert began(doc["streams"]) == sorted(raw_began(raw1) + raw_began(raw2))
            continue
        same_as_raw(*(s for s in doc["streams"] if s["forced"] > 5), raw1)
        same_as_raw(*(s for s in doc["streams"] if s["forced"] <= 5), raw2)


@pytest.mark.parametrize("kind", list(WANTED) if FULL else ["leak-map", "warm-lru", "spiral-limit"])
@pytest.mark.parametrize("minor", ["1.19", "1.23", "1.27"] if FULL else ["1.27"])
def test_verdicts(kind, minor, tmp_path):
    truth, log = run(kind, minor)
    assert truth["whole"]
    doc = gc(tmp_path, log)
    assert doc["verdict"] == WANTED[kind], doc["why"]
    whole(doc, [truth])
    same_as_raw(doc["streams"][0], log)
    heap = doc["streams"][0]["heap"]
    # two cut-off MiB a collection
    assert abs(heap["alloc_bytes"] - truth["total_alloc"]) < 0.1 * truth["total_alloc"] + (2 << 20) * 10


@pytest.fixture
def hogs():
    """One processor, wanted by two who never rest."""
    cpu = {min(os.sched_getaffinity(0))}
    found = [subprocess.Popen(["sh", "-c", "while :; do :; done"], preexec_fn=lambda: os.sched_setaffinity(0, cpu))
             for _ in range(2)]
    yield cpu
    for hog in found:
        hog.kill()
        hog.wait()


@pytest.mark.parametrize("minor", ["1.19", "1.23", "1.27"] if FULL else ["1.27"])
def test_starved(minor, tmp_path, hogs):
    """A collector that gets a thirtieth of a processor, as under a container's limit; and one that has it all."""
    def last():
        os.sched_setaffinity(0, hogs)
        os.nice(12)

    truth, log = run("starved", minor, before=last)
    doc = gc(tmp_path, log)
    assert doc["verdict"] == "gc-starved" and "CPU limit" in doc["fix"], doc
    whole(doc, [truth])
    free, log = run("starved", minor)
    doc = gc(tmp_path, log)
    assert free["whole"] and doc["verdict"] != "gc-starved", doc["why"]
    assert "gc-starved" not in [x["verdict"] for x in doc["streams"][0]["also"]]


def test_pauses_and_cpu(tmp_path):
    """Against what the runtime counted; a log has three digits of each."""
    truth, log = run("forced", "1.27")
    s = gc(tmp_path, log)["streams"][0]
    # the log counts from the wish to stop the world on
    assert 0.9 * truth["pause_total_ns"] - 1e6 <= s["pauses"]["total_ns"] <= 3 * truth["pause_total_ns"] + 20e6
    assert s["cpu"]["share_since_start"] == pytest.approx(truth["gc_cpu_fraction"], abs=0.02)


def test_go_run(tmp_path):
    """go, compile, link and the program all speak."""
    (tmp_path / "go.mod").write_text("module x\n\ngo 1.22\n")
    (tmp_path / "main.go").write_text(
        "package main\n\nimport (\n\t\"fmt\"\n\t\"runtime\"\n\t\"runtime/debug\"\n)\n\nvar sink []byte\n\n"
        f"// {random.random()}\nfunc main() {{\n\tfor i := 0; i < 300000; i++ {{\n\t\tsink = make([]byte, 2048)\n\t}}\n"
        "\tdebug.SetGCPercent(-1)\n\truntime.GC()\n\tvar m runtime.MemStats\n\truntime.ReadMemStats(&m)\n"
        "\tfmt.Println(m.NumGC)\n}\n")
    done = subprocess.run([build_targets.toolchain("1.26"), "run", "."], cwd=tmp_path, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=True, timeout=300,
                          env=dict(os.environ, GODEBUG="gctrace=1", GOTOOLCHAIN="local", GOFLAGS="-buildvcs=false"))
    doc = gc(tmp_path, done.stderr)
    assert doc["streams"][doc["main"]]["collections"] == int(done.stdout)
    assert numbers(doc["streams"][doc["main"]]) == list(range(1, int(done.stdout) + 1))
    assert doc["collections"] == len(WHOLE.findall(done.stderr)) and doc["broken"] == 0
    firsts = collections.Counter(m.group(1) for m in WHOLE.finditer(done.stderr))[b"1"]
    assert len(doc["streams"]) == firsts >= 3


def test_cut_and_damaged(tmp_path):
    """As far as it goes, and said to be cut."""
    _, log = run("forced", "1.25")
    n = len(WHOLE.findall(log))
    for at in random.Random(1).sample(range(200, len(log)), 25):
        doc = gc(tmp_path, log[:at])
        assert doc["collections"] == len(WHOLE.findall(log[:at]))
    # the first half is gone
    half = log[len(log) // 2:]
    doc = gc(tmp_path, half)
    assert doc["collections"] == len(WHOLE.findall(half)) < n and len(doc["streams"]) == 1
    # lines in the middle are gone
    lines = log.splitlines(True)
    doc = gc(tmp_path, b"".join(x for i, x in enumerate(lines) if not 5 <= i < 9))
    assert len(doc["streams"]) == 1 and doc["streams"][0]["missing"] == 4
    packed = subprocess.run(["gzip"], input=log, stdout=subprocess.PIPE, check=True).stdout
    assert gc(tmp_path, packed)["collections"] == n
    assert gc(tmp_path, packed[:-len(packed) // 3])["damage"]


def test_outputs(tmp_path):
    _, log = run("forced", "1.27")
    path = tmp_path / "x.log"
    path.write_bytes(log)
    text = limpet("gc", path, "--svg", tmp_path / "x.svg").stdout
    assert text.startswith(f"{path}: ") and "verdict: forced-gc" in text and "\x1b" not in text
    svg = (tmp_path / "x.svg").read_text()
    assert svg.startswith("<svg ") and svg.count("<polyline") == 3 and svg.endswith("</svg>\n")
    subprocess.run(["python3", "-c", "import sys, xml.dom.minidom as m; m.parse(sys.argv[1])", tmp_path / "x.svg"], check=True)
    assert limpet("report", path).stdout == limpet("gc", path).stdout
    assert len([x for x in limpet("gc", path, "--limit", "3").stdout.splitlines() if re.match(r" +\d+ +[\d.]+s ", x)]) == 3
    limpet("gc", path, "--stream", "2", code=2)
    (tmp_path / "hostile").write_bytes(b"\x1b]0;evil\x07pod " + log.splitlines()[0] + b"\n")
    assert "\x1b" not in limpet("gc", tmp_path / "hostile").stdout


def test_process_and_core(tmp_path):
    """A program's own counters, while it runs and in a core, against what it says itself."""
    with Target("selfstat", "1.27", env={"GOGC": "50", "GOMEMLIMIT": "64MiB"}) as t:
        live = limpet_json("gc", f"pid:{t.pid}")
        limpet("snapshot", t.pid, "-o", tmp_path / "x.core", "--quiet")
        core = limpet_json("gc", tmp_path / "x.core")
    for doc in (live, core):
        assert doc["settings"]["gogc"] == 50 and doc["settings"]["gomemlimit"] == 64 << 20
        assert doc["heap"]["goal"] == min(doc["heap"]["goal_by_gogc"], doc["heap"]["goal_by_gomemlimit"])
        assert doc["heap"]["live"] <= doc["heap"]["in_use"] and doc["verdict"]
        assert "GOGC=50, GOMEMLIMIT=64.0 MiB" in doc["arithmetic"]
    assert live["target"]["kind"] == "live" and core["target"]["kind"] == "core"
    assert live["gc"]["interval_ns"] > 0 and core["gc"]["interval_ns"] == 0


def test_process_that_spirals():
    """GOGC=4 and nothing but garbage on 48 MiB that live."""
    binary = build_targets.build("gclab", "1.27")
    with subprocess.Popen([binary, "spiral-gogc", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env=dict(os.environ, GOGC="4", GCLAB_FOREVER="1")) as p:
        try:
            doc = limpet_json("gc", f"pid:{p.pid}")
        finally:
            p.kill()
    assert doc["settings"]["gogc"] == 4
    assert "narrow" in [doc["verdict"], *(x["verdict"] for x in doc["also"])]
    assert doc["gc"]["new_cycles"] > 0 and doc["gc"]["cpu_share_now"] > 0
