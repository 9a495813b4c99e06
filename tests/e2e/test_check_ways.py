"""`limpet check`, other ways in: a soak run, a program that runs already, several programs, `go run`."""
import json
import os
import shutil
import subprocess
import time

import pytest

import procs
from procs import build_targets, limpet

LOAD = 'for i in 1 2 3 4 5 6 7 8 9 10; do curl -sf localhost:$LIMPET_PORT/ >/dev/null || { echo no answer; exit 1; }; done'


@pytest.fixture(scope="module")
def broken():
    return build_targets.build("check/broken")


def check(*args, code, **more):
    done = limpet("check", "--json", *args, code=code, **more)
    answer = json.loads(done.stdout)
    assert len(answer["checks"]) == 1
    return answer["checks"][0]


def leaks_sessions(found):
    assert found["result"] == "failed"
    assert any("main.session" in f["title"] and f["verdict"] == "leak" for f in found["findings"]), found["findings"]


def start(binary, *args):
    """The program, and the port that it says."""
    process = subprocess.Popen([binary, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout:
        if "listening on" in line:
            return process, line.strip().rsplit(":", 1)[1]
    raise AssertionError("it does not listen")


@pytest.mark.full
@pytest.mark.parametrize("mode", ["leak", "ok"])
def test_soak(broken, mode):
    """--duration: no sooner, and not much later; the verdict is over all of it."""
    began = time.monotonic()
    found = check("--duration", "40s", "--load", LOAD, "--", broken, "-mode", mode, code=mode == "leak")
    took = time.monotonic() - began
    assert 38 < took < 40 + 25 * procs.SLOW
    assert len(found["rounds"]) >= 5
    if mode == "leak":
        leaks_sessions(found)


@pytest.mark.parametrize("mode", ["leak", "ok"])
@pytest.mark.parametrize("force", [pytest.param([], marks=pytest.mark.full), ["--force-gc"]])
def test_one_that_runs_already(broken, mode, force):
    """--pid: it is asked, by its own collections or by some that are brought about, and runs on unharmed."""
    process, port = start(broken, "-mode", mode)
    try:
        load = LOAD.replace("$LIMPET_PORT", port)
        found = check("--pid", process.pid, *force, "--load", load, code=None)
        if force:
            assert found["result"] == ("failed" if mode == "leak" else "passed"), found["why"]
        else:  # an idle program collects every two minutes: nothing may be said, and nothing wrong
            assert found["result"] in (("failed", "unsure") if mode == "leak" else ("passed", "unsure")), found["why"]
        assert process.poll() is None and not procs.traced(process.pid) and not procs.children(process.pid)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@pytest.mark.full
@pytest.mark.parametrize("which, code", [("broken", 1), ("helper", 0)])
def test_which_of_several(broken, tmp_path, which, code):
    """A shell that starts two: --exe says which is looked at, and so whose port it is."""
    other = tmp_path / "helper"
    shutil.copy(broken, other)
    both = f"{other} -mode ok & exec {broken} -mode leak"
    found = check("--exe", which, "--load", LOAD, "--", "sh", "-c", both, code=code)
    if code:
        leaks_sessions(found)


def test_go_run(tmp_path):
    """`go run`: the compiler, the linker and the program's launcher are not what is meant."""
    for name in ("go.mod", "main.go"):
        source = os.path.join(build_targets.PROGS, "check/broken", name)
        if os.path.exists(source):
            (tmp_path / name).write_bytes(open(source, "rb").read())
    (tmp_path / "go.mod").write_text("module example.test/broken\n\ngo 1.22\n")
    found = check("--load", LOAD, "--", "go", "run", ".", "-mode", "leak", code=1, cwd=tmp_path)
    leaks_sessions(found)
