#!/usr/bin/env python3
"""Runs a program as pid 1 of a root with nothing in it but that program, files given by hand, and /proc.

    empty_root.py UID FILE[=NAME]... -- PROGRAM [ARGS]

The root is a tmpfs of its own, read-only, in new user, mount, pid, uts and ipc namespaces; ids from 0 on are
those from 100000 on outside, so nobody inside has a right outside.  The first line on stdout is the pid of the
program as seen from outside; it ends with us.
"""
import ctypes
import os
import shutil
import signal
import sys

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
MNT_DETACH, PR_SET_PDEATHSIG, SYS_PIVOT_ROOT = 2, 1, 155
FIRST_ID, IDS = 100000, 65536


def call(name, *args):
    if getattr(libc, name)(*args) < 0:
        no = ctypes.get_errno()
        raise OSError(no, f"{name}: {os.strerror(no)}")


def mount(what, where, kind, flags):
    call("mount", what.encode(), where.encode(), kind and kind.encode(), ctypes.c_ulong(flags), None)


def enter_namespaces():
    """Whoever may map ids is the parent, outside; the rest is done by the child."""
    to_parent, to_child = os.pipe(), os.pipe()
    child = os.fork()
    if child:
        os.close(to_parent[1])
        if not os.read(to_parent[0], 1):  # not permitted: in a chroot, by a sysctl
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        ids = f"0 {FIRST_ID} {IDS}" if os.geteuid() == 0 else f"0 {os.geteuid()} 1"
        if os.geteuid():
            with open(f"/proc/{child}/setgroups", "w", encoding="ascii") as f:
                f.write("deny")
        for kind in ("uid_map", "gid_map"):
            with open(f"/proc/{child}/{kind}", "w", encoding="ascii") as f:
                f.write(ids)
        os.write(to_child[1], b"x")
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    call("unshare", CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC)
    os.write(to_parent[1], b"x")
    os.read(to_child[0], 1)
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # a new user id would have unset it


def furnish(files):
    """A tmpfs with the files in it becomes the root; the old one is gone."""
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("root", "/mnt", "tmpfs", MS_NOSUID | MS_NODEV)
    for source, name in files:
        shutil.copy(source, "/mnt/" + name)
        os.chmod("/mnt/" + name, 0o755)
    os.mkdir("/mnt/proc")
    mount("proc", "/mnt/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    os.chdir("/mnt")
    call("syscall", SYS_PIVOT_ROOT, b".", b".")
    call("umount2", b".", MNT_DETACH)
    os.chdir("/")
    mount("none", "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def main(argv):
    at = argv.index("--")
    uid, program = int(argv[0]), argv[at + 1:]
    files = [(f.split("=")[0], os.path.basename(f.split("=")[-1])) for f in argv[1:at]]
    files = [(os.open(source, os.O_RDONLY), name) for source, name in files]
    enter_namespaces()
    say, told = os.pipe(), os.pipe()
    first = os.fork()
    if first:
        os.read(say[0], 1)
        print(first, flush=True)
        os.write(told[1], b"x")
        os.waitpid(first, 0)
        return 0
    furnish([(f"/proc/self/fd/{fd}", name) for fd, name in files])
    os.write(say[1], b"x")
    os.read(told[0], 1)
    os.closerange(3, 64)
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.execve(program[0], program, {"HOME": "/", "GOTRACEBACK": os.environ.get("GOTRACEBACK", "single")})
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
