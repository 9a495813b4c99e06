"""Leaks that published modules had, in the versions that had them, and in those that have not.

tests/goprogs/realleaks/NAME: one program, used as the module's users use it; go.mod pins the buggy version, fixed.mod the
fixed one.  That it leaks, or not, the program shows by its own figures: goroutines and heap after each of three rounds.
docs/real-leaks.md tells what they are.
"""
import json
import os
import re
import signal

import pytest

import procs

# Of each: the module, how the finding is told from others, and what it must be.
LEAKS = {
    "backoff": {"module": "lestrrat-go/backoff", "kinds": ["goroutine-leak"], "verdicts": ["leak"],
                "says": r"backoff/v2\.\(\*controller\)\.loop", "count": True},
    "sessions": {"module": "gorilla/sessions", "kinds": ["global-growth"], "verdicts": ["leak", "suspect"],
                 "says": r"gorilla/context\.", "type": r"http\.Request", "bytes": 6 << 20},
    "promhttp": {"module": "prometheus/client_golang", "kinds": ["global-growth"], "verdicts": ["leak", "suspect"],
                 "says": r"prometheus\.metricMap\W", "type": r"metricWithLabelValues", "bytes": 4 << 20},
    "grpcstream": {"module": "grpc/grpc-go", "kinds": ["context-leak"], "verdicts": ["leak", "suspect"],
                   "says": r"context\.cancelCtx", "type": r"context\.", "bytes": 4 << 20},
}
MINORS = ["1.22", "1.24", "1.27"] if procs.FULL else ["1.27"]


def start(name, fixed, minor):
    binary = procs.build_targets.build("realleaks/" + name, minor, modfile="fixed.mod" if fixed else None)
    return procs.Target(name, binary=binary)


def grew(target):
    """(goroutines, bytes) from the end of round 1 to that of 3, by the program's own figures."""
    figures = list(map(int, target.words))
    return figures[4] - figures[0], figures[5] - figures[1]


def about(finding, leak):
    """Whether a finding speaks of this leak, whatever it calls it."""
    return re.search(leak["says"], json.dumps([finding["title"], finding["holder"], finding["goroutine"], finding["type"],
                                               finding["detail"]])) is not None


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("name", LEAKS)
def test_buggy_is_named(name, minor):
    leak = LEAKS[name]
    with start(name, False, minor) as target:
        goroutines, held = grew(target)
        assert goroutines > 500 or held > 2 << 20, "the program itself sees no leak: the test is wrong"
        found = procs.limpet_json("report", target.pid)["findings"]
    told = [f"{f['kind']} {f['verdict']} {f['retained_bytes']} {f['title']}" for f in found]
    ours = [f for f in found if about(f, leak)]
    assert ours, told
    assert found.index(ours[0]) == 0, told
    first = ours[0]
    assert first["kind"] in leak["kinds"] and first["verdict"] in leak["verdicts"], told
    if "type" in leak:
        assert re.search(leak["type"], json.dumps([first["type"], first["holder"]])), first
    assert first["retained_bytes"] + first["stack_bytes"] >= leak.get("bytes", 0), first
    if "count" in leak:  # all but main and those that wait for signals
        assert 1 <= int(target.words[4]) - first["goroutine"]["count"] <= 4, (target.words, first)
    assert first["fix"]


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("name", LEAKS)
def test_fixed_is_silent(name, minor):
    leak = LEAKS[name]
    with start(name, True, minor) as target:
        goroutines, held = grew(target)
        assert goroutines < 20 and held < 1 << 20, "the program itself sees a leak: the test is wrong"
        found = procs.limpet_json("report", target.pid)["findings"]
    bad = [f for f in found if f["verdict"] == "leak" or (f["verdict"] == "suspect" and about(f, leak))]
    assert not bad, bad


def two_looks(name, fixed, tmp_path):
    """The findings of a second look, after as much work as before the first one."""
    before = str(tmp_path / "before.core")
    with start(name, fixed, procs.build_targets.NEWEST) as target:
        procs.limpet("snapshot", target.pid, "-o", before)
        at = len(target.lines)
        os.kill(target.pid, signal.SIGHUP)
        target.wait_line("ROUNDS", after=at)
        return procs.limpet_json("report", target.pid, "--since", before)["findings"]


@pytest.mark.full
@pytest.mark.parametrize("name", LEAKS)
def test_growth_is_proof(name, tmp_path):
    """What one look could only suspect a second one calls a leak."""
    found = two_looks(name, False, tmp_path)
    told = [f"{f['kind']} {f['verdict']}/{f['proof']} {f['retained_bytes']} {f['title']}" for f in found]
    ours = [f for f in found if about(f, LEAKS[name])]
    assert ours and found.index(ours[0]) == 0, told
    assert ours[0]["kind"] in LEAKS[name]["kinds"] and ours[0]["verdict"] == "leak", told


@pytest.mark.full
@pytest.mark.parametrize("name", LEAKS)
def test_fixed_does_not_grow(name, tmp_path):
    found = two_looks(name, True, tmp_path)
    assert not [f for f in found if f["verdict"] == "leak" or (f["verdict"] == "suspect" and about(f, LEAKS[name]))], found


@pytest.mark.parametrize("name", LEAKS)
def test_versions_are_pinned_and_cited(name):
    """One program, two go.mod that differ in the module's version; the public issue stands in the source and in docs."""
    folder = os.path.join(procs.build_targets.PROGS, "realleaks", name)
    texts = [open(os.path.join(folder, file), encoding="utf-8").read() for file in ("go.mod", "fixed.mod", "main.go")]
    module = LEAKS[name]["module"]
    tail = module.rpartition("/")[2].replace("grpc-go", "google.golang.org/grpc")
    versions = [re.search(rf"{re.escape(tail)}(?:/v\d+)? (v\S+)", text).group(1) for text in texts[:2]]
    assert versions[0] != versions[1]
    issue = re.search(rf"{re.escape(module)}#\d+", texts[2]).group(0)
    with open(os.path.join(procs.TOP, "docs", "real-leaks.md"), encoding="utf-8") as f:
        page = f.read()
    assert issue in page and all(v in page for v in versions), (issue, versions)
