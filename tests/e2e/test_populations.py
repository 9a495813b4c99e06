"""Populations against a program that knows its own: every figure that limpet shows is one that it printed.

With DWARF all of it must be there.  Stripped, what only a global of unknown type leads to may be missing, but
nothing may be there that the program does not know of.
"""
import json
import os
import re

import pytest

import build_targets
from procs import FULL, Target, limpet, limpet_json

MINORS = build_targets.OLD_MINORS + build_targets.MINORS
# Without malloc headers and DWARF nothing names what only globals hold: old versions are asked with DWARF.
QUICK = [("1.23", "dwarf", "live"), ("1.26", "dwarf", "live"), ("1.26", "stripped", "core")]
ALL = [(m, f, k) for m in MINORS for f in ("dwarf", "stripped") for k in ("live", "core")
       if f == "dwarf" or m in build_targets.MINORS]
EXTRA = [x for x in ALL if x not in QUICK]
CASES = [pytest.param(x, id="-".join(x)) for x in QUICK] + [
    pytest.param(x, id="-".join(x), marks=pytest.mark.full) for x in EXTRA if FULL]
FAMILIES = ["types", "strings", "maps", "slices", "chans", "timers", "contexts", "pools", "finalizers", "fds"]
HOUR = 3600 * 10**9


class Look:
    """One instant of the program, and what limpet says of it."""

    def __init__(self, evidence, truth, flavour, links, minor):
        self.minor = minor
        self.evidence, self.truth, self.exact, self.links = evidence, truth, flavour == "dwarf", links
        self.docs = {}

    def __call__(self, family):
        if family not in self.docs:
            self.docs[family] = limpet_json(family, self.evidence, "--limit", "0", "--values", "hash")
        return self.docs[family]

    def same(self, seen, true):
        assert seen == true or (not self.exact and seen < true), f"{seen} seen, {true} are there"


@pytest.fixture(scope="module", params=CASES)
def look(request, tmp_path_factory):
    minor, flavour, kind = request.param
    with Target("populations", minor, flavour, env={"GOMAXPROCS": "2"}) as t:
        truth = json.loads(next(line for line in t.lines if line.startswith("TRUTH "))[6:])
        evidence = t.pid
        if kind == "core":
            evidence = tmp_path_factory.mktemp("populations") / "core"
            limpet("snapshot", t.pid, "-o", evidence)
        links = {int(n): os.readlink(f"/proc/{t.pid}/fd/{n}") for n in os.listdir(f"/proc/{t.pid}/fd")}
        yield Look(evidence, truth, flavour, links, minor)


def row_by(doc, **want):
    return [r for r in doc["rows"] if all(r[k] == v for k, v in want.items())]


def test_documents(look):
    for family in FAMILIES:
        doc = look(family)
        assert doc["population"] == family and len(doc["rows"]) == doc["total_rows"] and doc["rest"] is None
        key = doc["sort"]
        values = [r[key] for r in doc["rows"] if r[key] is not None]
        assert values == sorted(values, reverse=key not in ("when_ns", "fd"))


def test_types(look):
    doc = look("types")
    items = look.truth["slices"]["item_arrays"] + 10 + 7
    rows = {r["name"]: r for r in doc["rows"]}
    look.same(rows["main.item"]["objects"], items)
    assert rows["main.item"]["size"] == 32 and rows["main.item"]["kind"] == "struct"
    report = limpet_json("report", look.evidence, "--limit", "3")["exactness"]
    assert doc["totals"]["typed_objects"] == pytest.approx(report["typed_objects"], rel=0.02)
    more = limpet_json("types", look.evidence, "--all", "--limit", "0")
    assert more["total_rows"] > doc["total_rows"] and {r["name"] for r in doc["rows"]} <= {r["name"] for r in more["rows"]}


def test_strings(look):
    true, doc = look.truth["strings"], look("strings")
    many = row_by(doc, len=true["many_len"], copies=true["many"])
    assert len(many) == 1 and many[0]["refs"] == true["many"]
    assert many[0]["waste_bytes"] == 48 * (true["many"] - 1)
    few = row_by(doc, copies=true["few_copies"], len=true["few_len"])
    look.same(len(few), true["few"])
    look.same(len([p for p in doc["pins"]["rows"] if p["visible_bytes"] == true["pin_visible"]]), 1)
    for p in doc["pins"]["rows"]:
        assert p["pinned_bytes"] == true["pin_bytes"] - true["pin_visible"]


def test_strings_values(look):
    text = limpet("strings", look.evidence, "--limit", "2").stdout
    assert "customer" not in text and "\u2026" in text
    assert "the same customer's name" in limpet("strings", look.evidence, "--limit", "2", "--values", "full").stdout
    assert limpet_json("strings", look.evidence, "--values", "none", "--limit", "1")["rows"][0]["value"] is None


def test_maps(look):
    doc = look("maps")
    for name, n in look.truth["maps"].items():
        rows = row_by(doc, type=name)
        look.same(len(rows), 1)
        for r in rows:
            assert r["len"] == n and r["slots"] >= n and r["bytes"] > r["waste_bytes"]
            assert (r["state"] == "sparse") == (name == "map[string]*main.item")
    # map[intern.key]uintptr, the package internal/intern's own: its key has no type there
    assert doc["totals"]["unreadable"] <= (look.minor in build_targets.OLD_MINORS)


def test_slices(look):
    true, doc = look.truth["slices"], look("slices")
    rows = row_by(doc, place="main.item.buf")
    assert len(rows) == 1 and rows[0]["arrays"] == true["item_arrays"] and rows[0]["waste_bytes"] == true["item_waste"]
    pins = [p for p in doc["pins"]["rows"] if p["visible_bytes"] == true["view_visible"]]
    look.same(len(pins), 1)
    for p in pins:
        assert p["pinned_bytes"] == true["view_bytes"] - true["view_visible"] and p["views"] == 1


def test_chans(look):
    rows = {r["addr"]: r for r in look("chans")["rows"]}
    look.same(len([c for c in look.truth["chans"].values() if c["addr"] in rows]), len(look.truth["chans"]))
    for true in look.truth["chans"].values():
        row = rows.get(true["addr"])
        if row:
            assert {k: row[k] for k in true} == true
            assert len(row["goroutines"].split()) == true["senders"] + true["receivers"]


def test_timers(look):
    true, rows = look.truth["timers"], look("timers")["rows"]
    look.same(sorted(r["period_ns"] for r in rows if r["kind"] == "ticker"),
              [(i + 1) * HOUR for i in range(true["tickers"])])
    funcs = [r for r in rows if r["function"] == true["func"]]
    look.same(len(funcs), true["funcs"])
    for r in funcs:
        assert r["active"] and r["kind"] == "func"
        assert r["when_ns"] == pytest.approx(true["when_hours"] * HOUR, abs=120 * 10**9)
    look.same(len([r for r in rows if not r["active"] and r["kind"] == "timer"]), true["stopped"])


def test_contexts(look):
    true, rows = look.truth["contexts"], look("contexts")["rows"]
    kinds = [r["kind"] for r in rows]
    for kind in ("cancel", "timeout", "value"):
        # In 1.20 a timerCtx points to its cancelCtx, which is an object of its own.
        more = true["timeout"] if look.minor == "1.20" and kind == "cancel" else 0
        look.same(kinds.count(kind), true[kind] + more)
    root = [r for r in rows if r["addr"] == true["root"]]
    look.same(len(root), 1)
    for r in root:
        assert r["children"] == true["root_children"] and r["depth"] == 1
    assert {r["key_type"] for r in rows} - {""} <= set(true["keys"])
    assert {r["deadline"][:19] for r in rows if r["deadline"]} <= {true["deadline"]}
    if look.exact:
        assert max(r["depth"] for r in rows) == true["depth"]
        assert sum(r["cancelled"] for r in rows) == true["cancelled"]


def test_pools(look):
    true, rows = look.truth["pools"], look("pools")["rows"]
    pool = [r for r in rows if r["addr"] == true["addr"]]
    assert len(pool) == 1 and pool[0]["new"] == true["new"] and pool[0]["elem_type"] == "*main.buffer"
    assert pool[0]["values"] == pool[0]["private"] + pool[0]["shared"] + pool[0]["victims"]
    assert 0 < pool[0]["values"] <= true["max"] and pool[0]["bytes"] >= pool[0]["values"] * true["elem"]
    if look.exact:  # on one P nothing is lost
        assert pool[0]["values"] == true["max"]


def test_finalizers(look):
    true, doc = look.truth["finalizers"], look("finalizers")
    rows = [r for r in doc["rows"] if r["function"] == true["function"]]
    assert sum(r["count"] for r in rows) == true["count"]
    if look.exact:
        assert [r["type"] for r in rows] == [true["type"]]
    assert doc["totals"]["finalizer_queue"] == 0


def fd_rows(evidence, *more):
    return limpet_json("fds", evidence, "--limit", "0", *more)


def without_list(core, to):
    """As gcore and the kernel write it: our note of the descriptors (corenote.h) is one that nobody knows."""
    note = re.compile(rb"\x07\0\0\0(....)DFML(?=limpet\0)", re.S)
    with open(core, "rb") as f:
        data = f.read()
    assert len(note.findall(data)) == 1
    to.write_bytes(note.sub(lambda m: m[0][:8] + b"\1\0\0\0", data))
    return to


def seen_fd(rows, true):
    if true["addr"]:
        found = [r for r in rows if r["addr"] == true["addr"]]
    else:
        found = [r for r in rows if r["fd"] == true["fd"]]
    assert len(found) <= 1, found
    return found[0] if found else None


def expected_fd(true, live):
    """What memory alone does not tell, and what is another word there."""
    want = {k: true[k] or None for k in ("kind", "state", "type", "path", "local", "peer")}
    want["fd"] = true["fd"] if true["fd"] >= 0 else None
    if not live and true["state"] == "not open":
        want["state"] = "open"
    if want["kind"] == "pipe" or (not live and want["kind"] == "directory"):
        del want["path"]
        want["kind"] = want["kind"] if live else "file"
    return want


def test_fds(look, tmp_path):
    """Every descriptor that the program knows of, as what it is, held by the object that it is in."""
    check_fds(look, look.evidence, True)
    if not isinstance(look.evidence, int):
        bare = without_list(look.evidence, tmp_path / "bare")
        check_fds(look, bare, False)
        doc = fd_rows(bare)
        assert doc["totals"]["no_object"] is None and any("this core has no list of descriptors" in n for n in doc["notes"])


def check_fds(look, evidence, live):
    doc = fd_rows(evidence, "--values", "full")
    seen = 0
    for true in look.truth["fds"]:
        if not live and true["state"] == "no object":
            continue
        row, want = seen_fd(doc["rows"], true), expected_fd(true, live)
        if not row:
            continue
        seen += 1
        if not live and true["state"] == "garbage":
            del want["path"]  # as it was opened
        if true["kind"] == "unix":  # an unnamed socket has neither
            want = {k: v for k, v in want.items() if v or k not in ("path", "local", "peer")}
        assert {k: row[k] for k in want} == want
        assert true["state"] in ("garbage", "no object") or row["holder"][0]["what"] == "global"
    look.same(seen, len([d for d in look.truth["fds"] if live or d["state"] != "no object"]))


def test_fds_of_the_kernel(look):
    """Of a process and of a core of ours: all that /proc shows, and nothing else."""
    links = look.links
    doc = fd_rows(look.evidence, "--values", "full")
    rows = [r for r in doc["rows"] if r["state"] not in ("closed", "not open")]
    assert sorted(r["fd"] for r in rows) == sorted(links) and doc["totals"]["open"] == len(links)
    for r in rows:
        link = links[r["fd"]]
        if link.startswith("/"):
            assert r["path"] == link and r["kind"] in ("file", "directory", "device")
        elif link.startswith("socket:"):
            assert r["kind"] in ("tcp", "udp", "unix")
        else:
            assert r["kind"] in link
    states = [r["socket_state"] for r in rows if r["kind"] == "tcp"]
    assert states.count("established") == 8 and states.count("listen") == 1
    if look.exact:
        bare = [d["fd"] for d in look.truth["fds"] if d["state"] == "no object"]
        unheld = [r["fd"] for r in rows if r["state"] == "no object"]
        assert set(bare) <= set(unheld)
        assert {r["kind"] for r in rows if r["fd"] in unheld and r["fd"] not in bare} <= {"eventpoll", "eventfd", "pipe"}


def test_fds_values(look):
    """Ports are shown, hosts and paths are not: also equal ones are equal."""
    text = limpet("fds", look.evidence).stdout
    assert "127.0.0.1" not in text and "/file0" not in text and "\u2026" in text
    rows = fd_rows(look.evidence)["rows"]
    hosts = {r["local"].rsplit(":", 1)[0] for r in rows if r["local"] and r["kind"] == "tcp"}
    assert len(hosts) == 1 and re.fullmatch("\u2026[0-9a-f]{4}", hosts.pop())
    assert {r["path"] for r in fd_rows(look.evidence, "--values", "none")["rows"]} == {None}


def test_why_fd(look):
    true = next(d for d in look.truth["fds"] if d["type"] == "net.TCPConn")
    why = limpet_json("why", look.evidence, f"fd:{true['fd']}")
    path = why["paths"][0]
    assert path[0]["name"] == "main.closers" if look.exact else path
    assert true["addr"] in [n.get("addr") for n in path]
    assert "limpet fds" in limpet("why", look.evidence, "fd:9999", code=2).stderr


def test_limit_and_rest(look):
    whole, cut = look("types"), limpet_json("types", look.evidence, "--limit", "2")
    assert len(cut["rows"]) == 2 and cut["rest"]["rows"] == cut["total_rows"] - 2
    if not isinstance(look.evidence, int):  # of a core every look is the same
        assert cut["rest"]["bytes"] == sum(r["bytes"] for r in whole["rows"][2:])


def test_usage(look):
    assert "waste_bytes" in limpet("maps", look.evidence, "--sort", "colour", code=2).stderr
    limpet("maps", look.evidence, "--all", code=2)
