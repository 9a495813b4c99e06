"""Is what an object is called what it is?  Against the program's own list, and against DWARF, object by object."""
import collections
import re

import pytest

import build_targets
import cores
import twolooks
from procs import FULL, Target, limpet, limpet_json

pytestmark = pytest.mark.skipif(not cores.objects_program(), reason="needs tests/tools/objects, which the build makes")


def facts(path):
    """{address: (kind, bytes, type)} as the program wrote them; the last one at an address is alive, if any."""
    found = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            address, kind, size, name = line.rstrip("\n").split(" ", 3)
            found[int(address, 16)] = kind, int(size), name
    return found


def element(name):
    """A row of T, an array of T and a T lie the same way: what matters is T."""
    return re.sub(r"^(\[(\d+|\.\.\.)?\])+", "", name)


def function(name):
    """The runtime says "[...]" for what stands in the brackets of a generic function."""
    return re.sub(r"\[.*\]", "[...]", name)


def verdict(kind, name, said):
    """"right", "wrong" or "unnamed"."""
    if said.startswith("~"):
        return "unnamed"
    if kind == "closure":
        return "right" if function(said) == "closure of " + function(name) else "wrong"
    if kind == "string":
        return "right" if said == "string" else "wrong"
    if kind == "tiny":
        return "right" if said.startswith("tiny") else "wrong"
    if kind == "first":  # both noscan, 16 bytes: may just as well be a block of tiny ones
        return "right" if element(said) in ("tiny block", *map(element, name.split("|"))) else "wrong"
    return "right" if element(said) == element(name) else "wrong"


class Judged:
    """Every object that the program told of and that is reachable: right, wrong, unnamed, by kind."""

    def __init__(self, said, told):
        self.counts = collections.defaultdict(collections.Counter)
        self.wrong, self.types = [], set()
        for address, (kind, _, name) in told.items():
            # A malloc header lies before what the program sees.
            object_ = said.get(address) or said.get(address - 8)
            if not object_ or not object_.reached:
                continue
            v = verdict(kind, name, object_.name)
            self.counts[kind][v] += 1
            self.types.add(name)
            if v == "wrong":
                self.wrong.append((hex(address), kind, name, object_.name))

    def total(self, v=None, kinds=None):
        return sum(sum(c.values()) if v is None else c[v] for k, c in self.counts.items() if kinds is None or k in kinds)

    def text(self):
        lines = [f"{kind:8} " + " ".join(f"{v} {n}" for v, n in sorted(c.items())) for kind, c in sorted(self.counts.items())]
        pairs = collections.Counter((k, name, said) for _, k, name, said in self.wrong)
        lines += [f"  {n} × {k}: is {name}, was called {said}" for (k, name, said), n in pairs.most_common(25)]
        return "\n".join(lines)


def judge(target_args, told):
    judged = Judged(twolooks.look(*target_args), told)
    print(judged.text())
    return judged


MINORS = build_targets.MINORS if FULL else ["1.22", "1.27"]


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("flavour", ["stripped", pytest.param("dwarf", marks=pytest.mark.full)])
def test_truth(minor, flavour, tmp_path):
    """The program's own list of 100,000 objects of 2,700 types: at most one in 10,000 is called what it is not."""
    with Target("truth", minor, flavour, args=[tmp_path / "facts"]) as target:
        judged = judge([target.pid, "--quiet"], facts(tmp_path / "facts"))
    assert judged.total() > 90000 and len(judged.types) > 2000
    assert judged.total("right") > 0.97 * judged.total(kinds=judged.counts.keys() - {"first", "inside", "tiny"})
    # pointed at from within only: named where shape and what points there leave one type
    assert judged.counts["lone"] == {"right": 20}
    # held by a variable of shared code; which DWARF and the code of some versions do not tell
    assert set(judged.counts["once"]) <= {"right", "unnamed"} and judged.total(kinds={"once"}) == 20
    assert len(judged.wrong) * 10000 <= judged.total(), judged.wrong[:20]


@pytest.mark.parametrize("program,minor", [("mixed", "1.27"), *[pytest.param("mixed", m, marks=pytest.mark.full)
                                                                 for m in build_targets.MINORS[:-1]],
                                           *[pytest.param(p, m, marks=pytest.mark.full) for p in ("truth", "leakhttp", "nats")
                                             for m in ("1.22", "1.24", "1.26", "1.27")]])
def test_stripped_says_what_dwarf_says(program, minor, tmp_path):
    exe = twolooks.movable(build_targets.build(program, minor, "dwarf"), tmp_path / program)
    with Target(program, minor, binary=exe, args=[tmp_path / "facts"] if program == "truth" else []) as target:
        limpet("snapshot", target.pid, "-o", tmp_path / "core")
    comparison = twolooks.compare(tmp_path / "core", exe, tmp_path)
    print(comparison.text())
    assert comparison.wrong * 10000 <= comparison.rules["equal"][0], comparison.text()


@pytest.mark.parametrize("program,minor", [("mixed", "1.22"), ("containers", "1.24"),
                                           pytest.param("truth", "1.26", marks=pytest.mark.full)])
def test_edges_only_spare_reading(program, minor, tmp_path):
    """What the edges tell of objects of plain pointers is what their bytes tell; one thread or two."""
    with Target(program, minor, args=[tmp_path / "facts"] if program == "truth" else []) as target:
        limpet("snapshot", target.pid, "-o", tmp_path / "core")
    read = cores.objects("--read-all", tmp_path / "core", "--threads", 1)
    assert len(read) > 1000
    assert cores.objects(tmp_path / "core", "--threads", 1) == read
    assert cores.objects(tmp_path / "core", "--threads", 2) == read


def test_share_is_that_of_the_objects():
    """What the report prints is what one gets by counting the objects."""
    with Target("mixed") as target:
        exact = limpet_json("report", target.pid)["exactness"]
        named = [n for n in twolooks.look(target.pid).values() if n.reached and n.typed]
    assert abs(exact["typed_objects"] - len(named)) <= 0.001 * len(named)
    assert abs(exact["typed_bytes"] - sum(n.bytes for n in named)) <= 0.001 * exact["typed_bytes"]
