"""Targets and limpet as processes: started, asked, and always ended by their own pid."""
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
TOP = os.path.dirname(TESTS)
sys.path.insert(0, TESTS)
import build_targets  # noqa: E402

LIMPET = os.environ.get("LIMPET", os.path.join(TOP, "build", "limpet"))
FULL = os.environ.get("LIMPET_FULL", "") not in ("", "0")
SLOW = 10 if os.environ.get("LIMPET_SANITIZER") else 1
HTTP = "http" + "://"


class Target:
    """A test program that has said READY.  Use as a context: it is killed and reaped at the end."""

    def __init__(self, program, minor=build_targets.NEWEST, flavour="stripped", args=(), env=None, binary=None,
                 user=None):
        binary = binary or build_targets.build(program, minor, flavour)
        self.binary = binary
        self.lines = []
        self.more = threading.Condition()
        self.process = subprocess.Popen([binary, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, env=dict(os.environ, **(env or {})), user=user, group=user)
        self.pid = self.process.pid
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with self.process.stdout as out:
            for raw in out:
                with self.more:
                    self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))
                    self.more.notify_all()
        with self.more:
            self.lines.append(None)
            self.more.notify_all()

    def wait_line(self, start, seconds=60, after=0):
        """The first line from index `after` on that starts so, and the index behind it."""
        end = time.monotonic() + seconds
        with self.more:
            while True:
                for i in range(after, len(self.lines)):
                    if self.lines[i] is None:
                        raise AssertionError("target ended: " + "\n".join(filter(None, self.lines[-20:])))
                    if self.lines[i].startswith(start):
                        return self.lines[i], i + 1
                if not self.more.wait(end - time.monotonic()) and time.monotonic() >= end:
                    raise AssertionError(f"no {start!r} in {seconds} s: {self.lines[-5:]}")

    def ready(self):
        self.words = self.wait_line("READY")[0].split()[2:]
        return self

    @property
    def address(self):
        return self.words[0]

    def get(self, path, seconds=30):
        with urllib.request.urlopen(HTTP + self.address + path, timeout=seconds) as answer:
            return answer.read()

    def stats(self):
        return json.loads(self.get("/stats"))

    def collect(self):
        """runtime.GC() twice inside: (NumGC, HeapObjects, HeapAlloc)."""
        at = len(self.lines)
        os.kill(self.pid, signal.SIGUSR1)
        return tuple(map(int, self.wait_line("GC ", after=at)[0].split()[1:]))

    def stacks(self):
        """The program's own debug=2 dump."""
        at = len(self.lines)
        os.kill(self.pid, signal.SIGUSR2)
        _, start = self.wait_line("STACKS", after=at)
        _, end = self.wait_line("END", after=start)
        return "\n".join(self.lines[start:end - 1])

    def alive(self):
        return self.process.poll() is None

    def __enter__(self):
        return self.ready()

    def __exit__(self, *_):
        if self.alive():
            self.process.kill()
        self.process.wait()


class Load:
    """The load generator; result() ends it and gives its figures."""

    def __init__(self, address, mode="sum", clients=4, args=()):
        binary = build_targets.build("load")
        self.process = subprocess.Popen([binary, "-addr", address, "-mode", mode, "-clients", str(clients),
                                         *map(str, args)], stdout=subprocess.PIPE, text=True)
        time.sleep(0.3)
        assert self.process.poll() is None, "the load generator could not connect"

    def result(self):
        if self.process.poll() is None:
            self.process.terminate()
        out, _ = self.process.communicate(timeout=60)
        return json.loads(out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def limpet(*args, code=0, seconds=120, **more):
    """Run limpet; the exit code must be `code` (None: any).  Gives the finished process."""
    done = subprocess.run([LIMPET, *map(str, args)], capture_output=True, timeout=seconds * SLOW, text=True, **more)
    if code is not None:
        assert done.returncode == code, (f"limpet {' '.join(map(str, args))}: exit {done.returncode}, not {code}\n"
                                         f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done


def limpet_json(*args, code=0, **more):
    done = limpet(*args, "--json", code=code, **more)
    try:
        return json.loads(done.stdout)
    except ValueError as bad:
        raise AssertionError(f"limpet {args}: no JSON: {bad}: {done.stdout[:2000]!r} {done.stderr[-500:]}") from bad


def start_limpet(*args):
    return subprocess.Popen([LIMPET, *map(str, args)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def status(pid, key):
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as f:
            found = re.search(rf"^{key}:\s*(.*)$", f.read(), re.M)
            return found.group(1) if found else None
    except (FileNotFoundError, ProcessLookupError):
        return None


def children(pid):
    """(pid, state) of all children of a process, by its threads' lists."""
    found = []
    try:
        for tid in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{tid}/children", encoding="ascii") as f:
                for child in f.read().split():
                    state = status(child, "State")
                    if state:
                        found.append((int(child), state[0]))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def twins(pid):
    """Living copies of a process: children that run the same executable."""
    found = []
    for child, state in children(pid):
        try:
            if state != "Z" and os.path.samefile(f"/proc/{child}/exe", f"/proc/{pid}/exe"):
                found.append(child)
        except OSError:
            pass
    return found


def shape(pid):
    """What must not grow: threads, descriptors, children, zombies."""
    kids = children(pid)
    return {"threads": len(os.listdir(f"/proc/{pid}/task")), "fds": len(os.listdir(f"/proc/{pid}/fd")),
            "children": len(kids), "zombies": sum(state == "Z" for _, state in kids)}


def traced(pid):
    """True while some thread of it has a tracer."""
    try:
        return any(status(f"{pid}/task/{tid}", "TracerPid") not in ("0", None)
                   for tid in os.listdir(f"/proc/{pid}/task"))
    except FileNotFoundError:
        return False


def on_terminal(*argv):
    """What a command shows where stdout is a terminal."""
    try:
        ours, its = pty.openpty()
    except OSError as no:
        import pytest  # the demo, which needs this file too, runs without
        pytest.skip(f"no terminal to be had here: {no}")
    with subprocess.Popen([LIMPET, *map(str, argv)], stdout=its, stderr=subprocess.DEVNULL) as p:
        os.close(its)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # EIO: its end is closed
                break
            if not part:
                break
            shown += part
        assert p.wait(timeout=60) == 0
    os.close(ours)
    return shown
