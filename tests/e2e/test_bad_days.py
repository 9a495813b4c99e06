"""Every bad day: its exact line (one, that says what, where and what to do), its exit code, and a program that lives on.

What cannot be had on a machine (no right to mount, no cgroup to write to) is skipped with the reason.
"""
import collections
import ctypes
import json
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time

import pytest

import build_targets
import cores
from procs import FULL, LIMPET, SLOW, TESTS, Target, children, status, traced, twins

NOBODY, OTHER = 65534, 65533
AS_NOBODY = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
ONLY_PTRACE = ["setpriv", "--bounding-set", "-all,+sys_ptrace", "--inh-caps", "-all,+sys_ptrace"]
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
libc = ctypes.CDLL(None, use_errno=True)


class Place:
    """A folder that every user may look into, with limpet, a Go program and an odd one of C in it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="limpet-bad-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        self.limpet = self.copy(LIMPET, "limpet")
        self.quiet = self.copy(build_targets.build("quiet"), "quiet")
        self.odd = os.path.join(self.dir, "odd")
        subprocess.run(["cc", "-O1", "-pthread", "-o", self.odd, os.path.join(TESTS, "fault", "odd.c")], check=True)

    def copy(self, path, name, mode=0o755):
        to = os.path.join(self.dir, name)
        shutil.copy(path, to)
        os.chmod(to, mode)
        return to


@pytest.fixture(scope="module")
def place():
    p = Place()
    yield p
    shutil.rmtree(p.dir)


def run(*argv, **more):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=60 * SLOW, cwd="/",
                          stdin=subprocess.DEVNULL, **more)
    if argv[0] == "unshare" and done.stderr.startswith("unshare: "):  # no right to, or a chroot
        pytest.skip(done.stderr.strip())
    return done


def says(done, code, line):
    """One line, exactly: # is any number, … anything; nothing on stdout."""
    assert done.returncode == code, done
    assert done.stdout == "", done
    pattern = re.escape("limpet: " + line + "\n").replace("…", ".*").replace(r"\#", r"\d+")
    assert re.fullmatch(pattern, done.stderr), f"\n{done.stderr}\nis not\nlimpet: {line}"


class Odd:
    """tests/fault/odd.c in one of its modes."""

    def __init__(self, place, mode, **more):
        self.process = subprocess.Popen([place.odd, mode], stdout=subprocess.PIPE, text=True, **more)
        self.pid = self.process.pid

    def loops(self):
        self.process.send_signal(signal.SIGUSR1)
        return int(self.process.stdout.readline())

    def __enter__(self):
        assert self.process.stdout.readline() == "ready\n"
        time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def refuse(calls, action):
    """A preexec_fn: from now on these system calls are answered by `action` (linux/seccomp.h)."""
    def word(code, yes, no, k):
        return struct.pack("HBBI", code, yes, no, k)
    code = word(0x20, 0, 0, 0)
    for i, nr in enumerate(calls):
        code += word(0x15, len(calls) - i, 0, nr)
    code += word(0x06, 0, 0, 0x7fff0000) + word(0x06, 0, 0, action)
    text = ctypes.create_string_buffer(code, len(code))
    prog = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(text)), 16)

    def install():
        libc.prctl(38, 1, 0, 0, 0)
        if libc.prctl(22, 2, ctypes.byref(prog)):
            os._exit(99)
    install.keep = text, prog
    return install


KILL, EPERM = 0x80000000, 0x00050001
SYS_FORK, SYS_WAIT4, SYS_PTRACE, SYS_ACCT = 57, 61, 101, 163


def unharmed(target):
    assert target.alive() and not traced(target.pid) and not children(target.pid)


# Not there, or not a process that can be looked into.

def test_no_such_pid():
    with subprocess.Popen(["true"]) as p:
        pass
    says(run(LIMPET, "report", p.pid), 3, f"no process with pid {p.pid}")


def test_a_thread_is_not_a_process():
    with Target("quiet") as target:
        tid = max(map(int, os.listdir(f"/proc/{target.pid}/task")))
        says(run(LIMPET, "report", tid), 2, f"{tid} is a thread of process {target.pid}: give that pid")


def test_zombie():
    p = subprocess.Popen(["true"])
    time.sleep(0.2)
    says(run(LIMPET, "report", p.pid), 3, f"process {p.pid} has exited and waits for its parent (zombie)")
    p.wait()


def test_kernel_thread():
    if not os.path.exists("/proc/2/status") or status(2, "VmSize"):
        pytest.skip("no kernel threads are to be seen here")
    says(run(LIMPET, "report", 2), 4, "process 2 (…) is a kernel thread: it has no memory of its own")


def test_not_go(place):
    with Odd(place, "plain") as odd:
        says(run(LIMPET, "report", odd.pid), 4,
             f"pid {odd.pid}: {place.odd}: not a Go program (no Go build info in the file or in memory)")
        assert odd.loops() >= 0


@pytest.mark.parametrize("version", [b"go1.17.4", b"go1.21.4"])
def test_go_too_old(place, version):
    """The newest quiet, that says to be older: no table comes near."""
    binary = os.path.join(place.dir, "old")
    with open(place.quiet, "rb") as f:
        text = f.read()
    with open(binary, "wb") as f:
        f.write(text.replace(b"go1.27.4", version))
    os.chmod(binary, 0o755)
    with Target("quiet", binary=binary) as target:
        done = run(LIMPET, "report", target.pid)
        if version == b"go1.17.4":
            says(done, 4, f"pid {target.pid}: go1.17.4: no table comes near (limpet knows Go 1.18 and later); "
                          "`limpet layout --go PATH` makes one")
        else:  # a neighbour is tried, and only the collector's marks can make it count
            assert done.returncode in (0, 4), done
        unharmed(target)


# Gone before, while, and after the snapshot.

def test_gone_at_any_instant():
    """kill -9 of the program: a whole answer, or one line and 3."""
    seen = collections.Counter()
    for i in range(40 if FULL else 6):
        with Target("mixed" if FULL else "quiet") as target:
            looking = subprocess.Popen([LIMPET, "report", str(target.pid)], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True)
            time.sleep(random.random() * (0.12 if FULL else 0.05) * SLOW)
            target.process.kill()
            target.process.wait()
            _, said = looking.communicate(timeout=60 * SLOW)
            seen[looking.returncode] += 1
            assert looking.returncode in (0, 3), said
            assert (said == "") == (looking.returncode == 0) and said.count("\n") <= 1, said
            if said:
                assert re.match(r"limpet: .*process \d+.*(exited|ended|killed|gone)|limpet: no process with pid|"
                                r"limpet: process \d+ has", said), said
    assert seen


def test_exec_at_any_instant():
    """sh becomes sleep under our eyes: the one or the other is looked at, and lives."""
    for i in range(40 if FULL else 6):
        p = subprocess.Popen(["sh", "-c", "sleep 0.%03d; exec sleep 60" % random.randint(1, 60)])
        done = run(LIMPET, "report", p.pid)
        assert done.returncode in (3, 4) and done.stderr.count("\n") == 1, done
        assert re.search("not a Go program|replaced itself by exec|at that moment", done.stderr), done
        assert p.poll() is None and not traced(p.pid)
        p.kill()
        p.wait()


# No permission, each cause told apart.

@ROOT
def test_another_user(place):
    with Target("quiet") as target:
        says(run(place.limpet, "report", target.pid, user=NOBODY, group=NOBODY, extra_groups=[]), 3,
             f"process {target.pid} belongs to uid 0, not to you (uid {NOBODY}): run as that user or as root, or give "
             "limpet CAP_SYS_PTRACE")
        unharmed(target)


@ROOT
def test_another_group(place):
    with Target("quiet", binary=place.quiet, user=NOBODY) as target:
        says(run(place.limpet, "report", target.pid, user=NOBODY, group=OTHER, extra_groups=[]), 3,
             f"process {target.pid} runs with gid {NOBODY}, you with gid {OTHER}: run with that group (newgrp, setpriv "
             "--regid) or as root, or give limpet CAP_SYS_PTRACE")


@ROOT
def test_not_dumpable(place):
    """An executable that its user may run but not read."""
    with Target("quiet", binary=place.copy(place.quiet, "unreadable", 0o711), user=NOBODY) as target:
        says(run(place.limpet, "report", target.pid, user=NOBODY, group=NOBODY, extra_groups=[]), 3,
             f"process {target.pid} is not dumpable (prctl(PR_SET_DUMPABLE, 0), changed ids, or an executable that its "
             "user may not read): run as root, or give limpet CAP_SYS_PTRACE")
        assert run(LIMPET, "verify", target.pid).returncode == 0
        unharmed(target)


@ROOT
def test_more_capabilities(place):
    argv = [*AS_NOBODY, "--inh-caps", "+net_bind_service", "--ambient-caps", "+net_bind_service", place.quiet]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as p:
        p.stdout.readline()
        try:
            says(run(*AS_NOBODY, place.limpet, "report", p.pid), 3,
                 f"process {p.pid} has capabilities that limpet lacks (0x400): run as root, or give limpet CAP_SYS_PTRACE")
            assert p.poll() is None
        finally:
            p.kill()


@ROOT
def test_only_cap_sys_ptrace(place):
    """Enough for the same user's processes, and with one capability more for another's files too."""
    with Target("quiet") as target:
        assert run(*ONLY_PTRACE, place.limpet, "verify", target.pid).returncode == 0
        unharmed(target)
    with Target("quiet", binary=place.quiet, user=NOBODY) as target:
        both = ["setpriv", "--bounding-set", "-all,+sys_ptrace,+dac_read_search", "--inh-caps", "-all"]
        for _ in range(3):  # without CAP_KILL: its tracer ends the twin
            assert run(*both, place.limpet, "verify", target.pid).returncode == 0
            unharmed(target)


def descriptors(pid):
    found = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            pass
    return found


class Descriptors(threading.Thread):
    """All that a program ever had open meanwhile."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.before, self.ever, self.go_on = pid, descriptors(pid), set(), True

    def run(self):
        while self.go_on:
            self.ever |= set(descriptors(self.pid).items())

    def end(self):
        self.go_on = False
        self.join()
        return self.ever | set(descriptors(self.pid).items())


@ROOT
def test_only_cap_sys_ptrace_and_another_user(place):
    """/proc/PID/mem does not open for it: the twin lends its own, the program gets no descriptor and no other byte."""
    program = place.copy(build_targets.build("mixed"), "mixed")
    with Target("mixed", binary=program, user=NOBODY) as target:
        target.collect()
        seen = Descriptors(target.pid)
        seen.start()
        for _ in range(3):
            done = run(*ONLY_PTRACE, place.limpet, "verify", target.pid)
            assert done.returncode == 0 and not done.stderr, done
            unharmed(target)
        assert seen.end() == set(seen.before.items())
        assert re.search("OK    access .*its twin will lend it", run(*ONLY_PTRACE, place.limpet, "doctor", target.pid).stdout)
        target.process.send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        tool = place.copy(cores.objects_program(), "objects")
        alone, all_ = [run(*who, tool, target.pid) for who in (ONLY_PTRACE, [])]
        assert alone.returncode == 0 and alone.stdout.count("\n") > 100000 and alone.stdout == all_.stdout
        core = os.path.join(place.dir, "core")
        for who in (ONLY_PTRACE, []):
            assert run(*who, LIMPET, "snapshot", target.pid, "-o", core + str(len(who))).returncode == 0
        same_core(core + str(len(ONLY_PTRACE)), core + "0")


def same_core(a, b):
    """Memory and auxiliary vector, byte by byte; of the notes time and pause differ."""
    words = []
    for path in (a, b):
        with open(path, "rb") as f:
            data = f.read()
        os.unlink(path)
        heads = [struct.unpack_from("<IIQQQQ", data, 64 + 56 * i) for i in range(struct.unpack_from("<H", data, 56)[0])]
        start = min(offset for kind, _, offset, _, _, nbytes in heads if kind == 1 and nbytes)
        auxv = data.index(b"\x06\0\0\0CORE\0\0\0\0")
        assert struct.unpack_from("<Q", data, auxv + 12)[0] == 33, "AT_SYSINFO_EHDR"
        words.append((data[start:], data[auxv - 8:auxv + 256]))
    assert len(words[0][0]) > 1 << 20 and words[0] == words[1]


@ROOT
def test_only_cap_sys_ptrace_looks_twice(place):
    """verify's second look is timed by words of the running program, which the broker reads for it."""
    program = place.copy(build_targets.build("gcstorm"), "gcstorm")
    with Target("gcstorm", binary=program, user=NOBODY, env={"GOGC": "20"}) as target:
        for _ in range(4):
            done = run(*ONLY_PTRACE, place.limpet, "verify", target.pid, "--json")
            assert done.returncode == 0 and not done.stderr, done
            assert json.loads(done.stdout)["missing"] == 0
            unharmed(target)


@ROOT
def test_only_cap_sys_ptrace_is_not_enough(place):
    """Nothing opens what stands still, nor a /proc that is not there."""
    with Target("quiet", binary=place.quiet, user=NOBODY) as target:
        says(run(*ONLY_PTRACE, place.limpet, "report", target.pid, "--freeze"), 3,
             f"the memory of process {target.pid} opens for uid {NOBODY} only, which CAP_SYS_PTRACE alone does not change, "
             "and a program that is frozen cannot lend it: give limpet CAP_DAC_READ_SEARCH too (Docker: --cap-add "
             "DAC_READ_SEARCH), or run it as that user")
        unharmed(target)
    argv = ["chroot", f"--userspec={NOBODY}:{NOBODY}", place.dir, "/quiet"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as p:
        assert p.stdout.readline().startswith(b"READY")
        says(run(*ONLY_PTRACE, place.limpet, "report", p.pid), 3,
             f"the memory of process {p.pid} opens for its own user only, and its twin could not lend it (No such file or "
             "directory): give limpet CAP_DAC_READ_SEARCH too (Docker: --cap-add DAC_READ_SEARCH), or run it as that user")
        assert p.poll() is None and not traced(p.pid) and not children(p.pid)
        p.kill()


@ROOT
def test_user_namespace(place):
    with Target("quiet", binary=place.quiet, user=NOBODY) as target:
        done = run(*AS_NOBODY, "unshare", "-Ur", place.limpet, "report", target.pid)
        if "unshare" in done.stderr:
            pytest.skip("no user namespaces here")
        says(done, 3, f"process {target.pid} lives in another user namespace than limpet: run limpet as root of the "
                      f"machine, or in that namespace: nsenter -t {target.pid} -U --preserve-credentials limpet ...")
        unharmed(target)


@ROOT
def test_hidepid(place):
    with Target("quiet") as target:
        done = run("unshare", "-m", "sh", "-c", f"mount -t proc -o hidepid=2 proc /proc && exec {' '.join(AS_NOBODY)} "
                   f"{place.limpet} report {target.pid}")
        if "mount" in done.stderr:
            pytest.skip(done.stderr)
        says(done, 3, f"process {target.pid} is another user's, and /proc hides it (hidepid): run as root")


def test_filter_on_limpet(place):
    """A container's seccomp profile that forbids ptrace(2)."""
    with Target("quiet") as target:
        says(run(LIMPET, "report", target.pid, preexec_fn=refuse([SYS_PTRACE], EPERM)), 3,
             "a seccomp filter on limpet itself forbids ptrace(2) (Operation not permitted): run it in a container with "
             "seccomp unconfined (Docker: --security-opt seccomp=unconfined; Kubernetes: seccompProfile: {type: "
             "Unconfined})")
        unharmed(target)


def test_yama(place):
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope", encoding="ascii") as f:
            scope = f.read().strip()
    except FileNotFoundError:
        pytest.skip("this kernel has no Yama")
    if scope not in "12":
        pytest.skip("kernel.yama.ptrace_scope is " + scope)
    with Target("quiet", binary=place.quiet, user=NOBODY) as target:
        done = run(*AS_NOBODY, place.limpet, "report", target.pid)
        assert done.returncode == 3 and f"kernel.yama.ptrace_scope is {scope}: run as root" in done.stderr


def test_another_tracer():
    ptrace = libc.ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    with Target("quiet") as target:
        assert ptrace(0x4206, target.pid, None, None) == 0  # PTRACE_SEIZE
        says(run(LIMPET, "report", target.pid), 3,
             f"process {target.pid} is already traced by … (pid {os.getpid()}): end that debugger first")
        ptrace(0x4207, target.pid, None, None)  # PTRACE_INTERRUPT
        os.waitpid(target.pid, 0x40000000)
        ptrace(17, target.pid, None, None)  # PTRACE_DETACH
        unharmed(target)


# Namespaces.

@ROOT
def test_inside_a_pid_and_mount_namespace(place):
    """Both inside: works, and what is outside is not there."""
    script = f"{place.quiet} & sleep 0.5; {place.limpet} verify $! > {place.dir}/inner; echo $?; kill $!"
    done = run("unshare", "-pf", "--mount-proc", "sh", "-c", script)
    if "unshare" in done.stderr:
        pytest.skip(done.stderr)
    assert done.stdout.split()[-1] == "0", done
    with Target("quiet") as target:
        says(run("unshare", "-pf", "--mount-proc", LIMPET, "report", target.pid), 3,
             f"no process with pid {target.pid}")
        says(run("unshare", "-pf", LIMPET, "report", target.pid), 3,
             "/proc shows another pid namespace than limpet's own: mount -t proc proc /proc, or enter it (nsenter -p)")


@ROOT
def test_rootless_container(place):
    """User, pid and mount namespace of a plain user, both inside; a root that is none outside."""
    script = f"{place.quiet} & sleep 0.5; {place.limpet} verify $! >/dev/null; echo $?; {place.limpet} doctor $!; kill $!"
    done = run(*AS_NOBODY, "unshare", "-Ur", "-pf", "--mount-proc", "sh", "-c", script)
    if "unshare" in done.stderr:
        pytest.skip(done.stderr)
    lines = done.stdout.splitlines()
    assert "0" in lines and any(line.startswith("note  namespaces") for line in lines), done
    assert re.fullmatch(r"limpet can look into process \d+.", lines[-1]), done


@ROOT
def test_target_in_a_pid_namespace(place):
    u = subprocess.Popen(["unshare", "-pf", "--mount-proc", place.quiet], stdout=subprocess.PIPE)
    try:
        if not u.stdout.readline().startswith(b"READY"):
            pytest.skip("unshare does not work here")
        inner = children(u.pid)[0][0]
        assert run(LIMPET, "verify", inner).returncode == 0
        assert not children(inner) and not traced(inner)
        os.kill(inner, signal.SIGKILL)
    finally:
        u.kill()
        u.wait()
        u.stdout.close()


@ROOT
@pytest.mark.skipif(SLOW > 1, reason="a sanitizer wants /proc itself")
def test_without_proc():
    with Target("quiet") as target:
        done = run("unshare", "-m", "sh", "-c", f"umount -l /proc && exec {LIMPET} report {target.pid}")
        if "umount" in done.stderr:
            pytest.skip(done.stderr)
        says(done, 3, "/proc is not mounted here: mount -t proc proc /proc")


# The fork is refused, or would harm.

@ROOT
def test_process_limit_of_the_user(place):
    def one():
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
    with Odd(place, "plain", preexec_fn=one, user=65531, group=65531) as odd:
        began = time.monotonic()
        says(run(LIMPET, "report", odd.pid), 5,
             f"process {odd.pid} may not have one more process (EAGAIN: RLIMIT_NPROC of its user, or pids.max of its "
             "cgroup); raise it, or use --freeze")
        assert time.monotonic() - began < 1.5 * SLOW
        assert odd.loops() >= 0 and not children(odd.pid)
        assert run(LIMPET, "doctor", odd.pid).returncode == 5


class Cgroup:
    """A group of one v1 or v2 controller, gone at the end."""

    def __init__(self, controller):
        self.dir = None
        with open("/proc/self/mountinfo", encoding="utf-8") as f:
            for line in f:
                left, _, right = line.partition(" - ")
                kind, _, options = right.split()[:3]
                if kind == "cgroup" and controller in options.split(","):
                    self.v1, self.dir = True, left.split()[4]
                    break
                if kind == "cgroup2":
                    top = left.split()[4]
                    with open(top + "/cgroup.subtree_control", encoding="ascii") as control:
                        if controller in control.read().split():
                            self.v1, self.dir = False, top
        if not self.dir:
            pytest.skip(f"no cgroup with the {controller} controller here")
        self.dir += f"/limpet-bad-{os.getpid()}"
        try:
            os.mkdir(self.dir)
        except OSError as no:
            pytest.skip(f"{self.dir}: {no}")

    def set(self, name, value):
        with open(f"{self.dir}/{name}", "w", encoding="ascii") as f:
            f.write(str(value))

    def get(self, name):
        with open(f"{self.dir}/{name}", encoding="ascii") as f:
            return f.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _ in range(100):
            try:
                os.rmdir(self.dir)
                return
            except OSError:
                time.sleep(0.05)


@ROOT
def test_pids_limit_of_the_cgroup():
    with Cgroup("pids") as group, Target("quiet") as target:
        group.set("cgroup.procs", target.pid)
        group.set("pids.max", int(group.get("pids.current")))
        says(run(LIMPET, "report", target.pid), 5,
             f"the cgroup of process {target.pid} is at its pids.max: no room for the twin; raise it, or use --freeze")
        assert run(LIMPET, "verify", target.pid, "--freeze").returncode == 0
        unharmed(target)
        target.process.kill()
        target.process.wait()


@ROOT
def test_twin_dropped_to_protect_the_program(place):
    """Memory gets short while the twin is read: it goes, the program stays, and that is a limit (5)."""
    with Cgroup("memory") as group:
        limit = "memory.limit_in_bytes" if group.v1 else "memory.max"
        group.set(limit, 256 << 20)
        argv = ["sh", "-c", f"echo $$ > {group.dir}/cgroup.procs; exec {build_targets.build('quiet')}"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as p:
            try:
                p.stdout.readline()
                for _ in range(20):
                    with subprocess.Popen([LIMPET, "report", str(p.pid)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                          text=True) as look:
                        while not twins(p.pid) and look.poll() is None:
                            time.sleep(0.0005)
                        look.send_signal(signal.SIGSTOP)
                        # gone too early or too late, when the answer was near
                        held = bool(twins(p.pid))
                        if held:
                            group.set("memory.force_empty" if group.v1 else "memory.reclaim", "0" if group.v1 else "1M")
                            usage = int(group.get("memory.usage_in_bytes" if group.v1 else "memory.current"))
                            group.set(limit, usage + (1 << 20))
                            end = time.monotonic() + 10
                            while twins(p.pid) and time.monotonic() < end:
                                time.sleep(0.01)
                            assert not twins(p.pid)
                        look.send_signal(signal.SIGCONT)
                        out, said = look.communicate(timeout=60)
                    if held and look.returncode != 0:
                        break
                    group.set(limit, 256 << 20)
                assert look.returncode == 5 and out == "", (look.returncode, said)
                assert re.fullmatch(rf"limpet: .*process {p.pid}: its snapshot was dropped early to protect it: its memory cgroup .* "
                                    r"left below the limit, .* are needed.*\n", said), said
                assert p.poll() is None and not traced(p.pid)
            finally:
                p.kill()


@ROOT
def test_memory_cgroup_of_64_mib(place):
    """Room enough: it works inside and nothing is killed; too little: one line and 5."""
    with Cgroup("memory") as group:
        group.set("memory.limit_in_bytes" if group.v1 else "memory.max", 64 << 20)
        argv = ["sh", "-c", f"echo $$ > {group.dir}/cgroup.procs; exec {build_targets.build('quiet')}"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as p:
            try:
                p.stdout.readline()
                assert run(LIMPET, "verify", p.pid).returncode == 0
                inside = run("sh", "-c", f"echo $$ > {group.dir}/cgroup.procs; exec {LIMPET} verify {p.pid}")
                assert SLOW > 1 or inside.returncode == 0, inside
                assert p.poll() is None and not children(p.pid)
                # What limpet left in the page cache goes first: only then is the limit near.
                group.set("memory.force_empty" if group.v1 else "memory.reclaim", "0" if group.v1 else "60M")
                usage = int(group.get("memory.usage_in_bytes" if group.v1 else "memory.current"))
                group.set("memory.limit_in_bytes" if group.v1 else "memory.max", usage + (2 << 20))
                says(run(LIMPET, "report", p.pid), 5,
                     f"not enough memory for a twin of process {p.pid}: its memory cgroup /… has … left below the limit, "
                     "… are needed; raise the limit, wait for a quiet moment, or use --freeze")
                assert p.poll() is None and not traced(p.pid)
            finally:
                p.kill()


@pytest.mark.parametrize("how", ["fork", "freeze"])
def test_kill_filter_in_the_target(how):
    """A filter that kills for clone and wait4 is suspended for the one call: the program lives."""
    if os.geteuid() and how == "fork":
        pytest.skip("needs CAP_SYS_ADMIN")
    # Go's own threads are made by clone with flags; fork(2) and wait4 stand for what it never does.
    argv, filtered = [build_targets.build("quiet")], refuse([SYS_FORK, SYS_WAIT4, SYS_ACCT], KILL)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, preexec_fn=filtered) as p:
        try:
            p.stdout.readline()
            done = run(LIMPET, "verify", p.pid, *(["--freeze"] if how == "freeze" else []))
            assert done.returncode == 0, done
            time.sleep(0.1)
            assert p.poll() is None and not traced(p.pid) and not children(p.pid)
        finally:
            p.kill()


def test_kill_filter_on_clone(place):
    """The call itself would be death: nothing of it happens."""
    with Odd(place, "seccomp-kill") as odd:
        done = run(LIMPET, "report", odd.pid)
        assert done.returncode == 4 and "not a Go program" in done.stderr, done  # the snapshot was taken
        assert odd.loops() >= 0 and not children(odd.pid)


@ROOT
def test_filters_on_both(place):
    """Who has a filter may not suspend another's: refused before anything is injected."""
    with Odd(place, "seccomp-kill") as odd:
        says(run(LIMPET, "report", odd.pid, preexec_fn=refuse([SYS_ACCT], EPERM)), 4,
             f"process {odd.pid} has a seccomp filter, and limpet has one too, so it may not suspend that: run limpet "
             "with seccomp unconfined, or use --freeze, which injects nothing")
        assert odd.loops() >= 0


def test_in_vfork(place):
    """The parent of a vfork child cannot be stopped: given up in time, all other threads run on."""
    with Odd(place, "vfork") as odd:
        done = run(LIMPET, "report", odd.pid)
        if "not a Go program" in done.stderr:
            pytest.skip("met it between two vforks")
        says(done, 5, f"thread # of process {odd.pid} did not stop in time (state D, in …: waits in the kernel for a "
                      "disk, a network file system or a vfork child); all threads run on, try again later")
        assert odd.loops() > 0


def test_stopped_target():
    with Target("quiet") as target:
        os.kill(target.pid, signal.SIGSTOP)
        time.sleep(0.2)
        assert run(LIMPET, "verify", target.pid).returncode == 0
        assert status(target.pid, "State")[0] == "T"
        os.kill(target.pid, signal.SIGCONT)
        time.sleep(0.1)
        unharmed(target)


# Limits of our own.

def test_pause_limit(mixed):
    says(run(LIMPET, "report", mixed.pid, "--max-pause", "0.01"), 5,
         f"process {mixed.pid} would be stopped for about # ms (# MiB in memory), longer than the limit of 0 ms; allow "
         "it with --max-pause #, or write a core at a quiet hour; --freeze stops it for the whole analysis")


@pytest.mark.skipif(SLOW > 1, reason="a sanitizer takes more than that for itself")
def test_memory_limit(mixed):
    says(run(LIMPET, "report", mixed.pid, "--max-memory", "1M"), 5,
         "out of memory within --max-memory 1048576 bytes: allow more, or take a smaller target")
    unharmed(mixed)


# Where the answer goes.

def test_full_device(mixed):
    done = run("sh", "-c", f"{LIMPET} report {mixed.pid} > /dev/full")
    says(done, 3, "writing stdout: No space left on device")


@ROOT
def test_full_disk(mixed):
    """No half file under the final name, nor beside it."""
    fill = "mount -t tmpfs -o size=%s none /mnt && dd if=/dev/zero of=/mnt/fill bs=4k count=%d 2>/dev/null; "
    after = "r=$?; ls /mnt >/dev/stderr; exit $r"
    done = run("unshare", "-m", "sh", "-c", fill % ("8k", 2) + f"{LIMPET} report {mixed.pid} --json -o /mnt/out; {after}")
    if "mount" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 3 and done.stderr == "limpet: writing /mnt/out: No space left on device\nfill\n", done
    done = run("unshare", "-m", "sh", "-c", fill % ("1m", 8) + f"{LIMPET} snapshot {mixed.pid} -o /mnt/core; {after}")
    assert done.returncode == 3 and done.stderr.endswith("\nfill\n"), done
    assert re.match("limpet: /mnt/core: needs .* are free there: make room, choose another -o FILE, or write less "
                    r"\(--zstd, --no-payload\)", done.stderr), done


def test_closed_stdout(mixed):
    done = run("sh", "-c", f"{LIMPET} report {mixed.pid} >&-")
    says(done, 3, "writing stdout: Bad file descriptor")
    assert run("sh", "-c", f"{LIMPET} report {mixed.pid} <&- >&- 2>&-").returncode == 3
    unharmed(mixed)


def test_reader_went_away(mixed):
    """limpet ... | head: no complaint, 0."""
    with subprocess.Popen([LIMPET, "report", str(mixed.pid), "--json"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        p.stdout.read(10)
        p.stdout.close()
        assert p.wait(60 * SLOW) == 0 and p.stderr.read() == b""


SYSLOG = """
import os, socket, subprocess, sys, time
folder, limpet, pid = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("urandom", 9)):
    os.mknod(folder + "/" + name, 0o020666, os.makedev(1, minor))
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind(folder + "/log")
subprocess.run(["mount", "--move", folder, "/dev"], check=True)
def run():
    began = time.monotonic()
    done = subprocess.run([limpet, "verify", pid], capture_output=True)
    return done.returncode, time.monotonic() - began
code, _ = run()
print(code, log.recv(4096, socket.MSG_DONTWAIT).decode())
full = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
full.setblocking(False)
full.connect("/dev/log")
try:
    while True:
        full.send(b"x")
except BlockingIOError:
    pass
print(*run())
"""


@ROOT
def test_syslogd_that_does_not_read(tmp_path):
    """Each attach is logged; who does not take the line does not keep the program's twin alive."""
    with Target("quiet") as target:
        done = run("unshare", "-m", "python3", "-c", SYSLOG, tmp_path, LIMPET, target.pid)
        if "CalledProcessError" in done.stderr or "Permission" in done.stderr:
            pytest.skip(done.stderr[-300:])
        assert done.returncode == 0, done
        first, second = done.stdout.splitlines()[-2:]
        assert re.match(rf"0 <13>... .. ..:..:.. limpet\[\d+\]: attach: uid 0, command verify, target pid {target.pid} "
                        r"\(.*quiet\), method fork, paused \d+ us: snapshot taken", first), first
        code, took = second.split()
        assert code == "0" and float(took) < 5 * SLOW
        unharmed(target)
