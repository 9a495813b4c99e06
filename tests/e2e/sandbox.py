#!/usr/bin/env python3
"""A pod without a container runtime: namespaces, a read-only root with one program in it, a neighbour that sees its pids.

    sandbox.py pod  '{"files": {NAME: PATH}, "argv": [...], "uid": N, ...}'    starts it; ends with us
    sandbox.py beside '{"pod": PID, "files": ..., "argv": [...], ...}'         one more container of it, until it ends

The pod has a user, pid, mount, uts, ipc and (where there are cgroups to write to) cgroup namespace of its own; the
network is ours, so that it can be asked.  Its pid 1 is a pause as in Kubernetes, the program one of its children.
A neighbour shares users and pids (and uts, ipc) with it, and no file.  The first line that a pod writes is
{"pause": pid, "pid": pid} as seen from outside; what the program writes follows.  Keys:

    "root"    "tmpfs" or "overlay"              "uid"     whose the program is, inside
    "proc"    false: none is mounted            "caps"    capabilities to keep, all others are dropped for good
    "filter"  true: a seccomp filter            "env"     its environment
    "first"   true: no pause, it is pid 1
    "number"  the program's pid in there        "cgroups" folders to start in
    "cgroupfs" [type, options] of file systems that show its own cgroups, below /sys/fs/cgroup
"""
import ctypes
import json
import os
import shutil
import signal
import struct
import sys

from empty_root import (CLONE_NEWNS, MNT_DETACH, MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_REC,
                        MS_REMOUNT, PR_SET_PDEATHSIG, SYS_PIVOT_ROOT, call, enter_namespaces, mount)

CLONE_NEWCGROUP = 0x02000000
PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 22, 24, 38
CAPS = {"dac_override": 1, "dac_read_search": 2, "kill": 5, "sys_ptrace": 19, "sys_admin": 21}
HOLD = "/mnt"
libc = ctypes.CDLL(None, use_errno=True)


def overlay():
    """Layers as a container engine makes them: what is written goes to a layer of its own."""
    for name in ("lower", "upper", "work", "merged"):
        os.mkdir(f"{HOLD}/{name}", 0o755)
    return f"{HOLD}/lower", f"{HOLD}/merged"


def furnish(spec, files):
    """A root with the files in it, made read-only; the old one is gone."""
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("root", HOLD, "tmpfs", MS_NOSUID | MS_NODEV)
    os.chmod(HOLD, 0o755)
    fill, root = overlay() if spec.get("root") == "overlay" else (HOLD, HOLD)
    for name, fd in files.items():
        os.makedirs(os.path.dirname(f"{fill}/{name}"), exist_ok=True)
        shutil.copyfile(f"/proc/self/fd/{fd}", f"{fill}/{name}")
        os.chmod(f"{fill}/{name}", 0o755)
    if spec.get("proc", True):
        os.mkdir(f"{fill}/proc")
    if root != fill:
        what = f"lowerdir={HOLD}/lower,upperdir={HOLD}/upper,workdir={HOLD}/work".encode()
        if libc.mount(b"overlay", root.encode(), b"overlay", ctypes.c_ulong(0), what) < 0:
            raise OSError(ctypes.get_errno(), "no overlay in a user namespace here")
    if spec.get("proc", True):
        mount("proc", f"{root}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for i, (kind, options) in enumerate(spec.get("cgroupfs", [])):
        where = f"{root}/sys/fs/cgroup/{i}"
        os.makedirs(where)
        if libc.mount(b"cgroup", where.encode(), kind.encode(), ctypes.c_ulong(MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY),
                      options.encode()) < 0:
            raise OSError(ctypes.get_errno(), f"no {kind} in a user namespace here")
    os.chdir(root)
    call("syscall", SYS_PIVOT_ROOT, b".", b".")
    call("umount2", b".", MNT_DETACH)
    os.chdir("/")
    mount("none", "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def keep_caps(names):
    """What a container runtime's cap_drop and cap_add do for root."""
    for cap in range(64):
        if cap not in {CAPS[n] for n in names}:
            libc.prctl(PR_CAPBSET_DROP, cap, 0, 0, 0)


def allow_all():
    """A seccomp filter, as every container of Docker has one; what it says is not the point."""
    code = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000), 8)
    prog = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(code)), 16)
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    call("prctl", PR_SET_SECCOMP, 2, prog, 0, 0)


def become(spec):
    uid = spec.get("uid", 0)
    if "caps" in spec:
        keep_caps(spec["caps"])
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if spec.get("filter"):
        allow_all()
    os.execve(spec["argv"][0], spec["argv"], spec.get("env", {}))


def open_files(spec):
    return {name: os.open(path, os.O_RDONLY) for name, path in spec["files"].items()}


def pause(say, told, spec):
    """Pid 1 of the pod: starts the program, reaps whatever ends, and goes with it."""
    if "number" in spec:
        with open("/proc/sys/kernel/ns_last_pid", "w", encoding="utf-8") as f:
            f.write(str(spec["number"] - 1))
    program = 0 if spec.get("first") else os.fork()
    if spec.get("first"):
        os.write(say, b"1")
    if not program:
        os.read(told, 1)
        os.closerange(3, 64)
        become(spec)
    os.write(say, str(program).encode())
    while os.wait()[0] != program:
        pass
    os._exit(0)


def outside_pid(first, inner):
    """The number that we know a process of the pod by."""
    if inner == "1":
        return first
    with open(f"/proc/{first}/task/{first}/children", encoding="utf-8") as f:
        for pid in f.read().split():
            with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as s:
                if [line for line in s if line.startswith("NSpid:")][0].split()[-1] == inner:
                    return int(pid)
    raise OSError("the program has ended")


def pod(spec):
    files = open_files(spec)
    join_cgroups(spec)
    enter_namespaces()
    if spec.get("cgroups"):
        call("unshare", CLONE_NEWCGROUP)
    say, told = os.pipe(), os.pipe()
    first = os.fork()
    if not first:
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        call("unshare", CLONE_NEWNS)  # our parent keeps the root that it has
        furnish(spec, files)
        pause(say[1], told[0], spec)
    inner = os.read(say[0], 16).decode()
    print(json.dumps({"pause": first, "pid": outside_pid(first, inner)}), flush=True)
    os.write(told[1], b"x")
    os.waitpid(first, 0)


def join_cgroups(spec):
    for folder in spec.get("cgroups", []):
        with open(f"{folder}/cgroup.procs", "w", encoding="utf-8") as f:
            f.write("0")


def beside(spec):
    files = open_files(spec)
    join_cgroups(spec)
    names = ["user", "pid", "uts", "ipc"]
    for fd in [os.open(f"/proc/{spec['pod']}/ns/{n}", os.O_RDONLY) for n in names]:
        call("setns", fd, 0)
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    call("unshare", CLONE_NEWNS | (CLONE_NEWCGROUP if spec.get("cgroups") else 0))
    child = os.fork()  # pids are those of the pod from here on
    if not child:
        furnish(spec, files)
        os.closerange(3, 64)
        become(spec)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # whoever started us may be killed
    {"pod": pod, "beside": beside}[sys.argv[1]](json.loads(sys.argv[2]))
