#!/usr/bin/env python3
"""Planted faults and what limpet says of them: cases from CASE lines, run and judged.

    tests/findings.py [--go 1.27] [--flavour stripped] [--core] [--jobs 2] [-v] [KIND [CASE]]

KIND is a folder of tests/goprogs/findings (goroutine-leak or goroutine_leak), or leaklab.  A line a
case, with what is wrong; -v shows all findings of each.  Exit 1 when a case fails.

A program plants what its argument names, says READY and waits; at the top of its source:

    // CASE name EXPECT kind [verdict=…] [proof=…] [type=GLOB] [holder=GLOB] [function=GLOB]
    //                        [count>=N] [bytes>=N] [anywhere] [also=kind] [env=N=V] [needs=1.24] [until=1.23]
    // CASE name NONE [env=N=V] [needs=1.24] [until=1.23]

EXPECT: there is a finding of that kind that matches, it is first in the ranking (unless `anywhere`), and
no finding says `leak` but of a kind that this case expects (or has in also=; without verdict=leak: none).  Several
lines of one name are one case.  NONE, the near-miss: no `leak` at all, and none of this
program's kinds but as `info`.  In a GLOB only * and ? are special.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(TESTS)
sys.path[:0] = [TESTS, os.path.join(TESTS, "e2e")]
import build_targets  # noqa: E402
import procs  # noqa: E402

# The contract's table, section 5.
KINDS = """goroutine-leak lock-contention limits-unset goroutine-hold global-growth closure-capture context-leak
    timer-leak sync-pool-dirty sync-pool-large channel-backlog unclosed-resource finalizer-cycle finalizer-backlog
    substring-pin subslice-pin slice-waste map-bloat duplicate-strings pointer-chain off-heap gc-tuning
    runtime-metadata""".split()
PROGRAMS = os.path.join(build_targets.PROGS, "findings")
LEAKLAB = build_targets.EXTRA["leaklab"]
WORDS = {"verdict": ("leak", "suspect", "waste", "info"), "proof": ("proved", "measured", "inferred")}
GLOBS = ("type", "holder", "function")
NUMBERS = ("count", "bytes")
NAMELESS = "global used by "  # how a holder chain begins where the program is stripped


class Expectation:
    """One EXPECT line: a kind and what else its finding must be."""

    def __init__(self, kind):
        self.kind, self.exact, self.globs, self.least, self.anywhere = kind, {}, {}, {}, False

    def wrong(self, finding, with_kind=True):
        """What of this finding is not as expected; "" when all is.

        Globals of a stripped program have no names: where the chain begins at such a one, holder=main.NAME is not asked.
        """
        bad = [f"kind is {finding['kind']}"] if with_kind and finding["kind"] != self.kind else []
        bad += [f"{k} is {finding[k]}, not {v}" for k, v in self.exact.items() if finding[k] != v]
        for key, want in self.globs.items():
            texts = said_of(finding, key)
            if key == "holder" and want.startswith("main.") and texts and texts[0].startswith(NAMELESS):
                continue
            if not any(matches(want, text) for text in texts):
                bad.append(f"{key} is not {want}: {texts}")
        for key, want in self.least.items():
            has = figure(finding, key)
            if has < want:
                bad.append(f"{key} {has} < {want}")
        return "; ".join(bad)


class Case:
    """What one program does under one name, and what is expected of it."""

    def __init__(self, program, name, file):
        self.program, self.name, self.file = program, name, file
        self.expect, self.none, self.also, self.env = [], False, [], {}
        self.needs, self.until, self.siblings = "1.0", "1.999", set()

    @property
    def folder(self):
        return self.program.rpartition("/")[2].replace("_", "-")

    @property
    def id(self):
        return f"{self.folder}/{self.name}" + ("" if self.until == "1.999" else f"-until-{self.until}")

    def runs_on(self, minor):
        return version(self.needs) <= version(minor) <= version(self.until)

    def kinds(self):
        """Kinds that a near-miss must not show: those of its program."""
        return self.siblings | ({self.folder} & set(KINDS))


def version(text):
    return tuple(map(int, text.split(".")))


def matches(pattern, text):
    rule = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(rule, text, re.S) is not None


def said_of(finding, key):
    """The texts of a finding among which one must match."""
    if key == "type":
        return [finding.get("type") or ""]
    chain = [str(v) for node in finding.get("holder") or [] for k, v in node.items()
             if k not in ("what", "addr") and isinstance(v, str)]
    if key == "holder":
        return chain
    goroutine = finding.get("goroutine") or {}
    texts = [goroutine.get("function") or "", goroutine.get("creator") or "", *chain]
    texts += [f.get("function", "") for f in finding.get("allocated_at") or []]
    return texts + [w.strip(".,:;()") for w in (finding["title"] + " " + (finding.get("detail") or "")).split()]


def figure(finding, key):
    if key == "bytes":
        return finding["retained_bytes"] + (finding.get("stack_bytes") or 0)
    return max(finding.get("count") or 0, (finding.get("goroutine") or {}).get("count") or 0)


def _word(case, want, word, where):
    key, sign, value = re.fullmatch(r"([a-z]+)(>=|=|)(.*)", word, re.S).groups()
    if word == "anywhere" and want:
        want.anywhere = True
    elif key in WORDS and sign == "=" and want:
        if value not in WORDS[key]:
            raise ValueError(f"{where}: {value}: no such {key}")
        want.exact[key] = value
    elif key in GLOBS and sign == "=" and want:
        want.globs[key] = value
    elif key in NUMBERS and sign == ">=" and want:
        want.least[key] = int(value)
    elif key == "also" and sign == "=":
        case.also.append(value)
    elif key == "env" and sign == "=":
        case.env.update([value.split("=", 1)])
    elif key in ("needs", "until") and sign == "=":
        setattr(case, key, value)
    else:
        raise ValueError(f"{where}: {word}: not understood")


def parse(program, file, cases):
    """Add the cases of one source file to cases: (program, name) -> Case."""
    with open(file, encoding="utf-8") as f:
        lines = f.read().split("\n")
    for number, line in enumerate(lines, 1):
        words = line.split()
        if words[:2] != ["//", "CASE"]:
            continue
        where = f"{os.path.relpath(file, TOP)}:{number}"
        if len(words) < 4 or words[3] not in ("EXPECT", "NONE") or (words[3] == "EXPECT" and len(words) < 5):
            raise ValueError(f"{where}: want // CASE name EXPECT kind … or // CASE name NONE")
        key = (program, words[2])
        if key in cases and cases[key].none != (words[3] == "NONE"):
            key += (words[3],)  # a leak on some versions of Go, a near-miss on others
        case = cases.setdefault(key, Case(program, words[2], file))
        want = None
        if words[3] == "EXPECT":
            if words[4] not in KINDS:
                raise ValueError(f"{where}: {words[4]}: no such kind")
            want = Expectation(words[4])
            case.expect.append(want)
        else:
            case.none = True
        for word in words[5 if want else 4:]:
            _word(case, want, word, where)
        if any(c is not case and c.file == file and c.name == case.name and version(c.needs) <= version(case.until)
               and version(case.needs) <= version(c.until) for c in cases.values()):
            raise ValueError(f"{where}: both EXPECT and NONE on one version of Go")


def load(kind=None, name=None):
    """All cases, or those of a folder, or one."""
    cases = {}
    for folder in sorted(glob.glob(os.path.join(PROGRAMS, "*/"))):
        for file in sorted(glob.glob(os.path.join(folder, "*.go"))):
            parse("findings/" + os.path.basename(folder[:-1]), file, cases)
    for file in sorted(glob.glob(os.path.join(LEAKLAB, "*.go"))):
        parse("leaklab", file, cases)
    for case in cases.values():
        if case.program != "leaklab":
            case.siblings = {e.kind for c in cases.values() if c.program == case.program for e in c.expect}
    kind = kind and kind.replace("_", "-")
    return [c for c in cases.values() if kind in (None, c.folder) and name in (None, c.name)]


class Result:
    """How one case went.  problems is empty when all is well."""

    def __init__(self, case, minor, findings):
        self.case, self.minor, self.findings, self.problems = case, minor, findings, []
        self.lines = []  # of each EXPECT line: (kind, found, first, right kind); None: does not apply
        self.false_leaks, self.misfits = [], []
        if case.none:
            self._judge_none()
        else:
            self._judge_expect()

    def _judge_none(self):
        self.false_leaks = [f for f in self.findings if f["verdict"] == "leak"]
        self.misfits = [f for f in self.findings if f["kind"] in self.case.kinds() and f["verdict"] not in ("info", "leak")]
        self.problems += [f"false leak: {brief(f)}" for f in self.false_leaks]
        self.problems += [f"should say nothing: {brief(f)}" for f in self.misfits]

    def _judge_expect(self):
        case, found = self.case, self.findings
        for want in case.expect:
            right = [f for f in found if not want.wrong(f)]
            about = [f for f in found if not want.wrong(f, with_kind=False)]
            first = bool(right) and right[0] is found[0]
            named = bool(about) and about[0]["kind"] == want.kind
            self.lines.append((want.kind, bool(right), *((None, None) if want.anywhere else (first, named))))
            if not right:
                near = [f for f in found if f["kind"] == want.kind]
                self.problems.append(f"no {want.kind} as expected" + (": " + want.wrong(near[0]) if near else ""))
            elif not want.anywhere and not first:
                self.problems.append(f"{want.kind} is not first but number {found.index(right[0]) + 1}; first is {brief(found[0])}")
        # A case whose lines do not say verdict=leak is one where no leak was planted.
        may = {e.kind for e in case.expect if e.exact.get("verdict", "leak") == "leak"} | set(case.also)
        self.false_leaks = [f for f in found if f["verdict"] == "leak" and f["kind"] not in may]
        self.problems += [f"false leak: {brief(f)}" for f in self.false_leaks]


class Broken(Result):
    """A case that gave no answer at all: its program or limpet failed."""

    def __init__(self, case, minor, why):
        super().__init__(case, minor, [])
        self.problems = [why]
        self.misfits = [{"kind": k, "verdict": "none", "title": why} for k in case.kinds()]


def brief(f):
    held = f["retained_bytes"] + (f.get("stack_bytes") or 0)
    return f"{f['kind']} {f['verdict']}/{f['proof']} {held:,} B: {f['title']}"


def report(pid, core):
    """limpet's findings about a process, or about a core of it."""
    if not core:
        return procs.limpet_json("report", pid, "--limit", "100")["findings"]
    with tempfile.TemporaryDirectory(prefix="limpet-findings-") as folder:
        file = os.path.join(folder, "core")
        procs.limpet("snapshot", pid, "-o", file)
        return procs.limpet_json("report", file, "--limit", "100")["findings"]


def run(case, minor=build_targets.NEWEST, flavour="stripped", core=False):
    """Start the case, ask limpet, judge."""
    args = ["-mode", case.name, "-test"] if case.program == "leaklab" else [case.name]
    try:
        binary = build_targets.build(case.program, minor, flavour)
        with procs.Target(case.program, binary=binary, args=args, env=case.env) as target:
            return Result(case, minor, report(target.pid, core))
    except (AssertionError, subprocess.SubprocessError, OSError) as bad:
        return Broken(case, minor, " ".join(str(bad).split())[:1500])


def run_all(cases, jobs=2, **how):
    """Results of many cases, in their order, as they come."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda case: run(case, **how), cases)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--go", default=build_targets.NEWEST, metavar="MINOR")
    parser.add_argument("--flavour", default="stripped")
    parser.add_argument("--core", action="store_true", help="through a core file")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="findings of each case as they came")
    parser.add_argument("-v", "--verbose", action="store_true", help="all findings of each case")
    parser.add_argument("kind", nargs="?")
    parser.add_argument("case", nargs="?")
    args = parser.parse_args()
    try:
        cases = [c for c in load(args.kind, args.case) if c.runs_on(args.go)]
    except ValueError as bad:
        print(bad, file=sys.stderr)
        return 2
    if not cases:
        print(f"findings.py: no such case for Go {args.go}: {args.kind or ''} {args.case or ''}", file=sys.stderr)
        return 2
    failed = 0
    for result in run_all(cases, jobs=args.jobs, minor=args.go, flavour=args.flavour, core=args.core):
        failed += bool(result.problems)
        print("ok  " if not result.problems else "FAIL", result.case.id, flush=True)
        for problem in result.problems:
            print("       ", problem)
        for number, f in enumerate(result.findings if args.verbose else [], 1):
            print(f"      {number:3} {brief(f)}")
        if args.json:
            print(json.dumps(result.findings, indent=1))
    print(f"{len(cases) - failed} of {len(cases)} cases hold (Go {args.go}, {args.flavour})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
