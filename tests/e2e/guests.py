"""arm64 programs on this machine: run by qemu-user, which writes a core of the guest when a signal kills it."""
import glob
import os
import resource
import shutil
import signal

import pytest

import build_targets
from cores import may_dump_core
from procs import SLOW, Target

QEMU = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
LOADER = "/usr/aarch64-linux-gnu"  # of Debian's libc6-arm64-cross: a Go PIE names an interpreter


class Guest(Target):
    """
    A program that has said READY.  core() is the end of it: the runtime prints all goroutines with all frames
    (GOTRACEBACK=crash), each thread from its own signal handler, and dies by SIGABRT.
    """

    def __init__(self, folder, program, minor, flavour="arm64", args=(), env=None):
        if not QEMU:
            pytest.skip("no qemu-aarch64-static here: tools/install-deps")
        self.folder, self.guest = str(folder), build_targets.build(program, minor, flavour)
        if "pie" in flavour and not os.path.exists(LOADER + "/lib/ld-linux-aarch64.so.1"):
            pytest.skip("no loader for arm64 here: tools/install-deps static-arm64")
        old, soft = os.getcwd(), resource.getrlimit(resource.RLIMIT_CORE)
        os.chdir(folder)
        try:
            may_dump_core()
            super().__init__(program, binary=QEMU, args=["-L", LOADER, self.guest, *args], env=dict(env or {}, GOTRACEBACK="crash"))
        finally:
            resource.setrlimit(resource.RLIMIT_CORE, soft)
            os.chdir(old)

    def core(self):
        """Path of the guest's core; the trace is in .trace."""
        at = len(self.lines)
        os.kill(self.pid, signal.SIGABRT)
        self.process.wait(timeout=120 * SLOW)
        with self.more:
            self.more.wait_for(lambda: self.lines[-1] is None, timeout=60)
        self.trace = "\n".join(line for line in self.lines[at:] if line is not None)
        found = glob.glob(os.path.join(self.folder, "qemu_*.core"))
        assert len(found) == 1, (found, self.trace[-2000:])
        path = os.path.join(self.folder, "arm64.core")
        os.rename(found[0], path)
        for of_qemu in glob.glob(os.path.join(self.folder, "core*")):  # the kernel's, of the emulator
            os.remove(of_qemu)
        return path
