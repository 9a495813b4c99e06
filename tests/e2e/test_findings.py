"""Planted faults are found, come first and are called by the right name; near-misses are left alone.

The truth is in the programs themselves: tests/goprogs/findings/*/main.go and examples/leaklab, by their CASE lines.
Two cases run at a time: each test waits for its own.
"""
import concurrent.futures
import os
import sys

import pytest

import procs

sys.path.insert(0, procs.TESTS)
import findings  # noqa: E402

NEWEST = findings.build_targets.NEWEST
CASES = findings.load()


def marks(case):
    """leaklab's repaired modes are for the full set: the programs of each kind have near-misses enough."""
    return [pytest.mark.full] if case.program == "leaklab" and case.name.endswith("-fixed") else []


@pytest.fixture(scope="module")
def running(request):
    """Case id -> its Result to come: all that were asked for are under way, two at a time."""
    asked = {item.callspec.params["case"].id for item in request.session.items
             if item.function is getattr(request.module, "test_case")}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield {c.id: pool.submit(findings.run, c) for c in CASES if c.id in asked and c.runs_on(NEWEST)}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("case", [pytest.param(c, id=c.id, marks=marks(c)) for c in CASES])
def test_case(running, case):
    if case.id not in running:
        pytest.skip(f"not a case of Go {NEWEST}")
    result = running[case.id].result()
    assert not result.problems, "\n".join([*result.problems, "all:", *map(findings.brief, result.findings)])


@pytest.mark.full
@pytest.mark.parametrize("how", [("1.22", "stripped", False), ("1.24", "stripped", False), ("1.26", "dwarf", False),
                                 ("1.27", "dwarf", False), ("1.24", "stripped", True), ("1.27", "stripped", True)],
                         ids=lambda how: "-".join(map(str, how[:2])) + ("-core" if how[2] else ""))
def test_elsewhere(how):
    """Other Go versions, with DWARF, through cores: the same findings, but for the memory that a core does not have."""
    minor, flavour, core = how
    cases = [c for c in CASES if c.runs_on(minor) and not (core and any(e.kind == "off-heap" for e in c.expect))]
    bad = [f"{r.case.id}: {p}" for r in findings.run_all(cases, minor=minor, flavour=flavour, core=core) for p in r.problems]
    assert not bad, "\n".join(bad)


# The judge itself, on findings drawn by hand.

def finding(kind, verdict="leak", **more):
    return {"kind": kind, "verdict": verdict, "proof": "proved", "retained_bytes": 5000, "stack_bytes": 0, "count": 7,
            "type": "map[string]*main.T", "title": "7 of main.worker wait", "allocated_at": [], "goroutine": None,
            "holder": [{"what": "global", "name": "main.cache", "type": "map[string]*main.T"}], **more}


def judged(tmp_path, lines, found, name="a"):
    file = tmp_path / "main.go"
    file.write_text("".join(f"// CASE {line}\n" for line in lines), encoding="ascii")
    cases = {}
    findings.parse("findings/timer_leak", str(file), cases)
    for case in cases.values():
        case.siblings = {e.kind for c in cases.values() for e in c.expect}
    return findings.Result(cases["findings/timer_leak", name], NEWEST, found)


LINE = "a EXPECT timer-leak verdict=leak type=map[string]*main.? holder=main.c* function=main.worker count>=7 bytes>=5000"


@pytest.mark.parametrize("lines, found, problem", [
    ([LINE], [finding("timer-leak")], None),
    ([LINE], [], "no timer-leak"),
    ([LINE], [finding("global-growth", "suspect")], "no timer-leak"),
    ([LINE], [finding("timer-leak", "suspect")], "verdict is suspect"),
    ([LINE], [finding("timer-leak", type="*main.T")], "type is not"),
    ([LINE], [finding("timer-leak", holder=[])], "holder is not"),
    ([LINE], [finding("timer-leak", count=6)], "count 6 < 7"),
    ([LINE], [finding("timer-leak", retained_bytes=4999)], "bytes 4999 < 5000"),
    ([LINE], [finding("global-growth", "suspect"), finding("timer-leak")], "is not first but number 2"),
    ([LINE + " anywhere"], [finding("global-growth", "suspect"), finding("timer-leak")], None),
    ([LINE], [finding("timer-leak"), finding("global-growth")], "false leak"),
    ([LINE + " also=global-growth"], [finding("timer-leak"), finding("global-growth")], None),
    (["a EXPECT slice-waste verdict=waste"], [finding("slice-waste", "waste"), finding("timer-leak")], "false leak"),
    (["a NONE"], [finding("slice-waste", "suspect")], None),
    (["a NONE"], [finding("timer-leak", "info")], None),
    (["a NONE"], [finding("timer-leak", "suspect")], "should say nothing"),
    (["a NONE"], [finding("goroutine-leak", "leak")], "false leak"),
    (["a NONE", "b EXPECT off-heap"], [finding("off-heap", "waste")], "should say nothing"),
])
def test_the_judge(tmp_path, lines, found, problem):
    problems = "\n".join(judged(tmp_path, lines, found).problems)
    assert (problem in problems) if problem else not problems, problems


@pytest.mark.parametrize("line", ["a", "a EXPECT", "a EXPECT leak", "a EXPECT off-heap verdict=bad", "a EXPECT off-heap colour=red",
                                  "a NONE type=x", "a NONE\n// CASE a EXPECT off-heap"])
def test_bad_case_lines_are_refused(tmp_path, line):
    with pytest.raises(ValueError, match="main.go:"):
        judged(tmp_path, [line], [])
