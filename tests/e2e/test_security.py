"""Least privilege: what the process that reads a target may still do, and what its end leaves behind."""
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

import build_targets
from procs import LIMPET, SLOW, Target, children, limpet, limpet_json, status, traced, twins

SANITIZED = bool(os.environ.get("LIMPET_SANITIZER") in ("asan", "tsan"))
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
walls = pytest.mark.skipif(SANITIZED, reason="sanitizers open files whenever they please")


def named(parent, name):
    """Children of a process by the name that ps shows."""
    return [pid for pid, _ in children(parent) if status(pid, "Name") == name]


def wait_for(fn, seconds=10):
    end = time.monotonic() + seconds * SLOW
    while time.monotonic() < end:
        got = fn()
        if got:
            return got
        time.sleep(0.001)
    raise AssertionError("waited in vain")


class Looking:
    """A limpet held where its twin is alive: the answer goes to a pipe that nobody reads yet."""

    def __init__(self, pid, *more, command="verify", program=LIMPET, **popen):
        self.process = subprocess.Popen([program, command, str(pid), *map(str, more)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, **popen)
        self.pid = self.process.pid

    def broker(self):
        return wait_for(lambda: named(self.pid, "lmp-broker"))[0]

    def surgeon(self):
        broker = self.broker()
        return wait_for(lambda: named(broker, "lmp-surgeon"))[0]

    def stop_when_analysing(self, target):
        """SIGSTOP once the twin is there; True when it was still there afterwards."""
        wait_for(lambda: twins(target.pid) or self.process.poll() is not None)
        os.kill(self.pid, signal.SIGSTOP)
        return bool(twins(target.pid))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def analysing(target, *more, **popen):
    """A limpet that was stopped in mid-analysis, its twin alive."""
    for _ in range(50):
        with Looking(target.pid, *more, command="report", **popen) as look:
            if look.stop_when_analysing(target):
                yield look
                return
    raise AssertionError("never met it at work")


def settled(target):
    """Nothing of limpet's is left in or around the target but what the next snapshot takes away."""
    wait_for(lambda: not twins(target.pid) and not traced(target.pid))
    assert target.alive()


@walls
def test_the_analyser_has_no_rights(mixed):
    with analysing(mixed) as look:
        assert int(status(look.pid, "CapEff"), 16) == 0
        assert int(status(look.pid, "CapPrm"), 16) == 0
        assert int(status(look.pid, "CapInh"), 16) == 0
        assert status(look.pid, "NoNewPrivs") == "1"
        assert status(look.pid, "Seccomp") == "2"
        uids = set(status(look.pid, "Uid").split())
        assert len(uids) == 1 and "0" not in uids
        assert "0" not in status(look.pid, "Gid").split()
        if os.geteuid() == 0:
            assert int(status(look.pid, "CapBnd"), 16) == 0
            with open(f"/proc/{look.pid}/status", encoding="utf-8") as f:
                assert re.search(r"^Groups:[ \t]*$", f.read(), re.M)
        # Its threads too.
        for tid in os.listdir(f"/proc/{look.pid}/task"):
            assert status(f"{look.pid}/task/{tid}", "Seccomp") == "2"
        # Files it has: the twin's memory and facts, nothing that can be written but its output.
        for fd in os.listdir(f"/proc/{look.pid}/fd"):
            with open(f"/proc/{look.pid}/fdinfo/{fd}", encoding="ascii") as f:
                flags = int(re.search(r"flags:\s*(\d+)", f.read()).group(1), 8)
            to = os.readlink(f"/proc/{look.pid}/fd/{fd}")
            writes = flags & os.O_ACCMODE != os.O_RDONLY
            assert not writes or to.startswith(("pipe:", "socket:", "/memfd:limpet-", "/dev/")), (fd, to)
    settled(mixed)


@root_only
@walls
def test_the_broker_keeps_few_rights(mixed):
    with analysing(mixed) as look:
        broker, surgeon = look.broker(), look.surgeon()
        for pid in (broker, surgeon):
            caps = int(status(pid, "CapEff"), 16)
            assert caps >> 19 & 1, "no CAP_SYS_PTRACE"
            for name, bit in {"NET_RAW": 13, "NET_ADMIN": 12, "SYS_MODULE": 16, "SETUID": 7, "MKNOD": 27, "CHOWN": 0,
                              "SYS_BOOT": 22, "SYS_CHROOT": 18, "BPF": 39}.items():
                assert not caps >> bit & 1, f"CAP_{name}"
            assert status(pid, "NoNewPrivs") == "1"
    settled(mixed)


@pytest.fixture(name="everybodys")
def fixture_everybodys():
    """Copies where every user may read them: the checkout may lie below a folder that only its owner may enter."""
    folder = tempfile.mkdtemp(prefix="limpet-walls-", dir="/tmp")
    os.chmod(folder, 0o755)
    yield [shutil.copy(path, folder) for path in (LIMPET, build_targets.build("quiet"))]
    shutil.rmtree(folder)


@walls
@root_only
def test_a_plain_user_is_confined_too(everybodys):
    """No capability to lose and no other uid to take: the filter and Landlock are there all the same."""
    program, quiet = everybodys
    with Target("quiet", binary=quiet, user=65533) as target:
        with analysing(target, program=program, user=65533, group=65533) as look:
            assert status(look.pid, "Seccomp") == "2" and status(look.pid, "NoNewPrivs") == "1"
            assert status(look.pid, "Uid").split()[0] == "65533"
        settled(target)


def test_same_answers_by_every_way(mixed, tmp_path):
    """Descriptors instead of names: -o, a pipe, a name, --exe and --layout say the same."""
    plain = limpet_json("top", mixed.pid, "--by", "type", "--limit", "3")
    out = tmp_path / "top.json"
    limpet("top", mixed.pid, "--by", "type", "--limit", "3", "--json", "-o", out)
    assert [r["name"] for r in json.loads(out.read_text())["rows"]] == [r["name"] for r in plain["rows"]]
    assert out.stat().st_mode & 0o777 == 0o600 and os.listdir(tmp_path) == ["top.json"]
    assert out.stat().st_uid == os.geteuid()
    named_exe = limpet_json("top", mixed.pid, "--by", "type", "--limit", "3", "--exe", mixed.binary)
    assert [r["name"] for r in named_exe["rows"]] == [r["name"] for r in plain["rows"]]


def test_a_core_is_read_behind_the_walls(mixed, tmp_path):
    core = tmp_path / "a.core"
    limpet("snapshot", mixed.pid, "-o", core)
    assert os.listdir(tmp_path) == ["a.core"]
    subprocess.run(["gzip", "-k", "-1", str(core)], check=True)
    rows = [limpet_json("top", f, "--by", "type", "--limit", "5")["rows"] for f in (core, f"{core}.gz")]
    assert rows[0] == rows[1] and rows[0][0]["objects"] > 0


def kill_and_wait(pid, parent):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_the_analyser_is_killed(mixed):
    with analysing(mixed) as look:
        broker, surgeon = look.broker(), look.surgeon()
        look.process.kill()
        look.process.wait()
        wait_for(lambda: not os.path.exists(f"/proc/{broker}") and not os.path.exists(f"/proc/{surgeon}"))
        assert not children(mixed.pid), "left behind"
    settled(mixed)


def test_the_broker_is_killed(mixed):
    with analysing(mixed) as look:
        surgeon = look.surgeon()
        kill_and_wait(look.broker(), look.pid)
        wait_for(lambda: not os.path.exists(f"/proc/{surgeon}"))
        assert not children(mixed.pid), "left behind"
        os.kill(look.pid, signal.SIGCONT)
        _, err = look.process.communicate(timeout=60 * SLOW)
        # Either it had all it needed, or it says so in one line.
        assert look.process.returncode in (0, 3), err
        assert look.process.returncode == 0 or "helper process" in err
    settled(mixed)


def test_the_surgeon_is_killed(mixed):
    with analysing(mixed) as look:
        kill_and_wait(look.surgeon(), look.broker())
        time.sleep(0.05)
        os.kill(look.pid, signal.SIGCONT)
        _, err = look.process.communicate(timeout=60 * SLOW)
        assert look.process.returncode in (0, 3), err
        assert look.process.returncode == 0 or "snapshot" in err or "helper process" in err
    settled(mixed)
    assert not children(mixed.pid)


def test_a_frozen_target_is_let_go_when_the_broker_dies():
    with Target("mixed") as target:
        look = Looking(target.pid, "--freeze", command="report")
        with look:
            wait_for(lambda: traced(target.pid) or look.process.poll() is not None)
            os.kill(look.pid, signal.SIGSTOP)
            if named(look.pid, "lmp-broker"):
                kill_and_wait(look.broker(), look.pid)
            wait_for(lambda: not traced(target.pid))
            os.kill(look.pid, signal.SIGCONT)
            _, err = look.process.communicate(timeout=60 * SLOW)
            assert look.process.returncode in (0, 3), err
        target.collect()


@pytest.mark.parametrize("rounds", [12, pytest.param(300, marks=pytest.mark.full)])
def test_anyone_is_killed_at_any_instant(rounds):
    """SIGKILL to analyser, broker or surgeon, whenever: the program works on, no twin outlives the next look."""
    dice = random.Random(rounds)
    with Target("mixed") as target:
        for i in range(rounds):
            with Looking(target.pid, command="report") as look:
                time.sleep(dice.random() * 0.15)
                who = dice.choice(["analyser", "broker", "surgeon"])
                brokers = named(look.pid, "lmp-broker")
                surgeons = [s for b in brokers for s in named(b, "lmp-surgeon")]
                for pid in {"analyser": [look.pid], "broker": brokers, "surgeon": surgeons}[who]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                _, err = look.process.communicate(timeout=60 * SLOW)
                assert look.process.returncode in (0, 3, -9), (who, err)
            wait_for(lambda: not traced(target.pid))
            assert target.alive()
            if i % 10 == 9 or i == rounds - 1:
                target.collect()
        limpet("report", target.pid)
        kids = children(target.pid)
        assert not [k for k in kids if k[1] != "Z"], kids
        assert len(kids) <= 1, kids


def writes_below(pid, folder):
    """Also to a file without a name."""
    with contextlib.suppress(OSError):
        return any(os.readlink(f"/proc/{pid}/fd/{fd}").startswith(str(folder)) for fd in os.listdir(f"/proc/{pid}/fd"))
    return False


def test_a_killed_writer_leaves_no_half_file(mixed, tmp_path):
    """kill -9 of the analyser while a core is written: the broker takes the unfinished file away."""
    for i in range(6):
        p = subprocess.Popen([LIMPET, "snapshot", str(mixed.pid), "-o", str(tmp_path / "x.core")],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with contextlib.suppress(AssertionError):
            wait_for(lambda: writes_below(p.pid, tmp_path) or p.poll() is not None)
        time.sleep(0.004 * i)
        p.kill()
        p.wait()
        wait_for(lambda: not [f for f in os.listdir(tmp_path) if f != "x.core"])
    settled(mixed)


def interrupt(target):
    """Ctrl-C to a limpet that was stopped in mid-analysis: its exit status."""
    with analysing(target, start_new_session=True) as look:
        broker, surgeon = look.broker(), look.surgeon()
        os.killpg(look.pid, signal.SIGINT)
        time.sleep(0.05)
        assert os.path.exists(f"/proc/{broker}") and os.path.exists(f"/proc/{surgeon}")
        os.kill(look.pid, signal.SIGCONT)
        look.process.communicate(timeout=60 * SLOW)
        assert not os.path.exists(f"/proc/{surgeon}") and not children(target.pid)
        return look.process.returncode


def test_ctrl_c_reaches_only_the_analyser(mixed):
    """The terminal's signal goes to the whole group; the broker and the surgeon clean up in order."""
    ends = []
    while -signal.SIGINT not in ends and len(ends) < 50:  # the shell expects an end by that signal
        ends.append(interrupt(mixed))
        assert ends[-1] in (0, -signal.SIGINT)  # 0: it had been stopped when all was answered but for the printing
    assert -signal.SIGINT in ends
    settled(mixed)


def v1_memory():
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        for line in f:
            left, _, right = line.partition(" - ")
            if right.split()[0] == "cgroup" and "memory" in right.split()[2].split(","):
                return left.split()[4], "memory.limit_in_bytes"
            if right.split()[0] == "cgroup2":
                with contextlib.suppress(OSError):
                    mount = left.split()[4]
                    if "memory" in open(f"{mount}/cgroup.subtree_control", encoding="ascii").read():
                        return mount, "memory.max"
    return None, None


@walls
@root_only
def test_own_memory_ends_before_the_kernel_must_kill(mixed):
    mount, limit = v1_memory()
    if not mount:
        pytest.skip("no memory cgroup to make one in")
    box = f"{mount}/limpet-security-{os.getpid()}"
    os.mkdir(box)
    try:
        with open(f"{box}/{limit}", "w", encoding="ascii") as f:
            f.write(str(20 << 20))
        done = subprocess.run(["sh", "-c", f'echo $$ > {box}/cgroup.procs; exec {LIMPET} report {mixed.pid}'],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 5 and "before memory ran out" in done.stderr, (done.returncode, done.stderr)
        assert done.stderr.count("\n") == 1 and not done.stdout
        with open(f"{box}/memory.{'events' if limit == 'memory.max' else 'oom_control'}", encoding="ascii") as f:
            assert re.search(r"oom_kill 0", f.read()), "the kernel killed"
    finally:
        wait_for(lambda: not open(f"{box}/cgroup.procs", encoding="ascii").read())
        os.rmdir(box)
    settled(mixed)


@walls
def test_max_memory_is_a_bound(mixed):
    """Private memory beyond it is refused by the kernel, and said in one line."""
    for nbytes in ("30M", "100M"):
        done = limpet("report", mixed.pid, "--max-memory", nbytes, code=5 if nbytes == "30M" else None)
        assert done.returncode in (0, 5) and (not done.returncode or done.stderr.count("\n") == 1)
    settled(mixed)
