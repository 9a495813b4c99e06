"""What goes wrong: exit codes, one line that says what, where and what to do, and a target that lives on."""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from procs import LIMPET, SLOW, Target, children, limpet, start_limpet, traced


def fails(code, *args, **more):
    """Exit code, and one line on stderr that starts with our name."""
    done = limpet(*args, code=code, **more)
    assert done.stdout == ""
    lines = done.stderr.strip().split("\n")
    assert len(lines) == 1 and lines[0].startswith("limpet"), done.stderr
    return lines[0]


def gone_pid():
    with subprocess.Popen(["true"]) as p:
        return p.pid


def test_usage():
    assert limpet("frobnicate", code=None).returncode == 2
    assert limpet("report", code=None).returncode == 2
    assert limpet("report", str(os.getpid()), "--no-such-option", code=None).returncode == 2
    assert limpet("top", "1", "--limit", "many", code=None).returncode == 2
    limpet("--help")
    assert limpet("--version").stdout.strip()


def test_no_such_process():
    pid = gone_pid()
    assert str(pid) in fails(3, "report", pid)
    fails(3, "report", "name:no-such-program-is-running")
    fails(3, "report", "/no/such/file")


@pytest.mark.parametrize("pid", ["0", "-1", "99999999999999999999", "pid:", "pid:x", "name:"])
def test_nonsense_pid(pid):
    assert limpet("report", pid, code=None).returncode in (2, 3)


def test_not_go():
    with subprocess.Popen(["sleep", "60"]) as p:
        try:
            assert "Go" in fails(4, "report", p.pid)
            assert p.poll() is None and not traced(p.pid)
        finally:
            p.kill()


def test_python_is_not_go():
    fails(4, "report", os.getpid())
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as p:
        time.sleep(0.2)
        try:
            fails(4, "verify", p.pid)
        finally:
            p.kill()


def test_kernel_thread_and_self():
    assert limpet("report", "2", code=None).returncode in (3, 4)
    assert limpet("report", str(os.getppid()), code=None).returncode in (3, 4)


def test_zombie():
    p = subprocess.Popen(["true"])
    time.sleep(0.2)
    try:
        fails(3, "report", p.pid)
    finally:
        p.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_denied(tmp_path):
    """Another user's process: refused, and the line says what would help."""
    with Target("quiet") as target:
        copy = "/tmp/limpet-denied-%d" % os.getpid()
        shutil.copy(LIMPET, copy)
        os.chmod(copy, 0o755)
        try:
            done = subprocess.run([copy, "report", str(target.pid)], capture_output=True, text=True, user=65534,
                                  group=65534, extra_groups=[], timeout=60 * SLOW, cwd="/")
        finally:
            os.unlink(copy)
        assert done.returncode == 3, done
        assert "root" in done.stderr or "CAP_SYS_PTRACE" in done.stderr or "permission" in done.stderr.lower()
        assert target.alive() and not traced(target.pid)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_same_user_without_capabilities():
    """No capability is needed for a process of one's own."""
    binary = "/tmp/limpet-quiet-%d" % os.getpid()
    copy = binary + "-limpet"
    import build_targets
    shutil.copy(build_targets.build("quiet"), binary)
    shutil.copy(LIMPET, copy)
    for f in (binary, copy):
        os.chmod(f, 0o755)
    try:
        with Target("quiet", binary=binary, user=65534) as target:
            done = subprocess.run([copy, "verify", str(target.pid)], capture_output=True, text=True, user=65534,
                                  group=65534, extra_groups=[], timeout=60 * SLOW, cwd="/")
            # Where yama forbids it, limpet must say so; elsewhere it works.
            assert done.returncode == 0 or "ptrace_scope" in done.stderr, done
            assert target.alive()
    finally:
        os.unlink(binary)
        os.unlink(copy)


def test_already_traced():
    """A process under another debugger, here this test: refused, and not disturbed."""
    seize, interrupt, detach = 0x4206, 0x4207, 17
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    with Target("quiet") as target:
        assert ptrace(seize, target.pid, None, None) == 0, os.strerror(ctypes.get_errno())
        fails(3, "report", target.pid)
        assert target.alive() and traced(target.pid)
        ptrace(interrupt, target.pid, None, None)
        os.waitpid(target.pid, 0)
        ptrace(detach, target.pid, None, None)
        assert not traced(target.pid)
        limpet("verify", target.pid)


def test_pause_limit():
    """Predicted before anything is injected: refused with the figure."""
    with Target("bigmaps") as target:
        line = fails(5, "report", target.pid, "--max-pause", "0.01")
        assert "ms" in line
        assert not children(target.pid) and target.alive()


def test_memory_limit(mixed):
    fails(5, "report", mixed.pid, "--max-memory", "1M")
    assert mixed.alive() and not children(mixed.pid)


def test_why_of_nothing(mixed):
    assert limpet("why", mixed.pid, "main.noSuchType", code=None).returncode in (2, 3, 4)
    assert limpet("why", mixed.pid, "0x10", code=None).returncode in (2, 3, 4)
    assert limpet("object", mixed.pid, "nonsense", code=None).returncode == 2


def test_target_dies_while_looked_at():
    """kill -9 of the target at any instant: an answer or exit 3, never a crash and never a process that stays."""
    for i in range(10):
        with Target("mixed") as target:
            looking = start_limpet("report", target.pid)
            time.sleep(0.02 * i)
            target.process.kill()
            target.process.wait()
            assert looking.wait(60 * SLOW) in (0, 3, 4)


def test_stopped_target():
    """SIGSTOPped: readable, and still stopped afterwards."""
    with Target("mixed") as target:
        os.kill(target.pid, signal.SIGSTOP)
        time.sleep(0.2)
        done = limpet("verify", target.pid, code=None)
        assert done.returncode in (0, 3), done.stderr
        with open(f"/proc/{target.pid}/stat", encoding="ascii", errors="replace") as f:
            assert f.read().rsplit(")", 1)[1].split()[0] == "T"
        os.kill(target.pid, signal.SIGCONT)
        assert target.collect()[0] > 0
