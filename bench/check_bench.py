#!/usr/bin/env python3
"""How often `limpet check` is wrong: each server of examples/checklab, again and again.

    make bench-check                              all 24, five runs each, on Go 1.22 and 1.27 in turn
    bench/check_bench.py [--runs 20] [--go 1.22,1.27] [--requests 100] [--jobs 4] [--write] [MODE…]

Twelve of them leak: exit 1 with a finding is right.  Twelve only look like it: exit 0 is right.  All else is wrong, and
so is a run of more than two minutes.  --write puts the table into docs/check.md.  Exit 1 if anything was wrong.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests"))
import build_targets  # noqa: E402

LIMPET = os.environ.get("LIMPET", os.path.join(TOP, "build", "limpet"))
PAGE = os.path.join(TOP, "docs", "check.md")
BEGIN, END = "<!-- table of bench/check_bench.py -->\n", "<!-- end of table -->\n"
MOST_SECONDS = 120


def modes(binary):
    """{name: (leaks, about)}, the leaking ones first."""
    rows = [line.split(None, 2) for line in subprocess.run([binary, "-list"], capture_output=True, text=True,
                                                           check=True).stdout.splitlines()]
    return {name: (truth == "leak", about) for truth, name, about in sorted(rows, key=lambda r: (r[0] != "leak", r[1]))}


class Run:
    """One check: its result, and why."""

    def __init__(self, binary, mode, leaks, requests):
        began = time.monotonic()
        done = subprocess.run([LIMPET, "check", "--json", "--load", f"{binary} load -n {requests}", "--", binary, mode],
                              capture_output=True, text=True, check=False, timeout=600)
        self.seconds = time.monotonic() - began
        self.code = done.returncode
        try:
            self.check = json.loads(done.stdout)["checks"][0]
        except (ValueError, KeyError, IndexError):
            self.check = {"result": "none", "why": done.stderr.strip()[-300:], "findings": [], "rounds": [], "sure": None}
        self.result = self.check["result"]
        named = any(f["verdict"] == "leak" for f in self.check["findings"])
        self.right = (self.code == 1 and self.result == "failed" and named) if leaks else self.code == 0
        self.right = self.right and self.seconds <= MOST_SECONDS

    def words(self):
        return f"exit {self.code}, {self.result}, {self.seconds:.0f} s: {self.check['why']}"


def line(mode, about, leaks, runs):
    count = {word: sum(r.result == word for r in runs) for word in ("failed", "unsure", "passed")}
    times = sorted(r.seconds for r in runs)
    wrong = sum(not r.right for r in runs)
    return (f"| {mode} | {about} | {'leaks' if leaks else 'healthy'} | {len(runs)} | {count['failed']} | {count['unsure']} | "
            f"{count['passed']} | {wrong} | {times[len(times) // 2]:.0f} s | {times[-1]:.0f} s |\n")


HEAD = ("| mode | what it does | truth | runs | fails | unsure | passes | wrong | median | longest |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n")


def write(table):
    with open(PAGE, encoding="utf-8") as f:
        before, rest = f.read().split(BEGIN)
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write(before + BEGIN + table + END + rest.split(END)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--go", default="1.22,1.27")
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--log", help="all results, a JSON document a line")
    parser.add_argument("mode", nargs="*")
    args = parser.parse_args()
    binaries = {minor: build_targets.build("checklab", minor) for minor in args.go.split(",")}
    minors = list(binaries)
    all_modes = modes(binaries[minors[0]])
    runs = {name: [] for name in all_modes if not args.mode or name in args.mode}
    def one(i, at, name):
        minor = minors[(i + at) % len(minors)]
        return name, minor, Run(binaries[minor], name, all_modes[name][0], args.requests)

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        todo = [pool.submit(one, i, at, name) for i in range(args.runs) for at, name in enumerate(runs)]
        for future in concurrent.futures.as_completed(todo):
            name, minor, run = future.result()
            runs[name].append(run)
            if args.log:
                with open(args.log, "a", encoding="utf-8") as f:
                    f.write(json.dumps({"mode": name, "go": minor, "right": run.right, "seconds": run.seconds,
                                        "code": run.code, "check": run.check}) + "\n")
            if not run.right:
                print(f"WRONG {name} on {minor}: {run.words()}", flush=True)
    table = HEAD + "".join(line(n, all_modes[n][1], all_modes[n][0], r) for n, r in runs.items())
    print(table, end="")
    if args.write:
        write(table)
    return any(not r.right for rs in runs.values() for r in rs)


if __name__ == "__main__":
    sys.exit(main())
