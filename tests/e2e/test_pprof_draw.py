"""Pictures of a profile, and what its figures mean in words: flame graph, call graph, shares of what was allocated, parts of time."""
import gzip
import html.parser
import json
import re
import shutil
import subprocess

import pytest

import pproffiles
from pproffiles import path
from procs import limpet, limpet_json

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"


def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def profile(stacks):
    """A profile of {(function, …, outermost): value}, written by hand."""
    texts, functions = ["", "samples", "count"], {}
    out = field(1, field(1, 1) + field(2, 2))
    for stack, value in stacks.items():
        for name in stack:
            functions.setdefault(name, len(functions) + 1)
        out += field(2, b"".join(field(1, functions[n]) for n in stack) + field(2, value))
    for name, i in functions.items():
        texts.append(name)
        out += field(4, field(1, i) + field(4, field(1, i) + field(2, 7)))
        out += field(5, field(1, i) + field(2, len(texts) - 1))
    return gzip.compress(out + b"".join(field(6, t.encode()) for t in texts))


class Page(html.parser.HTMLParser):
    """What a browser would see of elements, and the data."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.data, self.inside = [], "", None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside = (tag, dict(attrs))

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside and self.inside[1].get("id") == "data":
            self.data += data


def tree(page):
    """{stack, outermost first: self} of a flame graph's data."""
    doc, stacks, line = json.loads(page.data), {}, []
    nodes = doc["nodes"]
    for name, depth, self, smaller in zip(nodes[::4], nodes[1::4], nodes[2::4], nodes[3::4]):
        line = line[:depth] + [doc["names"][name]]
        stacks[tuple(line[1:])] = self + smaller
    return doc, stacks


@pytest.mark.parametrize("minor,kind", [("1.27", "cpu.1"), ("1.18", "heap.1"), ("1.24", "heap.delta")])
def test_flame_graph_has_every_sample(minor, kind, tmp_path):
    file, out = path(minor, kind), tmp_path / "f.html"
    limpet("top", file, "--html", out)
    page = Page(out.read_text())
    doc, stacks = tree(page)
    rows = {r["name"]: r for r in limpet_json("tree", file, "--limit", 0)["rows"]}
    flat = {}
    for stack, value in stacks.items():
        if stack:
            flat[stack[-1]] = flat.get(stack[-1], 0) + value
    assert {k: v for k, v in flat.items() if v} == {k: r["flat"] for k, r in rows.items() if r["flat"]}
    for name, row in rows.items():
        assert sum(v for s, v in stacks.items() if name in s) == row["cum"], name
    assert doc["total"] == sum(stacks.values())
    assert not re.search(r"https?:|src=|href=", out.read_text())
    assert out.stat().st_mode & 0o777 == 0o600


def test_a_hostile_name_stays_a_name(tmp_path):
    file, out = tmp_path / "p", tmp_path / "f.html"
    file.write_bytes(profile({(HOSTILE, "main.main"): 5, ("main.f\"\\", "main.main"): 2}))
    limpet("top", file, "--format", "flame", "-o", out)
    page = Page(out.read_text())
    assert [t for t, _ in page.elements].count("script") == 2 and "img" not in [t for t, _ in page.elements]
    doc, stacks = tree(page)
    assert stacks[("main.main", HOSTILE)] == 5 and HOSTILE not in out.read_text()
    dot = limpet("tree", file, "--format", "dot").stdout
    for line in dot.splitlines()[2:-1]:
        assert re.fullmatch(r'(L|N\d+)( -> N\d+)? \[(\w+=("([^"\\]|\\.)*"|[\w.]+) ?)+\]', line), line


def chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.full
@pytest.mark.skipif(not chromium(), reason="no chromium here")
def test_in_a_browser(tmp_path):
    file, out = tmp_path / "p", tmp_path / "f.html"
    file.write_bytes(profile({(HOSTILE, "main.main"): 5, ("main.leaf", "main.middle", "main.main"): 15}))
    limpet("top", file, "--html", out)
    probe = out.read_text().replace("</body>", "<script>document.getElementById('turn').click();"
                                    "document.getElementById('search').value='leaf';"
                                    "document.getElementById('search').oninput()</script></body>")
    turned = tmp_path / "turned.html"
    turned.write_text(probe)
    for page, first in ((out, ["all", "main.main", "main.middle", "main.leaf", HOSTILE]),
                        (turned, ["all", "main.leaf", "main.middle", "main.main", HOSTILE, "main.main"])):
        dom = subprocess.run([chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
                              "--user-data-dir=" + str(tmp_path / "profile"), "file://" + str(page)],
                             capture_output=True, text=True, timeout=120, check=True).stdout
        boxes = re.findall(r'<div[^>]*title="([^"]*)"[^>]*>([^<]*)</div>', dom)
        names = [b[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for b in boxes]
        assert sorted(names) == sorted(first), dom[-3000:]
        assert "owned" not in re.search(r"<title>(.*?)</title>", dom)[1]
    assert "15 75.00%" in dom  # the search's share


def test_dot_is_a_graph():
    file = path("1.27", "cpu.1")
    text = limpet("tree", file, "--format", "dot").stdout
    nodes = dict(re.findall(r'^(N\d+) \[label="([^"]*?)\\n', text, re.M))
    edges = re.findall(r"^(N\d+) -> (N\d+) ", text, re.M)
    theirs = pproffiles.run_pprof("-dot", "-nodecount=80", file).stdout
    assert len(nodes) == min(80, int(re.search(r"of (\d+) functions", text)[1])) > 20 and edges and all(a in nodes and b in nodes for a, b in edges)
    # pprof's picture counts labels as boxes: what it shows we show
    shown = re.findall(r'^N\d+ \[label=.* tooltip="(.*?) \(', theirs, re.M)
    assert len(set(shown) - set(nodes.values())) <= len(shown) // 10
    drawn = subprocess.run(["dot", "-Tsvg"], input=text, text=True, check=True, capture_output=True)
    assert not drawn.stderr and drawn.stdout.count('class="node"') == len(nodes) + 1  # and the legend
    assert drawn.stdout.count('class="edge"') == len(edges)
    assert "dot or flame" in limpet("tree", file, "--format", "gif", code=2).stderr


@pytest.mark.parametrize("minor", ["1.27", pytest.param("1.18", marks=pytest.mark.full)])
def test_ratio_tells_what_stays_from_what_turns_over(minor):
    file = path(minor, "heap.1")
    doc = limpet_json("top", file, "--sort", "ratio", "--limit", 0)
    rows = {r["name"]: r for r in doc["rows"]}
    assert rows["main.newSession"]["means"] == "retained" and rows["main.newSession"]["ratio"] > 0.95
    assert rows["compress/flate.NewWriter"]["means"] == "churn" and rows["main.even"]["means"] in ("churn", "few samples")
    for value in ("alloc_space", "inuse_space", "alloc_objects", "inuse_objects"):
        flat = {r["name"]: r["flat"] for r in limpet_json("tree", file, "--value", value, "--limit", 0)["rows"]}
        assert {n: r[value] for n, r in rows.items() if r[value]} == {n: v for n, v in flat.items() if v}
    assert [r["means"] for r in doc["rows"]] == sorted((r["means"] for r in doc["rows"]),
                                                       key=["retained", "cache", "churn", "few samples"].index)
    text = limpet("top", file, "--sort", "ratio").stdout
    assert "80 % or more of it is still there" in text and "less than 5 %" in text
    assert "wants a heap profile" in limpet("top", path(minor, "cpu.1"), "--sort", "ratio", code=4).stderr


def test_a_cache_and_few_samples(tmp_path):
    """Drawn: what is between the thresholds, and what no sample can tell."""
    texts = ["", "alloc_objects", "count", "alloc_space", "bytes", "inuse_objects", "inuse_space", "space"]
    out = b"".join(field(1, field(1, t) + field(2, u)) for t, u in ((1, 2), (3, 4), (5, 2), (6, 4)))
    rows = {"main.kept": (1000, 800), "main.lru": (1000, 799), "main.pool": (1000, 50), "main.let": (1000, 49),
            "main.few": (79, 79)}
    for i, (name, (allocated, used)) in enumerate(rows.items(), 1):
        texts.append(name)
        out += field(2, field(1, i) + b"".join(field(2, v) for v in (allocated, allocated, used, used)))
        out += field(4, field(1, i) + field(4, field(1, i))) + field(5, field(1, i) + field(2, len(texts) - 1))
    out += field(11, field(1, 7) + field(2, 4)) + field(12, 10) + b"".join(field(6, t.encode()) for t in texts)
    file = tmp_path / "p"
    file.write_bytes(out)
    got = {r["name"]: r["means"] for r in limpet_json("top", file, "--sort", "ratio")["rows"]}
    assert got == {"main.kept": "retained", "main.lru": "cache", "main.pool": "cache", "main.let": "churn",
                   "main.few": "few samples"}


def test_parts_of_a_cpu_profile(tmp_path):
    file = tmp_path / "p"
    stacks = {("runtime.scanobject", "runtime.gcDrain", "runtime.gcBgMarkWorker", "runtime.goexit"): 30,
              ("runtime.scanobject", "runtime.gcDrainN", "runtime.gcAssistAlloc1", "runtime.mallocgc", "main.f"): 7,
              ("runtime.memclrNoHeapPointers", "runtime.mallocgc", "runtime.newobject", "main.f"): 11,
              ("runtime.futex", "runtime.findRunnable", "runtime.schedule", "runtime.mcall"): 13,
              ("internal/runtime/syscall.Syscall6", "syscall.read", "main.f"): 17,
              ("main.g", "main.f"): 5}
    file.write_bytes(profile(stacks))
    parts = {p["name"]: p["value"] for p in limpet_json("top", file)["parts"]}
    assert parts["allocation"] == 11 and parts["scheduler"] == 13 and parts["system calls"] == 17
    assert parts["program"] == 5 and parts["collector"] == 30 and parts["assists"] == 7
    assert sum(parts.values()) == sum(stacks.values())
    real = limpet_json("top", path("1.27", "cpu.1"))
    assert sum(p["value"] for p in real["parts"]) == real["total"]
    assert {p["name"] for p in real["parts"] if p["value"]} >= {"collector", "allocation", "program"}
    assert "parts" not in limpet_json("top", path("1.27", "heap.1"))


@pytest.mark.parametrize("kind", ["heap", "allocs", "goroutine"])
def test_a_delta_is_said_to_be_a_change(kind):
    assert "no state" in limpet("top", path("1.27", kind + ".delta")).stdout
    assert "no state" not in limpet("top", path("1.27", kind + ".1")).stdout


def tags(file, *flags):
    """{(key, value): figure} of go tool pprof -tags, in samples."""
    out, key, found = pproffiles.run_pprof("-tags", "-sample_index=0", *flags, file).stdout, None, {}
    for line in out.splitlines():
        head = re.match(r"\s*(\w+): Total ", line)
        row = re.match(r"\s*(\d+) \(\s*[\d.e-]+%\):\s+(.*)$", line)
        key = head[1] if head else key
        if row:
            found[key, row[2].strip()] = int(row[1])
    return found


def test_rows_by_label():
    file = path("1.27", "cpu.1")
    theirs = tags(file)
    assert len(theirs) == 5
    for key in ("route", "tenant"):
        doc = limpet_json("top", file, "--by", "label:" + key, "--value", "samples", "--values", "full")
        rows = {r["name"]: r["flat"] for r in doc["rows"]}
        assert {n.split(": ")[1]: v for n, v in rows.items() if not n.startswith("(")} == {
            v: n for (k, v), n in theirs.items() if k == key}
        assert sum(rows.values()) == doc["total"] and f"(no label {key})" in rows
    both = limpet_json("top", file, "--by", "label", "--value", "samples", "--values", "full")
    assert {r["name"] for r in both["rows"]} == {"route: /cart, tenant: t0", "route: /pay, tenant: t1",
                                                 "route: /login, tenant: t0", "(no labels)"}
    assert sum(r["flat"] for r in both["rows"]) == both["total"]
    hidden = limpet("top", file, "--by", "label:route").stdout  # no terminal: values stay in
    assert "/cart" not in hidden and hidden.count("route: \u2026") == 3
    assert "want label" in limpet("top", file, "--by", "labels", code=2).stderr
