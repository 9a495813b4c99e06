"""Containers as what they are: limpet's decoders against what the program itself says of its own, entry by entry.

The program (tests/goprogs/containers) prints where each container is, facts of it and all its entries; tests/tools/containers
prints what the decoders find at the same address.  Both must be equal, to the last entry.
"""
import json
import os
import subprocess

import pytest

import cores
import damage
from procs import LIMPET, SLOW, Target, limpet

MINORS = ["1.22", "1.23", "1.24", "1.27"]
EXPERIMENTS = [("1.24", "exp-noswissmap,nosynchashtriemap"), ("1.25", "exp-noswissmap"), ("1.25", "stripped"),
               ("1.26", "stripped"), ("1.27", "exp-nomapsplitgroup"), ("1.27", "pie")]
CLOCK_NS = 50_000_000  # between the program's reading of the clock and the timer's own


def tool():
    """tests/tools/containers of the build that limpet is of."""
    top = os.path.dirname(LIMPET)
    path = os.path.join(top, "tests", "tools", "containers")
    if not os.path.exists(path) and os.path.exists(os.path.join(top, "build.ninja")):
        subprocess.run(["ninja", "-C", top, "tests/tools/containers"], check=False, stdout=subprocess.DEVNULL)
    return path if os.path.exists(path) else None


pytestmark = pytest.mark.skipif(not tool(), reason="needs tests/tools/containers, which the build makes")


def told(target):
    """What the program said of its containers."""
    return [json.loads(line) for line in target.lines if line and line.startswith("{")]


def decoded(target, lines, code=0):
    """Answers in the order of the lines; None: an exit code that `code` allows beside 0."""
    asked = "".join(f"{line['at']} {line['type']}\n" for line in lines)
    done = subprocess.run([tool(), str(target), "-"], input=asked, capture_output=True, text=True, timeout=120 * SLOW)
    assert done.returncode in (0, code), (done.returncode, done.stderr)
    return None if done.returncode else [json.loads(line) for line in done.stdout.splitlines()]


def facts_differ(want, got):
    for name, value in (want.get("facts") or {}).items():
        found = got["facts"].get(name)
        if name == "when" and found is not None and abs(found - value) < CLOCK_NS:
            continue
        if found != value or type(found) is not type(value):
            yield f"{name} is {value}, limpet says {found}"


def entries_differ(want, got):
    ours, theirs = ([tuple(e) for e in x["entries"]] for x in (want, got))
    if got["word"] == "pool":  # which P, and which of its places, is the scheduler's
        theirs = [("victim" if label.startswith("victim") else "now", key, elem) for label, key, elem in theirs]
    if not ours and got["word"] in ("timer", "reader", "writer", "db", "rows"):
        return  # the program said only facts
    if not want["ordered"]:
        ours, theirs = sorted(ours), sorted(theirs)
    if ours != theirs:
        gone, more = [e for e in ours if e not in theirs], [e for e in theirs if e not in ours]
        yield f"{len(ours)} entries, limpet says {len(theirs)}; not found: {gone[:3]}; not there: {more[:3]}"


def differences(lines, answers):
    assert len(lines) == len(answers)
    for want, got in zip(lines, answers):
        found = [got["error"]] if "error" in got else [*facts_differ(want, got), *entries_differ(want, got)]
        if found:
            yield f"{want['name']} ({want['text']}): " + "; ".join(found)


def check(target, lines):
    assert len(lines) > 150
    assert not list(differences(lines, decoded(target, lines)))


@pytest.mark.parametrize("minor", ["1.22", "1.27"])
def test_live(minor):
    with Target("containers", minor) as target:
        lines = told(target)
        check(target.pid, lines)
        growing = [line for line in lines if line.get("facts", {}).get("growing")]
        assert len(growing) >= (5 if minor == "1.22" else 0)


def test_a_lie_is_seen():
    """The comparison itself: one entry, one fact that is not so."""
    with Target("containers", "1.27") as target:
        lines = told(target)[:20]
        lines[5]["entries"][0][2] = "no such value"
        lines[6]["facts"]["len"] += 1
        assert len(list(differences(lines, decoded(target.pid, lines)))) == 2


@pytest.mark.full
@pytest.mark.parametrize("flavour", ["stripped", "dwarf"])
@pytest.mark.parametrize("minor", MINORS)
def test_matrix(minor, flavour, tmp_path):
    with cores.Stopped(tmp_path, "containers", minor, flavour) as target:
        lines = told(target)
        check(target.pid, lines)
        core = tmp_path / "ours"
        limpet("snapshot", target.pid, "-o", core)
        check(core, lines)
        check(cores.gcore(target.stop()), lines)


@pytest.mark.full
@pytest.mark.parametrize("minor, flavour", EXPERIMENTS)
def test_other_builds(minor, flavour):
    with Target("containers", minor, flavour) as target:
        check(target.pid, told(target))


@pytest.mark.full
@pytest.mark.parametrize("minor", ["1.22", "1.24", "1.27"])
def test_damaged(minor, tmp_path):
    """Whatever the memory says: an answer for each, no crash, and an end."""
    path = tmp_path / "core"
    with Target("containers", minor) as target:
        lines = [line for line in told(target) if len(line["entries"]) < 5000]
        limpet("snapshot", target.pid, "-o", path)
        core = damage.Core(path)
    whole, words = bytes(core.data), damage.near(core, [int(line["at"], 16) for line in lines])
    assert len(words) > 10000
    refused = 0
    for seed in range(30):
        core.data[:] = whole
        damage.spoil(core, words, seed)
        core.write(path)
        answers = decoded(path, lines, code=4) or []  # 4: a g was hit, and nothing of the runtime is believed
        assert len(answers) in (0, len(lines))
        refused += sum("error" in answer for answer in answers)
    assert refused > 100
