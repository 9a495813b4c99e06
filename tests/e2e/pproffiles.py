"""Profiles of every kind that the runtime of each Go writes (tests/goprogs/profmaker), and what go tool pprof says of them."""
import fcntl
import functools
import os
import re
import subprocess
import tempfile

import build_targets

VERSIONS = ["1.18", "1.21", "1.24", "1.27"]
STATES = ["heap.0", "heap.1", "heap.2", "allocs.0", "allocs.1", "goroutine.0", "goroutine.1", "threadcreate.0"]
TIMES = ["cpu.0", "cpu.1", "mutex.0", "mutex.1", "block.0", "block.1"]
DELTAS = ["heap.delta", "allocs.delta", "goroutine.delta"]
KINDS = STATES + TIMES + DELTAS


@functools.lru_cache(maxsize=None)
def folder(minor):
    """Where the profiles of that Go lie; made once and kept as long as the program is the same."""
    program = build_targets.build("profmaker", minor)
    where = program + ".profiles"
    with open(where + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = os.path.join(where, "done")
        if not os.path.exists(done) or os.path.getmtime(done) < os.path.getmtime(program):
            os.makedirs(where, exist_ok=True)
            subprocess.run([program, where], check=True, capture_output=True, timeout=120)
            with open(done, "w", encoding="ascii"):
                pass
    return where


def path(minor, kind):
    name = kind if ".debug" in kind else kind + ".pb.gz"
    return os.path.join(folder(minor), name)


@functools.lru_cache(maxsize=None)
def pprof(*arguments):
    """Its lines on stdout, without what stands above the table.  Words about filters go to stderr."""
    out = run_pprof(*arguments)
    assert out.returncode == 0, (arguments, out.stderr)
    return table(out.stdout)


def run_pprof(*arguments):
    return subprocess.run([build_targets.toolchain(build_targets.NEWEST), "tool", "pprof", "-symbolize=none", *arguments],
                          capture_output=True, text=True, check=False,
                          env=dict(os.environ, GOTOOLCHAIN="local", PPROF_TMPDIR=tempfile.gettempdir(), TZ="UTC"))


def table(text):
    """From the line that says how much is shown; white space as one blank, for columns are of the same width only where
    figures are."""
    lines = text.splitlines()
    begin = [i for i, line in enumerate(lines) if line.startswith(("Showing nodes", "Total:"))]
    return [re.sub(r"\s+", " ", line).strip() for line in lines[begin[0]:]]


def differences(ours, theirs):
    """The first lines that are not the same."""
    found = [f"{a!r} instead of {b!r}" for a, b in zip(ours, theirs) if a != b]
    if len(ours) != len(theirs):
        found.append(f"{len(ours)} lines instead of {len(theirs)}")
    return found[:5]
