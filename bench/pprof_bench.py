#!/usr/bin/env python3
"""1 GB of profiles through `limpet top`, and beside `go tool pprof -top`: time and peak memory.

    make bench-pprof                          one file of 1 GB, unpacked; then 100 files of 10 MB, packed
    bench/pprof_bench.py [BYTES [SHARE]]      another size; pprof gets a SHARE of it (0.1)

pprof takes some 35 times a file's size in memory, so that 1 GB of it fits into few machines: both are compared on
the share, and limpet takes all of it besides.  SHARE 1 compares on all.
Exit 1 where limpet takes more than 512 MB or is not 3 times faster, or where the first rows differ.
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests"))
import build_targets  # noqa: E402

LIMPET = os.environ.get("LIMPET", os.path.join(TOP, "build", "limpet"))
MEMORY = 512 << 20
FASTER = 3


def run(argv):
    """(seconds, CPU seconds, peak bytes, output) of a command, children of the shell apart."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(["/usr/bin/time", "-f", "PEAK %M", *argv], capture_output=True, text=True, check=False,
                          env=dict(os.environ, GOTOOLCHAIN="local", PPROF_TMPDIR=tempfile.gettempdir()))
    took = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode:
        sys.exit(f"{argv[:3]}: {done.stderr[-2000:]}")
    return took, cpu, int(re.search(r"PEAK (\d+)", done.stderr)[1]) << 10, done.stdout


def rows(text):
    """The first rows: shares and names.  Units are chosen for the rows that are shown, which differ."""
    found = re.findall(r"^ *[\d.]+\w*B? +([\d.]+%) +([\d.]+%) +[\d.]+\w*B? +([\d.]+%)  (\S+)", text, re.M)
    return found[:20]


def tell(what, name, figures):
    print(f"{what}: {name}: {figures[0]:.1f} s, {figures[1]:.1f} s of CPU, {figures[2] >> 20} MiB", flush=True)


def limpet(what, files):
    ours = run([LIMPET, "top", *files, "--limit", "20"])
    tell(what, "limpet top", ours)
    return ours


def compare(what, files):
    ours = limpet(what, files)
    theirs = run([build_targets.toolchain(build_targets.NEWEST), "tool", "pprof", "-top", "-nodecount=20", *files])
    tell(what, "go tool pprof -top", theirs)
    same = rows(ours[3]) == rows(theirs[3]) != []
    print(f"{what}: {theirs[0] / ours[0]:.1f} times faster ({theirs[1] / ours[1]:.1f} by CPU); "
          f"first rows {'equal' if same else 'DIFFER'}", flush=True)
    return same and theirs[0] >= FASTER * ours[0]


def make(gen, path, size, seed, form):
    subprocess.run([gen, path, str(size), str(seed), form], check=True, stdout=subprocess.DEVNULL)
    return path


def main():
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000_000
    share = float(sys.argv[2]) if len(sys.argv) > 2 else 0.1
    tmp = tempfile.mkdtemp(prefix="limpet-pprof-")
    good = True
    try:
        gen = os.path.join(tmp, "profgen")
        subprocess.run([build_targets.toolchain(build_targets.NEWEST), "build", "-o", gen, "."], check=True,
                       cwd=os.path.join(TOP, "bench", "profgen"), env=dict(os.environ, GOTOOLCHAIN="local"))
        one = make(gen, os.path.join(tmp, "one.pb"), size, 1, "plain")
        good &= limpet(f"one file of {size >> 20} MiB", [one])[2] <= MEMORY
        one = make(gen, one, int(size * share), 2, "plain")
        good &= compare(f"one file of {int(size * share) >> 20} MiB", [one])
        os.unlink(one)
        many = [make(gen, os.path.join(tmp, f"{i}.pb.gz"), size // 100, i, "gzip") for i in range(100)]
        good &= limpet(f"100 files, {size >> 20} MiB when unpacked", many)[2] <= MEMORY
        some = many[:max(2, int(share * 100))]
        good &= compare(f"{len(some)} of them", some)
    finally:
        shutil.rmtree(tmp)
    sys.exit(not good)


if __name__ == "__main__":
    main()
