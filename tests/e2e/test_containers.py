"""Containers as what they are: limpet's decoders against what the program itself says of its own, entry by entry.

The program (tests/goprogs/containers) prints where each container is, facts of it and all its entries; tests/tools/containers
prints what the decoders find at the same address.  Both must be equal, to the last entry.
"""
import ast
import json
import os
import re
import subprocess

import pytest

import cores
import damage
from procs import LIMPET, SLOW, Target, limpet, limpet_json

MINORS = ["1.22", "1.23", "1.24", "1.27"]
EXPERIMENTS = [("1.24", "exp-noswissmap,nosynchashtriemap"), ("1.25", "exp-noswissmap"), ("1.25", "stripped"),
               ("1.26", "stripped"), ("1.27", "exp-nomapsplitgroup"), ("1.27", "pie")]
CLOCK_NS = 50_000_000  # between the program's reading of the clock and the timer's own


def tool():
    """tests/tools/containers of the build that limpet is of."""
    top = os.path.dirname(LIMPET)
    path = os.path.join(top, "tests", "tools", "containers")
    if not os.path.exists(path) and os.path.exists(os.path.join(top, "build.ninja")):
        subprocess.run(["ninja", "-C", top, "tests/tools/containers"], check=False, stdout=subprocess.DEVNULL)
    return path if os.path.exists(path) else None


pytestmark = pytest.mark.skipif(not tool(), reason="needs tests/tools/containers, which the build makes")


def told(target):
    """What the program said of its containers."""
    return [json.loads(line) for line in target.lines if line and line.startswith("{")]


def decoded(target, lines, code=0):
    """Answers in the order of the lines; None: an exit code that `code` allows beside 0."""
    asked = "".join(f"{line['at']} {line['type']}\n" for line in lines)
    done = subprocess.run([tool(), str(target), "-"], input=asked, capture_output=True, text=True, timeout=120 * SLOW)
    assert done.returncode in (0, code), (done.returncode, done.stderr)
    return None if done.returncode else [json.loads(line) for line in done.stdout.splitlines()]


def facts_differ(want, got):
    for name, value in (want.get("facts") or {}).items():
        found = got["facts"].get(name)
        if name == "when" and found is not None and abs(found - value) < CLOCK_NS:
            continue
        if found != value or type(found) is not type(value):
            yield f"{name} is {value}, limpet says {found}"


def entries_differ(want, got):
    ours, theirs = ([tuple(e) for e in x["entries"]] for x in (want, got))
    if got["word"] == "pool":  # which P, and which of its places, is the scheduler's
        theirs = [("victim" if label.startswith("victim") else "now", key, elem) for label, key, elem in theirs]
    if not ours and got["word"] in ("timer", "reader", "writer", "db", "rows"):
        return  # the program said only facts
    if not want["ordered"]:
        ours, theirs = sorted(ours), sorted(theirs)
    if ours != theirs:
        gone, more = [e for e in ours if e not in theirs], [e for e in theirs if e not in ours]
        yield f"{len(ours)} entries, limpet says {len(theirs)}; not found: {gone[:3]}; not there: {more[:3]}"


def differences(lines, answers):
    assert len(lines) == len(answers)
    for want, got in zip(lines, answers):
        found = [got["error"]] if "error" in got else [*facts_differ(want, got), *entries_differ(want, got)]
        if found:
            yield f"{want['name']} ({want['text']}): " + "; ".join(found)


def caught_growing(minor, lines):
    """Old maps are taken in the middle of their growth; Swiss ones grow at once."""
    growing = [line for line in lines if line.get("facts", {}).get("growing")]
    assert len(growing) >= (5 if int(minor.split(".")[1]) < 24 else 0)


def check(target, lines):
    assert len(lines) > 140
    assert not list(differences(lines, decoded(target, lines)))


@pytest.mark.parametrize("minor", ["1.22", "1.27"])
def test_live(minor):
    with Target("containers", minor) as target:
        lines = told(target)
        check(target.pid, lines)
        caught_growing(minor, lines)


def test_a_lie_is_seen():
    """The comparison itself: one entry, one fact that is not so."""
    with Target("containers", "1.27") as target:
        lines = told(target)[:20]
        lines[5]["entries"][0][2] = "no such value"
        lines[6]["facts"]["len"] += 1
        assert len(list(differences(lines, decoded(target.pid, lines)))) == 2


@pytest.mark.full
@pytest.mark.parametrize("flavour", ["stripped", "dwarf"])
@pytest.mark.parametrize("minor", MINORS)
def test_matrix(minor, flavour, tmp_path):
    with cores.Stopped(tmp_path, "containers", minor, flavour) as target:
        lines = told(target)
        caught_growing(minor, lines)
        check(target.pid, lines)
        core = tmp_path / "ours"
        limpet("snapshot", target.pid, "-o", core)
        check(core, lines)
        check(cores.gcore(target.stop()), lines)

SHOWN = ("--values", "full", "--depth", "3", "--width", "100000", "--bytes", "100000")
MANY = ("--limit", "3000000")


def literal(text):
    """The bytes that a string of Go source stands for."""
    return ast.literal_eval("b" + text) if text.isascii() else ast.literal_eval(text).encode()


def bare(node):
    """A value of `limpet object --json` in the form of the program's show(): of pointers only interfaces' are followed."""
    kind, value, inner = node["kind"], node["value"], node.get("value_of")
    if kind == "interface":
        if not inner:  # of no bytes, or as deep as was asked for
            return value if value == "nil" else re.sub(r"\(0x\w+\)$", "", value)
        return f"({inner['type']}){bare(inner)}"
    if kind == "string":
        return '"' + literal(value).decode("latin-1") + '"'
    if kind in ("array", "slice") and "elems" not in node:
        return "[" + " ".join(map(str, literal(value) if value and value[0] == '"' else [])) + "]"
    if kind in ("array", "slice", "struct"):
        inside = " ".join(map(bare, node.get("elems") or node.get("fields") or []))
        return "{" + inside + "}" if kind == "struct" else "[" + inside + "]"
    if kind == "func":
        return "func"
    if kind == "uintptr":
        return str(int(value, 0))
    if kind in ("pointer", "map", "chan", "unsafe.Pointer"):
        return "@" + node["to"] if "to" in node else "nil"
    return re.sub(r"\((.*\d)([-+].*)i\)", lambda m: f"({m[1]},{m[2].lstrip('+')})", value) if "complex" in kind else value


def object_entries(node):
    """What the object command says is in a container: texts of (key, elem); None: it has fields of its own."""
    if "entries" in node:
        return [(bare(e["key"]), bare(e["elem"])) for e in node["entries"]]
    if node["type"] == "sync.Pool":
        return [("", bare(f)) for f in node.get("fields", []) if bare(f) != "nil"]
    if node["kind"] == "struct" and "elems" not in node:
        return None
    if node["kind"] == "slice" and "elems" not in node:
        return [("", x) for x in bare(node)[1:-1].split()]
    return [("", bare(e)) for e in node.get("elems", [])]


def named(node, label):
    """Texts of all fields of that name, however deep: "laddr" of a TCPConn is its netFD's."""
    for field in [*node.get("fields", []), *([node["value_of"]] if "value_of" in node else [])]:
        if field.get("name", "").lower() == label:
            yield bare(field)
        yield from named(field, label)


def object_facts(node):
    facts = dict(x.split(" ", 1) for x in node.get("facts", "").split(", ") if " " in x)
    return {k: {"true": True, "false": False}.get(v, v) for k, v in facts.items()}


def object_differs(want, node):
    facts = object_facts(node)
    for name, value in (want.get("facts") or {}).items():
        found = facts.get(name, node.get(name))
        if isinstance(found, str):
            found = float(found[:-1]) * 1e9 if found.endswith("s") else int(found)
        if found != value and not (name == "when" and found is not None and abs(found - value) < CLOCK_NS):
            yield f"{name} is {value}, the object command says {found}"
    ours, theirs = [tuple(e[1:]) for e in want["entries"]], object_entries(node)
    if theirs is None:
        for label, _, elem in want["entries"]:
            if label in FIELDS and elem not in named(node, FIELDS[label] or label) and \
                    re.sub(r"^\((.*)\)\{.*$", r"\1", elem) not in named(node, label):
                yield f"{label} is {elem}, the object command says {list(named(node, label))[:3]}"
    elif (ours if want["ordered"] else sorted(ours)) != (theirs if want["ordered"] else sorted(theirs)):
        if ours or not want["ordered"]:
            yield f"{len(ours)} entries, {len(theirs)}: {[x for x in ours if x not in theirs][:2]} {theirs[:2]}"


# Labels of what is a field of the type or of what it points to, under that or another name.
FIELDS = {"name": "", "net": "", "laddr": "", "raddr": "", "method": "", "url": "", "proto": "", "host": "", "header": "",
          "body": "", "uri": "requesturi", "remote": "remoteaddr", "pattern": "", "response": "", "ctx": "", "status": "",
          "request": "", "cause": ""}


def object_lines(path, at):
    """All containers at once: they are what the program's global slice `keep` holds."""
    found, doc = {}, limpet_json("object", path, at, *SHOWN, *MANY)
    for e in doc["values"][0]["elems"]:
        inner = e.get("value_of") or {}
        found[inner.get("to") or e.get("to")] = inner.get("value_of", inner) if inner.get("kind") == "pointer" else inner
    return found


def check_object(path, target):
    lines, at = told(target), target.wait_line("KEEP")[0].split()[1]
    found = object_lines(path, at)
    assert len(lines) > 150 and not [w["name"] for w in lines if w["at"] not in found]
    assert not [(w["name"], d) for w in lines for d in object_differs(w, found[w["at"]])]


def in_text(path, line, target):
    """The same in words: each entry is a line of its own under the type."""
    text = limpet("object", path, line["at"], *SHOWN, *MANY).stdout
    assert f"{line['text']}{{" in text
    for _, key, elem in line["entries"]:
        assert f"{key}: {elem}," in text, (key, elem, text[:3000])


@pytest.mark.parametrize("minor, flavour, kind", [("1.22", "stripped", "core"), ("1.27", "dwarf", "live")])
def test_object(minor, flavour, kind, tmp_path):
    """As users see it: `limpet object`, in JSON and in text."""
    check_objects(minor, flavour, [kind], tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("flavour", ["stripped", "dwarf"])
@pytest.mark.parametrize("minor", MINORS)
def test_object_matrix(minor, flavour, tmp_path):
    check_objects(minor, flavour, ["live", "core"], tmp_path)


def check_objects(minor, flavour, kinds, folder):
    with Target("containers", minor, flavour) as target:
        plain = next(w for w in told(target) if w["text"] == "map[int32]int16" and len(w["entries"]) > 100)
        for kind in kinds:
            path = target.pid
            if kind == "core":
                path = folder / "core"
                limpet("snapshot", target.pid, "-o", path)
            caught_growing(minor, told(target))
            check_object(path, target)
            in_text(path, plain, target)


@pytest.mark.full
@pytest.mark.parametrize("minor, flavour", EXPERIMENTS)
def test_other_builds(minor, flavour):
    with Target("containers", minor, flavour) as target:
        check(target.pid, told(target))


@pytest.mark.full
@pytest.mark.parametrize("minor", ["1.22", "1.24", "1.27"])
def test_damaged(minor, tmp_path):
    """Whatever the memory says: an answer for each, no crash, and an end."""
    path = tmp_path / "core"
    with Target("containers", minor) as target:
        lines = [line for line in told(target) if len(line["entries"]) < 5000]
        limpet("snapshot", target.pid, "-o", path)
        core = damage.Core(path)
    whole, words = bytes(core.data), damage.near(core, [int(line["at"], 16) for line in lines])
    assert len(words) > 10000
    refused = 0
    for seed in range(30):
        core.data[:] = whole
        damage.spoil(core, words, seed)
        core.write(path)
        answers = decoded(path, lines, code=4) or []  # 4: a g was hit, and nothing of the runtime is believed
        assert len(answers) in (0, len(lines))
        refused += sum("error" in answer for answer in answers)
    assert refused > 100
