"""`limpet core-handler`: what is kept of a program that dies, and that it is never held up for long.

With a real kernel.core_pattern where this machine lets us set it (put back whatever happens), else and
besides with cores on stdin.
"""
import contextlib
import fcntl
import glob
import json
import os
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time

import pytest

import build_targets
from procs import FULL, LIMPET, SLOW, Target, limpet, limpet_json

CANARY = b"cAnArY"
PATTERN = "/proc/sys/kernel/core_pattern"
# A sanitizer's shadow counts as our memory.
ROOM = ("--max-memory", "64T") if os.environ.get("LIMPET_SANITIZER") else ()
STEM = r"crash-\d{10}-\w+-\d+"


@pytest.fixture(name="folder")
def fixture_folder():
    """A short path: a core_pattern has 128 bytes."""
    path = tempfile.mkdtemp(prefix="lc")
    yield path
    shutil.rmtree(path)


@contextlib.contextmanager
def core_pattern(text):
    """One at a time on this machine, and put back by whoever has the lock."""
    assert len(text) < 128, text
    with open("/tmp/limpet-core-pattern.lock", "w", encoding="ascii") as lock:  # that of cores.py
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(PATTERN, encoding="ascii") as f:
            before = f.read()
        try:
            with open(PATTERN, "w", encoding="ascii") as w:
                w.write(text)
        except OSError:
            pytest.skip(f"{PATTERN} may not be written here")
        try:
            yield
        finally:
            with open(PATTERN, "w", encoding="ascii") as w:
                w.write(before)


class Death:
    """A program that dies by a signal under a core_pattern: how long that took, and what the handler said."""

    def __init__(self, folder, program="mixed", minor="1.27", options=(), sig=signal.SIGABRT, argv=None, meanwhile=None):
        self.out = os.path.join(folder, "out")
        handler = os.path.join(folder, "h")
        with open(handler, "w", encoding="ascii") as f:
            f.write(f'#!/bin/sh\nexec {LIMPET} core-handler "$@" --dir {folder}/kept {" ".join(map(str, (*ROOM, *options)))} '
                    f'>{self.out} 2>&1\n')
        os.chmod(handler, 0o755)
        argv = argv or [build_targets.build(program, minor, "stripped")]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   env=dict(os.environ, GOTRACEBACK="crash"))
        self.pid = process.pid
        try:
            if argv[0] != "sleep":
                assert process.stdout.readline().startswith(b"READY")
            with core_pattern(f"|{handler} %P %s"):
                began = time.monotonic()
                process.send_signal(sig)
                if meanwhile:
                    meanwhile(self.pid)
                self.code = process.wait(timeout=120)
                self.seconds = time.monotonic() - began
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        self.line = self.wait_line()
        self.kept = sorted(os.listdir(folder + "/kept")) if os.path.isdir(folder + "/kept") else []

    def wait_line(self):
        if not os.path.exists(self.out):  # the shell makes it before limpet runs
            pytest.skip("a chroot or container: the kernel looks for the handler in the machine's own root")
        for _ in range(100):
            with open(self.out, encoding="utf-8") as f:
                text = f.read()
            if text.endswith("\n"):
                return text
            time.sleep(0.1)
        raise AssertionError(f"the handler said {text!r}")


@pytest.mark.parametrize("minor", [pytest.param(m, marks=[] if m in ("1.22", "1.27") else pytest.mark.full)
                                   for m in build_targets.MINORS])
def test_a_go_program_dies(folder, minor):
    """The collector's own mark bits are the oracle, in the small core that was kept as in a live process."""
    death = Death(folder, minor=minor)
    assert death.code == -signal.SIGABRT
    stem = re.match(STEM, death.kept[0]).group()
    assert death.kept == [stem + ".core.zst", stem + ".report.txt"]
    assert stem.endswith(f"-mixed-{death.pid}") and death.line.count("\n") == 1
    assert f"mixed (pid {death.pid}, uid {os.geteuid()}, signal 6) died" in death.line
    for name in death.kept:
        assert stat.S_IMODE(os.stat(f"{folder}/kept/{name}").st_mode) == 0o600 and f"{folder}/kept/{name}" in death.line
    assert stat.S_IMODE(os.stat(folder + "/kept").st_mode) == 0o700
    with open(f"{folder}/kept/{stem}.report.txt", encoding="utf-8") as f:
        report = f.read()
    assert re.search(r"^losses +none$", report, re.M) and "missing 0, extra 0" in report
    core = f"{folder}/kept/{stem}.core.zst"
    answer = limpet_json("verify", core)
    assert answer["missing"] == 0 and answer["extra"] == 0 and answer["gc_objects"] > 450000
    count = int(re.search(r"exact +([\d,]+) objects reached", report).group(1).replace(",", ""))
    assert answer["reachable_objects"] == count
    assert "main.main" in limpet("goroutines", core).stdout
    # 50 MB of heap, of which the kernel would have dumped all
    assert os.path.getsize(core) < 20 << 20


def test_just_the_report(folder):
    death = Death(folder, options=("--core", "none", "--json"))
    assert [re.sub(STEM, "", name) for name in death.kept] == [".report.json"]
    with open(f"{folder}/kept/{death.kept[0]}", encoding="utf-8") as f:
        report = json.load(f)
    assert report["target"]["pid"] == death.pid and report["exactness"]["extra"] == 0


@pytest.mark.parametrize("what", ["", "no-payload", "none", "full"])
def test_what_the_program_had_to_say(folder, what):
    """Strings of the program (one in every place that can keep one) are in no file unless asked for."""
    death = Death(folder, program="canary", options=("--core", what) if what else ())
    found = False
    for name in death.kept:
        path = f"{folder}/kept/{name}"
        if name.endswith(".zst"):
            with open(path + ".raw", "wb") as out:
                subprocess.run(["zstd", "-dc", path], stdout=out, check=True)
            path += ".raw"
        with open(path, "rb") as f:
            found |= CANARY in f.read()
    assert death.kept and "reachable; kept" in death.line
    # without payload: stacks, globals, bytes beside pointers (test_snapshot.py tells them apart)
    assert found == (what in ("full", "no-payload"))


def test_what_is_not_go(folder):
    death = Death(folder, argv=["sleep", "100"])
    assert death.kept == [] and "not a Go program; nothing is kept" in death.line and death.seconds < 10
    death = Death(folder, argv=["sleep", "100"], options=("--others", "keep"))
    assert [re.sub(STEM, "", name) for name in death.kept] == [".core"]
    notes = subprocess.run(["readelf", "-n", f"{folder}/kept/{death.kept[0]}"], capture_output=True, text=True, check=True)
    assert "NT_PRSTATUS" in notes.stdout and not notes.stderr


def test_time_is_over(folder):
    """The program's end goes on, and what was whole by then stays."""
    death = Death(folder, program="bigmaps", options=("--max-time", 1))
    assert death.seconds < 4, death.line
    assert "(--max-time)" in death.line
    for name in death.kept:
        assert re.fullmatch(STEM + r"\.(report\.txt|core\.zst)", name), name


def test_killed_while_it_is_looked_at(folder):
    """Who ends it by SIGKILL need not wait for us."""
    def looks(pid):
        for fd in glob.glob("/proc/[0-9]*/fd/*"):
            with contextlib.suppress(OSError):
                if os.readlink(fd) == f"/proc/{pid}/mem":
                    return True
        return False

    def kill(pid):
        for _ in range(600):
            if looks(pid):
                break
            time.sleep(0.02)
        time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)

    death = Death(folder, program="bigmaps", meanwhile=kill)
    assert "it was killed while it was looked at; nothing is kept" in death.line and death.kept == []
    assert death.code == -signal.SIGKILL and death.seconds < 8


@contextlib.contextmanager
def syslog():
    """Lines that come to /dev/log.  Always read: who logs on this machine would wait for us."""
    if os.path.exists("/dev/log"):
        pytest.skip("a syslog runs here: its lines are not ours to read")
    lines, over = [], threading.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        try:
            s.bind("/dev/log")
        except OSError:
            pytest.skip("/dev cannot be written")
        s.settimeout(0.2)

        def read():
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    lines.append(s.recv(8192).decode("utf-8", "replace").rstrip("\0\n"))

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield lines
        finally:
            os.unlink("/dev/log")
            over.set()
            reader.join()


@pytest.fixture(name="core", scope="module")
def fixture_core():
    """A core by gcore of a program that lives on: (path, pid)."""
    if not shutil.which("gcore"):
        pytest.skip("no gcore here")
    with tempfile.TemporaryDirectory(prefix="lc") as where, Target("quiet") as target:
        subprocess.run(["gcore", "-o", where + "/core", str(target.pid)], check=True, capture_output=True)
        yield f"{where}/core.{target.pid}", target.pid


def handle(core, pid, folder, *options, code=0):
    with open(core, "rb") as f:
        return limpet("core-handler", pid, 6, "--dir", folder, *ROOM, *options, code=code, stdin=f)


def test_on_stdin(folder, core):
    """A pid that does not wait for us: the core is taken as it comes, through a file without a name."""
    with syslog() as lines:
        done = handle(*core, folder)
        time.sleep(0.5)
    assert any(f"core-handler: {done.stdout.strip()}" in line for line in lines), lines
    assert re.search(r"unknown \(pid \d+, signal 6\) died: [\d]+ objects", done.stdout)
    stem = re.search(STEM, done.stdout).group()
    assert limpet_json("verify", f"{folder}/{stem}.core.zst")["missing"] == 0


def test_kept_as_it_came(folder, core):
    """Not analysable (cut within its memory): byte for byte, holes for zeroes."""
    path, pid = core
    short = folder + "/short"
    with open(path, "rb") as f, open(short, "wb") as out:
        out.write(f.read(os.path.getsize(path) // 3))
    done = handle(short, pid, folder + "/kept", "--others", "keep", "--core", "none")
    stem = re.search(STEM, done.stdout).group()
    if f"{stem}.core" not in os.listdir(folder + "/kept"):
        pytest.skip("a third of it was enough for an answer")
    subprocess.run(["cmp", short, f"{folder}/kept/{stem}.core"], check=True)


def test_number_that_is_kept(folder, core):
    """The oldest deaths go, whole; nothing else in the folder is touched."""
    for name in ("crash-0000000001-other-1.core", "crash-0000000001-other-1.report.txt", "crash-0000000002-other-2.core"):
        with open(f"{folder}/{name}", "w", encoding="ascii") as f:
            f.write("x" * 10000)
    for name in ("notes.txt", "crash-1-short-1.core", "crash-0000000003-other-x.core"):
        with open(f"{folder}/{name}", "w", encoding="ascii") as f:
            f.write("mine")
    os.symlink("notes.txt", folder + "/crash-0000000000-link-1.core")
    handle(*core, folder, "--keep", 2)
    left = set(os.listdir(folder))
    assert {"notes.txt", "crash-1-short-1.core", "crash-0000000003-other-x.core", "crash-0000000000-link-1.core"} <= left
    assert "crash-0000000002-other-2.core" in left and not any("other-1." in name for name in left)
    handle(*core, folder, "--max-total", "8192")
    assert not any("other-2." in name for name in os.listdir(folder))


def test_limits_of_disk(folder, core):
    """Never more than --max-total, and --min-free stays free."""
    done = handle(*core, folder, "--max-total", "2M", "--others", "keep")
    assert sum(os.stat(f"{folder}/{name}").st_blocks * 512 for name in os.listdir(folder)) <= 2 << 20
    assert "cut by --max-total" in done.stdout or "reachable" in done.stdout
    done = handle(*core, folder, "--min-free", "1000T", code=5)
    assert "--min-free" in done.stderr and done.stderr.count("\n") == 1


def test_a_core_that_does_not_come(folder):
    """A pipe that nobody fills is waited for no longer than --max-time."""
    read, write = os.pipe()
    began = time.monotonic()
    done = limpet("core-handler", 1, "--dir", folder, "--max-time", 1, code=5, stdin=read)
    assert time.monotonic() - began < 5 and "--max-time" in done.stderr
    os.close(read)
    os.close(write)


@pytest.mark.parametrize("head", [b"", b"hello", b"\x7fELF" + b"\0" * 60, b"\x7fELF\2\1\1" + b"\xff" * 9 + b"\4\0>\0" + b"\xff" * 44,
                                  b"\x7fELF\2\1\1" + b"\0" * 9 + b"\4\0>\0" + b"\xff" * 34 + b"\x38\0\xff\xff" + b"\0" * 6])
def test_no_core(folder, head):
    with subprocess.Popen([LIMPET, "core-handler", "1", "--dir", folder, "--max-time", "5"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        _, errors = p.communicate(head, timeout=20)
        assert p.returncode in (4, 5) and errors.count(b"\n") == 1 and errors.startswith(b"limpet: "), errors
    assert os.listdir(folder) == []


def test_a_32_bit_program(folder):
    """Nothing that we can look into, but a core that can be kept."""
    path = folder + "/core32"
    with open(path, "wb") as f:
        f.write(b"\x7fELF\1\1\1" + b"\0" * 9 + b"\4\0\3\0" + b"\0" * 5000 + b"memory" * 5000 + b"\0" * 3)
    assert "not a 64-bit program; nothing is kept" in handle(path, 77, folder).stdout
    done = handle(path, 77, folder, "--others", "keep")
    subprocess.run(["cmp", path, f"{folder}/{re.search(STEM, done.stdout).group()}.core"], check=True)


def test_damaged_heads(folder, core):
    """The handler is root: whatever it reads, it ends by itself, soon, with one line."""
    dice = random.Random(4)
    with open(core[0], "rb") as f:
        whole = f.read(256 << 10)
    for i in range(400 if FULL else 40):
        data = bytearray(whole[:dice.choice((4096, 65536, len(whole)))])
        for _ in range(dice.choice((1, 4, 30))):
            data[dice.choice((dice.randrange(64), dice.randrange(4096), dice.randrange(len(data))))] = dice.randrange(256)
        with subprocess.Popen([LIMPET, "core-handler", str(10000000 + i), "--dir", folder, "--max-time", "5",
                               "--max-total", "64M", "--others", "keep", *ROOM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as p:
            out, errors = p.communicate(bytes(data), timeout=20 * SLOW)
        assert p.returncode in (0, 4, 5) and (out + errors).count(b"\n") == 1, (p.returncode, out, errors)
        assert b"bug in limpet" not in out, out


def test_many_at_once(folder, core):
    """One analysis at a time; all are kept, and none but by its own name."""
    files = [open(core[0], "rb") for _ in range(4)]
    running = [subprocess.Popen([LIMPET, "core-handler", str(1000000 + i), "--dir", folder, *ROOM], stdin=f,
                                stdout=subprocess.PIPE, text=True) for i, f in enumerate(files)]
    lines = [p.communicate(timeout=120)[0] for p in running]
    for f in files:
        f.close()
    assert all("reachable; kept" in line for line in lines), lines
    assert len({re.search(STEM, name).group() for name in os.listdir(folder)}) == 4


def test_whose_folder(folder, core):
    os.chmod(folder, 0o777)
    done = handle(*core, folder, code=3)
    assert "0700" in done.stderr and os.listdir(folder) == []
    os.chmod(folder, 0o700)
    os.symlink(folder, folder + "/link")
    handle(*core, folder + "/link", code=3)


def test_usage():
    for args in (("0",), ("x",), ("1", "--core", "all"), ("1", "--others", "some"), ("1", "6", "7"), ()):
        assert limpet("core-handler", *args, code=2, stdin=subprocess.DEVNULL).stderr.count("\n") == 1
