"""Who allocated it: the rows of `top --by site` are those of the program's own heap profile, without asking it."""
import os
import re
import signal

import pytest

import build_targets
import profiles
import servers
from procs import TOP, Target, limpet, limpet_json

QUICK = ["1.22", "1.24", "1.27"]
SLOW = [m for m in build_targets.OLD_MINORS + build_targets.MINORS if m not in QUICK]
RATE = {"GODEBUG": "memprofilerate=8192"}
SOURCE = os.path.join(TOP, "tests/goprogs/sites/main.go")


def compare(address, look, flags=(), tries=4):
    """The program's profile, limpet's rows, the profile again: equal to one of the two, or else the program did not stand
    still (the request for its profile is work, too), and it is tried again.  Gives limpet's document and pprof's rows."""
    with profiles.Asker(address) as asker:
        for _ in range(tries):
            before = profiles.pprof(asker.profile(), *flags)
            ours, doc = look()
            after = profiles.pprof(asker.profile(), *flags)
            wrong = min(profiles.differences(ours, before), profiles.differences(ours, after), key=len)
            if not wrong:
                return doc, before
            print("tried:", wrong, "while the program itself changed by", profiles.differences(before, after))
    raise AssertionError("\n".join(wrong))


def line_of(text):
    """Number of the one line of the program's source that has this text."""
    with open(SOURCE, encoding="utf-8") as f:
        found = [i + 1 for i, line in enumerate(f) if text in line]
    assert len(found) == 1, (text, found)
    return found[0]


@pytest.fixture(scope="module")
def dense():
    """Sampled so densely that each place of the program has samples."""
    with Target("sites", env=RATE) as target:
        yield target


@pytest.mark.parametrize("minor,flavour", [(m, "stripped") for m in QUICK]
                         + [pytest.param(m, f, marks=pytest.mark.full) for m in SLOW for f in ("stripped", "dwarf", "pie")]
                         + [pytest.param(m, f, marks=pytest.mark.full) for m in QUICK for f in ("dwarf", "pie")])
def test_rows_are_those_of_pprof(minor, flavour):
    with Target("sites", minor, flavour, env=RATE) as target:
        doc, theirs = compare(target.address, lambda: profiles.sites(target.pid))
    profile = doc["memory_profile"]
    if minor in ("1.18", "1.19"):  # their runtime sets the rate again after it has read GODEBUG
        assert profile["on"] and profile["rate"] == 524288 and profile["reachable_samples"] > 20
        return
    assert profile["on"] and profile["rate"] == 8192 and profile["reachable_samples"] > 1000
    assert len([r for r in theirs if r[1]]) > 15
    assert profiles.close(profile["estimated_bytes"], doc["reachable_bytes"], 0.1)  # the sample is a fair one


def test_rows_can_be_lines(dense):
    doc, _ = compare(dense.address, lambda: profiles.sites(dense.pid, "--granularity", "line"), ["-lines"])
    large = next(r for r in doc["rows"] if r["name"].startswith("main.large "))
    assert large["name"].endswith(f"sites/main.go:{line_of('func large(')}") and large["line"] == line_of("func large(")


@pytest.mark.parametrize("focus,ignore", [(r"main\.(large|chained)$", None), (None, r"main\.inlined"), (r"^main\.", r"main\.large|newStore"),
                                          ("sites/main.go", None), ("no such function", None)])
def test_focus_and_ignore_are_those_of_pprof(dense, focus, ignore):
    """By functions and files of the stacks; in pprof's words -focus and -ignore."""
    asked = [(word, text) for word, text in (("focus", focus), ("ignore", ignore)) if text]
    options = [x for word, text in asked for x in ("--" + word, text)]
    doc, theirs = compare(dense.address, lambda: profiles.sites(dense.pid, *options),
                          [f"-{word}={text}" for word, text in asked])
    own = [{name for name in names if name.startswith("main.")}
           for names in ((r["name"] for r in doc["rows"]), (r[0] for r in theirs))]
    assert own[0] == own[1]  # the rows of the server come and go


def test_both_trees():
    """Where all is sampled and one function makes all objects of a type, its row retains what the type's does."""
    with Target("sites", flavour="dwarf", env={"GODEBUG": "memprofilerate=1"}) as target:
        core = f"{target.pid}"
        rows = [{r["name"]: r for r in limpet_json("top", core, "--by", by, "--tree", "both", "--limit", "0")["rows"]}
                for by in ("site", "type")]
        text = limpet("top", core, "--by", "site", "--tree", "both").stdout
        assert "owner_retained_bytes" not in limpet_json("top", core, "--by", "site")["rows"][0]
    for function, made in (("container/list.(*List).insertValue", "list.Element"), ("main.newStore", "main.store"),
                           ("container/list.New", "list.List")):
        ours, theirs = rows[0][function], rows[1][made]
        for key in ("retained_bytes", "owner_retained_bytes"):
            assert profiles.close(ours[key], theirs[key], 0.05), (function, key, ours[key], theirs[key])
    elements = rows[0]["container/list.(*List).insertValue"]
    assert rows[0]["container/list.New"]["owner_retained_bytes"] >= elements["owner_retained_bytes"] > 0
    assert re.search(r"^ +flat .* retained +\(exact\) +\(owner\) +objects +site$", text, re.M) and "owner's tree:" in text


def test_what_was_allocated_ever(dense):
    """Dead ones count, too: sampled ones are counted by the runtime, stack by stack."""
    with profiles.Asker(dense.address) as asker:
        theirs = profiles.pprof(asker.profile(), sample="alloc_space")
    doc = limpet_json("top", dense.pid, "--by", "site", "--sort", "alloc", "--limit", "0")
    ours = {r["name"]: r["alloc_bytes"] for r in doc["rows"]}
    assert doc["sort"] == "alloc" and doc["rows"][0]["name"] == theirs[0][0] == "main.garbage"
    assert doc["rows"][0]["flat"] < ours["main.garbage"] / 100
    mine = [(name, flat) for name, flat, _ in theirs if name.startswith("main.")][:6]
    assert all(profiles.close(ours.get(name, 0), flat) for name, flat in mine), (ours, mine)
    assert re.search(r"^ allocated +flat .*\n +\S+ \S+ .* main\.garbage$",
                     limpet("top", dense.pid, "--by", "site", "--sort", "alloc").stdout, re.M)


@pytest.mark.parametrize("rate", ["default", "1"])
def test_rates(rate):
    with Target("sites", env={} if rate == "default" else {"GODEBUG": "memprofilerate=" + rate}) as target:
        doc, _ = compare(target.address, lambda: profiles.sites(target.pid))
    assert doc["memory_profile"]["rate"] == (524288 if rate == "default" else 1)


def test_profiling_is_off():
    with Target("sites", env={"GODEBUG": "memprofilerate=0"}) as target:
        off = limpet_json("top", target.pid, "--by", "site")
        text = limpet("top", target.pid, "--by", "site").stdout
    assert off["rows"] == [] and not off["memory_profile"]["on"] and off["memory_profile"]["rate"] == 0
    assert "MemProfileRate is 0" in off["memory_profile"]["why"]
    assert "memory profiling is off in this program: runtime.MemProfileRate is 0" in text


@pytest.mark.parametrize("minor", QUICK)
def test_the_linker_left_it_out(minor):
    with Target("quiet", minor, args=[1000]) as target:
        off = limpet_json("top", target.pid, "--by", "site")
        one = limpet_json("object", target.pid, limpet_json("top", target.pid)["rows"][0]["name"])
    assert off["rows"] == [] and "linker left it out" in off["memory_profile"]["why"]
    assert "memory profiling is off in this program" in one["allocated_at_unknown"]


@pytest.mark.parametrize("how", [[], ["--zstd"], ["--no-payload"], ["--redact"], ["--redact", "--zstd"]])
def test_cores(dense, tmp_path, how):
    core = str(tmp_path / "core")

    def look():
        limpet("snapshot", dense.pid, "-o", core, *how)
        return profiles.sites(core)
    doc, _ = compare(dense.address, look)
    assert doc["memory_profile"]["rate"] == 8192


def frames(stack):
    return [(f["function"], f["line"]) for f in stack]


@pytest.mark.parametrize("minor", QUICK)
def test_stack_of_a_sampled_object(minor):
    """At rate 1 all objects are sampled.  The oracle is the program's source."""
    with Target("sites", minor, "dwarf", args=[4], env={"GODEBUG": "memprofilerate=1"}) as target:
        store = limpet_json("object", target.pid, "main.store")
        chain = limpet_json("why", target.pid, limpet_json("object", target.pid, "main.chain")["values"][0]["to"])
        text = limpet("object", target.pid, store["addr"]).stdout
    new, fill = line_of("s := &store{"), line_of("newStore(50)")
    assert frames(store["allocated_at"])[:2] == [("main.newStore", new), ("main.work", fill)]
    assert store["allocated_at"][0]["file"].endswith("sites/main.go") and store["allocated_at_inferred"] is None
    assert re.search(rf"allocated by main\.newStore \S+sites/main\.go:{new}\n", text)
    assert [f for f, _ in frames(chain["allocated_at"])[:4]] == ["main.inlinedNode", "main.inlinedTwice", "main.chained",
                                                                   "main.work"]
    assert frames(chain["allocated_at"])[0][1] == line_of("func inlinedNode(")


def unsampled(pid, what):
    """An object of that type that is not in the sample."""
    items = limpet_json("why", pid, what, "--limit", "12", "--paths", "1")["objects"]
    return [i for i in items if not i["allocated_at"]][-1]


def test_what_is_not_sampled_is_inferred():
    with Target("sites", flavour="dwarf", env=RATE) as target:
        one = unsampled(target.pid, "main.pair[string,float64]")
        node = unsampled(target.pid, "main.node")
        text = limpet("why", target.pid, one["object"]["addr"]).stdout
    guess = one["allocated_at_inferred"]
    assert guess["of"] >= 3 and len(guess["sites"]) == 1 and guess["sites"][0]["function"].startswith("main.box[")
    assert guess["sites"][0]["line"] == line_of("func box[")
    assert sum(s["count"] for s in guess["sites"]) + guess["others"] == guess["of"]
    assert "main.pair[string,float64]" in guess["like"]
    assert re.search(r"allocated, inferred: \d+ of \d+ sampled main\.pair\[string,float64\]", text)
    # The nodes that hold most are those of the chain; others, of another function, hang in maps.
    assert "main.node under main.node.next" == node["allocated_at_inferred"]["like"]
    assert node["allocated_at_inferred"]["sites"][0]["function"] == "main.inlinedNode"
    assert "holder" in node["allocated_at_inferred"]["basis"] and node["allocated_at_inferred"]["others"] == 0


def test_report_says_who_allocated():
    with Target("sites", flavour="dwarf", env=RATE) as target:
        report = limpet_json("report", target.pid)
        text = limpet("report", target.pid).stdout
        rows, _ = profiles.sites(target.pid)
    chain = next(r for r in report["top"]["by_root"] if r["name"] == "main.chain")
    place = chain["allocated_at"] or chain["allocated_at_inferred"]["sites"]
    assert (place[0]["function"], place[0]["line"]) == ("main.inlinedNode", line_of("func inlinedNode("))
    assert [(r["name"], r["flat"]) for r in report["top"]["by_site"]] == [r[:2] for r in rows[:10]]
    assert report["memory_profile"]["rate"] == 8192
    assert re.search(r"made by +main\.\w+ \(main\.go:\d+\)", text)
    assert "MemProfileRate 8192" in text


def test_heap_dump(tmp_path):
    """A dump has the samples and not the rate: at rate 1, where all is sampled, the figures are exact."""
    path = str(tmp_path / "dump")
    with Target("heapdump", args=[path, "profile"], env={"GODEBUG": "memprofilerate=1"}) as target:
        at = len(target.lines)
        os.kill(target.pid, signal.SIGUSR1)
        target.wait_line("DUMPED", after=at)
    doc = limpet_json("top", path, "--by", "site", "--limit", "0")
    assert doc["memory_profile"]["rate"] == 1 and doc["memory_profile"]["rate_assumed"]
    assert profiles.close(doc["memory_profile"]["estimated_bytes"], doc["reachable_bytes"], 0.1)
    assert any(r["name"] == "main.fill" and r["flat"] for r in doc["rows"])
    assert "assumed" in limpet("top", path, "--by", "site").stdout


@pytest.mark.full
@pytest.mark.parametrize("name,minor", [(s, m) for s in ("caddy", "nats", "etcd") for m in build_targets.MINORS])
@pytest.mark.parametrize("rate", ["default", "4096"])
def test_servers(name, minor, rate):
    if minor < build_targets.NEWER.get(name, minor):
        pytest.skip(f"this {name} wants Go {build_targets.NEWER[name]}")
    env = {} if rate == "default" else {"GODEBUG": "memprofilerate=" + rate}
    with servers.at_work(name, build_targets.build(name, minor), 15, env) as target:
        target.rest()
        doc, theirs = compare(target.profiles, lambda: profiles.sites(target.pid))
    assert doc["memory_profile"]["on"] and theirs
    if rate == "4096":
        assert len([r for r in theirs if r[1]]) >= 20
