"""Tools of others that our files must open in, fetched once into tests/.cache/bin."""
import fcntl
import os
import shutil
import subprocess

import build_targets

BIN = os.path.join(build_targets.CACHE, "bin")
DLV = "v1.26.2"


def dlv():
    """Delve, as a Go module; None when it cannot be had."""
    binary = os.path.join(BIN, "dlv")
    os.makedirs(BIN, exist_ok=True)
    with open(binary + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(binary):
            env = dict(os.environ, GOBIN=BIN, GOTOOLCHAIN="local", GOFLAGS="", CGO_ENABLED="0")
            subprocess.run([build_targets.toolchain("1.26"), "install",
                            f"github.com/go-delve/delve/cmd/dlv@{DLV}"], env=env, cwd="/", check=False)
    return binary if os.path.exists(binary) else shutil.which("dlv")
