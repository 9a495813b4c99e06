"""Interrupted at any instant, by a signal or by a terminal that goes: the program works on, and no twin of it stays."""
import os
import pty
import random
import signal
import subprocess
import time

import pytest

from procs import FULL, LIMPET, SLOW, Target, shape, status, traced, twins


def grown(pid, before):
    """What is not as before; Go starts a thread of its own now and then."""
    now = shape(pid)
    more = {k: (before[k], now[k]) for k in now if now[k] != before[k] and k != "threads"}
    return more or now["threads"] > before["threads"] + 2


def settle(target, before):
    """As before, soon: the surgeon may outlive limpet by a moment."""
    end = time.monotonic() + 5 * SLOW
    while (grown(target.pid, before) or traced(target.pid)) and time.monotonic() < end:
        time.sleep(0.02)
    assert not grown(target.pid, before) and not traced(target.pid) and not twins(target.pid)
    assert target.alive()


def one_line_or_none(said):
    assert said.count("\n") <= 1 and (not said or said.startswith("limpet: interrupted by signal ")), said


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_at_any_instant(mixed, sig):
    before = shape(mixed.pid)
    for _ in range(100 if FULL else 6):
        p = subprocess.Popen([LIMPET, "report", str(mixed.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             text=True)
        time.sleep(random.random() * 0.25 * SLOW)
        p.send_signal(sig)
        _, said = p.communicate(timeout=20 * SLOW)
        assert p.returncode in (0, -sig)
        one_line_or_none(said)
        settle(mixed, before)


def test_interrupt_of_the_whole_group(mixed):
    """As a terminal does it: limpet and all that it started get the signal."""
    before = shape(mixed.pid)
    for _ in range(100 if FULL else 6):
        p = subprocess.Popen([LIMPET, "verify", str(mixed.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             start_new_session=True)
        time.sleep(random.random() * 0.25 * SLOW)
        os.killpg(p.pid, signal.SIGINT)
        assert p.wait(20 * SLOW) in (0, -signal.SIGINT)
        settle(mixed, before)


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_while_it_is_frozen(sig):
    """--freeze: the program runs again at once, also when limpet is killed."""
    with Target("mixed") as target:
        before = shape(target.pid)
        for _ in range(50 if FULL else 5):
            p = subprocess.Popen([LIMPET, "report", str(target.pid), "--freeze"], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
            time.sleep(random.random() * 0.2 * SLOW)
            p.send_signal(sig)
            assert p.wait(20 * SLOW) in (0, -sig)
            settle(target, before)
            assert status(target.pid, "State")[0] in "SR"
        assert target.collect()[0] > 0


def test_terminal_gone(mixed):
    """The terminal is closed while it works: limpet ends, nothing stays."""
    before = shape(mixed.pid)
    for _ in range(50 if FULL else 4):
        try:
            pid, fd = pty.fork()
        except OSError as no:
            pytest.skip(f"no terminal to be had here: {no}")
        if pid == 0:
            os.execv(LIMPET, [LIMPET, "report", str(mixed.pid)])
        while not os.path.samefile(f"/proc/{pid}/exe", LIMPET):  # forkpty(3) and exec are not limpet's
            time.sleep(0.001)
        time.sleep(random.random() * 0.25 * SLOW)
        os.close(fd)
        end = time.monotonic() + 20 * SLOW
        done = 0
        while not done and time.monotonic() < end:
            done, ended = os.waitpid(pid, os.WNOHANG)
            time.sleep(0.01)
        assert done and os.waitstatus_to_exitcode(ended) in (0, 3, -signal.SIGHUP)
        settle(mixed, before)
