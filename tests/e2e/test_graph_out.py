"""The graph in other tools' files: V8 heap snapshots, HPROF, and who holds the memory as pprof.

What memlab and VisualVM's heap library say of the 100 largest objects must be what limpet says (tests marked full);
the quick ones read the files with readers of their own and count retained sizes the slow way.
"""
import contextlib
import fcntl
import gzip
import json
import os
import re
import shutil
import subprocess

import build_targets
import pytest
from build_targets import CACHE, NEWEST
from dominators import retained
from hprof import Hprof
from procs import FULL, LIMPET, TESTS, Target, limpet, limpet_json
from servers import at_work

MEMLAB = "2.0.5"
VISUALVM = "RELEASE220"


def largest(target, n=100):
    """{address: retained bytes} of the n objects that retain most, as limpet's tree has them."""
    doc = limpet_json("tree", target, "--depth", "64", "--limit", str(n + 5))
    found = {int(x["node"]["addr"], 16): x["retained_bytes"] for x in doc["nodes"] if x["node"]["what"] == "object"}
    best = sorted(found.items(), key=lambda x: (-x[1], x[0]))[:n]
    assert len(best) == n or FULL is False
    return dict(best), doc["reachable_bytes"]


def write(target, format, path):
    """The file and what limpet says of it; its addresses' base."""
    said = limpet_json("profile", target, "--format", format, "-o", path, seconds=300)
    assert said["format"] == format and said["file_bytes"] == os.path.getsize(path)
    assert os.stat(path).st_mode & 0o777 == 0o600
    return said, int(said["address_base"], 16)


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("graph") / "core")
    with Target("sites") as target:
        limpet("snapshot", target.pid, "-o", path)
    return path


class V8:
    """A heap snapshot by its own description of itself."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            doc = json.load(f)
        meta = doc["snapshot"]["meta"]
        n, e = len(meta["node_fields"]), len(meta["edge_fields"])
        assert len(doc["nodes"]) == n * doc["snapshot"]["node_count"]
        assert len(doc["edges"]) == e * doc["snapshot"]["edge_count"]
        at = {name: i for i, name in enumerate(meta["node_fields"])}
        self.strings, types = doc["strings"], meta["node_types"][0]
        self.nodes = [{"type": types[x[at["type"]]], "name": self.strings[x[at["name"]]], "id": x[at["id"]],
                       "size": x[at["self_size"]], "n": x[at["edge_count"]]}
                      for x in (doc["nodes"][i:i + n] for i in range(0, len(doc["nodes"]), n))]
        self.edges, first, kinds = [], 0, meta["edge_types"][0]
        for node in self.nodes:
            out = []
            for i in range(first, first + node["n"]):
                kind, name, to = doc["edges"][e * i:e * i + e]
                assert to % n == 0 and kinds[kind] in ("element", "property")
                out.append((self.strings[name] if kinds[kind] == "property" else name, to // n))
            self.edges.append(out)
            first += node["n"]
        assert first == doc["snapshot"]["edge_count"]
        assert len({x["id"] for x in self.nodes}) == len(self.nodes), "ids are not distinct"
        assert max(x["id"] for x in self.nodes) < 1 << 32


def test_heapsnapshot(core, tmp_path):
    best, total = largest(core)
    said, base = write(core, "heapsnapshot", tmp_path / "x.heapsnapshot")
    v8 = V8(tmp_path / "x.heapsnapshot")
    objects = [x for x in v8.nodes if x["size"]]
    assert sum(x["size"] for x in objects) == total == said["bytes"] and len(objects) == said["objects"]
    kept = retained(range(len(v8.nodes)), [0], lambda v: [to for _, to in v8.edges[v]], lambda v: v8.nodes[v]["size"])
    assert len(kept) == len(v8.nodes), "nodes that the root does not reach"
    by_address = {v8.nodes[v]["id"] + base: n for v, n in kept.items()}
    assert {a: by_address.get(a) for a in best} == best
    for address in list(best)[:10]:
        node = next(x for x in v8.nodes if x["id"] + base == address)
        ours = limpet_json("object", core, hex(address))
        assert (node["name"], node["size"]) == (ours["type"], ours["bytes"])


def test_heapsnapshot_has_fields(core, tmp_path):
    """Every reference that `limpet object` names by its field has that name here."""
    _, base = write(core, "heapsnapshot", tmp_path / "x.heapsnapshot")
    v8 = V8(tmp_path / "x.heapsnapshot")
    seen = 0
    for at, node in enumerate(v8.nodes):
        names = {name for name, _ in v8.edges[at] if isinstance(name, str)}
        if node["type"] != "object" or len(names) < 2 or not node["size"] or seen >= 20:
            continue
        ours = limpet_json("object", core, hex(node["id"] + base))
        fields = {f["name"].lstrip(".") for f in ours["fields"]}
        assert {re.sub(r"\[\d+\].*|\..*", "", n) for n in names} <= \
            {re.sub(r"\[\d+\].*|\..*", "", n) for n in fields}, (names, fields)
        seen += 1
    assert seen


def test_no_values(tmp_path):
    """A program that keeps a word of its own in every place: none of the files has it."""
    core = tmp_path / "core"
    with Target("canary") as target:
        limpet("snapshot", target.pid, "-o", core)
    assert b"cAnArY" in core.read_bytes()
    for out in (["--format", "heapsnapshot"], ["--format", "hprof"], ["--kind", "retention", "--format", "folded"],
                ["--kind", "retained", "--format", "folded"]):
        limpet("profile", core, *out, "-o", tmp_path / "x")
        data = (tmp_path / "x").read_bytes()
        assert len(data) > 1000 and b"cAnArY" not in data, out


def test_hprof(core, tmp_path):
    best, total = largest(core)
    said, base = write(core, "hprof", tmp_path / "x.hprof")
    file = Hprof(tmp_path / "x.hprof")
    ours = {oid: x for oid, x in file.objects.items() if oid % 8 == 0 or oid == 4}
    assert len(ours) == said["objects"]
    assert sum(size for _, size, _ in ours.values()) == total == said["bytes"]
    assert sum(len(refs) for _, _, refs in ours.values()) == said["references"]
    assert all(r in file.objects for _, _, refs in file.objects.values() for r in refs), "a reference to nothing"
    kept = retained(file.objects.keys(), sorted(r for r in file.roots if r in file.objects),
                    lambda v: file.objects[v][2], lambda v: file.objects[v][1])
    assert len(kept) == len(file.objects), "objects that no root reaches"
    assert {a: kept.get(a - base) for a in best} == best
    for address in list(best)[:10]:
        name = file.classes[file.objects[address - base][0]][0]
        type = limpet_json("object", core, hex(address))["type"]
        assert name in (type, f"({type})", "[L" + type.removeprefix("[]") + ";") or name.startswith(type + " {"), type


def test_hprof_stacks(core, tmp_path):
    """Goroutines are threads, with the frames that limpet has of them."""
    write(core, "hprof", tmp_path / "x.hprof")
    file = Hprof(tmp_path / "x.hprof")
    ours = [[(f["function"], os.path.basename(f["file"]), f["line"]) for f in g["stack"]]
            for g in limpet_json("goroutines", core, "--limit", "0")["goroutines"]]
    theirs = [[file.frames[i] for i in file.traces[trace]] for _, trace in file.threads.values()]
    assert theirs and all(t in ours for t in theirs)
    assert len(theirs) == len(ours)


def pprof_raw(path):
    """(comments, [(values, [function, leaf first])], types) of `go tool pprof -raw`, which must not complain."""
    done = subprocess.run([build_targets.toolchain(NEWEST), "tool", "pprof", "-raw", path], capture_output=True,
                          text=True, check=True, env=dict(os.environ, GOTOOLCHAIN="local"))
    assert not done.stderr.strip(), done.stderr
    head, _, rest = done.stdout.partition("Samples:\n")
    samples, _, rest = rest.partition("Locations\n")
    locations, _, _ = rest.partition("Mappings\n")
    names = {}
    for line in locations.splitlines():
        found = re.match(r"\s*(\d+): 0x[0-9a-f]+ (?:M=\d+ )?(.*?) \S*:\d+:\d+ s=", line)
        if found:
            names[int(found[1])] = found[2]
    types, *lines = samples.splitlines()
    rows = []
    for line in lines:
        found = re.match(r"\s*([\d ]+): ([\d ]+)$", line)
        assert found, line
        rows.append((tuple(map(int, found[1].split())), [names[int(i)] for i in found[2].split()]))
    return head, rows, types.split()


def make(target, kind, path, *more):
    limpet("profile", target, "--kind", kind, "-o", path, *more)
    with gzip.open(path) as f:
        assert f.read(1)
    return pprof_raw(str(path))


def shown(name):
    """pprof would leave out what stands in parentheses of a name with brackets."""
    return name.translate({40: "{", 41: "}"}) if re.search(r"[<>[\]]|::", name) else name


@pytest.mark.parametrize("tree", ["exact", "owner"])
def test_retention(core, tmp_path, tree):
    """Each byte once, the root outermost; what hangs from a root is what the tree says."""
    head, rows, types = make(core, "retention", tmp_path / "r.pb.gz", "--tree", tree)
    assert types == ["objects/count", "space/bytes"]
    doc = limpet_json("tree", core, "--depth", "1", "--limit", "10000", "--tree", tree)
    assert sum(v[1] for v, _ in rows) == doc["reachable_bytes"]
    assert ("owners" if tree == "owner" else "dominators") in head
    for _, stack in rows:
        assert len(stack) <= 65 and len(set(stack)) == len(stack), "a frame twice"
    by_root = {}
    for v, stack in rows:
        by_root[stack[-1]] = by_root.get(stack[-1], 0) + v[1]
    expect = {}
    for x in doc["nodes"]:
        n = x["node"]
        if x["depth"] == 1 and n["what"] == "global":
            name = shown(n["name"] + (" " + n["type"] if n.get("type") else ""))
            expect[name] = expect.get(name, 0) + x["owner_retained_bytes" if tree == "owner" else "retained_bytes"]
    expect = {k: v for k, v in expect.items() if v}
    assert expect and {k: by_root.get(k) for k in expect} == expect


def test_retention_names_fields(tmp_path):
    """The program says what it holds: 2,000 sessions in a map of main.sessions, each with a buffer."""
    with Target("mixed", flavour="dwarf") as target:
        head, rows, _ = make(target.pid, "retention", tmp_path / "r.pb.gz")
    assert "folded objects" in head, "a program with lists has frames that come again"
    sessions = [(v, s) for v, s in rows if any("*main.session" in f or "main.session" == f.split()[-1] for f in s)]
    assert sessions
    assert any(re.match(r"main\.session\.\w+ ", s[0]) for _, s in sessions), [s[0] for _, s in sessions]


def test_retained(core, tmp_path):
    """Own bytes add up to what is reachable; retained bytes of a type at one place are those that `top` has."""
    head, rows, types = make(core, "retained", tmp_path / "r.pb.gz")
    assert types == ["objects/count", "space/bytes", "retained/bytes[dflt]"] or "retained/bytes" in types[2]
    assert "does not add up" in head
    top = {r["name"]: r for r in limpet_json("top", core, "--by", "type", "--limit", "0")["rows"]}
    assert sum(v[1] for v, _ in rows) == sum(r["shallow_bytes"] for r in top.values())
    by_type = {}
    for v, stack in rows:
        by_type.setdefault(stack[0], []).append(v)
    alone = {t: v[0] for t, v in by_type.items() if len(v) == 1 and t in top}
    assert len(alone) > 10
    assert {t: v for t, v in alone.items()} == {
        t: (top[t]["objects"], top[t]["shallow_bytes"], top[t]["retained_bytes"]) for t in alone}
    top = {shown(t): r for t, r in top.items()}
    assert not [t for t in by_type if t not in top]
    for t, values in by_type.items():
        if t in top:
            assert (sum(v[0] for v in values), sum(v[1] for v in values)) == (top[t]["objects"], top[t]["shallow_bytes"])


def test_sampled_sites(core, tmp_path):
    """Samples that are alive are at the stack that `top --by site` has."""
    _, rows, _ = make(core, "retained", tmp_path / "r.pb.gz")
    sites = limpet_json("top", core, "--by", "site", "--sort", "flat", "--limit", "5")["rows"]
    for site in sites:
        if site["flat"]:
            assert any(site["name"] in stack[1:] for _, stack in rows), site["name"]


def test_errors(core, tmp_path):
    for format in ("heapsnapshot", "hprof"):
        done = limpet("profile", core, "--format", format, "-o", tmp_path / "no" / "such", code=3)
        assert len(done.stderr.splitlines()) == 1
    assert not os.listdir(tmp_path)
    done = limpet("profile", core, "--format", "tea", "-o", tmp_path / "x", code=2)
    assert "heapsnapshot" in done.stderr and "hprof" in done.stderr


def test_to_a_pipe(core, tmp_path):
    """What goes to a pipe is what goes to a file, though a file may have holes."""
    for format in ("heapsnapshot", "hprof"):
        limpet("profile", core, "--format", format, "-o", tmp_path / format)
        done = subprocess.run([LIMPET, "profile", core, "--format", format], stdout=subprocess.PIPE, check=True)
        with open(tmp_path / format, "rb") as f:
            assert f.read() == done.stdout


# What others say of the files: their tools come from npm and Maven, once, into the tests' cache.

@contextlib.contextmanager
def locked(folder):
    with open(folder + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def memlab():
    """A folder with memlab in node_modules."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("node and npm are not installed: memlab cannot be asked")
    folder = os.path.join(CACHE, "memlab-" + MEMLAB)
    with locked(folder):
        if not os.path.exists(os.path.join(folder, "ok")):
            os.makedirs(folder, exist_ok=True)
            done = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder,
                                   f"@memlab/heap-analysis@{MEMLAB}", f"@memlab/core@{MEMLAB}"], capture_output=True,
                                  text=True, check=False, env=dict(os.environ, PUPPETEER_SKIP_DOWNLOAD="1"))
            if done.returncode:
                pytest.skip("memlab cannot be had from npm: " + done.stderr[-300:])
            with open(os.path.join(folder, "ok"), "w", encoding="ascii"):
                pass
    return folder


def visualvm():
    """The jar of VisualVM's heap library."""
    if not shutil.which("mvn") or not shutil.which("java"):
        pytest.skip("maven and a JDK are not installed: no analyser of HPROF files can be had")
    folder = os.path.join(CACHE, "visualvm-" + VISUALVM)
    jar = os.path.join(folder, f"org-netbeans-lib-profiler-{VISUALVM}.jar")
    with locked(folder):
        if not os.path.exists(jar):
            done = subprocess.run(["mvn", "-q", "-B", "dependency:copy", "-DoutputDirectory=" + folder,
                                   "-Dartifact=org.netbeans.modules:org-netbeans-lib-profiler:" + VISUALVM],
                                  capture_output=True, text=True, check=False)
            if not os.path.exists(jar):
                pytest.skip("the heap library cannot be had from Maven: " + done.stdout[-300:])
    return jar


def ask_memlab(path, n):
    """{id: retained bytes} of its n largest."""
    program = os.path.join(TESTS, "tools", "memlab_retained.js")
    done = subprocess.run(["node", "--max-old-space-size=6000", program, str(path), str(n)], capture_output=True, text=True,
                          check=True, env=dict(os.environ, NODE_PATH=os.path.join(memlab(), "node_modules")), timeout=900)
    return {row[0]: row[1] for row in json.loads(done.stdout.splitlines()[-1])}


def ask_visualvm(path, n):
    program = os.path.join(TESTS, "tools", "HprofRetained.java")
    done = subprocess.run(["java", "-Xmx4g", "-cp", visualvm(), program, str(path), str(n)], capture_output=True, text=True,
                          check=True, timeout=900)
    shutil.rmtree(str(path) + ".nbcache", ignore_errors=True)
    first, *lines = done.stdout.splitlines()
    assert first.startswith("objects ")
    return {int(x.split()[0]) & 0xffffffff: int(x.split()[1]) for x in lines}


def agree(core, tmp_path):
    best, _ = largest(core)
    for format, ask in (("heapsnapshot", ask_memlab), ("hprof", ask_visualvm)):
        path = tmp_path / ("x." + format)
        _, base = write(core, format, path)
        theirs = ask(path, 2000)
        wrong = {hex(a): (n, theirs.get(a - base)) for a, n in best.items() if theirs.get(a - base) != n}
        assert not wrong, (format, len(wrong), list(wrong.items())[:5])
        os.unlink(path)


@pytest.mark.full
def test_others_say_the_same(tmp_path):
    """A leaking service, stripped."""
    core = str(tmp_path / "core")
    with Target("leakhttp") as target:
        for i in range(400):
            target.get(f"/login?user={i}")
        limpet("snapshot", target.pid, "-o", core)
    agree(core, tmp_path)


@pytest.mark.full
def test_others_say_the_same_of_many(tmp_path):
    core = str(tmp_path / "core")
    with Target("mixed", minor="1.24") as target:
        limpet("snapshot", target.pid, "-o", core)
    agree(core, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("server", ["caddy", "nats"])
def test_others_say_the_same_of_a_server(tmp_path, server):
    core = str(tmp_path / "core")
    with at_work(server, build_targets.build(server), seconds=6) as target:
        limpet("snapshot", target.pid, "-o", core)
    agree(core, tmp_path)
