"""Is the graph the collector's?  Every program on every Go version, stripped and not, plain and PIE."""
import json
import time

import pytest

import build_targets
from procs import FULL, SLOW, Load, Target, limpet, limpet_json

QUICK = ([(p, m, "stripped") for p in ("mixed", "goroutines10k", "cgo") for m in build_targets.MINORS]
         + [("bigmaps", m, "stripped") for m in ("1.22", "1.24", "1.27")]
         + [("mixed", m, "dwarf") for m in ("1.22", "1.26")]
         + [("mixed", m, "pie") for m in ("1.23", "1.27")])
ALL = [(p, m, f) for p in ("quiet", "mixed", "goroutines10k", "bigmaps", "cgo") for m in build_targets.MINORS
       for f in ("stripped", "dwarf", "pie")]
CASES = [pytest.param(*c, marks=[] if c in QUICK else pytest.mark.full, id="-".join(c)) for c in ALL]


def check_exact(answer, least_objects):
    """At most 10 in a million marked and not reached, each explained; nothing reached that is not allocated."""
    assert answer["extra"] == 0, answer["differences"][:5]
    assert answer["gc_objects"] >= least_objects
    assert answer["reachable_objects"] >= least_objects
    assert answer["missing"] <= 10 * max(1, answer["gc_objects"] // 1000000), answer["differences"][:5]
    for difference in answer["differences"]:
        assert difference["reason"], difference
        assert difference["side"] in ("missing", "extra")
        int(difference["addr"], 16)


LEAST = {"quiet": 50, "mixed": 450000, "goroutines10k": 60000, "bigmaps": 2000000, "cgo": 300}


@pytest.mark.parametrize("program,minor,flavour", CASES)
def test_program(program, minor, flavour):
    with Target(program, minor, flavour) as target:
        answer = limpet_json("verify", target.pid)
        check_exact(answer, LEAST[program])
        assert target.alive()


@pytest.mark.parametrize("minor", build_targets.MINORS)
def test_bytes_are_those_of_memstats(minor):
    """An oracle that is not ours: HeapAlloc right after two collections, of a program that does nothing."""
    with Target("mixed", minor) as target:
        _, _, heap_alloc = target.collect()
        answer = limpet_json("verify", target.pid)
        assert abs(answer["reachable_bytes"] - heap_alloc) < 0.01 * heap_alloc + 65536


@pytest.mark.parametrize("minor", [pytest.param(m, marks=[] if m in ("1.22", "1.27") else pytest.mark.full)
                                   for m in build_targets.MINORS])
def test_storm(minor):
    """GOGC=20, all threads allocate: 100 snapshots, at any phase of the collector."""
    decided, times = 0, 100 if FULL else 5
    with Target("gcstorm", minor) as target:
        for _ in range(times):
            answer = limpet_json("verify", target.pid)
            check_exact(answer, 33000)
            assert answer["holds"] is True
            decided += answer["undecided"] == 0
        assert target.alive()
    # Seen: all of them.  Where no look fell into the next cycle, a slot may have been used again and be dead again.
    print(f"{decided} of {times} leave nothing undecided")
    assert decided >= (0.9 if FULL else 0.5) * times or SLOW > 1


# Experiments that move fields or change how objects are laid out, where the toolchain has them.
EXPERIMENTS = [("mixed", "1.22", "noallocheaders"), ("bigmaps", "1.24", "noswissmap"), ("mixed", "1.24", "nospinbitmutex"),
               ("mixed", "1.25", "greenteagc"), ("mixed", "1.26", "nogreenteagc"), ("mixed", "1.27", "nogreenteagc"),
               *[("arenas", minor, "arenas") for minor in build_targets.MINORS]]


@pytest.mark.parametrize("program,minor,experiment", [
    pytest.param(*c, marks=[] if c[1:] in (("1.24", "noswissmap"), ("1.26", "nogreenteagc"), ("1.27", "arenas"))
                 else pytest.mark.full) for c in EXPERIMENTS])
def test_experiment(program, minor, experiment):
    with Target(program, minor, "exp-" + experiment) as target:
        answer = limpet_json("verify", target.pid)
        check_exact(answer, 100000)
        assert answer["target"]["experiments"] or experiment == "arenas"


CADDY = {"admin": {"disabled": True}, "apps": {"http": {"servers": {"s": {
    "automatic_https": {"disable": True},
    "routes": [{"handle": [{"handler": "file_server"}]}]}}}}}


@pytest.mark.parametrize("minor", [pytest.param(m, marks=pytest.mark.full) for m in build_targets.MINORS])
@pytest.mark.parametrize("flavour", ["stripped", "dwarf"])
def test_caddy_under_load(minor, flavour, tmp_path, free_port):
    (tmp_path / "index.html").write_bytes(bytes(range(256)) * 40)
    server = CADDY["apps"]["http"]["servers"]["s"]
    server["listen"] = [f"127.0.0.1:{free_port}"]
    server["routes"][0]["handle"][0]["root"] = str(tmp_path)
    config = tmp_path / "caddy.json"
    config.write_text(json.dumps(CADDY), encoding="ascii")
    target = Target("caddy", minor, flavour, args=["run", "--config", config],
                    env={"GOGC": "20", "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)})
    target.ready = lambda: target.wait_line('{"level":"info"', seconds=20) and target
    with target, retry_load(f"127.0.0.1:{free_port}", "file", ["-file", tmp_path / "index.html"]) as load:
        check_server(target, load)


@pytest.mark.parametrize("minor", [pytest.param(m, marks=[] if m == "1.27" else pytest.mark.full)
                                   for m in build_targets.MINORS])
@pytest.mark.parametrize("flavour", ["stripped", pytest.param("dwarf", marks=pytest.mark.full)])
def test_nats_under_load(minor, flavour):
    with Target("nats", minor, flavour, env={"GOGC": "20"}) as target, Load(target.address, "nats") as load:
        check_server(target, load)


def wait_for_a_cycle(target):
    """Before the first collection there are no marks to compare with."""
    for _ in range(60):
        if limpet_json("verify", target.pid, "--wait", 0, code=None)["gc_objects"]:
            return
        time.sleep(0.5)
    raise AssertionError("no collection in 30 seconds of load")


def check_server(target, load):
    wait_for_a_cycle(target)
    for _ in range(5 if FULL else 2):
        check_exact(limpet_json("verify", target.pid), 1000)
    figures = load.result()
    assert figures["failures"] == 0, figures
    assert figures["requests"] > 100


def retry_load(address, mode, args):
    for _ in range(20):
        try:
            return Load(address, mode, args=args)
        except AssertionError:
            continue
    raise AssertionError("the server does not listen")


@pytest.mark.parametrize("minor", [pytest.param(m, marks=[] if m in ("1.22", "1.27") else pytest.mark.full)
                                   for m in build_targets.MINORS])
def test_stripped_and_dwarf_give_the_same_graph(minor):
    """Reachable objects of two builds; stripped, no type has more than DWARF gives it, and few lack theirs."""
    seen = {}
    for flavour in ("stripped", "dwarf"):
        with Target("mixed", minor, flavour) as target:
            target.collect()
            answer = limpet_json("verify", target.pid)
            rows = limpet_json("top", target.pid, "--by", "type", "--limit", "0")["rows"]
            seen[flavour] = answer, {r["name"]: r["objects"] for r in rows}
    (stripped, types), (dwarf, dwarf_types) = seen["stripped"], seen["dwarf"]
    # Maps are seeded at random, so that their tables differ from run to run.
    assert abs(stripped["reachable_objects"] - dwarf["reachable_objects"]) < 0.001 * dwarf["reachable_objects"]
    own = [name for name in dwarf_types if name.startswith(("main.", "[]main."))]
    assert "main.node" in own and "main.session" in own
    # What only locals and arrays of globals hold is without a type there.
    for name in own:
        assert 0.95 * dwarf_types[name] <= types.get(name, 0) <= dwarf_types[name], (name, types.get(name))
    typed, dwarf_typed = (sum(n for name, n in t.items() if name[0] not in "~(") for t in (types, dwarf_types))
    assert typed >= 0.97 * dwarf_typed, (typed, dwarf_typed)


def test_nothing_compared_is_neither_true_nor_false():
    """Before the first collection there are no marks: no verdict, and no failure either."""
    with Target("sumhttp", env={"GOGC": "off"}) as target:
        answer = limpet_json("verify", target.pid, "--wait", 0)
        assert answer["gc_objects"] == 0 and answer["gc_cycles"] == 0
        assert answer["holds"] is None
        assert "not contradicted" in limpet("verify", target.pid, "--wait", 0).stdout
        assert limpet_json("report", target.pid)["exactness"]["holds"] is None


def test_symbols_change_no_object(mixed):
    """One quiet process, looked at twice: nothing differs."""
    first, second = (limpet_json("verify", mixed.pid) for _ in range(2))
    for key in ("reachable_objects", "reachable_bytes", "gc_objects", "gc_bytes"):
        assert first[key] == second[key]


def test_text_says_the_same(mixed):
    answer = limpet_json("verify", mixed.pid)
    text = limpet("verify", mixed.pid).stdout
    digits = "".join(c for c in text if c.isdigit() or c.isspace())
    assert str(answer["reachable_objects"]) in digits
