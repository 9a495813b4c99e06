"""Globals of stripped programs: what code says of them, held against DWARF of the same memory."""
import bisect
import re

import pytest

import build_targets
import test_dwarf
import twolooks
from procs import FULL, Target, limpet, limpet_json

MINORS = build_targets.MINORS if FULL else ["1.22", "1.27"]
ATOMIC = re.compile(r"sync/atomic\.Pointer\[(.*)\]$")


@pytest.fixture(name="looks", scope="module")
def make_looks(tmp_path_factory):
    """(core, executable, its stripped twin) of a program at rest."""
    made = {}

    def get(program, minor):
        if (program, minor) not in made:
            folder = tmp_path_factory.mktemp(f"{program}-{minor}")
            exe = twolooks.movable(build_targets.build(program, minor, "dwarf"), folder / program)
            with Target(program, minor, binary=str(exe)) as target:
                limpet("snapshot", target.pid, "-o", folder / "core")
            made[program, minor] = folder / "core", exe, twolooks.twin(exe, folder / "twin")
        return made[program, minor]
    return get


def globals_of(core, exe):
    rows = (line.split("\t") for line in test_dwarf.run(test_dwarf.TOOL, core, "--exe", exe).stdout.splitlines())
    return [(int(f[0], 16), int(f[1]), f[2], f[3]) for f in rows if f[4] == "global"]


def underlying(name):
    """As memory lies: an atomic pointer is one, a func value points to its closure."""
    name = ATOMIC.sub(r"*\1", test_dwarf.plain(name))
    return "func" if name.startswith("func") or name.startswith("*struct") else name


def agree(ours, theirs):
    """Slices, strings and maps are told by their elements; a defined type of one has the same."""
    a, b = underlying(ours[3]), underlying(theirs[3])
    return a == b or (ours[1] == theirs[1] == 24 and a.startswith("[]") and "[" not in b) or "go.shape." in a


@pytest.mark.parametrize("program", ["mixed", "leakhttp"])
@pytest.mark.parametrize("minor", MINORS)
def test_globals_are_dwarfs(program, minor, looks):
    core, exe, twin = looks(program, minor)
    ours, theirs = globals_of(core, twin), sorted(globals_of(core, exe))
    at, starts, same, inside, wrong = {}, sorted({v[0] for v in theirs}), 0, 0, []
    for v in theirs:
        at.setdefault(v[0], []).append(v)
    for v in ours:
        near = starts[max(0, bisect.bisect(starts, v[0]) - 1)]
        around = [x for x in at[near] if x[0] <= v[0] and v[0] + v[1] <= x[0] + x[1]]
        if any(x[0] == v[0] and agree(v, x) for x in around):
            same += 1
        elif any(x[1] > v[1] for x in around):
            inside += 1  # a field or an element
        elif around:
            wrong.append((hex(v[0]), v[3], around))
    print(f"{program} {minor}: {len(ours)} of {len(theirs)} typed by code: {same} as DWARF, {inside} parts of one")
    assert same > 20 and not wrong, wrong


def named(name):
    return re.fullmatch(r"global used by (.*) \(((?:data|bss)\+0x[0-9a-f]+)(?: (.*))?\)", name)


def place_of(exe, variable):
    """"bss+0x1f20", by the symbols."""
    rows = (line.split() for line in test_dwarf.run("nm", exe).stdout.splitlines())
    at = {f[2]: int(f[0], 16) for f in rows if len(f) == 3}
    section = "bss" if at["runtime.bss"] <= at[variable] < at["runtime.ebss"] else "data"
    return f"{section}+{at[variable] - at['runtime.' + section]:#x}"


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("program,variable,who,kind", [
    ("leakhttp", "main.sessions", {"main.newSession", "main.findSession", "main.init"}, "map[string]*main.Session"),
    ("mixed", "main.byName", {"main.makePlain"}, None),  # set, and never used: nothing says of what type
])
def test_globals_are_named_by_their_users(program, variable, who, kind, minor, looks):
    core, exe, twin = looks(program, minor)
    rows, theirs = ({r["name"] for r in limpet_json("top", core, "--exe", e, "--by", "root", "--limit", "0")["rows"]}
                    for e in (twin, exe))
    place = place_of(exe, variable)
    assert variable in theirs and variable not in rows
    [(users, _, found)] = [m.groups() for m in map(named, rows) if m and m[2] == place]
    assert set(users.split(", ")) == who and found == kind
    assert users in limpet("why", core, place, "--exe", twin).stdout
