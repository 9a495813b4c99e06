#!/usr/bin/env python3
"""Builds test programs lazily into tests/.cache: program x Go version x flavour.

    tests/build_targets.py PROGRAM [MINOR [FLAVOUR]]     prints the path of the binary
    tests/build_targets.py --all                         builds the whole matrix

A binary is rebuilt when a source of it, the toolchain or the flags have changed.
"""
import fcntl
import hashlib
import os
import subprocess
import sys

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(TESTS)
PROGS = os.path.join(TESTS, "goprogs")
CACHE = os.path.join(TESTS, ".cache")

MINORS = ["1.22", "1.23", "1.24", "1.25", "1.26", "1.27"]
# Heap bits lie in the arenas; most tests are about MINORS, test_old.py about these.
OLD_MINORS = ["1.18", "1.19", "1.20", "1.21"]
NEWEST = "1.27"
FLAVOURS = {
    "stripped": ["-ldflags=-s -w"],
    "dwarf": [],
    "pie": ["-buildmode=pie", "-ldflags=-s -w"],
    "arm64": ["-ldflags=-s -w"],
    "arm64-dwarf": [],
    "arm64-pie": ["-buildmode=pie", "-ldflags=-s -w"],
}
# "arm64…" is for linux/arm64, whatever this machine is.
# "exp-NAME" is stripped and built with GOEXPERIMENT=NAME.
# Programs of this repository, and real servers with a go.mod of their own.
OWN = ["quiet", "mixed", "goroutines10k", "bigmaps", "gcstorm", "cgo", "leakhttp", "sumhttp", "load",
       "heapdump", "truth", "containers", "inlined", "spinning", "labelhttp", "sites",
       "selfstat", "identity", "threepoints", "makers", "gotext", "profmaker", "gclab", "mixlab"]
NEEDS_EXPERIMENT = ["arenas"]
NEEDS_CGO = ["cgo", "findings/off-heap-cgo"]
SERVERS = ["caddy", "nats", "labelgrpc", "etcd", "owners"]
NEWER = {"etcd": "1.23"}  # servers that want at least this Go
WITH_INTERNAL = ["labelgrpc", "owners"]  # of these, the ones that use tests/goprogs/internal
# A main package of somebody else's module: built by its path, from a go.mod of ours.
PACKAGES = {"prometheus": "github.com/prometheus/prometheus/cmd/prometheus"}
# This caddy asks reflect for json.RawMessage by name, which is an alias under 1.27's encoding/json: it panics.
WORKAROUND = {("caddy", "1.27"): "nojsonv2"}
EXTRA = {"heap10m": os.path.join(TOP, "bench", "heap10m"), "leaklab": os.path.join(TOP, "examples", "leaklab"),
         "checklab": os.path.join(TOP, "examples", "checklab")}

_toolchains = {}


def toolchain(minor):
    """Path of the go of that minor version; fetched when this machine lacks it."""
    if minor not in _toolchains:
        out = subprocess.run([os.path.join(TOP, "tools/go-toolchain"), "--minor", minor],
                             stdout=subprocess.PIPE, check=True, text=True)
        _toolchains[minor] = out.stdout.strip()
    return _toolchains[minor]


def source_dir(program):
    return EXTRA.get(program, os.path.join(PROGS, program))


def own_module(program):
    """Whether it has a go.mod of its own, as real servers do and programs with real libraries."""
    return os.path.exists(os.path.join(source_dir(program), "go.mod"))


def flags(flavour):
    """(arguments of go build, GOEXPERIMENT) of a flavour."""
    if flavour.startswith("exp-"):
        return FLAVOURS["stripped"], flavour[4:]
    return FLAVOURS[flavour], ""


def _digest(program, words):
    h = hashlib.sha256(repr(words).encode())
    dirs = [source_dir(program)]
    if not own_module(program) or program in WITH_INTERNAL or program.startswith("realleaks/"):
        dirs.append(os.path.join(PROGS, "internal"))
    if program.startswith("findings/"):
        dirs.append(os.path.join(PROGS, "findings", "internal"))
    for top in dirs:
        for folder, _, names in sorted(os.walk(top)):
            for name in sorted(names):
                if name.endswith((".go", ".mod", ".sum")):
                    with open(os.path.join(folder, name), "rb") as f:
                        h.update(f.read())
    return h.hexdigest()


def old_mod(folder, minor):
    """A go.mod with a go line that this version takes; what the sources use of newer ones is in files of their own."""
    path = os.path.join(folder, "old.mod")
    text = f"module limpet/goprogs\n\ngo {minor}\n"
    if not os.path.exists(path) or open(path, encoding="ascii").read() != text:
        with open(path + f".{os.getpid()}", "w", encoding="ascii") as f:
            f.write(text)
        os.rename(f.name, path)
    return path


def build(program, minor=NEWEST, flavour="stripped", modfile=None):
    """Path of the binary; raises CalledProcessError with the compiler's words.  modfile: instead of its go.mod."""
    go = toolchain(minor)
    folder = os.path.join(CACHE, f"go{minor}-{flavour}")
    binary = os.path.join(folder, program + (f"-{modfile.removesuffix('.mod')}" if modfile else ""))
    stamp = binary + ".stamp"
    arguments, experiment = flags(flavour)
    if modfile:
        arguments = [*arguments, "-modfile=" + modfile]
    experiment = experiment or WORKAROUND.get((program, minor), "")
    words = [go, *arguments, experiment]
    digest = _digest(program, words)
    os.makedirs(os.path.dirname(binary), exist_ok=True)
    with open(stamp + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(binary) and os.path.exists(stamp):
            with open(stamp, encoding="ascii") as f:
                if f.read() == digest:
                    return binary
        env = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-buildvcs=false", GOWORK="off",
                   CGO_ENABLED="1" if program in NEEDS_CGO else "0")
        if program in NEEDS_CGO:
            env.setdefault("CC", "gcc")
        if flavour.startswith("arm64"):
            env["GOARCH"] = "arm64"
        if minor == "1.19":  # see tools/go-toolchain
            env["GODEBUG"] = "goindex=0"
        if experiment:
            env["GOEXPERIMENT"] = experiment
        where = source_dir(program)
        package = PACKAGES.get(program, ".")
        if not own_module(program):
            where, package = PROGS, "./" + program
            if minor in OLD_MINORS:
                arguments = [*arguments, "-modfile=" + old_mod(folder, minor)]
        subprocess.run([go, "build", "-o", binary, *arguments, package], cwd=where, env=env, check=True)
        with open(stamp, "w", encoding="ascii") as f:
            f.write(digest)
    return binary


def main(argv):
    if argv == ["--all"]:
        for minor in MINORS:
            for program in OWN + [s for s in SERVERS if minor >= NEWER.get(s, minor)]:
                for flavour in ("stripped", "dwarf"):
                    print(build(program, minor, flavour), flush=True)
        return 0
    if not argv or argv[0].startswith("-") or len(argv) > 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    print(build(*argv))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
