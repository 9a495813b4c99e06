"""
arm64 programs, run by qemu-user, their cores and heap dumps read on whatever this machine is.

Oracles: the collector's mark bits in the core; the runtime's own traceback of all goroutines at the same instant; what
the programs count.  Live arm64 processes cannot be had here: qemu-user has no ptrace.
"""
import json
import os
import re
import shutil
import subprocess
import time

import pytest

import build_targets
import test_dwarf
import test_heapdump
from cores import objects
from dlvrpc import Dlv
from guests import QEMU, Guest
from procs import LIMPET, SLOW, limpet, limpet_json
from test_goroutines import EXPECTED, is_within, parse, plain

QUICK = ("1.22", "1.27")
MINORS = [pytest.param(m, marks=[] if m in QUICK else pytest.mark.full) for m in build_targets.MINORS]
FLAVOURS = ["arm64", pytest.param("arm64-dwarf", marks=pytest.mark.full), pytest.param("arm64-pie", marks=pytest.mark.full)]


COLLECTS = ("mixed", "goroutines10k")  # on SIGUSR1


class Dead:
    """A core of a program that was quiet, with the program's own last words."""

    def __init__(self, folder, program, minor, flavour="arm64", **more):
        self.minor = minor
        with Guest(folder, program, minor, flavour, **more) as guest:
            if program in COLLECTS:  # finalizers of the first cycle's garbage are to have run before the last
                guest.collect()
                time.sleep(0.5)
                guest.collect()
            self.path, self.exe, self.trace = guest.core(), guest.guest, guest.trace

    def ask(self, command, *more):
        return limpet_json(command, self.path, *more, "--exe", self.exe)


def check_marks(dead, least):
    """Reached is what the collector marked, object by object."""
    answer = dead.ask("verify")
    assert answer["holds"] and answer["missing"] == answer["extra"] == 0, answer["differences"][:3]
    assert answer["reachable_objects"] > least and answer["gc_objects"] > least
    # one snapshot cannot tell what was missed from what died since the last cycle: next to nothing did
    unsure = answer["garbage_since"] + answer["undecided"]
    assert unsure <= 10, (unsure, answer["differences"][:3])
    assert answer["born_since"] < 200


# The runtime's own goroutines, which sysmon and the collector wake at any time: also after the text was written.
OWN_WAITS = ("GC scavenge wait", "GC sweep wait", "GC worker (idle)", "force gc (idle)", "finalizer wait")


def check_stacks(dead):
    """Frame by frame what the runtime printed; gives how many goroutines were compared."""
    oracle = parse(dead.trace)
    ours = {g["id"]: g for g in dead.ask("goroutines", "--limit", 0)["goroutines"]}
    compared = 0
    for gid, (wait, frames, creator, elided) in oracle.items():
        if not gid:
            continue  # the stacks of schedulers
        assert gid in ours, f"goroutine {gid} [{wait}] is missing"
        mine = ours[gid]
        said = (mine["wait"] or "", mine["state"])
        since = wait in ("running", "runnable") or wait in OWN_WAITS and mine["state"] == "runnable"
        wait = mine["state"] if since else wait  # one may have made way for another since, or been woken by the runtime
        assert wait in said or wait.split(" (")[0] in said, (gid, wait, said)
        stack = [(plain(f["function"]), f["file"], f["line"]) for f in mine["stack"]]
        frames = frames[:50] if elided else frames
        assert is_within(frames, stack), (gid, frames, stack)
        assert creator is None or plain(creator) == plain(mine["creator"] or ""), (gid, creator, mine["creator"])
        compared += 1
    return compared


def check_report(dead):
    answer = dead.ask("report")
    target = answer["target"]
    assert target["arch"] == "arm64" and target["go"].startswith("go" + dead.minor) and target["kind"] == "core"
    assert not answer["capture"]["losses"], answer["capture"]["losses"]
    assert answer["capture"]["method"] == "file"


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_mixed(tmp_path, minor, flavour):
    """All kinds of objects: masks, headers, reflect's types, finalizers, cleanups, maps, timers."""
    dead = Dead(tmp_path, "mixed", minor, flavour)
    check_marks(dead, 450000)
    check_report(dead)
    assert check_stacks(dead) >= 18


@pytest.mark.parametrize("minor", MINORS)
def test_spinning(tmp_path, minor):
    """Goroutines in leaf functions: the return address and the only pointer are in registers, saved or not."""
    dead = Dead(tmp_path, "spinning", minor)
    check_marks(dead, 8000)
    check_report(dead)
    assert check_stacks(dead) >= 8
    ours = dead.ask("goroutines", "--limit", 0)["goroutines"]
    spinners = [g for g in ours if any(f["function"] == "main.leaf" for f in g["stack"])]
    assert len(spinners) == 8
    for g in spinners:
        names = [f["function"] for f in g["stack"]]
        assert names[names.index("main.leaf") + 1] == "main.spin" and names[-1] == "runtime.goexit", names
        assert g["retained_bytes"] >= 1000 * 48, (g["state"], names)


@pytest.mark.parametrize("minor", [pytest.param(m, marks=pytest.mark.full) for m in build_targets.MINORS])
def test_ten_thousand(tmp_path, minor):
    dead = Dead(tmp_path, "goroutines10k", minor)
    check_marks(dead, 70000)
    assert check_stacks(dead) >= 10000
    ours = dead.ask("goroutines", "--limit", 0)["goroutines"]
    for name, count in EXPECTED.items():
        assert sum(any(f["function"] == "main.block" + name for f in g["stack"]) for g in ours) == count, name


@pytest.mark.parametrize("minor", [pytest.param(m, marks=pytest.mark.full) for m in build_targets.MINORS])
def test_old_collections(tmp_path, minor):
    """Ones that were in the middle of nothing: quiet, and maps of a quarter million entries."""
    check_marks(Dead(tmp_path, "quiet", minor), 50)


@pytest.mark.parametrize("minor", [pytest.param(m, marks=pytest.mark.full) for m in build_targets.OLD_MINORS])
@pytest.mark.parametrize("program", ["mixed", "spinning"])
def test_old_go(tmp_path, program, minor):
    """Go 1.18 to 1.21: heap bits in the arenas."""
    dead = Dead(tmp_path, program, minor)
    check_marks(dead, 8000)
    check_report(dead)


EXPERIMENTS = [("1.24", "noswissmap"), ("1.24", "nospinbitmutex"), ("1.25", "noswissmap"), ("1.25", "greenteagc"),
               ("1.26", "nogreenteagc"), ("1.27", "nogreenteagc")]


@pytest.mark.full
@pytest.mark.parametrize("minor,experiment", EXPERIMENTS)
def test_experiments(tmp_path, monkeypatch, minor, experiment):
    """The other tables.  The experiment is in the version string, and the table is exact or refused."""
    monkeypatch.setitem(build_targets.FLAVOURS, "arm64-" + experiment, ["-ldflags=-s -w"])
    monkeypatch.setenv("GOEXPERIMENT", experiment)
    dead = Dead(tmp_path, "mixed", minor, "arm64-" + experiment)
    assert dead.ask("report")["target"]["experiments"] == [experiment]
    check_marks(dead, 450000)


class Dumped:
    """A heap dump, and a core of the same program right after."""

    def __init__(self, folder, minor):
        self.path, self.minor = os.path.join(str(folder), "dump"), minor
        with Guest(folder, "heapdump", minor, args=[self.path]) as guest:
            self.counted = test_heapdump.write_dump(guest)
            core = guest.core()
        self.objects = test_heapdump.parse(objects(self.path))
        self.in_core = test_heapdump.parse(objects(core, "--exe", guest.guest))


def check_counts(path):
    """EXPECT of the program; a frame that a dump has no map of may hold a node of another goroutine, too."""
    held = {row["objects"] for row in limpet_json("top", path, "--by", "root", "--limit", 100)["rows"]}
    assert {20000, 3 * 1000 + 1, 2 * 5000 + 1, 512 + 1, 2 * 500 + 1} <= held, sorted(held)
    groups = {g["name"]: g for g in limpet_json("goroutines", path, "--group-by", "stack")["groups"]}
    assert groups["main.waiter [chan receive]"]["count"] == 100
    holders = groups["main.holder [chan receive]"]
    assert holders["count"] == 8 and 8 * 4 * 32 - 64 <= holders["retained_bytes"] <= 8 * 4 * 32
    deep = [g for g in limpet_json("goroutines", path, "--limit", 0)["goroutines"]
            if sum(f["function"] == "main.deep" for f in g["stack"]) == 201]
    assert len(deep) == 1 and 201 * 32 - 64 <= deep[0]["retained_bytes"] <= 201 * 32


@pytest.mark.parametrize("minor", [pytest.param(m, marks=[] if m == "1.27" else pytest.mark.full) for m in build_targets.MINORS])
def test_heap_dump(tmp_path, minor):
    """Against what the program counts, and object by object against the core."""
    dumped = Dumped(tmp_path, minor)
    answer = limpet_json("report", dumped.path)
    assert answer["target"]["arch"] == "arm64" and not answer["capture"]["losses"]
    test_heapdump.test_bytes_are_those_of_memstats(dumped)
    check_counts(dumped.path)
    test_heapdump.test_memory_adds_up(dumped)
    dump, core = test_heapdump.reachable(dumped.objects), test_heapdump.reachable(dumped.in_core)
    by_cleanups = test_heapdump.HELD_BY_CLEANUP.get(minor, 0) * 50
    assert 0 <= len(core - dump) - by_cleanups <= test_heapdump.OWN
    assert len(dump - core) <= test_heapdump.OWN and len(dump & core) > 50000


@pytest.fixture(name="dead", scope="module")
def fixture_dead(tmp_path_factory):
    return Dead(tmp_path_factory.mktemp("dead"), "mixed", "1.27", "arm64-dwarf")


def test_why(dead):
    """A path by names of variables and fields, all from DWARF of another machine's program."""
    answer = dead.ask("why", "main.giant")
    first = answer["paths"][0][0]
    assert first["name"] == "main.all" and "giants" in json.dumps(answer["paths"][0]), answer["paths"][0]


def test_core_of_a_core(dead, tmp_path):
    """Written again, and again as limpet writes: registers, threads and answers stay."""
    again = str(tmp_path / "again.core")
    limpet("snapshot", dead.path, "--exe", dead.exe, "-o", again)
    head = subprocess.run(["readelf", "-hn", again], capture_output=True, text=True, check=True).stdout
    assert "AArch64" in head and head.count("NT_PRSTATUS") == head.count("NT_ARM_TLS") >= 3
    was, now = dead.ask("goroutines", "--limit", 0), limpet_json("goroutines", again, "--exe", dead.exe, "--limit", 0)
    assert was["goroutines"] == now["goroutines"]
    answer = limpet_json("verify", again, "--exe", dead.exe)
    assert answer["missing"] == answer["extra"] == 0 and answer["reachable_objects"] == dead.ask("verify")["reachable_objects"]


def what_dlv_says(exe, core):
    """(pc of each thread, function of each goroutine); an amd64 dlv opens arm64 cores."""
    with Dlv(exe, core) as dlv:
        threads = {t["id"]: t["pc"] for t in dlv.call("ListThreads")["Threads"]}
        goroutines = {g["id"]: g["userCurrentLoc"]["line"] for g in dlv.call("ListGoroutines", Start=0, Count=100000)["Goroutines"]}
    return threads, goroutines


@pytest.mark.full
def test_variables_are_dlvs(dead):
    """Addresses, names and types of globals and locals, by DWARF of arm64 code."""
    ours = test_dwarf.variables(dead.path, "--exe", dead.exe)
    try:
        with Dlv(dead.exe, dead.path) as dlv:
            seen, theirs, wrong_globals = test_dwarf.compare_globals(dlv, ours)
            nlocals, unknown, wrong = test_dwarf.compare_locals(dlv, ours)
    except FileNotFoundError:
        pytest.skip("no dlv here")
    assert seen > 200 and seen > 0.9 * theirs and not wrong_globals, wrong_globals[:10]
    assert nlocals - unknown > 8 and unknown <= 2 + nlocals // 100 and not wrong, wrong[:10]


@pytest.mark.full
def test_dlv(dead, tmp_path):
    """A debugger finds in limpet's core what it finds in the one that this was made of, and what limpet says."""
    again = str(tmp_path / "again.core")
    limpet("snapshot", dead.path, "--exe", dead.exe, "-o", again)
    try:
        threads, goroutines = what_dlv_says(dead.exe, dead.path)
        assert (threads, goroutines) == what_dlv_says(dead.exe, again)
    except FileNotFoundError:
        pytest.skip("no dlv here")
    ours = dead.ask("goroutines", "--limit", 0)["goroutines"]
    assert len(threads) >= 3 and goroutines.keys() == {g["id"] for g in ours if g["id"]}


def test_another_machines_program(dead):
    """The right program, of the wrong machine."""
    amd64 = build_targets.build("mixed", "1.27", "dwarf")
    said = limpet("report", dead.path, "--exe", amd64, code=4).stderr
    assert "not an arm64 file" in said and said.count("\n") == 1, said


def test_table_of_another_machine(dead, tmp_path):
    table = str(tmp_path / "layout")
    with open(table, "w", encoding="utf-8") as f:
        f.write(limpet("layout", "--go", build_targets.toolchain("1.27"), env=dict(os.environ, GOARCH="amd64")).stdout)
    said = limpet("report", dead.path, "--exe", dead.exe, "--layout", table, code=4).stderr
    assert "a table for amd64, this is a program for arm64" in said and said.count("\n") == 1, said


def test_cut(dead, tmp_path):
    """Losses are counted, nothing hangs and nothing crashes."""
    size = os.path.getsize(dead.path)
    for part in (0.9, 0.5, 0.1, 0.001):
        cut = str(tmp_path / "cut")
        shutil.copyfile(dead.path, cut)
        os.truncate(cut, int(size * part))
        done = limpet("report", cut, "--exe", dead.exe, "--json", code=None)
        assert done.returncode in (0, 4), done.stderr
        if done.returncode == 0:
            assert json.loads(done.stdout)["capture"]["losses"]


def test_the_same_on_arm64(dead):
    """The arm64 limpet reads arm64's cores as this one does."""
    other = re.sub("-static$", "", LIMPET) + "-static-arm64"
    if not os.path.exists(other):
        pytest.skip(f"{other} is not built: make static-arm64")
    said = []
    for command in ([LIMPET], [QEMU, other]):
        done = subprocess.run([*command, "report", dead.path, "--exe", dead.exe, "--json"], capture_output=True, text=True,
                              check=True, timeout=300 * SLOW)
        answer = json.loads(done.stdout)
        for key in ("read_ns", "extract_ns", "names_ns", "detectors"):
            answer["capture"].pop(key, None)
        said.append(answer)
    assert said[0] == said[1]
