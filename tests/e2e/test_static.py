"""One file: linked to nothing, and right in a root that has nothing but it and the program."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

import build_targets
from procs import LIMPET, Target, children, limpet, limpet_json

EMPTY_ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "empty_root.py")


def is_static(path):
    """No interpreter and no library is asked for."""
    headers = subprocess.run(["readelf", "-lWd", path], capture_output=True, text=True, check=True).stdout
    return "INTERP" not in headers and "NEEDED" not in headers


def static_file(suffix):
    if not suffix.endswith("arm64") and is_static(LIMPET):
        return LIMPET
    path = re.sub("-static$", "", LIMPET) + suffix
    if not os.path.exists(path):
        pytest.skip(f"{path} is not built: make {suffix[1:]}")
    return path


@pytest.fixture(name="static", scope="module")
def fixture_static():
    return static_file("-static")


def test_asks_for_nothing(static):
    assert is_static(static)
    assert os.path.getsize(static) < 16 << 20
    with open(static, "rb") as f:
        assert f.read(20)[16:18] == b"\x03\x00", "not position independent: no address space randomisation"


class Inside:
    """A Go program that is pid 1 of an empty root, and limpet started beside it."""

    def __init__(self, static, minor, uid):
        self.uid = uid
        app = build_targets.build("mixed", minor, "stripped")
        self.process = subprocess.Popen([sys.executable, EMPTY_ROOT, str(uid), f"{static}=limpet", f"{app}=app", "--",
                                         "/app"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        first = self.process.stdout.readline()
        if not first.strip():
            self.process.wait()
            pytest.skip("no user namespaces here")
        self.pid = int(first)
        assert self.process.stdout.readline().startswith("READY")

    def limpet(self, *args):
        """Into all its namespaces and its root; as another user than root there, with no capability left."""
        return subprocess.run(["nsenter", "-t", str(self.pid), "-U", "-m", "-p", "-u", "-i", "-r", "-w",
                               f"-S{self.uid}", f"-G{self.uid}", "/limpet", *map(str, args)],
                              capture_output=True, text=True, timeout=60, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()


def ptrace_scope():
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope", encoding="ascii") as f:
            return f.read().strip()
    except FileNotFoundError:
        return "0"


@pytest.mark.parametrize("uid", [0, 65532])
@pytest.mark.parametrize("minor", [pytest.param(m, marks=[] if m == "1.27" else pytest.mark.full)
                                   for m in build_targets.MINORS])
def test_empty_root(static, minor, uid):
    if uid and (os.geteuid() or ptrace_scope() != "0"):
        pytest.skip("only root may map another id, and only ptrace_scope 0 lets a plain user trace")
    with Inside(static, minor, uid) as inside:
        assert sorted(os.listdir(f"/proc/{inside.pid}/root")) == ["app", "limpet", "proc"]
        done = inside.limpet("report", 1, "--json")
        assert done.returncode == 0 and not done.stderr, done.stderr
        report = json.loads(done.stdout)
        assert report["target"]["pid"] == 1 and report["target"]["exe"] == "/app"
        assert report["target"]["go"].startswith("go" + minor) and report["target"]["stripped"]
        assert report["exactness"]["extra"] == 0 and report["exactness"]["reachable_objects"] > 450000
        assert not report["capture"]["losses"]
        done = inside.limpet("verify", 1)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "main.main" in inside.limpet("goroutines", "name:app").stdout
        time.sleep(0.2)
        assert not children(inside.pid)


def test_failures_in_an_empty_root(static):
    with Inside(static, "1.27", 0) as inside:
        for code, args in ((3, ("report", 77)), (3, ("report", "name:other")), (3, ("report", 1, "-o", "/report")),
                           (2, ("report",)), (5, ("report", 1, "--max-pause", "0.001"))):
            done = inside.limpet(*args)
            assert done.returncode == code, (args, done.stderr)
            assert len(done.stderr.strip().split("\n")) == 1 and done.stderr.startswith("limpet"), done.stderr


@pytest.fixture(name="arm64", scope="module")
def fixture_arm64():
    path = static_file("-static-arm64")
    qemu = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
    if not qemu:
        pytest.skip("no qemu-user here")
    return [qemu, path]


def test_arm64(arm64, mixed):
    """On another machine limpet reads files; of a process it says so."""
    assert is_static(arm64[1])
    version = subprocess.run([*arm64, "--version"], capture_output=True, text=True, check=True).stdout
    assert version == limpet("--version").stdout
    assert "limpet COMMAND" in subprocess.run([*arm64, "--help"], capture_output=True, text=True, check=True).stdout
    done = subprocess.run([*arm64, "report", str(mixed.pid)], capture_output=True, text=True, check=False)
    assert done.returncode == 4 and done.stderr.count("\n") == 1 and "arm64" in done.stderr, done.stderr


def same_on_arm64(arm64, path, *more):
    """What the host's limpet answers is the oracle; only how long it took may differ."""
    done = subprocess.run([*arm64, "report", path, *more, "--json"], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    theirs, ours = json.loads(done.stdout), limpet_json("report", path, *more)
    for report in (theirs, ours):
        for key in ("read_ns", "extract_ns", "names_ns", "type_conflicts", "detectors"):
            report["capture"].pop(key, None)
    assert theirs == ours
    return ours


def test_arm64_reads_cores(arm64, mixed, tmp_path):
    """Of an amd64 program, plain and in frames of zstd: byte for byte the same answer."""
    for name, options in (("core", ()), ("core.zst", ("--zstd", "--no-payload"))):
        path = str(tmp_path / name)
        limpet("snapshot", mixed.pid, "-o", path, *options)
        assert same_on_arm64(arm64, path)["exactness"]["reachable_objects"] > 450000
        assert subprocess.run([*arm64, "verify", path], capture_output=True, check=False).returncode == 0


def test_arm64_reads_heap_dumps(arm64, tmp_path):
    path = str(tmp_path / "dump")
    with Target("heapdump", args=[path]) as target:
        os.kill(target.pid, signal.SIGUSR1)
        target.wait_line("DUMPED")
        binary = target.binary
    assert same_on_arm64(arm64, path, "--exe", binary)["exactness"]["reachable_objects"] > 1000
