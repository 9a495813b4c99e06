"""Every Go version x build mode x stripped x live/core gives the same answers about one program (tests/matrix/axes.py)."""
import os
import subprocess
import sys

import pytest

import cores
from procs import TESTS, limpet, limpet_json

sys.path.insert(0, os.path.join(TESTS, "matrix"))
import axes  # noqa: E402

# The program's own words (EXPECT in tests/goprogs/matrix/body): type -> objects, bytes.
TYPES = {"body.Session": (2000, 128000), "body.Node": (1000, 48000), "body.Event": (500, 16000), "body.Big": (1, 224)}
# Held by stacks alone: without DWARF nothing says what they are.
STACK_TYPES = {"body.Job": (3, 288)}
GOROUTINES = {("worker", "chan receive"): 3, ("sleeper", "sleep"): 1, ("chooser", "select"): 1}
PACKAGE = "limpet/goprogs/matrix/body."
# Redzones of -asan make objects larger: bytes are not the program's, and types without DWARF do not fit their slots.
LARGER = {"asan"}

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a kernel's core needs ptrace and core_pattern")


def check_graph(target):
    """The collector is the oracle."""
    answer = limpet_json("verify", target)
    assert answer["missing"] == 0 and answer["extra"] == 0, answer["differences"][:5]
    assert answer["gc_objects"] > 7000 and answer["reachable_objects"] > 7000
    assert answer["target"]["layout_exact"] is True
    return answer["target"]


def has_dwarf(symbols, mode):
    """Types of locals need the DWARF of the module that the program is in."""
    return symbols == "dwarf" and "dwarf" not in axes.MODES[mode]


def check_types(target, symbols, mode):
    rows = {r["name"]: (r["objects"], r["shallow_bytes"])
            for r in limpet_json("top", target, "--by", "type", "--limit", 0)["rows"]}
    for name, want in {**TYPES, **STACK_TYPES}.items():
        got = rows.get(name)
        if mode in LARGER:
            assert got is None or got[0] == want[0], (name, got)
        elif name in STACK_TYPES and not has_dwarf(symbols, mode):
            assert got in (None, want), (name, got)
        else:
            assert got == want, (name, got)


def check_goroutines(target):
    found = {}
    for g in limpet_json("goroutines", target)["goroutines"]:
        if g["function"].startswith(PACKAGE):
            key = g["function"][len(PACKAGE):], g["wait"]
            found[key] = found.get(key, 0) + 1
    assert found == GOROUTINES


def check_holder(target, symbols):
    """All events hang on one slice, and that on one global."""
    first = limpet_json("why", target, "body.Event")["paths"][0][0]
    assert first["what"] == "global", first
    assert (PACKAGE + ("events" if symbols == "dwarf" else "Start")) in first["name"], first


def check_report(target, evidence):
    report = limpet_json("report", target)
    assert report["capture"]["losses"] == []
    assert report["capture"]["method"] == ("fork" if evidence == "live" else "file")
    assert report["exactness"]["missing"] == 0 and report["exactness"]["extra"] == 0


def check(target, minor, mode, symbols, evidence):
    facts = check_graph(target)
    assert facts["go"].startswith(f"go{minor}."), facts
    assert facts["stripped"] is (symbols == "stripped"), facts
    assert facts["dwarf"] is (symbols == "dwarf" and axes.MODES[mode].get("dwarf") != "none"), facts
    check_types(target, symbols, mode)
    check_goroutines(target)
    if mode not in LARGER:
        check_holder(target, symbols)
    check_report(target, evidence)


def started(folder, minor, mode, symbols):
    try:
        program, *args = axes.build(minor, mode, symbols)
    except axes.CannotBuild as why:
        pytest.skip(f"go{minor} cannot build {mode}: {why}")
    ends_by = axes.CANNOT_RUN.get((minor, mode))
    if ends_by:
        done = subprocess.run([program, *args], capture_output=True, timeout=60, check=False)
        assert done.returncode == -ends_by, done
        pytest.skip(f"go{minor} builds a {mode} program that ends by itself with {ends_by.name}")
    return cores.Stopped(folder, "matrix", binary=program, args=args, env=axes.MODES[mode].get("with"))


@needs_root
@pytest.mark.matrix
@pytest.mark.parametrize("minor,mode,symbols,evidence", [
    pytest.param(*cell, marks=[] if diagonal else pytest.mark.full, id="-".join(cell))
    for *cell, diagonal in axes.cells()])
def test_cell(tmp_path, minor, mode, symbols, evidence):
    no = axes.REFUSED.get((minor, mode))
    with started(tmp_path, minor, mode, symbols) as target:
        if no:
            for command in ("report", "snapshot"):
                said = limpet(command, target.pid, "-o", tmp_path / "out", code=4).stderr
                assert no in said and said.count("\n") == 1, said
            return
        if evidence == "live":
            check(target.pid, minor, mode, symbols, evidence)
            assert target.alive()
            return
        path = tmp_path / "core"
        if evidence == "core":
            path = cores.kernel_core(target.stop())
        else:
            limpet("snapshot", target.pid, "-o", path)
        try:
            check(path, minor, mode, symbols, evidence)
        finally:
            os.unlink(path)
