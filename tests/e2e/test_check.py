"""`limpet check`: programs that do not do their part, and that nothing is left running, however it ends.

What leaks and what does not is told by the programs of test_check_judge.py; here it is who is started and ended.
"""
import json
import os
import signal
import subprocess
import time

import pytest

from procs import LIMPET, SLOW, build_targets, limpet

LOAD = 'for i in 1 2 3 4 5 6 7 8 9 10; do curl -sf localhost:$LIMPET_PORT/ >/dev/null || { echo no answer; exit 1; }; done'
QUICK_ENDS = [(signal.SIGINT, "ok"), (signal.SIGKILL, "forks"), (signal.SIGKILL, "daemon")]
EMPTY = "curl -sf localhost:$LIMPET_PORT/ >/dev/null"


@pytest.fixture(scope="module")
def broken():
    return build_targets.build("check/broken")


@pytest.fixture
def mark(tmp_path):
    """A word for the command line of what is started, to find it again; it must be gone at the end."""
    word = "limpet-check-" + os.path.basename(tmp_path) + str(os.getpid())
    yield word
    assert not named(word), named(word)


def named(word):
    """Processes, zombies too, with that word in their command line: not limpet itself."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                line = f.read().replace(b"\0", b" ").decode("utf-8", "replace")
            if word in line and not os.path.realpath(f"/proc/{pid}/exe").endswith("limpet") and int(pid) != os.getpid():
                found.append((pid, line))
        except OSError:
            pass
    return found


def wait_gone(word, seconds=10):
    end = time.monotonic() + seconds * SLOW
    while named(word) and time.monotonic() < end:
        time.sleep(0.05)
    assert not named(word), named(word)


def temps(folder):
    return [n for n in os.listdir(folder) if n.startswith("limpet")]


def check(*args, code, env=None, **more):
    """The one check of the answer."""
    done = limpet("check", "--json", *args, code=code, env=dict(os.environ, **(env or {})), **more)
    answer = json.loads(done.stdout)
    assert len(answer["checks"]) == 1
    return answer["checks"][0]


def test_leak_is_red(broken, mark, tmp_path):
    found = check("--load", LOAD, "--", broken, "-mode", "leak", "-mark", mark, code=1,
                  env={"TMPDIR": str(tmp_path)})
    assert found["result"] == "failed"
    row = found["findings"][0]
    assert row["kind"] == "global-growth" and "main.session" in row["title"]
    # ten sessions a load, as the program's source says
    assert "10 main.session" in row["title"]
    # the line, also of a program that is stripped and reads no profile
    with open(os.path.join(build_targets.PROGS, "check/broken/main.go"), encoding="utf-8") as f:
        line = next(n for n, text in enumerate(f, 1) if "// the line" in text)
    assert row["at"]["line"] == line and row["at"]["function"] == "main.work", row["at"]
    assert not temps(tmp_path)


def test_healthy_is_green(broken, mark):
    found = check("--load", LOAD, "--", broken, "-mode", "ok", "-mark", mark, code=0)
    assert found["result"] == "passed" and not found["findings"]


@pytest.mark.full
def test_limit(broken, mark):
    """Ten answers a load cannot be made of a kilobyte; of a gigabyte they can."""
    one = ["--repeat", "3", "--load", LOAD, "--", broken, "-mark", mark]
    found = check("--max-alloc", "1K", "--max-gc-cpu", "100%", *one, code=1)
    assert found["result"] == "failed" and "limit" in found["why"]
    assert {x["name"]: x["broken"] for x in found["limits"]}["alloc"] is True
    found = check("--max-alloc", "1G", *one, code=None)
    assert {x["name"]: x["broken"] for x in found["limits"]}["alloc"] is False


@pytest.mark.parametrize("mode,words,output", [
    ("crash-start", "exited with 7 before it was ready", "no configuration"),
    ("crash-load", "exited with 2 during the load", "about to crash"),
    ("exit", "exited with 0 during the load", "listening on"),
])
def test_program_ends(broken, mark, mode, words, output):
    found = check("--load", LOAD, "--", broken, "-mode", mode, "-mark", mark, code=3)
    assert found["result"] == "broken"
    assert words in found["why"], found["why"]
    assert output in found["output"], found["output"]


def test_never_ready(broken, mark):
    began = time.monotonic()
    found = check("--ready-timeout", "2s", "--", broken, "-mode", "never", "-mark", mark, code=3)
    assert "not ready within 2 s" in found["why"] and "starting" in found["output"]
    assert time.monotonic() - began < 15 * SLOW


def test_load_fails(broken, mark):
    found = check("--load", "echo the load says no; exit 3", "--", broken, "-mark", mark, code=3)
    assert found["why"].startswith("the load exited with 3") and "the load says no" in found["output"]
    found = check("--load", "sleep 60", "--load-timeout", "1s", "--", broken, "-mark", mark, code=3)
    assert "longer than 1 s" in found["why"]


@pytest.mark.full
def test_load_leaves_something(broken, mark):
    """What a load leaves running ends with it."""
    check("--load", EMPTY + f"; sh -c 'while :; do sleep 0.1; : {mark}; done' >/dev/null 2>&1 & true", "--repeat", "1",
          "--", broken, code=1)
    assert not named(mark)


def test_ignores_sigterm(broken, mark):
    found = check("--load", EMPTY, "--repeat", "1", "--stop-timeout", "1s", "--", broken, "-mode", "ignore",
                  "-mark", mark, code=None)
    assert "was killed" in found["why"]


@pytest.mark.parametrize("mode", ["forks", "daemon"])
def test_forks(broken, mark, mode):
    found = check("--load", EMPTY, "--repeat", "1", "--stop-timeout", "1s", "--", broken, "-mode", mode,
                  "-mark", mark, code=None)
    assert found["result"] in ("passed", "unsure")
    assert not named(mark)


def test_not_go(mark):
    found = check("--ready-timeout", "1s", "--", "sh", "-c", f"while :; do sleep 0.1; : {mark}; done", code=3)
    assert "no Go program" in found["why"]


def test_cannot_be_started():
    assert "No such file" in check("--", "./no-such-program", code=3)["why"]


def test_usage(broken):
    assert "want a program" in limpet("check", code=2).stderr
    assert "not both" in limpet("check", "--pid", "1", "--", broken, code=2).stderr
    assert "--ready-port" in limpet("check", "--ready-port", "x", "--", broken, code=2).stderr
    assert "regular expression" in limpet("check", "--ready-line", "(", "--", broken, code=2).stderr


@pytest.mark.parametrize("ready", [
    ["--ready-line", "listening on 127"], ["--ready-cmd", "curl -sf localhost:$LIMPET_PORT/"],
    pytest.param([], marks=pytest.mark.full),
])
def test_ready(broken, mark, ready):
    found = check(*ready, "--load", EMPTY, "--repeat", "1", "--", "sh", "-c", f"{broken} -mark {mark}; true", code=None)
    assert found["result"] in ("passed", "unsure"), found["why"]


def test_ready_port(broken, mark):
    """A port that nobody has: it says so."""
    found = check("--ready-port", "127.0.0.1:1", "--ready-timeout", "1s", "--", broken, "-mark", mark, code=3)
    assert "takes no connections" in found["why"] and "refused" in found["why"]


def test_load_environment(broken, mark, tmp_path):
    notes = tmp_path / "notes"
    check("--load", f'echo "$LIMPET_ROUND $LIMPET_LOAD $LIMPET_PID $LIMPET_PORT" >>{notes}; {EMPTY}', "--repeat", "2",
          "--", broken, "-mark", mark, code=None)
    lines = [list(map(int, line.split())) for line in notes.read_text().splitlines()]
    assert [x[1] for x in lines] == list(range(1, len(lines) + 1))
    assert lines[0][0] == 0 and lines[-1][0] == 2
    assert len({x[2] for x in lines}) == 1 and lines[0][3] > 0


def start(*args, **more):
    return subprocess.Popen([LIMPET, "check", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def wait_named(word, n=1, seconds=20):
    end = time.monotonic() + seconds * SLOW
    while len(named(word)) < n:
        assert time.monotonic() < end, named(word)
        time.sleep(0.05)


@pytest.mark.parametrize("sig,mode", [
    pytest.param(sig, mode, marks=[] if (sig, mode) in QUICK_ENDS else pytest.mark.full)
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL) for mode in ("ok", "forks", "daemon")
])
def test_limpet_is_ended(broken, mark, sig, mode, tmp_path):
    """However limpet goes, nothing that it started is left."""
    with start("--load", f": {mark}; sleep 0.3", "--stop-timeout", "1s", "--", broken, "-mode", mode, "-mark", mark,
               env=dict(os.environ, TMPDIR=str(tmp_path))) as p:
        wait_named(mark, 2)
        time.sleep(1)
        p.send_signal(sig)
        p.communicate(timeout=30 * SLOW)
        assert p.returncode == -sig
    wait_gone(mark)
    if sig != signal.SIGKILL:
        assert not temps(tmp_path)


def warden_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        kids = f.read().split()
    for kid in kids:
        with open(f"/proc/{kid}/comm", encoding="ascii") as f:
            if f.read().strip() == "limpet-warden":
                return int(kid)
    return None


def test_warden_is_killed(broken, mark):
    """Who holds the program is killed: limpet says so, and ends the rest."""
    with start("--json", "--load", "sleep 0.2", "--", broken, "-mode", "daemon", "-mark", mark) as p:
        wait_named(mark, 2)
        time.sleep(0.5)
        os.kill(warden_of(p.pid), signal.SIGKILL)
        out, _ = p.communicate(timeout=30 * SLOW)
        assert p.returncode == 3, out
        assert json.loads(out)["checks"][0]["result"] == "broken"
    wait_gone(mark)


def test_pid(broken, mark):
    """A program that runs already is looked at, and left alone."""
    with subprocess.Popen([broken, "-mark", mark], stdout=subprocess.PIPE, text=True) as p:
        try:
            port = p.stdout.readline().rsplit(":", 1)[1].strip()
            found = check("--pid", str(p.pid), "--repeat", "1", "--settle", "500ms", "--load",
                          f"curl -sf localhost:{port}/ >/dev/null", code=None)
            assert found["result"] in ("passed", "unsure")
            assert p.poll() is None
        finally:
            p.terminate()
            p.wait()


def test_keeps_looks(broken, mark, tmp_path):
    looks = tmp_path / "looks"
    check("--load", EMPTY, "--repeat", "1", "--keep-looks", str(looks), "--log", str(tmp_path / "log"), "--", broken,
          "-mark", mark, code=None)
    assert sorted(os.listdir(looks)) == ["0.limpet", "1.limpet"]
    assert "listening on" in (tmp_path / "log").read_text()
