"""The keys that people script against, for every command; and figures that must agree with /proc and the program."""
import os
import re
import shutil
import subprocess

import pytest

import build_targets
from procs import LIMPET, Target, limpet, limpet_json, status

HEX = re.compile(r"^0x[0-9a-f]+$")


def has(answer, keys):
    missing = [k for k in keys.split() if k not in answer]
    assert not missing, f"no {missing} among {sorted(answer)}"


@pytest.fixture(scope="module")
def report(mixed):
    return limpet_json("report", mixed.pid)


def test_report_keys(report, mixed):
    has(report, "schema limpet target build capture exactness memory findings")
    assert report["schema"] == 1
    has(report["target"], "kind pid exe go arch experiments dwarf stripped")
    has(report["build"], "module version vcs_revision started")
    has(report["capture"], "at method pause_ns losses")
    has(report["exactness"], "reachable_objects reachable_bytes gc_objects gc_bytes missing extra conservative_frames "
        "typed_objects typed_bytes")
    has(report["memory"], "rss heap_live heap_garbage heap_free heap_released stacks runtime off_heap files")
    assert report["target"]["kind"] == "live" and report["target"]["pid"] == mixed.pid
    assert report["target"]["go"].startswith("go1.27") and report["target"]["arch"] == "amd64"
    assert report["target"]["stripped"] is True and report["target"]["dwarf"] is False
    assert report["target"]["exe"] == os.path.realpath(mixed.binary)
    assert report["build"]["module"] == "limpet/goprogs"
    assert report["capture"]["method"] == "fork" and 0 < report["capture"]["pause_ns"] < 2e9
    assert re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", report["capture"]["at"])
    # Its holders wait for a channel that startHolders has forgotten: the one leak that it has.
    leaks = {(f["kind"], f["goroutine"]["function"]) for f in report["findings"] if f["verdict"] == "leak"}
    assert leaks <= {("goroutine-leak", "main.holder")}


def test_report_memory_is_that_of_proc(report, mixed):
    rss = int(status(mixed.pid, "VmRSS").split()[0]) * 1024
    assert abs(report["memory"]["rss"] - rss) < 0.05 * rss


def test_a_target_alone_is_report(mixed):
    short, long = limpet_json(mixed.pid), limpet_json("report", mixed.pid)
    assert short.keys() == long.keys()
    assert short["exactness"]["reachable_objects"] == long["exactness"]["reachable_objects"]
    spelled = limpet_json("report", f"pid:{mixed.pid}")
    assert spelled["target"]["pid"] == mixed.pid


def test_verify_keys(mixed):
    answer = limpet_json("verify", mixed.pid)
    has(answer, "reachable_objects reachable_bytes gc_objects gc_bytes missing extra conservative_frames typed_objects "
        "typed_bytes differences")
    assert answer["reachable_objects"] > 450000


@pytest.mark.parametrize("by", ["type", "package", "root", "goroutine", "kind"])
@pytest.mark.parametrize("sort", ["retained", "shallow", "count"])
def test_top(mixed, by, sort):
    answer = limpet_json("top", mixed.pid, "--by", by, "--sort", sort, "--limit", 5)
    rows = answer["rows"]
    assert 0 < len(rows) <= 8  # remainders may follow
    for row in rows:
        has(row, "name objects shallow_bytes retained_bytes")
    key = {"retained": "retained_bytes", "shallow": "shallow_bytes", "count": "objects"}[sort]
    # Goroutines of one stack are one row: their count is theirs, not that of the objects.
    values = [row["count"] if by == "goroutine" and sort == "count" else row[key]
              for row in rows if not row["name"].startswith("(")]
    assert values == sorted(values, reverse=True)


def test_top_knows_what_the_program_counts(mixed):
    rows = {r["name"]: r for r in limpet_json("top", mixed.pid, "--by", "type", "--limit", 0)["rows"]}
    # 3,000 made one by one and the row of length one, which looks the same.  Over 512 B: typed by malloc header.
    assert rows["main.wide"]["objects"] == 3001
    assert rows["main.giant"]["objects"] == 8


def test_shallow_bytes_by_type_add_up(mixed):
    rows = limpet_json("top", mixed.pid, "--by", "type", "--limit", 0)["rows"]
    exact = limpet_json("verify", mixed.pid)
    assert sum(r["objects"] for r in rows) == exact["reachable_objects"]
    assert sum(r["shallow_bytes"] for r in rows) == exact["reachable_bytes"]


def check_path(path):
    assert path
    for node in path:
        has(node, "what")
        if "addr" in node:
            assert HEX.match(node["addr"])


def test_why_by_type_and_by_address(mixed):
    answer = limpet_json("why", mixed.pid, "main.giant")
    has(answer, "paths independent_paths cut")
    for path in answer["paths"]:
        check_path(path)
    assert answer["paths"][0][-1]["type"].lstrip("*") == "main.giant"
    address = answer["paths"][0][-1]["addr"]
    again = limpet_json("why", mixed.pid, address)
    check_path(again["paths"][0])
    assert again["paths"][0][-1]["addr"] == address
    assert again["independent_paths"] >= 1


def test_object_and_tree(mixed):
    address = limpet_json("why", mixed.pid, "main.giant")["paths"][0][-1]["addr"]
    answer = limpet_json("object", mixed.pid, address)
    assert answer["type"].lstrip("*") == "main.giant" and answer["addr"] == address
    # unsafe.Sizeof(giant{}) is 8 + 6000 * 40 + 8, in a span of whole pages.
    assert answer["bytes"] == (240016 + 8191) // 8192 * 8192
    limpet_json("tree", mixed.pid)
    limpet_json("tree", mixed.pid, address)


def test_memory_adds_up(mixed):
    answer = limpet_json("memory", mixed.pid)
    rss = int(status(mixed.pid, "VmRSS").split()[0]) * 1024
    assert abs(answer["memory"]["rss"] - rss) < 0.05 * rss
    text = limpet("memory", mixed.pid).stdout
    assert "RSS" in text


def test_goroutine_why(parked):
    rows = limpet_json("goroutines", parked.pid, "--limit", 0)["goroutines"]
    one = next(g for g in rows if any(f["function"] == "main.blockRecv" for f in g["stack"]))
    answer = limpet_json("why", parked.pid, f"goroutine:{one['id']}")
    has(answer, "paths independent_paths cut")


@pytest.mark.parametrize("command", ["report", "top", "why", "object", "tree", "goroutines", "memory", "verify"])
def test_help(command):
    text = limpet(command, "--help").stdout
    assert f"limpet {command}" in text


def test_output_file_is_private(mixed, tmp_path):
    out = tmp_path / "answer.json"
    limpet("report", mixed.pid, "--json", "-o", out)
    assert out.stat().st_mode & 0o777 == 0o600 and out.read_bytes().startswith(b"{")


def test_freeze(mixed):
    answer = limpet_json("report", mixed.pid, "--freeze")
    assert answer["capture"]["method"] == "freeze"
    assert mixed.collect()[0] > 0  # it runs on


def test_stdout_is_only_the_answer(mixed):
    done = limpet("verify", mixed.pid, "--quiet")
    assert done.stderr == "" and "\x1b" not in done.stdout


def test_stdout_that_breaks(mixed):
    """A reader that goes away, as `| head -1` does, is no bug of limpet."""
    with subprocess.Popen([LIMPET, "report", str(mixed.pid)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        p.stdout.close()
        assert p.wait(60) != 70


def test_values_stay_in(mixed):
    """No string of the program is shown where nobody asked: map keys are hashed."""
    text = limpet("report", mixed.pid).stdout + limpet("report", mixed.pid, "--json").stdout
    assert "user19999" not in text and "node-99999" not in text


def test_name_is_found_and_several_are_listed(tmp_path):
    name = f"quiet-{os.getpid()}"  # others may run tests on this machine
    binary = tmp_path / name
    shutil.copy(build_targets.build("quiet", "1.25"), binary)
    with Target("quiet", binary=binary) as one:
        assert limpet_json("report", f"name:{name}")["target"]["pid"] == one.pid
        with Target("quiet", binary=binary) as two:
            done = limpet("report", f"name:{name}", code=None)
            assert done.returncode in (2, 3)
            assert str(one.pid) in done.stderr and str(two.pid) in done.stderr
