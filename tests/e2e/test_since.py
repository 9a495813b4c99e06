"""Two looks at one process: what grew is a leak, what did not is cleared; the program itself says which is which."""
import os
import re
import signal

import pytest

from procs import FULL, Target, limpet, limpet_json


def work(target, rounds):
    for _ in range(rounds):
        at = len(target.lines)
        os.kill(target.pid, signal.SIGHUP)
        target.wait_line("ROUND", after=at)


def snapshot(target, path):
    limpet("snapshot", target.pid, "-o", path)
    return path


def store(core, path):
    """The same look as a core of it, analysed."""
    limpet("snapshot", core, "-o", path)
    return path


def of_type(answer, word):
    return [f for f in answer["findings"] if word in f["type"] or word in f["title"]]


MINORS = ["1.27", pytest.param("1.22", marks=pytest.mark.full), pytest.param("1.24", marks=pytest.mark.full)]


@pytest.fixture(scope="module", params=MINORS)
def looks(request, tmp_path_factory):
    """(alone, with the look before, the same through a later core, nothing happened between)"""
    folder = tmp_path_factory.mktemp("since")
    with Target("growing", request.param) as t:
        before = snapshot(t, folder / "before.core")
        same = limpet_json("report", t.pid, "--since", before)
        work(t, 2)
        alone = limpet_json("report", t.pid)
        later = limpet_json("report", t.pid, "--since", before)
        after = snapshot(t, folder / "after.core")
        by_core = limpet_json("report", after, "--since", before)
        kept = store(before, folder / "before.limpet")
        by_store = limpet_json("report", after, "--since", kept)
        kept_after = store(after, folder / "after.limpet")
        both_kept = limpet_json("report", kept_after, "--since", kept)
        kept_by_core = limpet_json("report", kept_after, "--since", before)
        text = limpet("report", t.pid, "--since", before).stdout
    with Target("growing", request.param) as other:
        work(other, 2)
        others = limpet_json("report", other.pid, "--since", before)
        others_by_store = limpet_json("report", other.pid, "--since", kept)
    return {"alone": alone, "same": same, "later": later, "by_core": by_core, "by_store": by_store,
            "both_kept": both_kept, "kept_by_core": kept_by_core,
            "others": others, "others_by_store": others_by_store, "text": text,
            "folder": folder}


def test_one_look_suspects(looks):
    assert not [f for f in looks["alone"]["findings"] if f["verdict"] == "leak"]
    assert of_type(looks["alone"], "main.session")[0]["verdict"] == "suspect"
    assert all(f["growth_per_gc"] is None for f in looks["alone"]["findings"])
    assert "since" not in looks["alone"]


@pytest.mark.parametrize("which", ["later", "by_core", "by_store", "both_kept", "kept_by_core"])
def test_what_grew_is_a_leak_and_nothing_else(looks, which):
    answer = looks[which]
    assert answer["since"]["same"] == "process"
    assert answer["since"]["gc_cycles"] >= 4 and answer["since"]["ns"] > 0
    leaks = [f for f in answer["findings"] if f["verdict"] == "leak"]
    assert {("session" if "main.session" in f["type"] + f["title"] else "event") for f in leaks} == {"session", "event"}
    for f in leaks:
        assert f["proof"] == "measured" and f["then_bytes"] < f["retained_bytes"] and f["growth_per_gc"] > 0
    # 2 rounds of 4,096 sessions of 1,000 bytes and more.
    sessions = next(f for f in leaks if "main.session" in f["type"] + f["title"])
    assert 2 * 4096 * 1000 <= sessions["retained_bytes"] - sessions["then_bytes"] <= 2 * 4096 * 1400


@pytest.mark.parametrize("which", ["later", "by_core", "by_store", "both_kept", "kept_by_core"])
def test_what_did_not_grow_is_cleared(looks, which):
    entries = of_type(looks[which], "main.entry")
    assert len(entries) == 2 and {f["verdict"] for f in entries} == {"info"}


def test_without_a_collection_nothing_is_decided(looks):
    assert {f["verdict"] for f in looks["same"]["findings"]} <= {"suspect", "info"}
    assert of_type(looks["same"], "main.session")[0]["verdict"] == "suspect"


def told(answer):
    """What a report says of growth, without what differs by where the earlier look was kept."""
    keys = ("kind", "verdict", "proof", "signature", "retained_bytes", "then_bytes", "new", "growth_per_gc", "detail",
            "growth_per_hour")
    return ({k: v for k, v in answer["since"].items() if k != "file"},
            [{k: f.get(k) for k in keys} for f in answer["findings"]])


def test_a_store_of_the_earlier_look_says_what_its_core_says(looks):
    assert told(looks["by_store"]) == told(looks["by_core"])
    assert looks["others_by_store"]["since"]["same"] == "program"
    assert not [f for f in looks["others_by_store"]["findings"] if f["verdict"] == "leak"]


@pytest.mark.parametrize("which", ["both_kept", "kept_by_core"])
def test_two_kept_looks_say_what_the_looks_said(looks, which):
    since, findings = told(looks[which])
    wants, wanted = told(looks["by_core"])
    assert {k: since[k] for k in wants if k != "limit"} == {k: wants[k] for k in wants if k != "limit"}
    assert since["limit"] is None
    assert sorted(map(str, findings)) == sorted(map(str, wanted))
    assert [f["verdict"] for f in findings if f["verdict"] == "leak"] == \
        [f["verdict"] for f in findings][:len([f for f in findings if f["verdict"] == "leak"])]


def test_another_process_is_compared_by_names_alone(looks):
    assert looks["others"]["since"]["same"] == "program" and looks["others"]["since"]["why"]
    assert not [f for f in looks["others"]["findings"] if f["verdict"] == "leak"]
    known = of_type(looks["others"], "main.session")[0]
    assert known["new"] is False and known["then_bytes"] > 0


def test_the_limit_is_told_as_a_span(looks):
    limit = looks["later"]["since"]["limit"]
    assert limit and 0 < limit["soonest_ns"] < limit["latest_ns"]
    assert "is reached in" in looks["text"]


def test_signatures_stay(looks):
    """Of one run, of another process, by core: the same place has the same name."""
    names = [{f["signature"] for f in of_type(looks[w], "main.session")} for w in ("alone", "later", "by_core", "others")]
    assert names[0] and all(n == names[0] for n in names)


def test_waste_hides_no_growth(tmp_path):
    """Copies of five texts in a map that only grows: one look says what could be saved, two that it is a leak."""
    with Target("copies") as t:
        before = snapshot(t, tmp_path / "before.limpet")
        alone = limpet_json("report", t.pid)["findings"][0]
        assert (alone["kind"], alone["verdict"]) == ("duplicate-strings", "waste")
        work(t, 2)
        later = limpet_json("report", t.pid, "--since", before)["findings"]
    assert (later[0]["verdict"], later[0]["proof"]) == ("leak", "measured") and later[0]["count"] == 30000
    assert "duplicate-strings" in [f["kind"] for f in later[1:]]


def test_what_is_no_earlier_look(looks, tmp_path):
    with Target("growing") as t:
        said = limpet("report", t.pid, "--since", t.pid, code=2).stderr
        assert "limpet snapshot PID -o FILE" in said
        limpet("report", t.pid, "--since", tmp_path / "gone", code=3)
        text = tmp_path / "text"
        text.write_text("nothing of Go\n")
        assert "--since" in limpet("report", t.pid, "--since", text, code=2).stderr
        # A core of this process, made now, cannot be the later look of it.
        now = snapshot(t, tmp_path / "now.core")
        answer = limpet_json("report", looks["folder"] / "before.core", "--since", now)
        assert answer["since"]["same"] == "program"


@pytest.mark.parametrize("minor", MINORS)
def test_what_turns_over_is_no_leak(minor, tmp_path):
    """Slots used again for objects of the same size, after one collection: by addresses alone all of it stayed."""
    with Target("turnover", minor) as t:
        before = snapshot(t, tmp_path / "before.core")
        at = len(t.lines)
        os.kill(t.pid, signal.SIGHUP)
        said = t.wait_line("ROUND 2 ", after=at)[0].split()
        reused, of = int(said[3]), int(said[5])
        assert reused >= of * 0.6, "the premise: the slots are used again"
        answer = limpet_json("report", t.pid, "--since", before)
        by_store = limpet_json("report", t.pid, "--since", store(before, tmp_path / "before.limpet"))
        now = tmp_path / "now.limpet"
        limpet("snapshot", t.pid, "-o", now)
        both_kept = limpet_json("report", now, "--since", tmp_path / "before.limpet")
    assert [f["verdict"] for f in by_store["findings"]] == [f["verdict"] for f in answer["findings"]]
    assert answer["since"]["gc_cycles"] == 1
    for pages, kept in [(of_type(x, "main.page"), of_type(x, "main.record")) for x in (answer, both_kept)]:
        is_told(pages, kept)


def is_told(pages, kept):
    assert pages[0]["then_bytes"] < pages[0]["retained_bytes"] and kept[0]["then_bytes"] < kept[0]["retained_bytes"]
    assert {f["verdict"] for f in pages} == {"suspect"}
    assert re.search("only [12]?[0-9] % of what was there stayed", pages[0]["detail"])
    assert [f["verdict"] for f in kept] == ["leak"]


def test_a_heap_dump_and_its_store_are_the_same_earlier_look(tmp_path):
    """A dump has no mark bits, but says how many collections there were."""
    with Target("heapdump", args=(tmp_path / "dump",)) as t:
        os.kill(t.pid, signal.SIGUSR1)
        t.wait_line("DUMPED")
        kept = store(tmp_path / "dump", tmp_path / "dump.limpet")
        assert told(limpet_json("report", t.pid, "--since", kept))[1] == \
            told(limpet_json("report", t.pid, "--since", tmp_path / "dump"))[1]
