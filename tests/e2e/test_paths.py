"""The paths that `why` prints, against dlv on the same core: each expression is that object's address.

What dlv's language has no words for (inside sync.Map, queues, keys) begins anew with an address; such steps are counted apart,
and all steps of all paths are followed word by word in the core.
"""
import bisect
import collections
import json
import os
import random
import re

import pytest

import build_targets
import cores
import damage
import dlvrpc
import procs
import servers

COUNT = 1000 if procs.FULL else 50
SHAPE = {"FollowPointers": False, "MaxVariableRecurse": 0, "MaxStringLen": 64, "MaxArrayValues": 0, "MaxStructFields": 0}
INTERFACE, POINTER, UNSAFE = 20, 22, 26
HOPS = 6  # through a container's own memory


class Memory(damage.Core):
    """A core and where its objects lie."""

    def __init__(self, path, objects):
        super().__init__(path)
        self.starts = sorted(objects)
        self.objects = objects

    def object_at(self, address):
        """(start, bytes) of the object around an address."""
        i = bisect.bisect_right(self.starts, address) - 1
        if i < 0 or address >= self.starts[i] + self.objects[self.starts[i]]:
            return None
        return self.starts[i], self.objects[self.starts[i]]

    def leads_to(self, start, at):
        """Is the word at `at` in memory that hangs below the object at start, a few pointers deep?"""
        seen, edge = set(), [start]
        for _ in range(HOPS):
            new = []
            for address in edge:
                found = self.object_at(address)
                if not found or found[0] in seen:
                    continue
                seen.add(found[0])
                if found[0] <= at < found[0] + found[1]:
                    return True
                new += [w for w in (self.word(a) for a in range(found[0], found[0] + found[1], 8)) if w]
            edge = new
        return False


def broken_steps(memory, path, wanted):
    """Nodes whose pointer does not lie in them, is not what the core says, or leads elsewhere."""
    start, nbytes = wanted
    before = None
    for i, node in enumerate(path[:-1]):
        following = path[i + 1]
        if node["what"] == "skipped" or following["what"] == "skipped":
            before = None
            continue
        at, to = int(node.get("at", "0"), 16), int(node.get("to", "0"), 16)
        if at and memory.word(at) != to:
            yield f"step {i}: the word at {at:#x} is {memory.word(at) or 0:#x}, not {to:#x}"
        if node["what"] == "object" and at and memory.object_at(at) != memory.object_at(int(node["addr"], 16)):
            yield f"step {i}: {at:#x} does not lie in {node['addr']}"
        if node["what"] in ("map-value", "map-key", "queued") and at and before and not memory.leads_to(before, at):
            yield f"step {i}: {at:#x} is no part of the container at {before:#x}"
        if following["what"] == "object" and to and memory.object_at(to) != memory.object_at(int(following["addr"], 16)):
            yield f"step {i}: {to:#x} does not lie in {following['addr']}"
        before = to
    if int(path[-1]["addr"], 16) != start or path[-1]["bytes"] != nbytes:
        yield f"ends at {path[-1]['addr']}"


def evaluate(dlv, expression, text):
    scope = {"GoroutineID": expression.get("goroutine", -1), "Frame": expression.get("frame", 0)}
    return dlv.call("Eval", Scope=scope, Expr=text, Cfg=SHAPE)["Variable"]


def pointer_of(memory, variable):
    """What the value points to: by dlv, or the word at the place that dlv found, read from the core."""
    if variable["kind"] in (POINTER, UNSAFE) and variable["children"]:
        return variable["children"][0]["addr"]
    return memory.word(variable["addr"] + (8 if variable["kind"] == INTERFACE else 0))


def lie(dlv, memory, expression, wanted):
    """Why the expression is not the object's address; None: it is."""
    start, nbytes = wanted
    try:
        variable = evaluate(dlv, expression, expression["dlv"])
    except RuntimeError as bad:
        return f"dlv: {bad}"
    if variable["unreadable"]:
        return f"unreadable: {variable['unreadable']}"
    found = variable["addr"] if expression["value_is_object"] else pointer_of(memory, variable)
    if found is None or not start <= found < start + nbytes:
        return f"is {found or 0:#x}, a {variable['type']}"
    return None


class Tally:
    def __init__(self):
        self.paths, self.said, self.unsaid, self.apart = 0, 0, 0, collections.Counter()
        self.wrong = []


def check(core, binary, addresses, memory):
    """Each path of each object, by dlv and by memory."""
    tally = Tally()
    answer = procs.limpet_json("why", core, *map(hex, addresses), "--exe", binary, "--values", "full", "--paths", 1, seconds=600)
    assert len(answer["objects"]) == len(addresses)
    with dlvrpc.Dlv(binary, core) as dlv:
        for address, item in zip(addresses, answer["objects"]):
            wanted = memory.object_at(address)
            assert item["paths"] and int(item["object"]["addr"], 16) == wanted[0]
            for path, expression in zip(item["paths"], item["expressions"]):
                tally.paths += 1
                bad = list(broken_steps(memory, path, wanted))
                no = lie(dlv, memory, expression, wanted)
                tally.wrong += [(hex(address), expression["expression"], expression["dlv"], b) for b in bad + [no] if b]
                tally.unsaid += expression["steps_not_expressible"] > 0
                tally.said += not expression["steps_not_expressible"] and not no
                if expression["steps_not_expressible"]:
                    tally.apart[expression["not_expressible"]] += 1
    return tally


def reachable(core, binary):
    """{address: bytes} of all objects, and the reachable ones' addresses."""
    found, alive = {}, []
    for line in cores.objects(core, "--exe", binary):
        at, nbytes, *_, state = line.split()
        found[int(at, 16)] = int(nbytes)
        if state == "reachable":
            alive.append(int(at, 16))
    return found, alive


def held(core, binary, seed):
    objects, alive = reachable(core, binary)
    chosen = random.Random(seed).sample(alive, min(COUNT, len(alive)))
    tally = check(core, binary, chosen, Memory(core, objects))
    print(f"{os.path.basename(binary)}: {tally.paths} paths: {tally.said} evaluate in dlv as a whole, {tally.unsaid} from an address on;"
          f" {dict(tally.apart)}")
    assert tally.paths >= len(chosen) and not tally.wrong, (len(tally.wrong), tally.wrong[:20])
    return tally


@pytest.mark.parametrize("program", ["mixed", "paths"] if procs.FULL else ["paths"])
def test_random_objects(program, tmp_path):
    with procs.Target(program, "1.26", "dwarf") as target:
        procs.limpet("snapshot", target.pid, "-o", tmp_path / "core", "--quiet")
    tally = held(str(tmp_path / "core"), target.binary, 1)
    assert tally.said > 0.5 * tally.paths


@pytest.mark.full
def test_random_objects_of_a_server(tmp_path):
    with servers.at_work("caddy", build_targets.build("caddy", "1.26", "dwarf")) as target:
        procs.limpet("snapshot", target.pid, "-o", tmp_path / "core", "--quiet")
    tally = held(str(tmp_path / "core"), target.binary, 1)
    assert tally.said > 0.5 * tally.paths


def test_a_lie_is_seen(tmp_path):
    """The comparison itself: expressions of other objects, and steps that lead elsewhere."""
    core = str(tmp_path / "core")
    with procs.Target("paths", "1.26", "dwarf") as target:
        procs.limpet("snapshot", target.pid, "-o", core, "--quiet")
        wanted = told(target)
    objects, _ = reachable(core, target.binary)
    memory = Memory(core, objects)
    first, second = [at for at, e in wanted.items() if e.startswith("main.one.slice")][:2]
    answer = procs.limpet_json("why", core, hex(first), "--exe", target.binary, "--values", "full", "--paths", 1)
    expression, path = answer["expressions"][0], answer["paths"][0]
    with dlvrpc.Dlv(target.binary, core) as dlv:
        assert not lie(dlv, memory, expression, memory.object_at(first))
        assert lie(dlv, memory, expression, memory.object_at(second))
        assert lie(dlv, memory, dict(expression, dlv="main.nothing"), memory.object_at(first))
    assert not list(broken_steps(memory, path, memory.object_at(first)))
    path[-2]["to"] = hex(second)
    assert len(list(broken_steps(memory, path, memory.object_at(first)))) == 2


def told(target):
    """{address: expression} as the program itself says it."""
    lines = [json.loads(line) for line in target.lines if line and line.startswith("{")]
    return {int(line["at"], 16): line["expr"] for line in lines}


@pytest.mark.parametrize("minor", build_targets.MINORS if procs.FULL else ["1.22", "1.26"])
def test_expressions_are_the_source(minor, tmp_path):
    """Each kind of step, as one who wrote the program says it; and dlv, who evaluates it."""
    core = str(tmp_path / "core")
    with procs.Target("paths", minor, "dwarf") as target:
        procs.limpet("snapshot", target.pid, "-o", core, "--quiet")
        wanted = told(target)
    if int(minor.split(".")[1]) < 23:  # DWARF does not name what closures capture
        wanted = {at: e for at, e in wanted.items() if not re.search(r"\.by(Value|Ref)\.", e)}
    chosen = [at for at, e in wanted.items() if not e.startswith("main.all[") or e.startswith("main.all[7]")]
    assert len(chosen) > 250
    objects, _ = reachable(core, target.binary)
    memory = Memory(core, objects)
    answer = procs.limpet_json("why", core, *map(hex, chosen), "--exe", target.binary, "--values", "full", "--paths", 1)
    wrong = []
    with dlvrpc.Dlv(target.binary, core) as dlv:
        for at, item in zip(chosen, answer["objects"]):
            said = item["expressions"][0]
            if said["expression"] != wanted[at]:
                wrong.append((hex(at), wanted[at], said["expression"]))
            no = lie(dlv, memory, said, memory.object_at(at))
            if no:
                wrong.append((hex(at), said["dlv"], no))
    assert not wrong, "\n".join(map(str, [len(wrong), *wrong[:60]]))
