"""The report as a reader meets it: keys of its findings, its lines, Markdown for a ticket, evidence that cannot tell all."""
import os
import re
import signal

import pytest

from procs import Target, limpet, limpet_json
from test_contract import HEX, has

KEYS = ("kind verdict proof title retained_bytes owner_retained_bytes stack_bytes objects count growth_per_gc type held_by "
        "holder cut goroutine allocated_at fix mitigate decide confirm detail signature")
SIGNATURE = re.compile(r"^[0-9a-f]{16}$")


@pytest.fixture(scope="module", params=["growing", "worker-unclosed", "ticker", "slice-append"])
def target(request):
    args = () if request.param == "growing" else ("-mode", request.param, "-test")
    with Target("growing" if not args else "leaklab", flavour="dwarf", args=args) as t:
        yield t


@pytest.fixture(scope="module")
def answer(target):
    return limpet_json("report", target.pid)


@pytest.fixture(scope="module")
def text(target):
    return limpet("report", target.pid).stdout


def test_every_finding_has_the_contracts_keys(answer):
    assert answer["findings"]
    for f in answer["findings"]:
        has(f, KEYS)
        assert f["verdict"] in ("leak", "suspect", "waste", "info")
        assert f["proof"] in ("proved", "measured", "inferred")
        assert SIGNATURE.match(f["signature"]) and f["title"]
        assert f["verdict"] != "suspect" or f["decide"], "a suspect needs what would decide"
        assert f["verdict"] == "info" or f["fix"]
        for node in f["holder"]:
            has(node, "what")
            assert "addr" not in node or HEX.match(node["addr"])
        if f["goroutine"]:
            has(f["goroutine"], "id count function creator wait since_ns")
        for frame in f["allocated_at"]:
            has(frame, "function file line")
        if f["cut"]:
            has(f["cut"], "from to freed_bytes freed_objects")
            assert f["cut"]["freed_bytes"] >= 0
    assert answer["total_findings"] == len(answer["findings"])


def test_no_placeholder_is_left(answer, text):
    for said in [*(f[k] for f in answer["findings"] for k in ("title", "fix", "mitigate", "decide", "confirm", "detail")), text]:
        assert not re.search(r"\{(holder|type|site)\}", said)


def test_each_detector_says_what_it_cost(answer):
    costs = {d["name"]: d for d in answer["capture"]["detectors"]}
    assert "global-growth" in costs and "goroutine-leak" in costs
    assert all(d["ns"] >= 0 and "not_run" not in d for d in costs.values())


def test_the_summary_comes_first(text, target):
    head = text.split("\n\n")[0]
    assert head.startswith(f"pid {target.pid} ")
    words = [line.split()[0] for line in head.split("\n")[1:] if not line.startswith(" ")]
    assert words[:4] == ["build", "taken", "memory", "verdict"] and "exact" in words
    assert len(head.split("\n")) <= 12


def test_findings_are_short_and_narrow(text):
    findings = text.split("\nmemory\n")[0].split("\n\n")[1:]
    assert findings
    for one in findings:
        lines = one.rstrip("\n").split("\n")
        assert len(lines) <= 26, one
        for line in lines:
            assert len(line) <= 100 or " " not in line.strip()[14:], line


def test_limit(target, answer):
    if len(answer["findings"]) < 2:
        pytest.skip("one finding")
    less = limpet_json("report", target.pid, "--limit", 1)
    assert [f["signature"] for f in less["findings"]] == [answer["findings"][0]["signature"]]
    assert less["total_findings"] == len(answer["findings"])
    assert "more findings: --limit 0 has all" in limpet("report", target.pid, "--limit", 1).stdout


def test_markdown(target, answer):
    said = limpet("report", target.pid, "--markdown").stdout
    assert said.startswith("## limpet report")
    assert said.count("<details>") == said.count("</details>") >= 3
    assert said.count("```") % 2 == 0
    for i, f in enumerate(answer["findings"], 1):
        assert f"### {i}. {f['verdict']} ({f['proof']}): {f['kind']}" in said
        assert f"`{f['signature']}`" in said
    # What stands outside of code is escaped: pointers' stars make nothing bold.
    open_text = re.sub(r"```.*?```", "", said, flags=re.S).replace("**", "")
    assert not re.search(r"(?<!\\)[*_](?=\w)", re.sub(r"`[^`]*`", "", open_text))


def test_a_heap_dump_names_what_was_not_asked(tmp_path):
    dump = tmp_path / "dump"
    with Target("heapdump", args=(dump,)) as t:
        os.kill(t.pid, signal.SIGUSR1)
        t.wait_line("DUMPED")
    answer = limpet_json("report", dump)
    left = {d["name"] for d in answer["capture"]["detectors"] if "not_run" in d}
    assert {"goroutine-leak", "timer-leak"} & left
    said = limpet("report", dump).stdout
    assert re.search(r"^not run .*goroutine-leak|^not run .*timer-leak", said, re.M) and "\nverdict " in said
