"""The pulse against what the program itself reads of its runtime, and the nudge: collections without a call.

Nothing is stopped for a reading; the program says what runtime.ReadMemStats and runtime/metrics gave it.
"""
import os
import re
import signal
import subprocess
import time

import pytest

import build_targets
import procs

TOOL = os.path.join(os.path.dirname(procs.LIMPET), "tests", "tools", "pulse")
ALL = build_targets.OLD_MINORS + build_targets.MINORS
MINORS = [m if m in ("1.18", "1.23", "1.27") else pytest.param(m, marks=pytest.mark.full) for m in ALL]
PERIOD = 120_000_000_000

pytestmark = pytest.mark.skipif(not os.path.exists(TOOL), reason="the tests' tools were not built")


def words(line):
    items = line.split()
    return dict(zip(items[::2], map(int, items[1::2])))


def tool(*args, code=0, seconds=60):
    done = subprocess.run([TOOL, *map(str, args)], capture_output=True, text=True, timeout=seconds)
    assert done.returncode == code, f"{args}: exit {done.returncode}: {done.stdout} {done.stderr}"
    return done


def read(target, n=1, ms=0):
    return [words(line) for line in tool("read", target.pid, n, ms).stdout.splitlines()]


def own(target):
    """What the program says of itself, now."""
    at = len(target.lines)
    os.kill(target.pid, signal.SIGUSR1)
    return words(target.wait_line("STATS ", after=at)[0][6:])


def nudge(target, cycles=3, ms=5000, code=0):
    return words(tool("nudge", target.pid, cycles, ms, code=code).stdout)


def period_of(target):
    """The words of the program's data that are two minutes, or what the nudge writes: its symbol is not asked."""
    with open(f"/proc/{target.pid}/maps", encoding="utf-8") as maps, open(f"/proc/{target.pid}/mem", "rb") as mem:
        found = []
        for line in maps:
            span, prot, *_, path = line.split(None, 5) if line.count(" ") > 4 else (*line.split(), "")
            if not prot.startswith("rw") or target.binary.split("/")[-1] not in path:
                continue
            lo, hi = (int(x, 16) for x in span.split("-"))
            mem.seek(lo)
            data = mem.read(hi - lo)
            for value in (PERIOD, 100000007):
                found += [value for m in re.finditer(re.escape(value.to_bytes(8, "little")), data) if m.start() % 8 == 0]
        return found


@pytest.mark.parametrize("minor", MINORS)
def test_equals_what_the_program_reads(minor):
    """Idle, with goroutines that wait and some that have ended: exactly equal."""
    with procs.Target("selfstat", minor, args=["-goroutines", 300, "-exit", 100]) as target:
        exact = ["cycles", "forced", "total_alloc", "mallocs", "frees", "heap_goal", "heap_in_use", "heap_released",
                 "stacks", "pause_total_ns", "last_pause_ns", "last_gc_unix_ns", "goroutines"]
        for _ in range(10):  # what it said is older than the reading: the world was started again, a thread made
            want = own(target)
            time.sleep(0.1)
            got, = read(target)
            if all(got[k] == want[k] for k in exact):
                break
        assert {k: got[k] for k in exact} == {k: want[k] for k in exact}
        assert got["heap_free"] + got["heap_released"] == want["heap_idle"]
        assert got["gogc"] == 100 and got["fds"] == len(os.listdir(f"/proc/{target.pid}/fd"))
        assert got["threads"] == len(os.listdir(f"/proc/{target.pid}/task"))
        if want["total_cpu_ns"]:  # Go 1.20 and later say it
            assert abs(got["gc_cpu_ns"] - (want["gc_cpu_ns"] - want["gc_idle_ns"])) < 2000  # floats of seconds
            assert abs(got["total_cpu_ns"] - want["total_cpu_ns"]) < 2000
        else:
            assert got["total_cpu_ns"] == -1


@pytest.mark.parametrize("minor", MINORS)
def test_busy(minor):
    """Between two of the program's own readings; what only grows never goes back; nobody is traced."""
    grows = ["cycles", "forced", "total_alloc", "total_free", "mallocs", "frees", "pause_total_ns", "gc_cpu_ns", "cpu_ns"]
    with procs.Target("selfstat", minor, args=["-busy"]) as target:
        before = own(target)
        rows = read(target, 150, 2)
        after = own(target)
        for a, b in zip(rows, rows[1:]):
            assert all(a[k] <= b[k] for k in grows), (a, b)
        assert rows[-1]["total_alloc"] > rows[0]["total_alloc"]
        # What Ps took since they got their spans is not counted yet, or all of it (Go 1.18): a span of each size
        # class, 16 Ps.
        lag = 16 * 68 * 32768
        for k, slack in (("cycles", 0), ("mallocs", lag // 8), ("frees", 0), ("total_alloc", lag), ("pause_total_ns", 0)):
            assert before[k] - slack <= rows[0][k] and rows[-1][k] <= after[k] + slack, k
        assert not procs.traced(target.pid)


def test_never_stops_it():
    """No system call of a tracer or a signal: the reader's calls on the target are reads alone."""
    with procs.Target("selfstat", args=["-busy"]) as target:
        before = procs.status(target.pid, "nonvoluntary_ctxt_switches")
        done = subprocess.run(["strace", "-f", "-qq", "-e", "trace=ptrace,kill,tgkill,process_vm_writev,pwrite64",
                               TOOL, "read", str(target.pid), "20", "5"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert str(target.pid) not in done.stderr and "PTRACE" not in done.stderr, done.stderr
        assert before is not None


def test_program_ends():
    with procs.Target("selfstat") as target:
        reader = subprocess.Popen([TOOL, "read", str(target.pid), "1000", "20"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        assert reader.stdout.readline().startswith("cycles")
        target.process.kill()
        target.process.wait()
        _, err = reader.communicate(timeout=10)
        assert reader.returncode == 3 and "has exited" in err


def test_no_go_program():
    with subprocess.Popen(["sleep", "60"]) as other:
        time.sleep(0.1)
        try:
            assert "not a Go program" in tool("read", other.pid, code=4).stderr
        finally:
            other.kill()


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("what", ["idle", "busy"])
def test_nudge(minor, what):
    """Three collections in a second; the program says so too; the period is put back; the program is unharmed."""
    with procs.Target("selfstat", minor, args=["-busy"] if what == "busy" else []) as target:
        time.sleep(0.3)  # idle: its monitor sleeps for a minute now
        before, shape = own(target), procs.shape(target.pid)
        if what == "idle":
            time.sleep(0.3)
        got = nudge(target)
        after = own(target)
        assert got["cycles"] >= 3 and got["took_ns"] < 2e9
        assert got["pause_ns"] < 1e9 and (what == "idle" or got["wakes"] <= 1)
        assert after["cycles"] - before["cycles"] >= 3 and after["forced"] == before["forced"]
        if what == "idle":
            assert after["cycles"] - before["cycles"] <= 5, "the period stayed short"
        assert period_of(target) == [PERIOD]
        now = procs.shape(target.pid)
        # descriptors: the runtime opens its own for the network's poller when it first wants a timer
        assert all(now[k] == shape[k] for k in ("children", "zombies")) and now["fds"] <= shape["fds"] + 2
        assert not procs.traced(target.pid)


def test_nudge_of_one_that_never_collected():
    with procs.Target("selfstat", args=["-gc=false", "-hold", 0]) as target:
        assert read(target)[0]["cycles"] == 0
        assert nudge(target, 2)["cycles"] >= 2
        assert target.alive() and period_of(target) == [PERIOD]


def test_nudge_gogc_off():
    with procs.Target("selfstat", env={"GOGC": "off"}) as target:
        done = tool("nudge", target.pid, 1, 500, code=4)
        assert "GOGC=off" in done.stderr
        assert period_of(target) == [PERIOD] and read(target)[0]["gogc"] == -1


def test_not_so_many_in_that_time():
    with procs.Target("selfstat") as target:
        assert "of 1000 collections" in tool("nudge", target.pid, 1000, 400, code=5).stderr
        assert period_of(target) == [PERIOD]


def test_put_back_when_killed():
    """SIGKILL to who asked: the helper that outlives it puts the period back."""
    with procs.Target("selfstat") as target:
        holder = subprocess.Popen([TOOL, "hold", str(target.pid)], stdout=subprocess.PIPE, text=True)
        assert holder.stdout.readline().startswith("held")
        assert period_of(target) == [100000007]
        holder.kill()
        holder.wait()
        end = time.monotonic() + 5
        while period_of(target) != [PERIOD] and time.monotonic() < end:
            time.sleep(0.01)
        assert period_of(target) == [PERIOD] and target.alive()


@pytest.mark.parametrize("repair", ["nudge", "reap"])
def test_put_right_after_both_were_killed(repair):
    """Both killed: the short period stays; the next nudge puts it right, and so does doctor --reap."""
    with procs.Target("selfstat") as target:
        holder = subprocess.Popen([TOOL, "hold", str(target.pid)], stdout=subprocess.PIPE, text=True)
        assert holder.stdout.readline().startswith("held")
        guard = [pid for pid, _ in procs.children(holder.pid) if procs.status(pid, "Name") == "lmp-poke"]
        for pid in [*guard, holder.pid]:
            os.kill(pid, signal.SIGKILL)
        holder.wait()
        assert guard and period_of(target) == [100000007]
        if repair == "nudge":
            nudge(target, 1)
        else:
            said = procs.limpet("doctor", "--reap", target.pid).stdout
            assert "hastened" in said
            assert "nothing to do" in procs.limpet("doctor", "--reap", target.pid).stdout
        assert period_of(target) == [PERIOD] and target.alive()


@pytest.mark.full
@pytest.mark.parametrize("minor", ["1.18", "1.22", "1.27"])
def test_nudged_often(minor):
    """Sixty times, also while goroutines wake each other by every means: nothing throws, nothing hangs."""
    with procs.Target("pingpong", minor, args=[4]) as target:
        for _ in range(60):
            nudge(target, 1, 30000)
        assert target.alive() and period_of(target) == [PERIOD]
