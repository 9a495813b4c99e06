"""`object`: values as Go source, against what the programs (containers, paths) print of themselves."""
import json
import math
import re

import pytest

import build_targets
from procs import FULL, Target, limpet, limpet_json

KINDS = ("map", "chan", "slice", "list.List", "sync.Map", "weak.Pointer", "unique.Handle", "atomic.Value", "heap")
WHOLE = ("--values", "full", "--width", 1 << 20, "--limit", 1 << 22, "--bytes", 1 << 20, "--depth", 3)


def unquoted(text):
    """Bytes of a quoted string."""
    out, i, raw = bytearray(), 1, text.encode("utf-8", "surrogateescape")
    while i < len(raw) - 1:
        if raw[i] != 0x5c:
            out.append(raw[i])
            i += 1
        elif raw[i + 1:i + 2] == b"x":
            out.append(int(raw[i + 2:i + 4], 16))
            i += 4
        else:
            out += {b"n": b"\n"}.get(raw[i + 1:i + 2], raw[i + 1:i + 2])
            i += 2
    return bytes(out)


def number(text):
    """A float as Go's %g has it."""
    if text in ("NaN", "+Inf", "-Inf"):
        return text
    digits, _, exponent = text.partition("e")
    if not exponent:
        at = 0 if float(digits) == 0 else math.floor(math.log10(abs(float(digits))))
        if not -4 <= at < 21 or (at >= 6 and len(digits.strip("-").replace(".", "").strip("0")) <= at):
            return re.sub(r"e([+-])(\d)$", r"e\g<1>0\2", f"{float(text):.17g}" if "e" in f"{float(text):g}" else text)
    return text


def show(value):
    """A value of the JSON in the form of tests/goprogs/containers, show()."""
    kind, text = value["kind"], value["value"]
    if kind in ("float32", "float64"):
        return number(text)
    if kind in ("complex64", "complex128"):
        part = r"NaN|[+-]?Inf|[+-]?[\d.]+(?:e[+-]\d+)?"
        real, imag = re.fullmatch(rf"\(({part})((?:\+)?(?:{part}))i\)", text).groups()
        return f"({number(real)},{number(imag if imag.endswith('Inf') else imag.lstrip('+'))})"
    if kind == "string":
        return '"' + unquoted(text).decode("utf-8", "replace") + '"'
    if kind in ("array", "slice"):
        if text and text.startswith('"'):
            return "[" + " ".join(map(str, unquoted(text))) + "]"
        return "[" + " ".join(show(v) for v in value.get("elems", [])) + "]"
    if kind == "struct":
        return "{" + " ".join(show(v) for v in value.get("fields", [])) + "}"
    if kind == "interface":
        return "nil" if text == "nil" else f"({text[:text.rindex('(')]})" + (show(value["value_of"]) if "value_of" in value else "{}")
    if kind == "uintptr":
        return str(int(text, 16))
    if kind == "func":
        return "func"
    if kind in ("pointer", "map", "chan", "unsafe.Pointer"):
        return "@" + value["to"] if value.get("to") else "nil"
    return text


def entries(value):
    if "entries" in value:
        return [(show(e["key"]), show(e["elem"]) if "elem" in e else "{}") for e in value["entries"]]
    return [("", show(e)) for e in value.get("elems", [])]


def holds(line):
    """Kinds whose entries are all that they show, of a size that one answer may have.

    Not those of types that reflect made at run time: where nothing else tells that type, the object is a guess.
    """
    return int(line["type"], 16) < 1 << 32 and line["text"].startswith(KINDS) and len(line["entries"]) < 3000 and not line["text"].startswith("heap") and \
        all(label in ("", "queued") for label, _, _ in line["entries"])


def compare(evidence, lines, *options):
    wrong = []
    for line in lines:
        answer = limpet_json("object", evidence, line["at"], *WHOLE, *options)
        if int(answer["addr"], 16) != int(line["at"], 16) or not answer["values"]:
            continue  # part of another object, or a tiny block
        value = answer["values"][0]
        ours, theirs = entries(value), [(key, elem) for _, key, elem in line["entries"]]
        if not line["ordered"]:
            ours, theirs = sorted(ours), sorted(theirs)
        if ours != theirs or value.get("not_shown"):
            differ = [x for x in zip(ours, theirs) if x[0] != x[1]]
            wrong.append((line["name"], len(ours), len(theirs), value.get("not_shown"), differ[:2]))
    return wrong


@pytest.mark.parametrize("minor, flavour", [("1.26", "dwarf")] + [
    pytest.param(m, f, marks=pytest.mark.full) for m in ("1.22", "1.23", "1.24", "1.27") for f in ("stripped", "dwarf") if FULL])
def test_contents(minor, flavour, tmp_path):
    """Every entry of every container that is an object of its own."""
    core = tmp_path / "core"
    with Target("containers", minor, flavour) as target:
        limpet("snapshot", target.pid, "-o", core, "--quiet")
        lines = [json.loads(line) for line in target.lines if line and line.startswith("{")]
    lines = [line for line in lines if holds(line)]
    chosen = lines if FULL else lines[::16]
    wrong = compare(core, chosen, "--exe", target.binary)
    assert len(chosen) > (60 if FULL else 5) and not wrong, (len(wrong), wrong[:10])


@pytest.fixture(name="paths", scope="module")
def make_paths(tmp_path_factory):
    core = tmp_path_factory.mktemp("paths") / "core"
    with Target("paths", "1.26", "dwarf") as target:
        limpet("snapshot", target.pid, "-o", core, "--quiet")
        lines = [json.loads(line) for line in target.lines if line and line.startswith("{")]
    return target.binary, core, {line["expr"]: line["at"] for line in lines}


def ask(paths, what, *options):
    return limpet("object", paths[1], what, "--exe", paths[0], *options).stdout


def ask_json(paths, what, *options):
    return limpet_json("object", paths[1], what, "--exe", paths[0], *options)


def field(value, *names):
    for name in names:
        while "value_of" in value:
            value = value["value_of"]
        value = next(v for v in value["fields"] if v["name"] == name)
    return value


def test_a_global_as_source(paths):
    """Fields of main.one, with the addresses that the program printed; text and JSON the same."""
    doc = ask_json(paths, "main.one", *WHOLE)
    told = paths[2]
    assert doc["what"] == "global" and doc["type"] == "main.deep"
    one = doc["values"][0]
    for name in ("plain", "nested.in.most", "embedded.inner", "keeper", "node.p", "chain.next.next.p"):
        found = field(one, *name.split("."))
        assert found["to"] == told["main.one." + name], name
    assert field(one, "array")["elems"][2]["to"] == told["main.one.array[2]"]
    assert field(one, "rows")["elems"][1]["elems"][1]["fields"][1]["to"] == told["main.one.rows[1][1].p"]
    assert field(one, "byInt")["entries"][0]["key"]["value"] == "-5"
    assert {e["key"]["value"] for e in field(one, "byReal")["entries"]} == {"1.5", "0.1"}
    text = ask(paths, "main.one", *WHOLE)
    assert re.search(r"^  \+0x20 +plain: &main\.leaf\{ +// \*main\.leaf -> " + told["main.one.plain"], text, re.M)
    assert re.search(r"^ .*  -5: main\.pair\[string,\*main\.leaf\]\{", text, re.M)
    assert '"é\\n\\"": &main.node{' in text
    for name, kind in (("byName", "map[string]*main.node"), ("queue", "chan *main.leaf"), ("slice", "[]*main.leaf")):
        assert re.search(rf"^ .*  {name}: {re.escape(kind)}\{{ +//", text, re.M), name


def test_values_are_withheld(paths):
    """none: no number and no text; hash: equal ones are seen to be equal; full: what the program has."""
    told = paths[2]["main.one.plain"]
    number_of = {}
    for policy in ("none", "hash", "full"):
        doc = ask_json(paths, told, "--values", policy)
        number_of[policy] = field(doc["values"][0], "id")["value"]
        assert doc["values_shown"] == (policy == "full")
    assert number_of["none"] is None and re.fullmatch("…[0-9a-f]{4}", number_of["hash"]) and number_of["full"].isdigit()
    assert ask_json(paths, told)["values"] == ask_json(paths, told, "--values", "none")["values"]
    for policy in ("none", "hash"):
        out = ask(paths, "main.named", "--values", policy, "--width", 300, "--limit", 9999)
        assert "name-" not in out and "main.holder{" in out
    assert '"name-7": ' in ask(paths, "main.named", "--values", "full", "--width", 300, "--limit", 9999)
    hashed = [e["key"]["value"] for e in ask_json(paths, "main.named", "--values", "hash", "--width", 300, "--limit", 9999)["values"][0]["entries"]]
    assert len(set(hashed)) > 190


def test_what_is_not_shown_is_told(paths):
    """--depth, --width, --bytes and --limit: the rest is counted."""
    named = ask_json(paths, "main.named", "--values", "full", "--width", 7)["values"][0]
    assert len(named["entries"]) == 7 and named["not_shown"] == 193 and named["len"] == 200
    assert re.search(r"… 193 more", ask(paths, "main.named", "--values", "full", "--width", 7))
    flat = ask_json(paths, "main.one", "--depth", 0, "--limit", 9999)["values"][0]
    assert field(flat, "plain")["to"] == paths[2]["main.one.plain"] and "value_of" not in field(flat, "plain")
    row = field(flat, "slice")
    assert "elems" not in row and row["len"] == 5 and row["not_shown"] == 5
    deep = ask_json(paths, "main.one", "--depth", 1, "--limit", 9999)["values"][0]
    assert "value_of" in field(deep, "plain") and "value_of" not in field(deep, "chain", "next")
    text = field(ask_json(paths, "main.one", "--values", "full", "--bytes", 10, "--limit", 9999)["values"][0], "text")
    assert text["len"] == 200 and text["value"] == '"' + 10 * "\\x00" + '"…'
    few = ask_json(paths, "main.one", "--limit", 5)["values"]
    assert len(few[0]["fields"]) <= 5 and few[0]["not_shown"] > 40


def test_raw_bytes(paths):
    told = paths[2]["main.one.plain"]
    doc = ask_json(paths, told, "--raw", "--values", "full")
    raw = bytes.fromhex(doc["raw"])
    assert len(raw) == doc["bytes"] == 48
    assert int.from_bytes(raw[:8], "little") == int(field(doc["values"][0], "id")["value"])
    dump = ask(paths, told, "--raw", "--values", "full")
    assert "  +0x0000   " + " ".join(f"{b:02x}" for b in raw[:8]) in dump
    assert ask_json(paths, told, "--raw")["raw"] is None and "raw" not in ask_json(paths, told)
    withheld = ask(paths, told, "--raw")
    assert "bytes (not shown; --values full)" in withheld and "+0x0000 " not in withheld


def test_cycles(tmp_path):
    """A plain one is harmless; one with a finalizer on it is never freed."""
    core = tmp_path / "core"
    with Target("paths", "1.26", "dwarf") as target:
        limpet("snapshot", target.pid, "-o", core, "--quiet")
    for name, words in (("main.ring", "harmless: the collector frees plain cycles"),
                        ("main.stuck", "with a finalizer on it: never freed")):
        text = limpet("object", core, name, "--exe", target.binary, "--depth", 5).stdout
        assert text.count("cycle: back to") == 1 and words in text, text


def test_an_address_inside(paths):
    """The object is shown, and which field of it was asked for."""
    at = int(paths[2]["main.one.plain"], 16)
    doc = ask_json(paths, hex(at + 8))
    assert int(doc["addr"], 16) == at and re.search(r"\+0x8 \.?text", doc["asked_field"])
    for bad in ("0x10", "main.nothing", "0xzz", "goroutine:999999"):
        done = limpet("object", paths[1], bad, "--exe", paths[0], code=2)
        assert done.stderr.count("\n") == 1 and not done.stdout


def test_locals(paths):
    """Goroutines that wait: their variables, frame by frame."""
    done = limpet_json("goroutines", paths[1], "--exe", paths[0], "--limit", 1000)
    waiting = [g["id"] for g in done["goroutines"] if any(f["function"] == "main.wait" for f in g["stack"])]
    assert len(waiting) == 10
    text = ask(paths, f"goroutine:{waiting[0]}", "--values", "full")
    assert "frame of main.wait" in text and re.search(r"kept: &main\.leaf|kept: main\.node", text) and "shared: main.node{" in text
