"""Cores of a stopped process by everyone who writes them, and what limpet says of each, object by object."""
import contextlib
import ctypes
import fcntl
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import build_targets
from procs import LIMPET, SLOW, TOP, Target

PTRACE_CONT, PTRACE_GETREGS, PTRACE_SETREGS, PTRACE_SEIZE, PTRACE_SETSIGMASK = 7, 12, 13, 0x4206, 0x420b
WALL = 0x40000000
ORIG_RAX, RIP = 15, 16
DLV = "v1.26.2"


def objects_program():
    """tests/tools/objects of the build that limpet is of; built when only limpet was."""
    top = os.path.dirname(LIMPET)
    path = os.path.join(top, "tests", "tools", "objects")
    if not os.path.exists(path) and os.path.exists(os.path.join(top, "build.ninja")):
        subprocess.run(["ninja", "-C", top, "tests/tools/objects"], check=False, stdout=subprocess.DEVNULL)
    return path if os.path.exists(path) else None


def objects(*args):
    """Lines "ADDRESS BYTES TYPE reachable|garbage" of a TARGET, in address order."""
    done = subprocess.run([objects_program(), *map(str, args)], capture_output=True, text=True, timeout=120 * SLOW)
    assert done.returncode == 0, (args, done.stderr)
    return done.stdout.splitlines()


def difference(a, b, what):
    """Empty when equal, else the first lines that differ."""
    if a == b:
        return ""
    gone, new = sorted(set(a) - set(b)), sorted(set(b) - set(a))
    return f"{what}: {len(gone)} lines only in the first, {len(new)} only in the second: {gone[:5]} {new[:5]}"


def may_dump_core():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class Stopped(Target):
    """A target that stands still between two instructions of each of its threads; cores go to its folder."""

    def __init__(self, folder, program, minor=build_targets.NEWEST, flavour="stripped", **more):
        self.folder = str(folder)
        old, soft = os.getcwd(), resource.getrlimit(resource.RLIMIT_CORE)
        os.chdir(folder)
        try:
            may_dump_core()
            super().__init__(program, minor, flavour, **more)
        finally:
            resource.setrlimit(resource.RLIMIT_CORE, soft)
            os.chdir(old)

    def stop(self):
        time.sleep(0.2)
        os.kill(self.pid, signal.SIGSTOP)
        for _ in range(3000):
            with open(f"/proc/{self.pid}/stat", encoding="ascii") as f:
                state = f.read().rsplit(")", 1)[1].split()[0]
            if state == "T":
                return self
            time.sleep(0.01)
        raise AssertionError(f"did not stop: {state}")


def gcore(target):
    path = os.path.join(target.folder, "gcore")
    subprocess.run(["gcore", "-o", path, str(target.pid)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return f"{path}.{target.pid}"


def dlv():
    """Delve from the cache of the benchmarks, fetched when the proxy can be reached; None without."""
    binary = os.path.join(build_targets.CACHE, "bin", "dlv")
    if not os.path.exists(binary):
        env = dict(os.environ, GOBIN=os.path.dirname(binary), GOTOOLCHAIN="local", GOFLAGS="", CGO_ENABLED="0")
        subprocess.run([build_targets.toolchain("1.26"), "install", f"github.com/go-delve/delve/cmd/dlv@{DLV}"],
                       env=env, cwd="/", check=False, stderr=subprocess.DEVNULL)
    return binary if os.path.exists(binary) else shutil.which("dlv")


def dlv_dump(target):
    """It lets the program run afterwards: the last that can be asked of it."""
    path = os.path.join(target.folder, "dlv.core")
    subprocess.run([dlv(), "attach", "--allow-non-terminal-interactive=true", str(target.pid)], check=False, timeout=120,
                   input=f"dump {path}\nexit\nn\n", text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


@contextlib.contextmanager
def plain_core_pattern():
    """Cores go to the working folder while this holds; what was set before is put back."""
    path = "/proc/sys/kernel/core_pattern"
    with open("/tmp/limpet-core-pattern.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(path, encoding="utf-8") as f:
            before = f.read()
        changed = before.strip() != "core"
        if changed:
            with open(path, "w", encoding="utf-8") as f:
                f.write("core")
        try:
            yield
        finally:
            if changed:
                with open(path, "w", encoding="utf-8") as f:
                    f.write(before)


def _ptrace(request, tid, address, data):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    if libc.ptrace(request, tid, address, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x}")


def _await(tid, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, status = os.waitpid(tid, WALL | os.WNOHANG)
        if found:
            return status
        time.sleep(0.005)
    raise AssertionError(f"thread {tid} does not stop")


def _die_at_once(tid):
    """
    The thread jumps to an address that cannot be, with SIGSEGV blocked: the kernel then kills at once and
    dumps, no handler runs, no instruction either.  The other threads never come out of their stop.
    """
    _ptrace(PTRACE_SEIZE, tid, None, None)
    _await(tid)
    regs = (ctypes.c_ulonglong * 27)()
    _ptrace(PTRACE_GETREGS, tid, None, ctypes.addressof(regs))
    regs[ORIG_RAX], regs[RIP] = 2**64 - 1, 0xdead000000000000
    _ptrace(PTRACE_SETREGS, tid, None, ctypes.addressof(regs))
    mask = ctypes.c_uint64(2**64 - 1)
    _ptrace(PTRACE_SETSIGMASK, tid, ctypes.c_void_p(8), ctypes.addressof(mask))
    _ptrace(PTRACE_CONT, tid, None, None)
    while True:
        status = _await(tid)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            return
        _ptrace(PTRACE_CONT, tid, None, ctypes.c_void_p(os.WSTOPSIG(status)))


def _core_file(target):
    for name in ("core", f"core.{target.pid}"):
        path = os.path.join(target.folder, name)
        if os.path.exists(path) and os.path.getsize(path):
            return path
    return None


def kernel_core(target, coredump_filter=None):
    """The kernel's own core of a stopped target, at the very state in which it stands.  The target is gone then."""
    if coredump_filter is not None:
        with open(f"/proc/{target.pid}/coredump_filter", "w", encoding="ascii") as f:
            f.write(str(coredump_filter))
    with plain_core_pattern():
        _die_at_once(target.pid)
    path = _core_file(target)
    assert path, "the kernel wrote no core"
    return path


def abort_core(target):
    """What happens in production: GOTRACEBACK=crash, SIGABRT; Go's handler runs first."""
    with plain_core_pattern():
        os.kill(target.pid, signal.SIGABRT)
        os.kill(target.pid, signal.SIGCONT)
        target.process.wait(timeout=60)
    path = _core_file(target)
    assert path, "the kernel wrote no core"
    return path


def extents(path):
    """[(start, end)] of what is no hole."""
    found, at = [], 0
    fd = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        while at < size:
            try:
                start = os.lseek(fd, at, os.SEEK_DATA)
            except OSError:
                break
            at = os.lseek(fd, start, os.SEEK_HOLE)
            found.append((start, at))
    finally:
        os.close(fd)
    return found


# A child's peak begins with that of who forks it: this one is small, the test's own process need not be.
PEAK = """import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024)
"""


def bounded(*args, seconds=10):
    """limpet on a damaged file: (exit code, stderr, peak bytes); fails on a signal, a bug (70) and after 10 s."""
    begun = time.monotonic()
    p = subprocess.run([sys.executable, "-S", "-E", "-c", PEAK, LIMPET, *map(str, args)], capture_output=True, text=True)
    took = time.monotonic() - begun
    code, peak = map(int, p.stdout.split())
    assert code in (0, 1, 3, 4, 5), (code, args, p.stderr[-2000:])
    assert took < seconds * SLOW, (took, args)
    return code, p.stderr, peak
