"""What a store answers is what the look answered that it was made of; what it does not hold it says.

The oracle is the core: every command is asked of it and of the store that was made of it, and their JSON must be equal but
for what the target is called and what the look cost.
"""
import contextlib
import json
import os
import sqlite3

import pytest

import build_targets
import procs
import servers
from procs import limpet, limpet_json

QUICK = ("1.27",)
MINORS = [m if m in QUICK else pytest.param(m, marks=pytest.mark.full) for m in ("1.22", "1.25", "1.27")]
CANARY = b"cAnArY"
POPULATIONS = "types strings maps slices chans timers contexts pools finalizers fds".split()
BY = "type package module root goroutine label kind field generation site".split()

FEW = [["report"], ["report", "--tree", "both", "--limit", "3"], ["memory"], ["locks"], ["audit"], ["verify"],
       ["goroutines"], ["goroutines", "--leaked"], ["goroutines", "--group-by", "stack", "--limit", "4"],
       ["goroutines", "--group-by", "label"],
       *(["top", "--by", by] for by in BY), *([what, "--limit", "7"] for what in POPULATIONS)]
MANY = [["report", "--limit", "2"], ["report", "--tree", "owner"], ["goroutines", "--limit", "3"],
        *(["goroutines", "--group-by", by] for by in ("state", "creator")),
        *(["top", "--by", by, "--limit", "2"] for by in BY),
        *(["top", "--by", by, "--tree", tree] for by in BY for tree in ("exact", "owner")),
        *(["top", "--by", by, "--sort", sort] for by in BY for sort in ("retained", "shallow", "count")),
        *(["top", "--by", "site", "--sort", sort] for sort in ("cum", "alloc")),
        ["top", "--by", "site", "--granularity", "line"], *([what] for what in POPULATIONS),
        ["maps", "--sort", "slots"], ["timers", "--sort", "period_ns"]]


@contextlib.contextmanager
def kept(folder, target):
    """A core of a running program, and the store of that core."""
    core, store = os.path.join(folder, "core"), os.path.join(folder, "look.limpet")
    limpet("snapshot", target.pid, "-o", core)
    limpet("snapshot", core, "-o", store)
    yield core, store
    os.unlink(core)


def without_names(answer):
    """Without what the target is called, and without times that the look took."""
    answer = dict(answer)
    if isinstance(answer.get("target"), dict):
        answer["target"] = {k: v for k, v in answer["target"].items() if k not in ("kind", "file", "of", "of_file")}
    if isinstance(answer.get("capture"), dict):
        capture = {k: v for k, v in answer["capture"].items() if k not in ("read_ns", "extract_ns", "names_ns")}
        capture["detectors"] = [{k: v for k, v in d.items() if k != "ns"} for d in capture.get("detectors", [])]
        answer["capture"] = capture
    return answer


def differences(a, b, path=""):
    if type(a) is not type(b):
        return [f"{path}: {a!r:.80} is {b!r:.80}"]
    if isinstance(a, dict):
        return [f"{path}.{k}: in one of them" for k in sorted(set(a) ^ set(b))] + \
            [d for k in a if k in b for d in differences(a[k], b[k], f"{path}.{k}")]
    if isinstance(a, list):
        return ([f"{path}: {len(a)} is {len(b)} long"] if len(a) != len(b) else []) + \
            [d for i, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, f"{path}[{i}]")]
    return [] if a == b else [f"{path}: {a!r:.80} is {b!r:.80}"]


def compare(core, store, asked):
    wrong = []
    for command, *options in asked:
        code = None if command == "verify" else 0
        one = limpet_json(command, core, *options, code=code)
        done = limpet(command, store, *options, "--json", code=None)
        if "--sort" in options and done.returncode == 4:
            assert "come first by" in done.stderr, done.stderr
            continue
        assert done.returncode in (0, code or 0, 1), (command, options, done.stderr)
        two = json.loads(done.stdout)
        assert two["target"]["kind"] == "store" and two["target"]["of"] == "core", two["target"]
        found = differences(without_names(one), without_names(two))
        if found:
            wrong.append((command, *options, found[:5]))
    assert not wrong, wrong


@pytest.mark.parametrize("minor", MINORS)
def test_every_answer_of_a_program_with_everything_in_it(minor, tmp_path):
    with procs.Target("populations", minor) as target:
        with kept(tmp_path, target) as (core, store):
            compare(core, store, FEW + (MANY if procs.FULL else []))


LEAKS = [("leaklab", "cache-unbounded", "1.27"), ("leaklab", "deadlock", "1.27"), ("leaklab", "closure-big", "1.27"),
         ("leaklab", "duplicate-strings", "1.27"), ("findings/unclosed-resource", "body", "1.27"), ("leakhttp", None, "1.22"),
         ("sites", None, "1.24"), ("owners", "children", "1.26"), ("labelhttp", None, "1.27")]


@pytest.mark.parametrize("program,case,minor", [LEAKS[0], *(pytest.param(*x, marks=pytest.mark.full) for x in LEAKS[1:])])
def test_every_answer_of_programs_that_leak(program, case, minor, tmp_path):
    args = ["-mode", case, "-n", 300] if program == "leaklab" else [case] if case else []
    with procs.Target(program, minor, args=args) as target:
        with kept(tmp_path, target) as (core, store):
            compare(core, store, FEW + (MANY if procs.FULL else []))


@pytest.mark.full
@pytest.mark.parametrize("name,minor", [("caddy", "1.26"), ("nats", "1.27")])
def test_every_answer_of_a_real_server(name, minor, tmp_path):
    with servers.at_work(name, build_targets.build(name, minor, "stripped")) as target:
        with kept(tmp_path, target) as (core, store):
            compare(core, store, FEW + MANY)


@pytest.fixture(scope="module", name="pair")
def fixture_pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    with procs.Target("paths") as target:
        with kept(folder, target) as found:
            yield found


def test_text_is_the_same_too(pair):
    for command in ("report", "top", "goroutines", "audit", "maps"):
        one, two = (limpet(command, target).stdout.splitlines() for target in pair)
        assert [line for line in two if line.startswith("store ")], two[:8]
        two = [line for line in two if not line.startswith("store ")]
        one, two = ([line for line in lines if "not shown" not in line and " ms" not in line] for lines in (one, two))
        assert [line for line in one if pair[0] not in line] == [line for line in two if pair[0] not in line]


def node_key(node):
    return node["node"]["what"], node["node"].get("name"), node["node"].get("addr"), node["retained_bytes"]


def test_the_tree_is_that_of_the_core_as_far_as_it_is_kept(pair):
    core, store = pair
    for options in ([], ["--depth", "6", "--limit", "4"], ["--tree", "both"], ["--tree", "owner"]):
        one, two = (limpet_json("tree", target, *options)["nodes"] for target in pair)
        known = {node_key(n): n for n in one}
        kept_nodes = [n for n in two if n["node"]["what"] != "skipped"]
        assert kept_nodes and all(known[node_key(n)] == n for n in kept_nodes), options
        assert one[0] == two[0]
    big = max((n for n in limpet_json("tree", core)["nodes"] if n["node"]["what"] == "object"),
              key=lambda n: n["retained_bytes"])["node"]["addr"]
    assert limpet_json("tree", core, big)["nodes"][0] == limpet_json("tree", store, big)["nodes"][0]


def test_why_the_large_ones_live(pair):
    core, store = pair
    nodes = [n["node"] for n in limpet_json("tree", core, "--limit", "40")["nodes"]]
    objects = sorted((n for n in nodes if n["what"] == "object"), key=lambda n: -n["retained_bytes"])[:5]
    assert len(objects) == 5
    asked = [n["addr"] for n in objects] + ["goroutine:1"] + [n["type"] for n in objects[:2]]
    for what in asked:
        for options in ([], ["--tree", "both"], ["--paths", "1"]):
            one, two = (without_names(limpet_json("why", target, what, *options)) for target in pair)
            if what == objects[0]["type"] or what == objects[1]["type"]:
                one, two = ({k: v for k, v in x["objects"][0].items() if k != "matches"} for x in (one, two))
            assert not differences(one, two), (what, options, differences(one, two)[:5])


@pytest.mark.parametrize("asked,word", [
    (["object", "0xc000000000"], "keep a core"),
    (["why", "main.noSuchType"], "not among"),
    (["why", "0xc0deadbeef00"], "not among"),
    (["tree", "main.noSuchType"], "process or a core"),
    (["top", "--focus", "main"], "--focus"),
    (["top", "--package-depth", "2", "--by", "package"], "whole path"),
    (["strings", "--values", "full"], "hashes"),
    (["goroutines", "--group-by", "label", "--values", "full"], "hashes"),
    (["why", "goroutine:1", "--values", "full"], "hashes"),
    (["report", "--values", "none"], "hashes"),
    (["types", "--all"], "without objects"),
    (["why", "goroutine:1", "--paths", "9"], "--paths"),
    (["doctor"], "processes"),
])
def test_what_it_does_not_hold_is_said(pair, asked, word):
    done = limpet(asked[0], pair[1], *asked[1:], code=4)
    assert not done.stdout and done.stderr.count("\n") == 1 and word in done.stderr, done.stderr


def test_of_a_store_no_core_and_no_second_store(pair, tmp_path):
    for name in ("x.core", "x.limpet"):
        done = limpet("snapshot", pair[1], "-o", tmp_path / name, code=4)
        assert done.stderr.count("\n") == 1 and "give a process" in done.stderr, done.stderr
        assert not os.path.exists(tmp_path / name)


def test_findings_that_are_known_are_left_out_when_it_is_asked(tmp_path):
    with procs.Target("leaklab", args=["-mode", "cache-unbounded", "-n", 300]) as target:
        with kept(tmp_path, target) as (core, store):
            first = limpet_json("report", store)["findings"][0]["signature"]
            known = tmp_path / "known"
            known.write_text(f"known {first} until 2099-01-01 seen\n", encoding="ascii")
            for options in (["--ignore", first], ["--known", known]):
                one, two = (without_names(limpet_json("report", target, *options)) for target in (core, store))
                assert first not in [f["signature"] for f in two["findings"]]
                assert not differences(one, two)


def test_no_value_of_the_program_is_in_it(tmp_path):
    with procs.Target("canary") as target:
        store = tmp_path / "look.limpet"
        limpet("snapshot", target.pid, "-o", store)
        assert CANARY not in store.read_bytes()
        assert limpet_json("report", store)["target"]["of"] == "live"


def test_every_table_and_column_says_what_it_is(pair):
    db = sqlite3.connect(f"file:{pair[1]}?mode=ro", uri=True)
    said = {name: about for name, about in db.execute("SELECT name, about FROM tables")}
    columns = set(db.execute('SELECT "table", name FROM columns WHERE length(about) > 1'))
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        if name in ("tables", "columns"):
            continue
        assert len(said[name]) > 4, name
        for column in db.execute(f'SELECT name FROM pragma_table_info("{name}")'):
            assert (name, column[0]) in columns, (name, column)


def test_sql_of_it_is_what_top_says(pair):
    db = sqlite3.connect(f"file:{pair[1]}?mode=ro", uri=True)
    rows = db.execute("SELECT r.name, objects, shallow_bytes, retained_bytes FROM top_rows r JOIN tops t ON t.id = r.parent "
                      "WHERE t.by = 'type' ORDER BY retained_bytes DESC, r.name LIMIT 5").fetchall()
    asked = limpet_json("top", pair[0], "--by", "type", "--sort", "retained", "--limit", "5")["rows"]
    assert rows == [(r["name"], r["objects"], r["shallow_bytes"], r["retained_bytes"]) for r in asked]
