"""Owner's tree against what programs say themselves: pools, caches, lists, contexts, timers … hold what belongs to others.

Each mode of goprogs/owners prints who owns how much before it says READY.  The exact tree must say otherwise of OWN lines: if
it did not, nothing would have been tested.
"""
import pytest

import procs
from procs import limpet, limpet_json

MODES = ["pool", "lru", "groupcache", "list", "element", "children", "parent", "timer", "finalizer", "database", "tracker",
         "freelist"]
RULED = ["tracker", "freelist"]
QUICK = [("1.27", "stripped", mode) for mode in MODES] + [("1.22", "dwarf", mode) for mode in ("pool", "list", "timer")]
ALL = [(minor, flavour, mode) for minor in ("1.22", "1.24", "1.27") for flavour in ("stripped", "dwarf") for mode in MODES]


def said(target):
    """[(OWN or SAME, by, name, bytes)], [rule]"""
    lines = [line.split(" ") for line in target.lines if line]
    truth = [(w[0], w[1], " ".join(w[2:-1]), int(w[-1])) for w in lines if w[0] in ("OWN", "SAME")]
    return truth, [" ".join(w[1:]) for w in lines if w[0] == "RULE"]


def retained(answer, name):
    """(exact, owner) of the rows of that name: a goroutine's says what it waits for, too."""
    rows = [r for r in answer["rows"] if r["name"] == name or r["name"].startswith(name + " [")]
    assert rows, [r["name"] for r in answer["rows"][:20]]
    return sum(r["retained_bytes"] for r in rows), sum(r["owner_retained_bytes"] for r in rows)


def near(have, want):
    return abs(have - want) <= want / 100


def check_mode(minor, flavour, mode, tmp_path):
    with procs.Target("owners", minor, flavour, args=[mode]) as target:
        truth, rules = said(target)
        more = []
        if rules:
            (tmp_path / "rules").write_text("# whose is it\n\n" + "\n".join(rules) + "\n")
            more = ["--owners", tmp_path / "rules"]
        assert bool(rules) == (mode in RULED) and truth
        for by in {t[1] for t in truth}:
            answer = limpet_json("top", target.pid, "--by", by, "--limit", 0, *more)
            assert answer["tree"] == "both" and answer["owner_rules"]
            for kind, _, name, nbytes in (t for t in truth if t[1] == by):
                exact, owner = retained(answer, name)
                assert near(owner, nbytes), f"{mode}: {name}: owner's tree has {owner}, the program {nbytes} (exact {exact})"
                assert near(exact, nbytes) == (kind == "SAME"), f"{mode}: {name}: exact tree has {exact}, the program {nbytes}"
            assert_partition(answer, by)


def assert_partition(answer, by):
    """All bytes, each once, in both trees."""
    if by in ("root", "goroutine"):
        for key in ("retained_bytes", "owner_retained_bytes"):
            assert sum(r[key] for r in answer["rows"]) == answer["reachable_bytes"], key


@pytest.mark.parametrize("minor,flavour,mode", QUICK)
def test_owner(minor, flavour, mode, tmp_path):
    check_mode(minor, flavour, mode, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("minor,flavour,mode", [one for one in ALL if one not in QUICK])
def test_owner_everywhere(minor, flavour, mode, tmp_path):
    check_mode(minor, flavour, mode, tmp_path)


@pytest.fixture(scope="module")
def pooled():
    with procs.Target("owners", flavour="dwarf", args=["pool"]) as target:
        yield target


def test_sums(pooled):
    for by in ("root", "goroutine", "label"):
        answer = limpet_json("top", pooled.pid, "--by", by, "--limit", 3)
        for key in ("retained_bytes", "owner_retained_bytes"):
            assert sum(r[key] for r in answer["rows"]) == answer["reachable_bytes"], (by, key)


def test_trees(pooled):
    """Each tree by itself is what both together say; it names itself."""
    both, exact, owner = (limpet_json("top", pooled.pid, "--by", "type", "--limit", 0, "--tree", tree)
                          for tree in ("both", "exact", "owner"))
    assert [a["tree"] for a in (both, exact, owner)] == ["both", "exact", "owner"]
    assert all("owner_retained_bytes" not in r for r in exact["rows"]) and "owner_rules" not in exact
    assert near(retained(both, "main.store")[1], retained(owner, "main.store")[1])
    assert [r["owner_retained_bytes"] for r in owner["rows"]] == sorted((r["owner_retained_bytes"] for r in owner["rows"]),
                                                                        reverse=True)
    words = {tree: limpet("top", pooled.pid, "--tree", tree).stdout for tree in ("both", "exact", "owner")}
    assert "retained (exact)" in words["both"] and "retained (owner)" in words["both"]
    assert "retained (owner)" not in words["exact"] and "retained (exact)" not in words["owner"]
    assert "owner's tree: " in words["both"] and " pass on: " in words["both"] and "owner's tree" not in words["exact"]
    assert {"sync.Pool.local", "globals of runtime"} <= {r["rule"] for r in owner["owner_rules"]}


def test_tree(pooled):
    """The store's branch of the owner's tree has all its sessions; in the exact one they hang off nothing."""
    owner = limpet_json("tree", pooled.pid, "main.store", "--depth", 1, "--tree", "owner")
    assert owner["tree"] == "owner" and near(owner["nodes"][0]["owner_retained_bytes"], 64 * 128 << 10)
    assert owner["nodes"][0]["retained_bytes"] < 10 << 10
    exact = limpet_json("tree", pooled.pid, "main.store", "--depth", 1)
    assert exact["tree"] == "exact" and "owner_retained_bytes" not in exact["nodes"][0]
    assert "retained (owner)" in limpet("tree", pooled.pid, "--tree", "owner").stdout


def test_why(pooled):
    """Of the two that hold a session, the owner's tree names the store."""
    item = limpet_json("why", pooled.pid, "main.session", "--limit", 1, "--tree", "both")
    assert item["independent_paths"] == 2
    assert [n for n in item["owner_path"] if n.get("type") == "main.store"]
    assert not [n for n in item["owner_path"] if "scratch" in n.get("type", "")]


def test_report(pooled):
    top = limpet_json("report", pooled.pid, "--tree", "both")["top"]
    assert top["tree"] == "both"
    assert near(retained({"rows": top["by_root"]}, "main.theStore")[1], 64 * 128 << 10)
    assert "owner_retained_bytes" not in limpet_json("report", pooled.pid)["top"]["by_root"][0]


def test_core(pooled, tmp_path):
    """A core of the process gives the same answer."""
    limpet("snapshot", pooled.pid, "-o", tmp_path / "core")
    live = limpet_json("top", pooled.pid, "--by", "type", "--limit", 0)
    core = limpet_json("top", tmp_path / "core", "--by", "type", "--limit", 0)
    for name in ("main.store", "main.scratch"):
        assert retained(core, name) == retained(live, name)


def test_own(pooled, tmp_path):
    """The user's word is the last: the pool owns after all, and the exact tree's answer comes back."""
    (tmp_path / "rules").write_text("own main.scratches # and sync.Pool has no say\n")
    answer = limpet_json("top", pooled.pid, "--by", "type", "--limit", 0, "--owners", tmp_path / "rules")
    exact, owner = retained(answer, "main.store")
    assert owner == exact < 1 << 20


@pytest.mark.parametrize("text,line,words", [
    ("pool main.a\nshare main.b\n", 2, "share: want pool, cache, pass or own"),
    ("# none\n\ncache\n", 3, "cache: of what?"),
    ("pool nodot\n", 1, "want a global, a type or a field"),
    ("pass main.a main.b\n", 1, "more than one name"),
])
def test_bad_rules(text, line, words, tmp_path):
    (tmp_path / "rules").write_text(text)
    done = limpet("top", "pid:1", "--owners", tmp_path / "rules", code=2)
    assert f"{tmp_path / 'rules'}:{line}: " in done.stderr and words in done.stderr and done.stderr.count("\n") == 1


def test_bad_words(tmp_path):
    assert "want exact, owner or both" in limpet("top", "pid:1", "--tree", "oak", code=2).stderr
    assert "No such file" in limpet("top", "pid:1", "--owners", tmp_path / "none", code=3).stderr
