"""`limpet profile`: what the program's own runtime/pprof writes at the same time, out of its memory.

"The same time": the program writes its profiles before and after limpet looks, and both are equal where that is demanded.
The oracle is the program; files are decoded by pprof_file.py and read by `go tool pprof`.
"""
import gzip
import http.client
import json
import os
import signal
import subprocess
import tarfile
import tempfile
import time

import build_targets
import jsonschema
import pprof_file
import pytest
import servers
from procs import Target, limpet, limpet_json

QUICK = ["1.18", "1.22", "1.23", "1.27"]
ALL = build_targets.OLD_MINORS + build_targets.MINORS
EACH = [pytest.param(m, marks=[] if m in QUICK else pytest.mark.full) for m in ALL]


class Own:
    """profout, and what it writes of itself."""

    def __init__(self, folder, minor, flavour="stripped", args=(), env=None):
        self.folder = str(folder)
        self.target = Target("profout", minor, flavour, args=[self.folder, *args], env=env)
        self.at = 0

    def __enter__(self):
        self.target.ready()
        time.sleep(0.3)  # until main waits, too
        return self

    def __exit__(self, *_):
        self.target.__exit__()

    @property
    def pid(self):
        return self.target.pid

    def write(self):
        """{kind: Profile}"""
        os.kill(self.pid, signal.SIGHUP)
        _, self.at = self.target.wait_line("WROTE", after=self.at)
        return {name.split(".")[0]: pprof_file.read(os.path.join(self.folder, name))
                for name in os.listdir(self.folder) if name.endswith(".pb.gz") and not name.startswith("our-")}

    def ours(self, kind, *options, of=None):
        path = os.path.join(self.folder, f"our-{kind}.pb.gz")
        limpet("profile", of or self.pid, "--kind", kind, "-o", path, *options)
        return pprof_file.read(path)


def writer(function):
    """Frames of who wrote the profile, and who brought the signal to it: these two were at work then."""
    return function in ("main.serve", "os/signal.loop")


def equal(ours, theirs, but=None, labels=True):
    """Types and each stack's values; addresses, functions, files, lines."""
    assert ours.types == theirs.types
    assert (ours.period_type, ours.period, ours.default) == (theirs.period_type, theirs.period, theirs.default)
    found = pprof_file.differences(ours.by_stack(but, labels), theirs.by_stack(but, labels))
    assert not found, f"{len(found)} differ:\n" + "\n".join(found[:5])


def top(path, *options):
    done = subprocess.run([build_targets.toolchain("1.27"), "tool", "pprof", "-top", "-nodecount=100000", "-nodefraction=0", *options,
                           path], capture_output=True, text=True, check=True, env=dict(os.environ, GOTOOLCHAIN="local"))
    return [line for line in done.stdout.splitlines() if not line.startswith("Time:")]


@pytest.mark.parametrize("minor", EACH)
@pytest.mark.parametrize("flavour", ["stripped", pytest.param("dwarf", marks=pytest.mark.full)])
def test_equal_to_its_own(minor, flavour, tmp_path):
    with Own(tmp_path, minor, flavour) as own:
        before = own.write()
        ours = {kind: own.ours(kind, "--values", "full") for kind in ("heap", "allocs", "goroutine", "mutex", "block")}
        after = own.write()
    for kind in ("heap", "allocs", "mutex", "block"):
        equal(before[kind], after[kind])  # nothing happened meanwhile
    assert before["heap"].sums()[2] > 100 and before["mutex"].sums()[0] > 10 and before["block"].sums()[0] > 10
    for kind in ("heap", "allocs"):
        equal(ours[kind], after[kind])
        assert top(str(tmp_path / f"our-{kind}.pb.gz")) == top(str(tmp_path / f"{kind}.pb.gz"))
    equal(before["goroutine"], after["goroutine"], but=writer)
    equal(ours["goroutine"], after["goroutine"], but=writer)
    assert ours["goroutine"].sums() == after["goroutine"].sums()
    for kind in ("mutex", "block"):
        equal(ours[kind], after[kind])
    for kind in ours:
        assert mappings(ours[kind]) == mappings(after[kind])


def mappings(profile):
    """start, limit, offset, file, build id, whether all of it has names; libraries' build ids are not asked for."""
    all_ = [(m.get(2, 0), m[3], m.get(4, 0), m["file"], m["build_id"], m.get(7, 0)) for m in profile.mappings.values()]
    return [m if i == 0 else m[:4] + m[5:] for i, m in enumerate(all_)]


@pytest.mark.parametrize("minor", ["1.18", pytest.param("1.20", marks=pytest.mark.full), "1.26"])
def test_sampled_contention(minor, tmp_path):
    """One event in two, and blocking in proportion to its length: the runtime scales what it has."""
    with Own(tmp_path, minor, args=["sampled"]) as own:
        ours = {kind: own.ours(kind) for kind in ("mutex", "block")}
        theirs = own.write()
    for kind in ours:
        assert theirs[kind].sums()[0] > 4
        equal(ours[kind], theirs[kind])


def test_what_it_needs_not(tmp_path):
    """A core, and a heap dump, tell the same as the process did; what they lack is said."""
    with Own(tmp_path, "1.27") as own:
        core = str(tmp_path / "core")
        limpet("snapshot", own.pid, "-o", core)
        assert own.ours("block", of=core).types[1] == ("delay", "ticks")  # nobody has asked yet how long one is
        own.write()
        limpet("snapshot", own.pid, "-o", core)
        limpet("snapshot", own.pid, "--redact", "-o", core + ".redacted")
        theirs = own.write()
        stored = str(tmp_path / "x.limpet")
        limpet("snapshot", own.pid, "-o", stored)
    for kind in ("heap", "allocs", "mutex", "block"):
        equal(own.ours(kind, of=core), theirs[kind])
        equal(own.ours(kind, of=core + ".redacted"), theirs[kind])
    equal(own.ours("goroutine", "--values", "full", of=core), theirs["goroutine"], but=writer)
    redacted = own.ours("goroutine", "--values", "full", of=core + ".redacted")
    assert redacted.sums() == theirs["goroutine"].sums()
    assert {dict(labels).get("tenant") for _, labels, _ in redacted.samples if labels}.isdisjoint({"acme-0", "acme-1"})
    done = limpet("profile", stored, "--kind", "heap", "-o", "/dev/null", code=4)
    assert "store" in done.stderr and done.stderr.count("\n") == 1


def test_heap_dump(tmp_path):
    """It has the stacks of samples and how many, no addresses, no inlining: functions and their sums agree."""
    with Target("heapdump", "1.27", args=[tmp_path / "dump"]) as target:
        live = tmp_path / "live.pb.gz"
        os.kill(target.pid, signal.SIGUSR1)
        target.wait_line("DUMPED")
        limpet("profile", target.pid, "--kind", "heap", "-o", live)
        dumped = tmp_path / "dumped.pb.gz"
        limpet("profile", tmp_path / "dump", "--kind", "heap", "-o", dumped)
    a, b = pprof_file.read(live), pprof_file.read(dumped)
    assert a.types == b.types and a.sums()[3] > 0
    assert a.sums() == pytest.approx(b.sums(), rel=0.01)
    for kind in ("mutex", "block", "goroutineleak"):
        done = limpet("profile", tmp_path / "dump", "--kind", kind, "-o", "/dev/null", code=4)
        assert "heap dump" in done.stderr


def handler(function):
    """Goroutines that are there because somebody asks: the handler, and who watches its connection."""
    return function.startswith(("net/http/pprof.", "runtime/pprof.", "net/http.(*connReader).backgroundRead"))


def asked(target, path):
    """Of the endpoint; who accepts connections is back in its place before and after."""
    connection = http.client.HTTPConnection(target.profiles, timeout=60)
    connection.connect()
    time.sleep(0.05)
    connection.request("GET", "/debug/pprof/" + path, headers={"Connection": "close"})
    answer = connection.getresponse().read()
    connection.close()
    time.sleep(0.05)
    return pprof_file.Profile(answer)


def one_file(profile, ours):
    """runtime/pprof writes one file of each function, that of the first line it met: of a package's init any."""
    files = {}
    for stack, _, _ in ours.samples:
        for _, lines in stack:
            for name, _, file, _, _ in lines:
                files.setdefault(name, set()).add(file)
    several = {name for name, all_ in files.items() if len(all_) > 1}
    assert all(name.endswith(".init") or name.endswith("Parse") for name in several), several  # what goyacc made, too
    profile.samples = [(tuple((address, tuple((name, system, "*" if name in several else file, line, start)
                                              for name, system, file, line, start in lines)) for address, lines in stack),
                        labels, values) for stack, labels, values in profile.samples]
    return profile


def at_the_same_time(target, kind, folder, tries=30):
    """Until the endpoint says the same before and after limpet has looked: (ours, theirs)."""
    for _ in range(tries):
        before = asked(target, kind)
        path = os.path.join(folder, kind)
        limpet("profile", target.pid, "--kind", kind, "--values", "full", "-o", path)
        after = asked(target, kind)
        ours = pprof_file.read(path)
        before, after_, mine = (one_file(p, ours).by_stack(handler) for p in (before, after, ours))
        changed = pprof_file.differences(before, after_)
        wrong = pprof_file.differences(mine, after_)
        # of heap and allocs a collection makes it another; goroutines may have been elsewhere for an instant
        if not changed and (not wrong or kind != "goroutine"):
            return ours, after, wrong
        print(f"{kind}: the program itself changed in {len(changed)} stacks, ours differs in {len(wrong)}", *wrong[:2], sep="\n")
        time.sleep(0.5)
    raise AssertionError(f"{kind}: never quiet, or never the same: {changed[:3]} {wrong[:3]}")


@pytest.mark.parametrize("name, minor", [("nats", "1.27"), pytest.param("caddy", "1.26", marks=pytest.mark.full),
                                         pytest.param("etcd", "1.24", marks=pytest.mark.full),
                                         pytest.param("caddy", "1.22", marks=pytest.mark.full),
                                         pytest.param("prometheus", "1.27", marks=pytest.mark.full)])
def test_real_servers(name, minor, tmp_path):
    """Stripped, after work, at rest: every stack of heap, allocs and goroutine, and its figures."""
    with servers.at_work(name, build_targets.build(name, minor), seconds=4 if name == "nats" else 10) as target:
        target.rest()
        for kind in ("heap", "allocs", "goroutine"):
            ours, theirs, wrong = at_the_same_time(target, kind, tmp_path)
            assert not wrong, f"{kind}: {len(wrong)} stacks:\n" + "\n".join(wrong[:5])
            assert (ours.types, ours.period_type, ours.period) == (theirs.types, theirs.period_type, theirs.period)
            assert len(ours.samples) > 5
            print(name, minor, kind, len(ours.by_stack(handler)), "stacks, equal:", ours.sums())


def lines_of(profile, value):
    """{"main.main;main.work": sum} from the pprof file, as folded has it."""
    out = {}
    for stack, _, values in profile.samples:
        names = [line[0] for _, lines in stack for line in lines]
        key = ";".join(n.replace(";", ":") for n in reversed(names)) or "(no stack)"
        out[key] = out.get(key, 0) + values[value]
    return {k: v for k, v in out.items() if v}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """(Own, its own profiles) of one that was looked at: pprof files lie in own.folder."""
    with Own(tmp_path_factory.mktemp("written"), "1.26") as own:
        yield own, own.write()


def at_rest(by_line):
    return {k: v for k, v in by_line.items() if not any(map(writer, k.split(";")))}


def folded(text):
    return {stack: int(value) for stack, value in (line.rsplit(" ", 1) for line in text.splitlines())}


def test_folded(written):
    own, theirs = written
    for kind, value, index in (("heap", [], 3), ("heap", ["--value", "alloc_objects"], 0), ("goroutine", [], 0), ("mutex", [], 1)):
        done = limpet("profile", own.pid, "--kind", kind, "--format", "folded", *value)
        ours, expected = folded(done.stdout), lines_of(theirs[kind], index)
        assert at_rest(ours) == at_rest(expected)
    done = limpet("profile", own.pid, "--kind", "heap", "--value", "nonsense", "--format", "folded", code=2)
    assert "inuse_space" in done.stderr and done.stderr.count("\n") == 1


def speedscope_schema():
    """The format's own, from the tool's npm package."""
    version = "1.25.0"
    path = os.path.join(build_targets.CACHE, f"speedscope-{version}.json")
    if not os.path.exists(path):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["npm", "pack", "--silent", f"speedscope@{version}"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            with tarfile.open(os.path.join(folder, f"speedscope-{version}.tgz")) as tar:
                data = tar.extractfile("package/dist/release/file-format-schema.json").read()
        with open(path + f".{os.getpid()}", "wb") as f:
            f.write(data)
        os.rename(f.name, path)
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def test_speedscope(written):
    own, theirs = written
    schema = speedscope_schema()
    for kind in ("heap", "goroutine", "block"):
        doc = json.loads(limpet("profile", own.pid, "--kind", kind, "--format", "speedscope").stdout)
        jsonschema.validate(doc, schema)
        assert doc["activeProfileIndex"] == len(theirs[kind].types) - 1
        for index, profile in enumerate(doc["profiles"]):
            names = [f["name"] for f in doc["shared"]["frames"]]
            ours = {}
            for stack, weight in zip(profile["samples"], profile["weights"], strict=True):
                key = ";".join(names[i].replace(";", ":") for i in stack)
                ours[key] = ours.get(key, 0) + weight
            assert at_rest(ours) == at_rest(lines_of(theirs[kind], index))
            assert profile["endValue"] == sum(profile["weights"])


def test_labels_by_policy(written):
    """Values of labels are somebody's names: hashed unless they are asked for."""
    own, theirs = written
    tenants = {dict(labels).get("tenant") for _, labels, _ in theirs["goroutine"].samples} - {None}
    assert tenants == {"acme-0", "acme-1"}
    seen = {}
    for policy in ("none", "hash", "full", ""):
        ours = own.ours("goroutine", *(["--values", policy] if policy else []))
        seen[policy] = [dict(labels) for _, labels, _ in ours.samples if labels]
        assert all({"route", "tenant"} == set(labels) for labels in seen[policy])
        with open(os.path.join(own.folder, "our-goroutine.pb.gz"), "rb") as f:
            assert (b"acme" in gzip.decompress(f.read())) == (policy == "full")
    assert {x["tenant"] for x in seen["full"]} == tenants
    assert len({x["tenant"] for x in seen["hash"]}) == 2 and seen[""] == seen["hash"]
    assert {x["tenant"] for x in seen["none"]} == {"\u2026"}
    assert not any(b"acme" in text.encode() for text in [limpet("profile", own.pid, "--kind", "goroutine", "--format", f).stdout
                                                         for f in ("folded", "speedscope")])


def test_leaked_goroutines(tmp_path):
    """Those of which the runtime's own search says so (Go 1.27), and the same of one that has no such search."""
    with Own(tmp_path, "1.27") as own:
        ours = own.ours("goroutineleak")
        os.kill(own.pid, signal.SIGWINCH)
        own.target.wait_line("WROTE")
        theirs = pprof_file.read(os.path.join(own.folder, "goroutineleak.pb.gz"))
        equal(ours, theirs, labels=False)
        assert ours.sums() == theirs.sums() and ours.sums()[0] >= 5
        marked = own.ours("goroutineleak").by_stack(labels=False)
        os.kill(own.pid, signal.SIGWINCH)
        own.target.wait_line("WROTE", after=own.target.wait_line("WROTE")[1])
        again = pprof_file.read(os.path.join(own.folder, "goroutineleak.pb.gz"))
        # a word on some stack may have been forgotten since
        assert marked in (theirs.by_stack(labels=False), again.by_stack(labels=False))
    (tmp_path / "old").mkdir()
    with Own(tmp_path / "old", "1.22") as own:
        ours = own.ours("goroutineleak")
        here = {line[0] for stack, _, _ in ours.samples for _, lines in stack for line in lines}
        assert "main.forgotten" in here and ours.types == [("goroutineleak", "count")]


def test_what_is_said(written):
    own, _ = written
    path = os.path.join(own.folder, "our-said.pb.gz")
    doc = limpet_json("profile", own.pid, "--kind", "heap", "-o", path)
    ours = pprof_file.read(path)
    assert doc["kind"] == "heap" and doc["format"] == "pprof" and doc["samples"] == len(ours.samples)
    assert [(v["type"], v["unit"], v["sum"]) for v in doc["values"]] == [(*t, s) for t, s in zip(ours.types, ours.sums())]
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert "inuse_space" in limpet("profile", own.pid, "--kind", "heap", "-o", path).stderr
    piped = subprocess.run([os.environ.get("LIMPET", "build/limpet"), "profile", str(own.pid), "--kind", "heap"], capture_output=True, check=True)
    assert pprof_file.Profile(piped.stdout).sums()[0] == ours.sums()[0] and not piped.stderr
    for options, code in ((["--kind", "cpu"], 2), ([], 2), (["--kind", "heap", "--format", "svg"], 2), (["--kind", "heap", "--json"], 2)):
        done = limpet("profile", own.pid, *options, code=code)
        assert done.stderr.count("\n") == 1 and not done.stdout, done.stderr


def test_what_a_program_does_not_record(tmp_path):
    """No profile is made up: the linker left the memory profile out, or nobody turned the others on."""
    with Target("quiet", "1.27") as target:
        done = limpet("profile", target.pid, "--kind", "heap", "-o", tmp_path / "x", code=4)
        assert "memory profiling is off" in done.stderr
        for kind in ("mutex", "block"):
            done = limpet("profile", target.pid, "--kind", kind, "-o", tmp_path / "x", code=None)
            assert done.returncode == 4 and "Set" in done.stderr or not pprof_file.read(tmp_path / "x").samples
        limpet("profile", target.pid, "--kind", "goroutine", "-o", tmp_path / "x")
        assert pprof_file.read(tmp_path / "x").sums()[0] >= 1
