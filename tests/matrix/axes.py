"""The matrix of tests/goprogs/matrix: Go version x build mode x symbols x evidence.  The axes are the data that follows.

A mode is how the one program (package body) becomes a process:

    package   what `go build` gets, below tests/goprogs
    args      its arguments            ldflags  of the linker, with -s -w where the cell is stripped
    env       beside CGO_ENABLED=1     then     commands afterwards; $OUT is the folder, $SRC tests/goprogs/matrix
    with      environment of the program
    run       the command line; the first word is the program
    dwarf     "none": the linker writes none here; "host": the program's module is another than the host's
    wide      not one of the modes that a Go programmer knows by name: only in the whole matrix

HOW TO ADD A MODE: one entry.  A VERSION: build_targets.MINORS.
"""
import fcntl
import hashlib
import os
import signal
import subprocess
import sys

import build_targets

MINORS = build_targets.OLD_MINORS + build_targets.MINORS
SYMBOLS = ["stripped", "dwarf"]
EVIDENCE = ["live", "core", "copy"]  # the process, the kernel's core of it, `limpet snapshot`'s core of it

PYTHON_HOST = "import ctypes, time; ctypes.CDLL('$OUT/lib.so').MatrixStart(); time.sleep(10**6)"
GCC_HOST = ["gcc", "-O1", "-o", "$OUT/host", "$SRC/host/host.c"]
# What the program needs of the standard library, as one shared library.
SHARED_STD = ["runtime", "runtime/cgo", "fmt", "os/signal", "strings"]

MODES = {
    "exe": {"env": {"CGO_ENABLED": "0"}},
    "pie": {"env": {"CGO_ENABLED": "0"}, "args": ["-buildmode=pie"]},
    "external": {"ldflags": ["-linkmode=external"]},
    "external-pie": {"ldflags": ["-linkmode=external"], "args": ["-buildmode=pie"]},
    "static": {"ldflags": ["-linkmode=external", "-extldflags=-static"], "args": ["-tags=netgo,osusergo"]},
    "trimpath": {"env": {"CGO_ENABLED": "0"}, "args": ["-trimpath"]},
    "race": {"args": ["-race"]},
    "c-shared": {"package": "matrix/lib", "out": "lib.so", "args": ["-buildmode=c-shared"],
                 "then": [[*GCC_HOST, "-ldl"]], "run": ["$OUT/host", "$OUT/lib.so"]},
    "c-shared-python": {"package": "matrix/lib", "out": "lib.so", "args": ["-buildmode=c-shared"],
                        "run": [sys.executable, "-c", PYTHON_HOST]},
    "c-archive": {"package": "matrix/lib", "out": "lib.a", "args": ["-buildmode=c-archive"],
                  "then": [[*GCC_HOST, "-DARCHIVE", "$OUT/lib.a", "-lpthread"]]},
    "plugin": {"package": "matrix/plug", "out": "plug.so", "args": ["-buildmode=plugin"],
               "then": [["$GO", "build", "-o", "$OUT/host", "$LDFLAGS", "./matrix/plughost"]], "dwarf": "host",
               "run": ["$OUT/host", "$OUT/plug.so"]},
    "linkshared": {"first": [["$GO", "install", "-buildmode=shared", "-pkgdir=$OUT/pkg", *SHARED_STD]],
                   "args": ["-linkshared", "-pkgdir=$OUT/pkg"], "dwarf": "none"},
    "unoptimised": {"env": {"CGO_ENABLED": "0"}, "args": ["-gcflags=all=-N -l"], "wide": True},
    "amd64v3": {"env": {"CGO_ENABLED": "0", "GOAMD64": "v3"}, "wide": True},
    "cover": {"env": {"CGO_ENABLED": "0"}, "args": ["-cover"], "wide": True},
    "asan": {"args": ["-asan"], "wide": True, "with": {"ASAN_OPTIONS": "disable_coredump=0"}},
}

# What a toolchain cannot build: (minor, mode) -> what its compiler or linker says.
CANNOT = {(minor, "cover"): "flag provided but not defined: -cover" for minor in ("1.18", "1.19")}
# What it builds, and what then ends by itself: the signal.
CANNOT_RUN = {(minor, "static"): signal.SIGTRAP for minor in ("1.18", "1.19", "1.20")}
# What limpet says no to: exit 4 and a line with these words.  The linker of Go 1.18 to 1.20 writes no build info there.
REFUSED = {(minor, "linkshared"): "no Go build info" for minor in ("1.18", "1.19", "1.20")}


def cells():
    """(minor, mode, symbols, evidence, on the diagonal) of every cell."""
    named = [m for m in MODES if not MODES[m].get("wide")]
    diagonal = {(MINORS[-1 - i % len(MINORS)], mode, SYMBOLS[i % 2], EVIDENCE[i % 3]) for i, mode in enumerate(named)}
    for minor in MINORS:
        for mode in MODES:
            for symbols in SYMBOLS:
                for evidence in EVIDENCE:
                    if (mode, evidence) == ("asan", "copy"):
                        continue  # a known lack: docs/build-modes.md
                    cell = minor, mode, symbols, evidence
                    yield (*cell, cell in diagonal)


class CannotBuild(Exception):
    """This toolchain has no such mode; the words are its own."""


def _digest(words):
    h = hashlib.sha256(repr(words).encode())
    for top in (os.path.join(build_targets.PROGS, "matrix"), os.path.join(build_targets.PROGS, "internal", "ready")):
        for folder, _, names in sorted(os.walk(top)):
            for name in sorted(names):
                with open(os.path.join(folder, name), "rb") as f:
                    h.update(f.read())
    return h.hexdigest()


def _run(words, env, minor, mode):
    done = subprocess.run(words, cwd=build_targets.PROGS, env=env, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    why = CANNOT.get((minor, mode))
    if why and why in done.stderr:
        raise CannotBuild(next(line for line in done.stderr.splitlines() if why in line))
    raise AssertionError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def build(minor, mode, symbols):
    """The command line of that cell's program; it is built if need be."""
    m = MODES[mode]
    go = build_targets.toolchain(minor)
    out = os.path.realpath(os.path.join(build_targets.CACHE, "matrix", f"go{minor}-{mode}-{symbols}"))
    os.makedirs(out, exist_ok=True)
    names = {"$GO": go, "$OUT": out, "$SRC": os.path.join(build_targets.PROGS, "matrix")}

    def real(words):
        for name, value in names.items():
            words = [w.replace(name, value) for w in words]
        return words

    ldflags = (["-s", "-w"] if symbols == "stripped" else []) + m.get("ldflags", [])
    modfile = ["-modfile=" + build_targets.old_mod(out, minor)] if minor in build_targets.OLD_MINORS else []
    names["$LDFLAGS"] = "-ldflags=" + " ".join(ldflags)
    main = [go, "build", "-o", os.path.join(out, m.get("out", "host")), *modfile, *m.get("args", []), "$LDFLAGS",
            "./" + m.get("package", "matrix")]
    then = [[*w, "-s"] if w[0] == "gcc" and symbols == "stripped" else w for w in m.get("then", [])]
    before, then = ([[*w[:2], *modfile, *w[2:]] if w[0] == "$GO" else w for w in part]
                    for part in (m.get("first", []), then))
    steps = [real(words) for words in (*before, main, *then)]
    env = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-buildvcs=false", GOWORK="off", CC="gcc",
               **({"GODEBUG": "goindex=0"} if minor == "1.19" else {}),  # see tools/go-toolchain
               **{"CGO_ENABLED": "1", **m.get("env", {})})
    digest = _digest([go, m, ldflags, out if "first" in m else ""])  # the path of shared libraries is written into it
    stamp = os.path.join(out, "stamp")
    with open(stamp + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(stamp) or open(stamp, encoding="ascii").read() != digest:
            for words in steps:
                _run(words, env, minor, mode)
            with open(stamp, "w", encoding="ascii") as f:
                f.write(digest)
    return real(m.get("run", ["$OUT/host"]))
