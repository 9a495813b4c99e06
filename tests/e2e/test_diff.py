"""`limpet diff`: two and three looks at one process, looks at different processes, and what it refuses."""
import os
import signal
import subprocess

import pytest

from procs import SLOW, Target, limpet, limpet_json

MANY = 8192
MINORS = ["1.27", pytest.param("1.22", marks=pytest.mark.full), pytest.param("1.24", marks=pytest.mark.full)]
ROW = {"name", "old_objects", "new_objects", "survived", "born", "died", "growth_bytes", "retained_growth_bytes", "holder"}


def signal_and_wait(target, word):
    at = len(target.lines)
    os.kill(target.pid, signal.SIGHUP)
    target.wait_line(word, seconds=60 * SLOW, after=at)


def store(target, path):
    limpet("snapshot", getattr(target, "pid", target), "-o", path)
    return path


def named(rows, word):
    found = [r for r in rows if r["name"] == word]
    assert len(found) == 1, f"{len(found)} rows of {word}"
    return found[0]


@pytest.fixture(scope="module", params=MINORS)
def points(request, tmp_path_factory):
    """(folder, the three looks, the same with cores)"""
    folder = tmp_path_factory.mktemp("points")
    paths, cores = [], []
    # with debug information types of one size class are told apart by name, whatever their use
    with Target("threepoints", request.param, "dwarf") as t:
        for n in range(1, 4):
            if n > 1:
                signal_and_wait(t, f"POINT {n}")
            paths.append(store(t, folder / f"{n}.limpet"))
            cores.append(folder / f"{n}.core")
            limpet("snapshot", t.pid, "-o", cores[-1])
    yield folder, paths, cores
    for path in cores:
        path.unlink()


def test_two_looks_keep_the_contract(points):
    folder, (old, new, _), _ = points
    answer = limpet_json("diff", old, new)
    assert answer["schema"] == 1 and answer["same"] == "process" and answer["exact"] and answer["cycles"] == 1
    assert all(ROW <= set(r) for r in answer["rows"])
    leaked, fixed = named(answer["rows"], "main.leaked"), named(limpet_json("diff", old, new, "--limit", "0")["rows"], "main.fixed")
    assert (leaked["old_objects"], leaked["new_objects"], leaked["survived"], leaked["born"], leaked["died"]) == (0, MANY, 0, MANY, 0)
    assert leaked["growth_bytes"] == leaked["new_bytes"] == MANY * 512
    assert leaked["per_gc"] == leaked["growth_bytes"]
    assert (fixed["survived"], fixed["born"], fixed["died"], fixed["growth_bytes"]) == (MANY, 0, 0, 0)
    assert [a["objects"] for a in fixed["ages"]] == [MANY, 0]
    assert answer["rows"][0]["growth_bytes"] == max(r["growth_bytes"] for r in answer["rows"])
    assert sum(look["objects"] for look in answer["looks"]) == answer["total"]["old_objects"] + answer["total"]["new_objects"]
    limpet("diff", old, new, "-o", folder / "out.txt")
    assert "main.leaked" in (folder / "out.txt").read_text()


def test_three_points_tell_leak_cache_and_garbage_apart(points):
    _, paths, _ = points
    answer = limpet_json("diff", *paths, "--limit", "0")
    fates = {r["name"]: r["fate"] for r in answer["rows"]}
    assert fates["main.leaked"] == "stayed"
    assert fates["main.cached"] == "turned over"
    assert fates["main.scratch"] == "gone"
    assert fates["main.fixed"] == "steady"
    scratch = named(answer["rows"], "main.scratch")
    assert [look["objects"] for look in scratch["looks"]] == [0, MANY, 0]
    assert answer["looks"][1]["born"]["objects"] >= 3 * MANY
    text = limpet("diff", *paths).stdout
    assert "exact, object by object" in text and "stayed" in text


def test_goroutines_are_told_by_their_ids(points):
    _, paths, _ = points
    answer = limpet_json("diff", *paths[:2], "--limit", "0")["goroutines"]
    groups = {g["name"].split(" ")[0]: g for g in answer["groups"]}
    assert (groups["main.stuck"]["started"], groups["main.stuck"]["growth"]) == (50, 50)
    assert (groups["main.keeper"]["survived"], groups["main.keeper"]["growth"]) == (20, 0)
    assert (groups["main.worker"]["started"], groups["main.worker"]["ended"]) == (30, 0)
    later = limpet_json("diff", *paths[1:], "--limit", "0")["goroutines"]
    groups = {g["name"].split(" ")[0]: g for g in later["groups"]}
    assert (groups["main.worker"]["ended"], groups["main.worker"]["new"]) == (30, 0)
    assert groups["main.stuck"]["survived"] == 50
    assert later["ended"] == 30
    looks = limpet_json("diff", *paths)["looks"]
    assert looks[2]["goroutines"] - looks[1]["goroutines"] == -30


def test_what_is_retained_grew_and_memory_with_it(points):
    _, paths, _ = points
    answer = limpet_json("diff", paths[0], paths[1], "--limit", "0")
    leaked = named(answer["rows"], "main.leaked")
    assert leaked["retained_growth_bytes"] == MANY * 512
    assert leaked["holder"][0]["name"] == "main.list" and leaked["holder"][-1]["type"] == "main.leaked"
    assert leaked["allocated_at"][0]["function"] == "main.newLeaked"
    memory = {m["key"]: m for m in answer["memory"]}
    assert memory["heap_live"]["growth"] == answer["total"]["growth_bytes"]
    by_site = limpet_json("diff", paths[0], paths[1], "--by", "site")
    assert by_site["rows"][0]["survived"] is None
    assert any("main.newLeaked" in r["name"] for r in by_site["rows"][:4])


def test_by_holder_field_size(points):
    _, (old, new, _), _ = points
    holders = limpet_json("diff", old, new, "--by", "holder")["rows"]
    assert {"main.list", "main.held"} == {r["name"] for r in holders[:2]}
    fields = limpet_json("diff", old, new, "--by", "type-holder")["rows"]
    assert named(fields, "main.leaked under main.list")["born"] == MANY
    sizes = limpet_json("diff", old, new, "--by", "size", "--sort", "born")["rows"]
    assert {"512 B", "768 B"} <= {r["name"] for r in sizes[:4]}


def test_kinds_of_looks_may_be_mixed(points):
    _, paths, cores = points
    want = limpet_json("diff", *paths)
    for looks in (cores, [cores[0], paths[1], cores[2]]):
        answer = limpet_json("diff", *looks)
        assert answer["exact"]
        for key in ("survived", "born", "died", "growth_bytes"):
            # two looks at one instant each: a few of the runtime's own may differ
            assert abs(answer["total"][key] - want["total"][key]) <= 64 << 10, key
        assert {r["name"]: r.get("fate") for r in answer["rows"][:3]} == {r["name"]: r.get("fate") for r in want["rows"][:3]}


def test_the_order_of_time(points):
    _, (old, new, _), _ = points
    done = limpet("diff", new, old, code=2)
    assert "order of time" in done.stderr and len(done.stderr.splitlines()) == 1


def test_another_process_is_compared_by_names(tmp_path):
    with Target("threepoints", "1.27", "dwarf") as healthy, Target("threepoints", "1.27", "dwarf") as sick:
        signal_and_wait(sick, "POINT 2")
        old, new = store(healthy, tmp_path / "old.limpet"), store(sick, tmp_path / "new.limpet")
        live = limpet_json("diff", old, sick.pid)
    text = limpet("diff", old, new).stdout
    assert text.startswith("diff    another process: compared by names, per hour of uptime")
    answer = limpet_json("diff", old, new)
    assert answer["same"] == "program" and not answer["by_identity"] and not answer["exact"]
    leaked = named(answer["rows"], "main.leaked")
    assert (leaked["old_objects"], leaked["new_objects"], leaked["survived"]) == (0, MANY, None)
    assert answer["rows"][0]["name"] in ("main.leaked", "main.scratch")
    assert live["same"] == "program"
    per = limpet_json("diff", old, new, "--requests", "1000,4000", "--limit", "0")
    assert per["per"] == {"unit": "request", "old": 1000, "new": 4000}
    assert named(per["rows"], "main.fixed")["expected_bytes"] == 4 * named(per["rows"], "main.fixed")["old_bytes"]
    assert per["rows"][0]["name"] in ("main.leaked", "main.scratch")


def test_another_program_only_by_force(tmp_path):
    with Target("threepoints", "1.27") as one, Target("growing", "1.27") as two:
        old, new = store(one, tmp_path / "old.limpet"), store(two, tmp_path / "new.limpet")
    # both are built from one module: another program is made by a module of another name
    assert limpet_json("diff", old, new)["same"] == "program"
    changed = tmp_path / "other.limpet"
    subprocess.run(["cp", new, changed], check=True)
    subprocess.run(["sqlite3", changed, "UPDATE look SET module = 'elsewhere'"], check=True)
    done = limpet("diff", old, changed, code=2)
    assert "different programs" in done.stderr and "--force" in done.stderr
    assert limpet_json("diff", old, changed, "--force")["same"] == "other"


def test_several_collections_say_maybe(tmp_path):
    with Target("growing", "1.27") as t:
        old = store(t, tmp_path / "old.limpet")
        signal_and_wait(t, "ROUND")
        answer = limpet_json("diff", old, t.pid)
    assert answer["cycles"] >= 2 and not answer["exact"]
    assert answer["total"]["maybe"] == answer["total"]["survived"] > 0


def test_heap_dumps(tmp_path):
    """They do not say of which process they are: what follows from its being one is not called exact."""
    first, second = tmp_path / "first", tmp_path / "second"
    with Target("heapdump", "1.27", args=[first]) as t:
        for path in (first, second):
            at = len(t.lines)
            os.kill(t.pid, signal.SIGUSR1)
            t.wait_line("DUMPED", after=at)
            if path == first:
                os.rename(first, tmp_path / "kept")
    answer = limpet_json("diff", tmp_path / "kept", first)
    assert answer["same"] == "process" and "do not say" in answer["why"] and not answer["exact"]
    assert answer["total"]["survived"] > 1000


@pytest.mark.parametrize("args, words", [
    (["1", "x"], "comes last"),
    (["a", "b", "--by", "nonsense"], "want type, holder"),
    (["a", "b", "--sort", "nonsense"], "want growth"),
    (["a", "b", "--requests", "1"], "number for each look"),
    (["a", "b", "--requests", "1,x"], "number for each look"),
    (["a"], "an earlier look and a later one"),
    (list("abcdefghi"), "at most 8"),
])
def test_misuse_is_said_in_one_line(args, words):
    done = limpet("diff", *args, code=2)
    assert words in done.stderr and len(done.stderr.splitlines()) == 1


def test_what_is_no_look(tmp_path):
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    assert limpet("diff", empty, empty, code=4).stderr
    assert limpet("diff", tmp_path / "missing", empty, code=3).stderr
