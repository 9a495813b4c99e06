"""The Nth system call of a kind fails, in whichever of limpet's processes: a whole answer, or one line; the program unharmed.

build/tests/fault/limpet-faults is all of limpet with those calls wrapped (tests/fault/faults.c).  A few N of
each kind here, every one of them with LIMPET_FULL=1; `make asan` runs it under the sanitizer.
"""
import errno
import os
import random
import re
import shutil
import struct
import subprocess
import tempfile
import time

import pytest

import build_targets
from procs import FULL, LIMPET, SLOW, Target, children, traced

FAULTS = os.path.join(os.path.dirname(LIMPET), "tests", "fault", "limpet-faults")
KINDS = {"open": [errno.ENOENT, errno.EMFILE, errno.EACCES], "read": [errno.EIO, errno.ESRCH], "write": [errno.ENOSPC],
         "ptrace": [errno.ESRCH, errno.EPERM], "fork": [errno.EAGAIN], "mmap": [errno.ENOMEM], "send": [errno.EPIPE],
         "recv": [errno.ECONNRESET], "socket": [errno.EMFILE]}
QUICK = 10
ONLY_PTRACE = ("setpriv", "--bounding-set", "-all,+sys_ptrace", "--inh-caps", "-all,+sys_ptrace")
NOBODY = 65534
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
WITH_THREADS = ("--threads", "2")


@pytest.fixture(scope="module", autouse=True)
def built():
    build = os.path.dirname(LIMPET)
    if os.path.exists(os.path.join(build, "build.ninja")):
        subprocess.run(["ninja", "-C", build, "tests/fault/limpet-faults"], check=True, stdout=subprocess.DEVNULL)
    elif not os.path.exists(FAULTS):
        pytest.skip("limpet was not built here")


class Faults:
    """Runs of limpet-faults against one program."""

    def __init__(self, folder, target, who=()):
        self.target, self.file, self.who = target, os.path.join(folder, "count"), who

    def run(self, command, fault):
        with open(self.file, "wb") as f:
            f.write(bytes(8))
        env = dict(os.environ, LIMPET_FAULT=fault, LIMPET_FAULT_COUNT=self.file)
        done = subprocess.run([*self.who, FAULTS, *map(str, command)], capture_output=True, text=True, env=env,
                              timeout=60 * SLOW, stdin=subprocess.DEVNULL)
        with open(self.file, "rb") as f:
            return done, struct.unpack("Q", f.read())[0]

    def count(self, command, kind):
        done, n = self.run(command, kind + ":0:0")
        assert done.returncode == 0, done
        return n

    def settled(self):
        """Nothing of ours stays in the program; what a killed surgeon may leave is for the next to take away."""
        end = time.monotonic() + 2
        while (traced(self.target.pid) or children(self.target.pid)) and time.monotonic() < end:
            time.sleep(0.01)
        return not traced(self.target.pid) and not children(self.target.pid)


def ends_cleanly(done, fault):
    assert done.returncode in (0, 1, 3, 4, 5), (fault, done)
    assert "Sanitizer" not in done.stderr and "Assertion" not in done.stderr, (fault, done.stderr[-2000:])
    if done.returncode in (3, 4, 5):
        assert re.fullmatch(r"limpet: [^\n]+\n", done.stderr) or "cannot be written" in done.stderr, (fault, done)
    else:
        assert done.stderr == "" or done.stderr.count("\n") == 1, (fault, done)


def orphans(binary):
    """Copies of a program that has ended, which nobody will ever end."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            if fields[0] != "Z" and os.readlink(f"/proc/{pid}/exe") == binary:
                found.append(int(pid))
        except OSError:
            pass
    return found


def chosen(n, quick=QUICK):
    """All of them, or some, the first and the last ones always among them."""
    if FULL or n <= quick:
        return range(1, n + 1)
    return sorted({1, 2, n - 1, n} | set(random.sample(range(1, n + 1), quick - 4)))


@pytest.mark.parametrize("kind", KINDS)
def test_fault(tmp_path, kind):
    bad = []
    with Target("quiet") as target:
        faults = Faults(tmp_path, target)
        commands = [("verify", target.pid, "--wait", "0", *WITH_THREADS)]
        if FULL or kind in ("open", "write", "mmap"):
            commands.append(("snapshot", target.pid, "-o", tmp_path / "core", *WITH_THREADS))
        for command in commands:
            n = faults.count(command, kind)
            # Of ptrace there are few, each another step between the program and its twin.
            for i in chosen(n, 3 * QUICK if kind == "ptrace" else QUICK):
                for number in KINDS[kind] if FULL else [random.choice(KINDS[kind])]:
                    fault = f"{kind}:{i}:{number}"
                    done, _ = faults.run(command, fault)
                    try:
                        ends_cleanly(done, fault)
                        assert target.alive(), f"{fault}: the program died"
                        if not faults.settled():
                            faults.run(("doctor", "--reap", target.pid), "none")
                            assert faults.settled(), f"{fault}: {children(target.pid)}"
                    except AssertionError as no:
                        bad.append(str(no)[:600])
        assert not bad, "\n".join(bad)
        assert faults.run(("verify", target.pid), "none")[0].returncode == 0


@pytest.fixture
def openly():
    """A folder that another user can run programs in."""
    with tempfile.TemporaryDirectory(prefix="limpet-faults-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        yield folder


@ROOT
def test_a_twin_that_lends_its_memory(tmp_path, openly):
    """CAP_SYS_PTRACE alone and another user's program: every ptrace(2) on the way fails in turn."""
    binary = shutil.copy(build_targets.build("quiet"), openly)
    bad, unmarked = [], set()
    with Target("quiet", binary=binary, user=NOBODY) as target:
        faults = Faults(tmp_path, target, ONLY_PTRACE)
        command = ("verify", target.pid, "--wait", "0", *WITH_THREADS)
        n = faults.count(command, "ptrace")
        assert n > Faults(tmp_path, target).count(command, "ptrace") + 15  # the twin's calls and their words
        for i in chosen(n, 12):
            fault = f"ptrace:{i}:{random.choice(KINDS['ptrace'])}"
            done, _ = faults.run(command, fault)
            try:
                ends_cleanly(done, fault)
                assert target.alive(), f"{fault}: the program died"
                if not faults.settled():
                    Faults(tmp_path, target).run(("doctor", "--reap", target.pid), "none")
                    faults.settled()
                    now = set(children(target.pid))
                    # Born, and dead before it could mark itself: nobody can tell whose zombie that is.
                    assert all(state == "Z" for _, state in now) and not traced(target.pid), f"{fault}: {now}"
                    unmarked |= now
            except AssertionError as no:
                bad.append(str(no)[:600])
        assert not bad, "\n".join(bad)
        assert len(unmarked) <= 2, unmarked
        assert faults.run(("verify", target.pid), "none")[0].returncode == 0


@pytest.mark.parametrize("user,who", [pytest.param(None, (), id="root"),
                                      pytest.param(NOBODY, ONLY_PTRACE, marks=ROOT, id="lent")])
def test_the_program_dies_at_the_nth_ptrace(tmp_path, openly, user, who):
    """SIGKILL between any two steps of the surgeon; no copy of the program stays behind."""
    binary = shutil.copy(build_targets.build("quiet"), openly)
    with Target("quiet", binary=binary, user=user) as target:
        n = Faults(tmp_path, target, who).count(("verify", target.pid), "death")
    for i in chosen(n) if not FULL else [*chosen(n)] * 3:
        with Target("quiet", binary=binary, user=user) as target:
            done, _ = Faults(tmp_path, target, who).run(("verify", target.pid), f"death:{i}:{target.pid}")
            assert done.returncode in (0, 3), (i, done)
            ends_cleanly(done, f"death:{i}")
            # The one fault at the very end may come after the last call.
            target.process.kill()
            assert target.process.wait(20 * SLOW) == -9
        time.sleep(0.05)
        assert not orphans(binary), f"death:{i}: {orphans(binary)}"
