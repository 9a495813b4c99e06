#!/usr/bin/env python3
"""`make demo`: a web shop that leaks, with visitors, and what limpet says about it.  Leaves nothing running."""
import os
import sys
import tempfile
import time

import procs


def say(*words):
    print(*words, flush=True)


def first_look(pid, path):
    """A snapshot to compare with; the failed run, or None."""
    time.sleep(2)
    say(f"\n$ limpet snapshot {pid} -o before.core")
    done = procs.limpet("snapshot", pid, "-o", path, "--no-payload", code=None)
    return done if done.returncode else None


def main():
    say("Building a Go web shop that leaks (stripped, no pprof) ...")
    with procs.Target("leakhttp") as shop:
        say(f"It runs as pid {shop.pid}.  Visitors come: 8 at once for 6 seconds, every byte of every answer checked.")
        with procs.Load(shop.address, clients=8, args=["-pause", "4ms"]) as visitors, tempfile.TemporaryDirectory() as folder:
            done = first_look(shop.pid, os.path.join(folder, "before.core"))
            time.sleep(4)
            say(f"\n$ limpet report {shop.pid} --since before.core\n")
            done = done or procs.limpet("report", shop.pid, "--since", "before.core", code=None, cwd=folder)
            sys.stdout.write(done.stdout)
            sys.stderr.write(done.stderr)
            figures = visitors.result()
        say(f"\nMeanwhile {figures['requests']} requests were answered, {figures['failures']} of them wrongly; the slowest "
            f"took {figures['max_ns'] / 1e6:.1f} ms.")
        wrong = done.returncode or figures["failures"] or not shop.alive()
    say("The shop and its visitors are gone again.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
