#!/usr/bin/env python3
"""Go's own leak programs against their runtime: which goroutines can never run again.

    tests/e2e/leaks.py [MINOR…]     prints the table of docs/goroutine-leaks.md

From 1.26 on the oracle is the runtime's own profile, asked in the same process before and after the snapshot, and
compared goroutine by goroutine.  Older ones have none: there each goroutine that is called leaked has to be one that
the runtime's own test lists, and where that test counts on a leak it has to be found.
"""
import os
import re
import signal
import sys

import procs

sys.path.insert(0, procs.TESTS)
import build_targets  # noqa: E402
import leak_programs  # noqa: E402

TRIES, SHOWN = 8, 4
# A race in the program itself may end it: left out by the runtime's own test, too.
UNFIT = {"Kubernetes1321"}
AT_ONCE = 8
LOCKS = {"mutex": "sync.Mutex.Lock", "rwmutex": "sync.RWMutex.Lock", "waitgroup": "sync.WaitGroup.Wait"}


def ask(target):
    """{id: wait reason} of what the runtime finds leaked at this instant."""
    at = len(target.lines)
    os.kill(target.pid, signal.SIGUSR1)
    _, end = target.wait_line("END", 60, at)
    text = "\n".join(line for line in target.lines[at:end] if line)
    return {int(m[1]): m[2] for m in re.finditer(r"(?m)^goroutine (\d+) [^\n]*?\[([^\],]*?) \(leaked\)", text)}


def proved(where, *more):
    """{id: goroutine} of what limpet proves."""
    found = procs.limpet_json("goroutines", where, *more)["goroutines"]
    return {g["id"]: g for g in found if g["leaked"] == "proved"}


def against_runtime(target, look=None):
    """(of the runtime's, what is wrong): its leaked goroutines and no others are proved."""
    for _ in range(TRIES):
        before = ask(target)
        ours = look(target) if look else proved(str(target.pid))
        after = ask(target)
        if before == after:
            if before.get(1) == "select (no cases)":  # main waits for its end: 1.26 calls it leaked, 1.27 does not
                del before[1]
            break
    else:
        raise AssertionError("it does not come to rest")
    wrong = [f"not proved: {i} [{w}]" for i, w in before.items() if i not in ours]
    wrong += [f"not leaked: {i} [{g['wait']}]" for i, g in ours.items() if i not in before]
    wrong += [f"{i}: [{g['wait']}], not [{before[i]}]" for i, g in ours.items() if before.get(i, g["wait"]) != g["wait"]]
    return len(before), wrong


def as_the_test_says(goroutine):
    """As the runtime's test writes it: outermost function and wait reason."""
    wait = goroutine["wait"]
    if wait == "semacquire":  # what older ones say of some locks
        wait = LOCKS.get(goroutine["waits_on"][0]["what"], wait)
        if any(f["function"] == "sync.(*RWMutex).RLock" for f in goroutine["stack"]):
            wait = "sync.RWMutex.RLock"
    names = [f["function"] for f in goroutine["stack"]]
    names = [n for n in names if n != "runtime.goexit" and ".gowrap" not in n]  # as tracebacks leave out
    return f"{names[-1].removeprefix('main.')}() [{wait}]"


def against_list(target, patterns, sure, look=None):
    ours = look(target) if look else proved(str(target.pid))
    said = sorted({as_the_test_says(g) for g in ours.values()})
    wrong = [f"not expected: {s}" for s in said if not any(re.search(p, s) for p in patterns)]
    if sure:
        wrong += [f"not proved: {p}" for p in patterns if not any(re.search(p, s) for s in said)]
    return len(ours), wrong


def check(minor, part, sources="1.27", only=None, look=None, flavour="stripped"):
    """{case: (leaked goroutines, [what is wrong])}."""
    binary = leak_programs.build(minor, part, sources, flavour)
    cases = [n for n in only or leak_programs.names(sources, part) if n not in UNFIT]
    expected = leak_programs.expectations()
    done = {}
    for i in range(0, len(cases), AT_ONCE):
        targets = [procs.Target(None, binary=binary, args=[n]) for n in cases[i:i + AT_ONCE]]
        try:
            for name, target in zip(cases[i:i + AT_ONCE], targets):
                target.ready()
                if minor in leak_programs.PROFILED:
                    done[name] = against_runtime(target, look)
                else:
                    patterns, sure = expected.get(name, ([], False))
                    done[name] = against_list(target, patterns, sure, look)
        finally:
            for target in targets:
                target.__exit__(None, None, None)
    return done


def complaints(done):
    return [f"{name}: {w}" for name, (_, wrong) in sorted(done.items()) for w in wrong[:SHOWN]]


def main(argv):
    minors = argv or build_targets.MINORS
    table, bad = {}, []
    for minor in minors:
        for part in leak_programs.PARTS:
            done = check(minor, part)
            bad += [f"{minor} {c}" for c in complaints(done)]
            for name, (n, wrong) in done.items():
                table.setdefault((part, name), {})[minor] = f"{n}" if not wrong else f"**{n}**"
    print("| case | " + " | ".join(minors) + " |\n|---|" + "---:|" * len(minors))
    for (_, name), row in sorted(table.items(), key=lambda x: (x[0][0] != "micro", x[0][1])):
        print(f"| {name} | " + " | ".join(row.get(m, "") for m in minors) + " |")
    for line in bad:
        print(line, file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
