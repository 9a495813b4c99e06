"""`limpet diff PID --for TIME`: with every collection in between seen identity is exact, however many there are.

The oracle is the book of tests/goprogs/identity (see test_diff_identity.py).
"""
import collections
import json
import os
import subprocess
import time

import pytest

import build_targets
from procs import FULL, LIMPET, SLOW, Target, limpet, status
from test_diff_identity import Object, lives, next_round, read_book

OBJECTS = 1000000 if FULL else 100000
OLD = ["1.22", "1.23", "1.24", "1.25", "1.26"]
MINORS = ["1.27", *[pytest.param(m, marks=pytest.mark.full) for m in OLD]]


def children(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
                yield from f.read().split()
        except FileNotFoundError:
            pass


def wait_first_look(pid, seconds=20):
    """The snapshot is a child of the program for a while."""
    end = time.monotonic() + seconds * SLOW
    while not any(children(pid)):
        assert time.monotonic() < end, "no look was taken"
        time.sleep(0.001)


class Following:
    """limpet diff PID --for …: entered when its first look has been taken."""

    def __init__(self, target, *args):
        self.target = target
        self.process = subprocess.Popen([LIMPET, "diff", str(target.pid), *map(str, args), "--quiet"], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        wait_first_look(self.target.pid)
        return self

    def result(self, code=0):
        out, said = self.process.communicate(timeout=120 * SLOW)
        assert self.process.returncode == code, said
        return out if not code else said

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def read_objects(text):
    found = collections.defaultdict(list)
    for line in text.splitlines():
        addr, size, fate, first, last, name = line.split("\t")
        found[int(addr, 16)].append(Object(int(size), int(first) - 1, int(last) - 1, fate, name))
    return found


SECONDS = (20 if FULL else 4) * SLOW


@pytest.mark.parametrize("minor", MINORS)
def test_every_object_has_the_fate_that_the_book_says(minor, tmp_path):
    """Several collections between the looks, slots used again in each, for the same type and for others."""
    cycles = 5
    with Target("identity", minor, args=(tmp_path, OBJECTS, cycles)) as t:
        first = next_round(t)
        with Following(t, "--for", f"{SECONDS}s", "--objects") as f:
            assert next_round(t) == first + cycles
            assert f.process.poll() is None, "the round took longer than the diff"
            objects = read_objects(f.result())
    books = [read_book(tmp_path / f"look.{k}") for k in (1, 2)]
    stayed = {a for a, was, is_ in lives(books) if (was, is_) == (0, 1)}
    known = {a for a, _, _ in lives(books)}
    survivors = {a for a, found in objects.items() for o in found if (o.first, o.last) == (0, 1)}
    maybe = {a for a, found in objects.items() for o in found if "maybe" in o.fate}
    reused = sum(1 for a, s in books[0].items() if books[1].get(a, s) != s)
    assert reused > OBJECTS // 50, "the premise: slots are used again"
    assert not maybe, f"{len(maybe)} are not told"
    assert not stayed - survivors, f"{len(stayed - survivors)} are said to be gone, and are not"
    assert not (survivors & known) - stayed, f"{len((survivors & known) - stayed)} are others"
    assert len(stayed) > OBJECTS // 1000


def test_what_is_told_of_the_way_there(tmp_path):
    with Target("identity", args=(tmp_path, 20000, 4)) as t:
        for _ in range(3):
            first = next_round(t)
            with Following(t, "--cycles", "4", "--json") as f:
                assert next_round(t) == first + 4
                answer = json.loads(f.result())
            assert answer["cycles"] == 4
            if not answer["followed"]["missed"]:
                break  # a machine that is busy elsewhere may not come to look in time: that is said
            assert not answer["exact"]
        assert answer["exact"] and answer["total"]["maybe"] == 0
        assert answer["followed"]["missed"] == 0 and answer["followed"]["cycles"] >= 3
        assert answer["followed"]["unknown_spans"] == 0 and answer["followed"]["read_bytes"] > 0
        said = limpet("diff", t.pid, "--for", "300ms").stdout
        assert "exact, object by object" in said and "followed: " in said
        assert status(t.pid, "TracerPid") == "0" and not any(children(t.pid))


def test_storms_are_told_or_said_to_be_missed(tmp_path):
    """Collections one upon the other: what was not seen is "maybe", and said to be."""
    with Target("gcstorm") as t:
        answer = json.loads(limpet("diff", t.pid, "--for", "1s", "--json").stdout)
        f = answer["followed"]
        # those that the looks themselves tell of are not among them
        assert f["cycles"] + f["missed"] in (answer["cycles"] - 1, answer["cycles"])
        assert answer["exact"] == (answer["total"]["maybe"] == 0)
        if f["missed"]:
            assert "why" in f and not answer["exact"]


def test_a_program_that_ends_and_what_cannot_be_followed(tmp_path):
    with Target("quiet") as t:
        with Following(t, "--for", "60s") as f:
            time.sleep(0.5)
            t.process.kill()
            assert "ended" in f.result(code=3)
    assert "limpet diff PID --for" in limpet("diff", "/bin/true", "--for", "1s", code=2).stderr
    assert "limpet diff PID --for" in limpet("diff", os.getpid(), code=2).stderr
    assert "--for" in limpet("diff", os.getpid(), "--for", "soon", code=2).stderr
