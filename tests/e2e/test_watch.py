"""memory --watch and top --watch: refreshing views of a program that is not stopped for them."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

import build_targets
import procs

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


def documents(text):
    return [json.loads(line) for line in text.splitlines() if line]


def own(target):
    at = len(target.lines)
    os.kill(target.pid, signal.SIGUSR1)
    items = target.wait_line("STATS ", after=at)[0][6:].split()
    return dict(zip(items[::2], map(int, items[1::2])))


class Terminal:
    """limpet on a terminal of its own."""

    def __init__(self, *args, rows=24, columns=80, env=None, shell=None):
        line = [procs.LIMPET, *map(str, args)]
        if shell:
            line = ["/bin/bash", "-c", shell, "bash", *line]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            self.fd = 0
            self.resize(rows, columns)
            os.execve(line[0], line,
                      {**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **(env or {})})
        self.seen, self.at = b"", 0

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, what, seconds=20):
        """Read until `what` came behind what was asked for before."""
        end = time.monotonic() + seconds
        while what not in self.seen[self.at:]:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no {what!r} in {seconds} s: {self.seen[-1500:]!r}")
            try:
                self.seen += os.read(self.fd, 65536)
            except OSError:
                raise AssertionError(f"ended before {what!r}: {self.seen[-1500:]!r}") from None
        self.at = self.seen.index(what, self.at) + len(what)

    def frames(self):
        """What each refresh showed, as lists of lines without colours."""
        shown = self.seen.split(LEAVE)[0].split(b"\x1b[J")[:-1]
        return [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", f.decode()).split("\r\n") for f in shown]

    def end(self, seconds=20):
        """The exit code, negative for a signal, after all was read."""
        stop = time.monotonic() + seconds
        while time.monotonic() < stop:
            try:
                if select.select([self.fd], [], [], 0.2)[0]:
                    self.seen += os.read(self.fd, 65536)
            except OSError:
                break
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def test_documents_equal_the_program():
    with procs.Target("selfstat", args=["-goroutines", 200]) as target:
        want = own(target)
        time.sleep(0.1)
        rows = documents(procs.limpet("memory", target.pid, "--watch=100ms", "--count", 4, "--json").stdout)
        assert len(rows) == 4 and rows[0]["pid"] == target.pid
        for row in rows:
            assert row["gc"]["cycles"] == want["cycles"] and row["gc"]["pause_total_ns"] == want["pause_total_ns"]
            assert row["goroutines"] == want["goroutines"] and row["memory"]["heap_goal"] == want["heap_goal"]
        assert [r["interval_ns"] for r in rows][0] == 0 and all(8e7 < r["interval_ns"] < 2e9 for r in rows[1:])
        assert rows[-1]["alloc"]["bytes_per_second"] == 0 and rows[-1]["memory"]["rss"] > 1e6


def test_rates():
    """Against what the program counted meanwhile."""
    with procs.Target("selfstat", args=["-busy"]) as target:
        begin, before = time.monotonic(), own(target)
        rows = documents(procs.limpet("memory", target.pid, "--watch=100ms", "--count", 12, "--json").stdout)
        after, took = own(target), time.monotonic() - begin
        truth = (after["total_alloc"] - before["total_alloc"]) / took
        mean = sum(r["alloc"]["bytes_per_second"] * r["interval_ns"] for r in rows[1:]) / sum(r["interval_ns"] for r in rows[1:])
        assert 0.4 < mean / truth < 2.5
        assert sum(r["gc"]["new_cycles"] for r in rows) <= after["cycles"] - before["cycles"]
        assert rows[-1]["slope"]["cycles"] >= 3 and rows[-1]["slope"]["growth_per_gc"] is not None
        assert rows[-1]["slope"]["growth_per_hour"] is None  # not from a second
        assert 0 < rows[-1]["gc"]["cpu_share"] < 1


def test_lines():
    with procs.Target("selfstat") as target:
        lines = procs.limpet("memory", target.pid, "--watch=100ms", "--count", 3).stdout.splitlines()
        assert len(lines) == 4 and lines[0].split()[:2] == ["time", "rss"]
        assert all(re.match(r"\d\d:\d\d:\d\dZ ", line) for line in lines[1:])
        assert "\x1b" not in "".join(lines)


def test_not_traced_not_stopped():
    """Nobody traces it, nothing stops it, nothing is injected."""
    with procs.Target("selfstat", args=["-busy"]) as target:
        watch = subprocess.Popen([procs.LIMPET, "memory", str(target.pid), "--watch=100ms", "--count", "10", "--json"],
                                 stdout=subprocess.PIPE, text=True)
        while watch.poll() is None:
            assert not procs.traced(target.pid)
            assert procs.status(target.pid, "State")[0] not in "tT"
            time.sleep(0.01)
        assert len(documents(watch.stdout.read())) == 10 and watch.returncode == 0
        assert not procs.children(target.pid)


def test_terminal():
    """The other screen, as large as the terminal, refreshed, left as it was; the last figures stay."""
    with procs.Target("selfstat", args=["-busy"]) as target:
        t = Terminal("memory", target.pid, "--watch=100ms", rows=12, columns=50)
        t.until(ENTER)
        t.until(b"live heap")
        t.until(b"\x1b[J")
        t.until(b"\x1b[J")
        t.resize(30, 100)
        t.until(b"Ctrl-C ends")
        os.kill(t.pid, signal.SIGINT)
        assert t.end() == -signal.SIGINT
        frames = t.frames()
        assert len(frames) >= 3
        assert all(len(line) <= 50 for line in frames[0]) and len(frames[0]) <= 12
        assert len(frames[-1]) > 12
        tail = t.seen.split(LEAVE)[1]
        assert t.seen.count(ENTER) == t.seen.count(LEAVE) == 1
        assert b"\x1b[?25l" in t.seen and b"\x1b[?25h" in t.seen and b"live heap" in tail


def test_stop_and_go_on():
    """Ctrl-Z in a shell: the shell has its terminal back, and with `fg` it is taken again."""
    with procs.Target("selfstat") as target:
        t = Terminal("memory", target.pid, "--watch=100ms", shell='set -m; "$@"; echo STOPPED; fg')
        t.until(b"live heap")
        limpet, = [pid for pid, _ in procs.children(t.pid) if procs.status(pid, "Name") == "limpet"]
        os.kill(limpet, signal.SIGTSTP)
        t.until(b"STOPPED")
        t.until(ENTER)
        t.until(b"live heap")
        os.kill(limpet, signal.SIGTERM)
        t.end()
        assert t.seen.count(LEAVE) == 2 and t.seen.count(ENTER) == 2
        assert t.seen.index(LEAVE) < t.seen.index(b"STOPPED") < t.seen.rindex(ENTER)


@pytest.mark.parametrize("where", ["terminal", "pipe"])
def test_program_ends(where):
    with procs.Target("selfstat") as target:
        if where == "pipe":
            watch = subprocess.Popen([procs.LIMPET, "memory", str(target.pid), "--watch=100ms"], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True)
            watch.stdout.readline()
            target.process.kill()
            target.process.wait()
            _, err = watch.communicate(timeout=20)
            assert watch.returncode == 3 and err == f"limpet: process {target.pid} has exited\n"
            return
        t = Terminal("top", target.pid, "--watch=100ms")
        t.until(b"goroutines")
        target.process.kill()
        target.process.wait()
        assert t.end() == 3
        assert t.seen.rstrip().endswith(b"has exited") and LEAVE in t.seen


def test_colours():
    with procs.Target("selfstat") as target:
        coloured = Terminal("memory", target.pid, "--watch=100ms", "--count", 2)
        assert coloured.end() == 0 and b"\x1b[36m" in coloured.seen
        plain = Terminal("memory", target.pid, "--watch=100ms", "--count", 2, env={"NO_COLOR": "1"})
        assert plain.end() == 0 and b"\x1b[36m" not in plain.seen


@pytest.mark.parametrize("minor", [m if m in ("1.18", "1.27") else pytest.param(m, marks=pytest.mark.full)
                                   for m in build_targets.OLD_MINORS + build_targets.MINORS])
def test_top_equals_the_programs_own_profile(minor):
    """The rows against a snapshot's `top --by site`, and goroutines by state; a program that samples every byte."""
    with procs.Target("sites", minor) as target:
        row, = documents(procs.limpet("top", target.pid, "--watch", "--count", 1, "--json", "--limit", 1000).stdout)
        want = procs.limpet_json("top", target.pid, "--by", "site", "--limit", 1000)
        assert row["no_rows"] is None and row["rows"]
        got = {r["name"]: r for r in row["rows"]}
        for w in want["rows"][:5]:
            if w["flat"]:
                assert w["name"] in got
                assert abs(got[w["name"]]["alloc_bytes"] - w["alloc_bytes"]) <= 0.02 * w["alloc_bytes"] + 4096
        states = row["goroutine_states"]
        assert sum(states[k] for k in ("running", "runnable", "syscall", "waiting", "other")) >= row["goroutines"]


def test_top_rates():
    with procs.Target("sumhttp") as target, procs.Load(target.address):
        rows = documents(procs.limpet("top", target.pid, "--watch=500ms", "--count", 4, "--json").stdout)
        assert all(r["alloc_bytes_per_second"] is None for r in rows[0]["rows"])
        rates = [sum(x["alloc_bytes_per_second"] for x in r["rows"]) for r in rows[1:]]
        assert sum(rates) > 0 or rows[0]["no_rows"]
        assert sum(r["alloc"]["bytes_per_second"] for r in rows[1:]) > 0


def test_states_of_many():
    with procs.Target("goroutines10k") as target:
        row, = documents(procs.limpet("top", target.pid, "--watch", "--count", 1, "--json").stdout)
        assert row["goroutines"] >= 10000 and row["goroutine_states"]["waiting"] >= 10000
        assert sum(row["goroutine_states"]["waits"].values()) >= 10000


def test_refused():
    with procs.Target("selfstat") as target:
        assert "no running process" in procs.limpet("memory", procs.LIMPET, "--watch", code=2).stderr
        assert "at least 100 ms" in procs.limpet("memory", target.pid, "--watch=1ms", code=2).stderr
        assert "want a time" in procs.limpet("memory", target.pid, "--watch=soon", code=2).stderr
        assert "only site" in procs.limpet("top", target.pid, "--watch", "--by", "type", code=2).stderr
        assert "-o" in procs.limpet("memory", target.pid, "--watch", "-o", "x", code=2).stderr
    assert "no process" in procs.limpet("memory", 999999999, "--watch", code=3).stderr
