"""limpet doctor: what it says against what the other commands then do; --selftest and --reap against /proc."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

import build_targets
from test_bad_days import EPERM, SYS_ACCT, refuse
from procs import LIMPET, SLOW, Target, children, limpet, limpet_json, status, traced

NOBODY = 65534
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
MACHINE = {"user", "ptrace", "ptrace_scope", "lsm", "seccomp", "namespaces", "proc", "kernel", "walls", "memory"}
PROCESS = {"process", "place", "access", "filter", "children", "pause", "headroom", "overcommit", "pids", "nproc", "oom-group",
           "own-memory", "leftover", "go"}


def checks(*args, code=0, **more):
    answer = limpet_json("doctor", *args, code=code, **more)
    assert code is None or answer["ok"] == (code == 0)
    for c in answer["checks"]:
        assert set(c) == {"name", "ok", "level", "detail", "todo"} and c["detail"]
        assert c["ok"] == (c["level"] != "fail")
        assert c["ok"] or c["todo"], f"a failure without what to do: {c}"
    found = {c["name"]: c for c in answer["checks"]}
    assert len(found) == len(answer["checks"])
    return found


def test_machine():
    found = checks()
    assert set(found) == MACHINE | {"go"}
    assert os.uname().release in found["kernel"]["detail"]
    assert f"uid {os.geteuid()}" in found["user"]["detail"]
    assert "1.18 to 1.27" in found["go"]["detail"]


def test_process_is_not_touched():
    """Neither stopped nor traced: its threads' context switches are all its own, and nothing attaches."""
    with Target("quiet") as target:
        os.kill(target.pid, signal.SIGSTOP)
        time.sleep(0.2)
        before = [status(f"{target.pid}/task/{t}", "nonvoluntary_ctxt_switches") for t in os.listdir(f"/proc/{target.pid}/task")]
        found = checks(target.pid)
        after = [status(f"{target.pid}/task/{t}", "nonvoluntary_ctxt_switches") for t in os.listdir(f"/proc/{target.pid}/task")]
        assert before == after
        assert set(found) == MACHINE | PROCESS
        assert "stopped by job control" in found["process"]["detail"]
        assert "go1.27" in found["go"]["detail"] and "known" in found["go"]["detail"]
        os.kill(target.pid, signal.SIGCONT)


def test_text():
    with Target("quiet") as target:
        done = limpet("doctor", target.pid)
        assert done.stdout.endswith(f"limpet can look into process {target.pid}.\n")
        assert re.search(r"^OK    access ", done.stdout, re.M)
        assert "\x1b" not in done.stdout


def test_pause_is_what_report_refuses():
    """The same prediction, the same limit, the same code."""
    with Target("mixed") as target:
        assert checks(target.pid)["pause"]["ok"]
        found = checks(target.pid, "--max-pause", "0.01", code=5)
        assert not found["pause"]["ok"]
        assert found["pause"]["detail"] in limpet("report", target.pid, "--max-pause", "0.01", code=5).stderr


def test_not_go():
    with subprocess.Popen(["sleep", "60"]) as p:
        try:
            time.sleep(0.1)
            found = checks(p.pid, code=4)
            assert [n for n, c in found.items() if not c["ok"]] == ["go"]
        finally:
            p.kill()


@pytest.mark.parametrize("args, code", [(["999999999"], 3), (["name:nobody-is-called-so"], 3), (["pid:x"], 2),
                                        (["--reap", "999999999"], 3), (["--reap", "1", "1"], 2),
                                        (["--selftest", "1"], 2), (["/etc/hostname"], 4)])
def test_bad_arguments(args, code):
    done = limpet("doctor", *args, code=code)
    assert done.stdout == "" and done.stderr.count("\n") == 1 and done.stderr.startswith("limpet: ")


@ROOT
def test_denied_says_how():
    """Another user: exit 3 as report, and the commands for Docker and Kubernetes."""
    folder = tempfile.mkdtemp(prefix="limpet-doctor-", dir="/tmp")
    try:
        os.chmod(folder, 0o755)
        copy = shutil.copy(LIMPET, folder)
        os.chmod(copy, 0o755)
        with Target("quiet") as target:
            done = subprocess.run([copy, "doctor", str(target.pid), "--json"], capture_output=True, text=True, user=NOBODY,
                                  group=NOBODY, extra_groups=[], cwd="/", timeout=60 * SLOW)
            assert done.returncode == 3, done
            found = {c["name"]: c for c in json.loads(done.stdout)["checks"]}
            access = found["access"]
            assert not access["ok"] and f"belongs to uid 0, not to you (uid {NOBODY})" in access["detail"]
            assert "--pid=container:" in access["todo"] and "--cap-add SYS_PTRACE" in access["todo"]
            assert "kubectl debug" in access["todo"] and "shareProcessNamespace: true" in access["todo"]
            assert found["user"]["level"] == "note" and found["ptrace"]["ok"]
            plain = subprocess.run([copy, "report", str(target.pid)], capture_output=True, text=True, user=NOBODY,
                                   group=NOBODY, extra_groups=[], cwd="/", timeout=60 * SLOW)
            assert plain.returncode == 3 and access["detail"] in plain.stderr
    finally:
        shutil.rmtree(folder)


def test_selftest():
    found = checks("--selftest")
    assert {"snapshot", "unharmed", "verify"} <= set(found)
    assert found["snapshot"]["level"] == "ok" and found["unharmed"]["level"] == "ok"


def test_selftest_under_a_filter():
    """As in a container with a seccomp profile: what can be shown is shown, the rest is said."""
    found = checks("--selftest", "--exe", build_targets.build("quiet"), preexec_fn=refuse([SYS_ACCT], EPERM))
    assert found["snapshot"]["level"] == "note" and "seccomp" in found["snapshot"]["detail"]
    assert "seccomp=unconfined" in found["snapshot"]["todo"]
    assert found["unharmed"]["level"] == "ok" and found["verify"]["level"] == "ok"


def test_selftest_with_a_go_program():
    """verify is really run: what it counts is what that program's collector marked."""
    found = checks("--selftest", "--exe", build_targets.build("quiet"))
    assert found["verify"]["level"] == "ok", found
    marked = int(re.search(r"all (\d+) objects", found["verify"]["detail"]).group(1))
    assert 20 < marked < 1000
    assert found["answers"]["level"] == "ok"


def test_selftest_can_fail(tmp_path):
    """A program that is no Go, and one that says nothing."""
    script = tmp_path / "prey"
    script.write_text("#!/bin/sh\necho READY\nexec sleep 60\n")
    script.chmod(0o755)
    limpet("doctor", "--selftest", "--exe", script, code=4)
    done = limpet("doctor", "--selftest", "--exe", "/bin/true", code=4)
    assert "READY" in done.stderr
    limpet("doctor", "--selftest", "--exe", "/no/such/file", code=3)


def test_selftest_leaves_nothing():
    before = set(os.listdir("/proc/self/task"))
    limpet("doctor", "--selftest")
    assert set(os.listdir("/proc/self/task")) == before and not children(os.getpid())


def test_reap_of_nothing():
    with Target("quiet") as target:
        assert limpet("doctor", "--reap", target.pid).stdout == f"process {target.pid}: nothing to do\n"
        assert limpet_json("doctor", "--reap", f"pid:{target.pid}")["reaped"] == 0
        assert not traced(target.pid)


def descendants(pid):
    for child, _ in children(pid):
        yield child
        yield from descendants(child)


def everyone_of(session_of):
    """All processes that run this limpet: the surgeon has a session of its own and stays a child."""
    return list(descendants(session_of))


def leave_a_twin(target):
    """Limpet and all its helpers killed at once, with a twin alive: True when something stayed."""
    p = subprocess.Popen([LIMPET, "report", str(target.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 10
    while not children(target.pid) and p.poll() is None and time.monotonic() < end:
        pass
    for pid in everyone_of(p.pid)[::-1]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    p.kill()
    p.wait()
    time.sleep(0.1)
    return children(target.pid)


def test_reap():
    """What a killed limpet left is seen by doctor, taken away by --reap, and gone for /proc."""
    with Target("mixed") as target:
        left = []
        for _ in range(20):
            left = leave_a_twin(target)
            if left:
                break
        assert left, "no twin was ever left behind"
        found = checks(target.pid)
        assert found["leftover"]["level"] == "note" and f"--reap {target.pid}" in found["leftover"]["todo"]
        done = limpet("doctor", "--reap", target.pid)
        assert re.fullmatch(rf"process {target.pid}: \d+ twins? of a killed limpet taken away\n", done.stdout)
        assert not children(target.pid) and not traced(target.pid)
        assert checks(target.pid)["leftover"]["level"] == "ok"
        assert limpet("doctor", "--reap", target.pid).stdout.endswith("nothing to do\n")
        assert target.collect()[0] > 0


def test_reap_leaves_other_children_alone():
    """A zombie of the program's own is its own."""
    script = "sleep 0 & exec sleep 60"
    with subprocess.Popen(["sh", "-c", script]) as p:
        try:
            time.sleep(0.4)
            mine = children(p.pid)
            assert [state for _, state in mine] == ["Z"]
            assert limpet("doctor", "--reap", p.pid).stdout.endswith("nothing to do\n")
            assert children(p.pid) == mine
        finally:
            p.kill()
