"""`top --by` module, package, field, generation, and --focus, --ignore: against what the program says it made."""
import pytest

import procs
from procs import limpet, limpet_json

KIB128 = 128 << 10
COUNT = 64
MODULE = "limpet/goprogs/owners"
HASHICORP = "github.com/hashicorp/golang-lru/v2"


@pytest.fixture(scope="module", params=["stripped", "dwarf"])
def lru(request):
    """64 sessions in a store and in a cache, 64 in the cache alone; 128 KiB each."""
    with procs.Target("owners", flavour=request.param, args=["lru"]) as target:
        yield target


def rows(target, by, *more):
    answer = limpet_json("top", target.pid, "--by", by, "--limit", 0, *more)
    return answer, {r["name"]: r for r in answer["rows"]}


def near(have, want):
    return abs(have - want) <= want / 100


@pytest.mark.parametrize("by", ["type", "package", "module", "field", "kind", "generation"])
def test_each_object_once(lru, by):
    answer, found = rows(lru, by)
    assert sum(r["shallow_bytes"] for r in found.values()) == answer["reachable_bytes"]
    assert all(r["retained_bytes"] <= answer["reachable_bytes"] for r in found.values())
    assert all(r["owner_retained_bytes"] <= answer["reachable_bytes"] for r in found.values())


def test_module(lru):
    """Bytes belong to who holds them, the cache's own tables to the library."""
    _, found = rows(lru, "module")
    assert near(found[MODULE]["shallow_bytes"], 2 * COUNT * KIB128)
    assert near(found[HASHICORP]["retained_bytes"], COUNT * KIB128)
    assert 0 < found[HASHICORP]["shallow_bytes"] < 100 << 10
    assert found["std"]["objects"] > 0
    assert "runtime" not in found and "main" not in found


def test_package_depth(lru):
    _, whole = rows(lru, "package")
    _, two = rows(lru, "package", "--package-depth", 2)
    inside = [r for n, r in whole.items() if n.startswith("github.com/hashicorp")]
    assert inside and all(n.count("/") < 2 for n in two)
    assert two["github.com/hashicorp"]["objects"] == sum(r["objects"] for r in inside)


def test_field(lru):
    _, found = rows(lru, "field")
    assert found["main.session.data"]["objects"] == 2 * COUNT
    assert found["main.session.data"]["shallow_bytes"] == 2 * COUNT * KIB128
    entries = found["internal.Entry[int,*main.session].Value"]
    assert entries["objects"] == COUNT and near(entries["owner_retained_bytes"], COUNT * KIB128)


def test_field_differs_by_tree(lru):
    """What both have is the store's, in the owner's tree."""
    _, found = rows(lru, "field")
    values = found["entries of map[int]*main.session"]
    assert values["owner_objects"] - values["objects"] == COUNT
    assert near(values["owner_retained_bytes"] - values["retained_bytes"], COUNT * KIB128)


@pytest.mark.parametrize("tree", ["exact", "owner", "both"])
@pytest.mark.parametrize("by", ["type", "root", "goroutine", "label"])
def test_focus_and_ignore_are_all(lru, by, tree):
    """What one pattern keeps and drops is everything, and rows of roots add up to what is kept."""
    parts = [rows(lru, by, option, r"internal\.Entry\[", "--tree", tree)[0] for option in ("--focus", "--ignore")]
    for answer in parts:
        if by != "type":
            assert sum(r["retained_bytes"] for r in answer["rows"]) == answer["focused_bytes"]
        else:
            assert sum(r["shallow_bytes"] for r in answer["rows"]) == answer["focused_bytes"]
    assert sum(a["focused_bytes"] for a in parts) == parts[0]["reachable_bytes"]
    assert near(parts[0]["focused_bytes"], COUNT * KIB128)


def test_focus_by_owner(lru):
    """In the owner's tree the store's line has its sessions; in the exact one it has none of them."""
    _, found = rows(lru, "type", "--focus", r"^main\.store$")
    assert near(found["main.store"]["owner_retained_bytes"], COUNT * KIB128)
    assert found["main.store"]["retained_bytes"] < 10 << 10
    _, both = rows(lru, "type", "--focus", "session", "--ignore", r"\[\]uint8")
    assert "[]uint8" not in both and near(both["main.session"]["objects"], 2 * COUNT)


def test_generation():
    with procs.Target("owners", args=["lru"]) as target:
        answer, found = rows(target, "generation")
        assert list(found) == ["unknown: there was no collection yet"]
        target.collect()
        answer, found = rows(target, "generation")
        survived = found.pop("survived the last collection")
        assert survived["shallow_bytes"] > 0.99 * answer["reachable_bytes"]
        assert set(found) <= {"born since the last collection"}


@pytest.mark.parametrize("args,words", [
    (["--focus", "("], "want an extended regular expression"),
    (["--ignore", "[z-a]"], "want an extended regular expression"),
    (["--focus", "x" * 300], "longer than 256 bytes"),
    (["--package-depth", "deep"], "want a number"),
    (["--by", "fields"], "module, root"),
])
def test_usage(args, words):
    done = limpet("top", "pid:1", *args, code=2)
    assert words in done.stderr and done.stderr.count("\n") == 1
