"""Profiles as go tool pprof shows them: the same rows, figures and order, for every kind of profile and several Go versions."""

import os
import re

import pytest

import build_targets
import pproffiles
from pproffiles import differences, path, pprof, table
from procs import limpet, limpet_json

QUICK = [("1.27", "cpu.1"), ("1.27", "heap.delta"), ("1.18", "allocs.1")]
SLOW = [(v, k) for v in pproffiles.VERSIONS for k in pproffiles.KINDS if (v, k) not in QUICK]
EACH = pytest.mark.parametrize("minor,kind", QUICK + [pytest.param(v, k, marks=pytest.mark.full) for v, k in SLOW])

FILTERS = [
    (["--focus", "main\\.(fill|grow)"], ["-focus=main\\.(fill|grow)"]),
    (["--ignore", "runtime\\.|gzip"], ["-ignore=runtime\\.|gzip"]),
    (["--hide", "^main\\.main$|\\.func\\d"], ["-hide=^main\\.main$|\\.func\\d"]),
    (["--show", "^main\\."], ["-show=^main\\."]),
    (["--show-from", "main\\.(churn|fill|labelled|contend)"], ["-show_from=main\\.(churn|fill|labelled|contend)"]),
    (["--focus", "(?i)MAIN\\.main", "--ignore", "fill", "--hide", "grow"],
     ["-focus=(?i)MAIN\\.main", "-ignore=fill", "-hide=grow"]),
    (["--focus", "profmaker/main\\.go"], ["-focus=profmaker/main\\.go"]),
    (["--no-inlines"], ["-noinlines"]),
]
LABELS = [
    (["--tag-focus", "route=/pay"], ["-tagfocus=route=/pay"]),
    (["--tag-focus", "route:/(pay|cart),tenant:t1"], ["-tagfocus=route:/(pay|cart),tenant:t1"]),
    (["--tag-ignore", "tenant=t0"], ["-tagignore=tenant=t0"]),
]
GRANULARITY = [(["--by", "line"], ["-lines"]), (["--by", "address"], ["-addresses"])]
VALUES = {"heap": ["inuse_objects", "inuse_space", "alloc_objects", "alloc_space", "objects", "0", "3"],
          "mutex": ["contentions", "delay"], "block": ["contentions", "delay"], "cpu": ["samples", "cpu"]}


def same(ours, theirs):
    wrong = differences(table(limpet(*ours).stdout), pprof(*theirs))
    assert not wrong, "\n".join([" ".join(ours)] + wrong)


@EACH
def test_tree(minor, kind):
    file = path(minor, kind)
    same(["tree", file], ["-tree", file])
    same(["tree", file, "--limit", "0"], ["-tree", "-trim=false", file])
    same(["tree", file, "--limit", "12", "--sort", "cum"], ["-tree", "-nodecount=12", "-cum", file])


@EACH
def test_peek(minor, kind):
    file = path(minor, kind)
    for what in ("main", "^runtime\\.(main|mcall|gopark)$", "\\(\\*|func1"):
        theirs = pproffiles.run_pprof("-peek=" + what, file)
        if theirs.returncode:
            assert "no matches found" in theirs.stderr
            assert "has a match" in limpet("peek", file, what, code=2).stderr
        else:
            same(["peek", file, what], ["-peek=" + what, file])
            same(["tree", file, what], ["-peek=" + what, file])


@EACH
def test_granularity(minor, kind):
    file = path(minor, kind)
    for ours, theirs in GRANULARITY:
        same(["tree", file, *ours], ["-tree", *theirs, file])
        same(["tree", file, *ours, "--limit", "30"], ["-tree", *theirs, "-nodecount=30", file])


@EACH
def test_filters(minor, kind):
    file = path(minor, kind)
    for ours, theirs in FILTERS + (LABELS if kind.startswith("cpu") else []):
        a = limpet("tree", file, *ours).stdout
        wrong = differences([l for l in table(a) if "matched nothing" not in l], pprof("-tree", *theirs, file))
        assert not wrong, "\n".join([" ".join(ours)] + wrong)


@EACH
def test_values(minor, kind):
    file = path(minor, kind)
    for value in VALUES.get(kind.split(".")[0].replace("allocs", "heap"), []):
        theirs = pproffiles.run_pprof("-tree", "-sample_index=" + value, file)
        if theirs.returncode:
            assert "must be one of" in theirs.stderr
            assert "--value" in limpet("tree", file, "--value", value, code=2).stderr
        else:
            same(["tree", file, "--value", value], ["-tree", "-sample_index=" + value, file])
    assert "--value" in limpet("tree", file, "--value", "nonsense", code=2).stderr


@EACH
def test_list(minor, kind):
    file = path(minor, kind)
    progs = os.path.join(build_targets.PROGS)
    for what in ("^main\\.", "newSession|even"):
        theirs = pproffiles.run_pprof("-list=" + what, file)
        if theirs.returncode:
            assert "no matches found" in theirs.stderr
            assert "no function" in limpet("list", file, what, code=2).stderr
        else:
            same(["list", file, what, "--source", progs], ["-list=" + what, file])


def test_list_without_source_has_the_lines_that_count():
    file = path("1.27", "cpu.1")
    ours = limpet_json("list", file, "runtime\\.|main\\.")["rows"]
    theirs = pprof("-list=runtime\\.|main\\.", file)
    heads = [l.split(" ")[2:] for l in theirs if l.startswith("ROUTINE")]
    assert [[r["name"], "in", r["file"]] for r in ours] == heads and len(ours) > 30
    counted = [l for l in theirs if re.match(r"(\.|[\d.]+m?s) ([\d.]+m?s) \d+:", l)]
    assert sum(len(r["lines"]) for r in ours) == len(counted)
    assert [l["line"] for r in ours for l in r["lines"]] == [int(l.split()[2].split(":")[0]) for l in counted]
    assert all(l["text"] is None for r in ours for l in r["lines"])
    assert sum(l["flat"] for r in ours for l in r["lines"]) == sum(r["flat"] for r in ours)


PAIRS = [("1.27", "heap"), ("1.18", "cpu")]
EACH_PAIR = pytest.mark.parametrize("minor,kind", PAIRS + [
    pytest.param(v, k, marks=pytest.mark.full) for v in pproffiles.VERSIONS
    for k in ("heap", "allocs", "goroutine", "mutex", "block", "cpu") if (v, k) not in PAIRS])
FIGURES = re.compile(r"^(\S+ \S+% \S+% \S+ \S+%) \S+ \S+ (.*)$")


def changes(*arguments):
    """limpet's table of a difference as pprof prints it: without what was there before and after."""
    lines = table(limpet("diff", *arguments).stdout)
    lines = [l for l in lines if not re.match(r"(Old|New|Shares|Note)\b", l)]
    return [re.sub(r" old new$", "", FIGURES.sub(r"\1 \2", l)) for l in lines]


@EACH_PAIR
def test_diff(minor, kind):
    old, new = path(minor, kind + ".0"), path(minor, kind + ".1")
    for ours, theirs in ((["--percent-of", "old"], "-diff_base=" + old), (["--percent-of", "change"], "-base=" + old)):
        for more, flags in (([], []), (["--normalize"], ["-normalize"]), (["--value", "0"], ["-sample_index=0"]),
                            (["--focus", "main\\."], ["-focus=main\\."])):
            pprofs = pprof("-top", "-nodecount=30", *flags, theirs, new)
            wrong = differences(changes(old, new, *ours, *more), pprofs)
            assert not wrong, "\n".join([" ".join(ours + more)] + wrong)


def test_diff_takes_the_rule_of_what_is_counted():
    states = limpet_json("diff", path("1.27", "heap.0"), path("1.27", "heap.1"))
    totals = limpet_json("diff", path("1.27", "heap.0"), path("1.27", "heap.1"), "--value", "alloc_space")
    assert states["percent_of"] == "old" and "at two moments" in states["notes"][0]
    assert totals["percent_of"] == "change" and "came between" in totals["notes"][0]
    for doc in (states, totals):
        assert doc["rows"] and all(r["growth_bytes"] == r["flat"] == r["new_flat"] - r["old_flat"] for r in doc["rows"])
        assert doc["new"]["total"] - doc["old"]["total"] == pytest.approx(max(r["cum"] for r in doc["rows"]), rel=0.2)
    session = {r["name"]: r for r in states["rows"]}["main.newSession"]
    alone = {r["name"]: r for r in limpet_json("tree", path("1.27", "heap.1"), "--limit", 0)["rows"]}["main.newSession"]
    assert session["new_flat"] == alone["flat"] and session["growth_bytes"] > 1 << 20


def test_diff_says_what_makes_it_doubtful():
    back = limpet("diff", path("1.27", "allocs.1"), path("1.27", "allocs.0"), "--value", "alloc_space").stdout
    assert "OLD was taken after NEW" in back and "another process" in back
    runs = limpet("diff", path("1.27", "cpu.0"), path("1.27", "cpu.1")).stdout
    assert "different lengths of time: --normalize" in runs
    assert "different lengths" not in limpet("diff", path("1.27", "cpu.0"), path("1.27", "cpu.1"), "--normalize").stdout
    assert "no state" in limpet("diff", path("1.27", "heap.delta"), path("1.27", "heap.delta")).stdout
    assert "count" in limpet("diff", path("1.27", "cpu.0"), path("1.27", "heap.0"), code=4).stderr


def test_a_trend_over_many(tmp_path):
    files = [path("1.27", f"heap.{i}") for i in range(3)]
    doc = limpet_json("diff", *files, "--value", "inuse_objects", "--limit", 0)
    assert doc["profiles"] == 3 and doc["slope_per"] == "hour"
    each = [{r["name"]: r["flat"] for r in limpet_json("tree", f, "--value", "inuse_objects", "--limit", 0)["rows"]}
            for f in files]
    rows = {r["name"]: r for r in doc["rows"]}
    assert set(rows) == set().union(*each)
    for name, row in rows.items():
        assert row["values"] == [e.get(name, 0) for e in each]
    assert rows["main.newSession"]["trend"] == "grows"
    assert "at most 8" in limpet("diff", *[build_targets.build("quiet")] * 9, code=2).stderr


def test_json_has_the_same_figures_exactly():
    file = path("1.27", "heap.1")
    doc = limpet_json("tree", file, "--limit", "0")
    assert doc["target"]["kind"] == "profile" and doc["type"] == "inuse_space" and doc["unit"] == "bytes"
    raw = pproffiles.run_pprof("-top", "-unit=B", "-trim=false", file).stdout
    theirs = {l.split("  ")[-1].replace(" (inline)", "").replace(" (partial-inline)", ""): l.split() for l in raw.splitlines()
              if re.match(r" *-?\d+B? ", l)}
    assert len(theirs) == len(doc["rows"]) > 7
    for row in doc["rows"]:
        words = theirs[row["name"]]
        assert (row["flat"], row["cum"]) == tuple(int(words[i].rstrip("B")) for i in (0, 3)), row
    assert doc["total"] == sum(r["flat"] for r in doc["rows"])
    main = next(r for r in doc["rows"] if r["name"] == "main.main")
    assert {"name": "runtime.main", "value": main["cum"], "inlined": False} in main["callers"]
    assert sum(e["value"] for e in main["callees"]) + main["flat"] == main["cum"]


def test_patterns_cannot_run_on():
    file = path("1.27", "heap.1")
    out = limpet("tree", file, "--focus", "^(([a-z])+.)+[A-Z]([a-z])+$|(.*)*x(.*)*y(.*)*z(.*)*0$", code=5)
    assert "--focus" in out.stderr and len(out.stderr.splitlines()) == 1
    for option in ("--focus", "--hide", "--tag-focus"):
        assert option in limpet("tree", file, option, "(", code=2).stderr


def test_what_is_no_profile_is_told_so():
    out = limpet("peek", build_targets.build("quiet"), "main", code=4)
    assert "for profiles" in out.stderr and len(out.stderr.splitlines()) == 1
