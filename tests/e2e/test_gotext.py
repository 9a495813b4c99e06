"""Goroutines as text: dumps made by real programs of ten Go versions, in every form, alone and inside other logs.

Truth is what the program itself counts: how many goroutines run each function, and runtime.NumGoroutine().
"""
import json
import os
import re
import signal
import subprocess
import time

import pytest

import build_targets
from procs import limpet, limpet_json

ALL_MINORS = build_targets.OLD_MINORS + build_targets.MINORS


def versions(*quick):
    """All ten, those outside of make check marked."""
    return pytest.mark.parametrize("minor", [pytest.param(m, marks=[] if m in quick else pytest.mark.full) for m in ALL_MINORS])


minors = versions("1.18", "1.27")


def dump(minor, form, level=None, debug=None):
    """(the truth that the program printed, each time; its stderr)"""
    binary = build_targets.build("gotext", minor)
    env = {k: v for k, v in os.environ.items() if k not in ("GOTRACEBACK", "GODEBUG")}
    env.update({"GOTRACEBACK": level} if level else {})
    env.update({"GODEBUG": debug} if debug else {})
    with subprocess.Popen([binary, form], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as p:
        head = b""
        while form in ("quit", "spin") and b"READY" not in head:
            head += p.stdout.readline()
        if head:
            time.sleep(0.1)
            p.send_signal(signal.SIGQUIT)
        out, err = p.communicate(timeout=60)
    return [json.loads(line[6:]) for line in (head + out).decode().splitlines() if line.startswith("TRUTH")], err.decode()


def ask(folder, text, *args, command="goroutines"):
    path = folder / "dump.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return limpet_json(command, str(path), *args)


def functions(answer):
    n = {}
    for g in answer["goroutines"]:
        n[g["function"]] = n.get(g["function"], 0) + g["count"]
    return n


def check(answer, truth, deep=True):
    got = functions(answer)
    for function, n in truth.items():
        if function == "total":
            assert answer["total"] - answer["system"] == n
        elif deep or function != "main.deep":
            assert got.get(function) == n, function


@minors
@pytest.mark.parametrize("form", ["stack", "debug1", "debug2"])
def test_forms(tmp_path, minor, form):
    truth, text = dump(minor, form)
    check(ask(tmp_path, text), truth[0])


@minors
@pytest.mark.parametrize("level", ["all", "crash"])
def test_sigquit(tmp_path, minor, level):
    """With registers, the scheduler's own stacks, several threads one after the other."""
    truth, text = dump(minor, "quit", level)
    answer = ask(tmp_path, text)
    # Go before 1.21 leaves out the outermost frames of deep stacks in these
    check(answer, truth[0], deep=minor not in ("1.18", "1.19", "1.20"))
    (only,) = answer["dumps"]
    assert only["panic"]["how"] == "SIGQUIT" and only["panic"]["kind"] == "signal"


@versions("1.27")
@pytest.mark.parametrize("form,how,kind,function", [
    ("panic", "panic", "a value of the program's own", "main.main"),
    ("value", "panic", "a value of the program's own", "main.main"),
    ("again", "panic", "a value of the program's own", "main.main.func"),
    ("nil", "panic", "nil dereference", "main.main"),
    ("index", "panic", "index out of range", "main.main"),
    ("map", "panic", "write to a nil map", "main.main"),
    ("closed", "panic", "second close of a channel", "main.main"),
    ("overflow", "fatal error", "stack overflow", "main.overflow"),
    ("writes", "fatal error", "concurrent map access", "main.main.func"),
    ("deadlock", "fatal error", "deadlock", "main.main"),
])
def test_panics(tmp_path, minor, form, how, kind, function):
    truth, text = dump(minor, form, "all")
    answer = ask(tmp_path, text)
    (only,) = answer["dumps"]
    is_of = only["panic"]
    assert (is_of["how"], is_of["kind"]) == (how, kind)
    assert is_of["function"].startswith(function)
    assert int(re.search(r"goroutine (\d+) ", text[text.index(how):])[1]) == is_of["goroutine"]
    if truth and form != "writes":
        check(answer, truth[0], deep=minor not in ("1.18", "1.19", "1.20"))


def test_message_is_a_value(tmp_path):
    """What a panic says is shown to who asks for values, and to nobody else."""
    _, text = dump("1.27", "panic", "all")
    path = tmp_path / "dump.txt"
    path.write_text(text)
    for args in ([], ["--json"], ["--values", "hash"], ["--values", "none"]):
        for command in ("goroutines", "report"):
            assert "4711" not in limpet(command, str(path), *args).stdout
    assert "customer 4711" in limpet("goroutines", str(path), "--values", "full").stdout
    for line in ("main.(*store).get", "main.main"):
        assert line in limpet("goroutines", str(path)).stdout


@minors
def test_states_and_creators(tmp_path, minor):
    """Each goroutine's state, creator and parent as its own header and last lines have them."""
    _, text = dump(minor, "debug2")
    answer = ask(tmp_path, text)
    by_id = {g["id"]: g for g in answer["goroutines"]}
    seen = 0
    for stack in text.split("\n\n"):
        head = re.match(r"goroutine (\d+) \[([^,\]]*)(?:, (locked to thread))?[^\]]*\]", stack.strip())
        g = by_id[int(head[1])]
        assert (g["wait"] or g["state"]) == head[2]
        assert g["locked_to_thread"] == bool(head[3])
        by = re.search(r"created by (\S+)(?: in goroutine (\d+))?", stack)
        assert g["creator"] == (by[1] if by else "")
        assert g["parent_id"] == int(by[2] or 0) if by else g["parent_id"] == 0
        calls = [line for line in stack.splitlines()[1:] if re.search(r"\)$", line) and line[0] not in "\t."]
        assert len(g["stack"]) == len(calls)
        assert [f["function"] for f in g["stack"]] == [c[:c.rindex("(")] for c in calls]
        seen += 1
    assert seen == len(by_id) == answer["total"]


@minors
def test_lock(tmp_path, minor):
    """Six wait for one mutex: its address is that of all, who has the receiver and does not wait is named, as a guess."""
    _, text = dump(minor, "stack")
    answer = ask(tmp_path, text)
    address = {m for m in re.findall(r"sync\.\(\*Mutex\)\.lockSlow\((0x[0-9a-f]+)\)", text)}
    (lock,) = [x for x in answer["locks"] if x["kind"] == "sync.Mutex"]
    assert {lock["addr"]} == address and lock["waiters"] == 6
    assert [h["function"] for h in lock["held_by"]] == ["main.(*store).hold"]
    assert all(h["proof"] == "inferred" for h in lock["held_by"])
    assert sum(1 for g in answer["goroutines"] if g["waits_on"]) == 6


@pytest.mark.parametrize("form", ["leaks1", "leaks2"])
def test_leaked_by_the_runtime(tmp_path, form):
    """What Go 1.27's own search for leaks says is taken over, and is no guess of ours."""
    truth, text = dump("1.27", form)
    answer = ask(tmp_path, text)
    got = functions({"goroutines": [g for g in answer["goroutines"] if g["leaked"] == "proved"]})
    want = {f: truth[0][f] for f in ("main.receiver", "main.sender", "main.waiter", "main.nobody")}
    said = len(re.findall(r"\(leaked\)", text)) or int(text.split("\n")[0].split()[-1])
    assert got == want and sum(want.values()) == said
    findings = ask(tmp_path, text, command="report")["findings"]
    assert {(f["verdict"], f["proof"]) for f in findings} == {("leak", "measured")} and len(findings) == 4


def test_labels(tmp_path):
    """Go 1.27 writes labels into tracebacks, debug=1 always: four goroutines, two tenants."""
    for form, debug in (("stack", "tracebacklabels=1"), ("debug1", None)):
        _, text = dump("1.27", form, debug=debug)
        path = tmp_path / "dump.txt"
        path.write_text(text)
        answer = limpet_json("goroutines", str(path), "--group-by", "label:tenant", "--values", "full")
        rows = {g["name"]: g["count"] for g in answer["groups"]}
        assert rows["tenant: acme"] == 2 and rows["tenant: globex"] == 2
        some = [g for g in limpet_json("goroutines", str(path), "--values", "full")["goroutines"] if g["labels"]]
        assert all(g["labels"]["route"] == "/cart [a]" and g["function"] == "main.labelled" for g in some)
        assert "globex" not in limpet("goroutines", str(path), "--json").stdout


# What containers, journals and loggers do to lines.
def docker_json(text):
    return "".join(json.dumps({"log": line + "\n", "stream": "stderr", "time": f"2026-01-02T03:04:05.{i:09}Z"}, separators=(",", ":")) + "\n"
                   for i, line in enumerate(text.split("\n")))


def each(prefix):
    return lambda text: "".join(prefix(i) + line + "\n" for i, line in enumerate(text.split("\n")))


def pieces(line, docker):
    """How a container's runtime cuts a long line."""
    parts = [line[i:i + 16384] for i in range(0, len(line), 16384)]
    assert len(parts) > 1
    for i, part in enumerate(parts):
        last = i + 1 == len(parts)
        yield (json.dumps({"log": part + "\n" * last, "stream": "stderr"}, separators=(",", ":")) if docker
               else f"2026-01-02T03:04:05.{i:09}Z stderr {'F' if last else 'P'} {part}") + "\n"


def per_document(key):
    return lambda text: "".join(json.dumps({key: line, "severity": "ERROR"}) + "\n" for line in text.split("\n"))


def noise_between(text):
    """Another thread's log, between lines and between stacks."""
    lines = text.split("\n")
    out = []
    for i, line in enumerate(lines):
        out.append(line)
        if i % 7 == 3:
            out.append(f"2026/01/02 03:04:{i % 60:02} GET /cart?id={i} 200 (12ms) user=f(x) [ok]")
    return "\n".join(out)


WRAPPED = {
    "cri": each(lambda i: f"2026-01-02T03:04:{i % 60:02}.{i:09}Z stderr F "),
    "compose": each(lambda _: "web-1  | "),
    "syslog": each(lambda i: f"Jan  2 03:04:{i % 60:02} host7 server[4711]: "),
    "syslog-tabs": lambda text: each(lambda i: f"Jan 12 03:04:{i % 60:02} host7 server[4711]: ")(text.replace("\t", "#011")),
    "kubectl": each(lambda _: "[pod/web-7d4b/app] "),
    "docker-json": docker_json,
    "textPayload": per_document("textPayload"),
    "zap": lambda text: "".join(json.dumps({"level": "info", "ts": 1767323045.5 + i / 1000, "msg": line}) + "\n" for i, line in enumerate(text.split("\n"))),
    "slog": lambda text: "".join(f"time=2026-01-02T03:04:05.{i:09}Z level=INFO msg={json.dumps(line)}\n" for i, line in enumerate(text.split("\n"))),
    "json-in-docker": lambda text: docker_json(per_document("msg")(text)),
    "stack-in-docker": lambda text: docker_json(json.dumps({"level": "error", "stack": text})),
    "cri-pieces": lambda text: "".join(pieces(json.dumps({"pad": "x" * 16000, "stack": text}), False)),
    "docker-pieces": lambda text: "".join(pieces(json.dumps({"pad": "x" * 16000, "stack": text}), True)),
    "colours": lambda text: "".join(f"\x1b[31m{line}\x1b[0m\n" for line in text.split("\n")),
    "json-field": lambda text: '{"level":"info","msg":"up"}\n' + json.dumps({"level": "error", "ts": 1767323045.25, "msg": "died", "stack": text}) + '\n{"level":"info","msg":"next"}\n',
    "logfmt": lambda text: "level=error stack=" + json.dumps(text) + " app=web\n",
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "noise": noise_between,
    "indent": lambda text: text.replace("\t", "        "),
    "head": lambda text: "starting\n" * 2000 + "2026/01/02 03:04:05 stacks: " + text + "\nbye\n",
}


@pytest.mark.parametrize("how", list(WRAPPED))
@pytest.mark.parametrize("form", ["stack", "debug1", pytest.param("quit", marks=pytest.mark.full)])
def test_inside_logs(tmp_path, how, form):
    truth, text = dump("1.27", form, "all")
    plain = ask(tmp_path, text)
    answer = ask(tmp_path, WRAPPED[how](text))
    check(answer, truth[0])
    assert [g["stack"] for g in answer["goroutines"]] == [g["stack"] for g in plain["goroutines"]]
    assert len(answer["dumps"]) == 1


def test_two_in_one_log(tmp_path):
    """Thirty more receivers come, and nobody goes."""
    truth, text = dump("1.27", "twice")
    answer = ask(tmp_path, text)
    assert [d["goroutines"] for d in answer["dumps"]] == [t["total"] for t in truth]
    check(answer, truth[1])
    row = [r for r in answer["growth"] if r["name"] == "main.receiver"][0]
    assert (row["old_count"], row["new_count"], row["survived"]) == (truth[0]["main.receiver"], truth[1]["main.receiver"], truth[0]["main.receiver"])
    assert row["suspect"] and answer["leaked_suspect"] == truth[1]["main.receiver"]
    first = ask(tmp_path, text, "--dump", "1")
    check(first, truth[0])


@pytest.mark.parametrize("names", [("web-1  | ", "api-1  | "), ("[pod/web/app] ", "[pod/api/app] "),
                                   ("Jan  2 03:04:05 host app[11]: ", "Jan  2 03:04:05 host app[12]: ")])
def test_two_programs_at_once(tmp_path, names):
    """Line by line in one log: each as it is alone, and nothing grew between them."""
    truths, logs = zip(*(dump("1.27", form) for form in ("stack", "twice")))
    lines = [[name + line for line in log.splitlines()] for name, log in zip(names, logs)]
    mixed = []
    while any(lines):
        for k, n in ((0, 3), (1, 5)):
            mixed += lines[k][:n]
            del lines[k][:n]
    text = "\n".join(mixed) + "\n"
    answer = ask(tmp_path, text)
    count = {}
    for d in answer["dumps"]:
        count.setdefault(d["process"], []).append(d["goroutines"])
    assert sorted(count.values()) == sorted([t["total"] for t in of] for of in truths)
    assert {d["other_lines"] for d in answer["dumps"]} <= {d["other_lines"] for log in logs for d in ask(tmp_path, log)["dumps"]}
    for i, d in enumerate(answer["dumps"]):
        want = [t for of in truths for t in of if t["total"] == d["goroutines"]][0]
        check(ask(tmp_path, text, "--dump", str(i + 1)), want)


def test_replicas(tmp_path):
    """A second replica with more goroutines is no growth of the first."""
    _, text = dump("1.27", "twice")
    at = text.index("\n2026/01/02") + 1
    answer = ask(tmp_path, each(lambda _: "web-1  | ")(text[:at]) + each(lambda _: "web-2  | ")(text[at:]))
    assert [d["process"] for d in answer["dumps"]] == [1, 2] and not answer["growth"]


def test_diff_of_files(tmp_path):
    truth, text = dump("1.23", "twice")
    at = text.index("\n2026/01/02")
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text("2026-01-02T03:00:00Z dump\n" + text[:at])
    new.write_text("2026-01-02T05:00:00Z dump\n" + text[at + 1:].split("\n", 1)[1])
    answer = limpet_json("diff", str(old), str(new))
    rows = {(r["name"], r["wait"]): r for r in answer["rows"]}
    grown = rows["main.receiver", "chan receive"]
    assert grown["growth"] == 30 and grown["growth_per_hour"] == pytest.approx(15)
    assert grown["survived"] == truth[0]["main.receiver"] and grown["died"] == 0
    assert sum(r["growth"] for r in answer["rows"]) == truth[1]["total"] - truth[0]["total"]
    assert answer["hours"] == pytest.approx(2)


def test_report_and_healthy(tmp_path):
    """Growth is suspected and never called proved; one dump of the same program is not suspected."""
    _, text = dump("1.27", "twice")
    (finding,) = ask(tmp_path, text, command="report")["findings"]
    assert (finding["kind"], finding["verdict"], finding["proof"]) == ("goroutine-leak", "suspect", "inferred")
    assert finding["goroutine"]["function"] == "main.receiver" and finding["retained_bytes"] is None
    _, text = dump("1.27", "stack")
    assert ask(tmp_path, text, command="report")["findings"] == []


def test_top_as_pprof(tmp_path):
    """Flat and cum of the dump are those that go tool pprof counts in the same process's profile."""
    truth, text = dump("1.27", "debug1")
    rows = {r["name"]: r for r in ask(tmp_path, text, "--limit", "0", command="top")["rows"]}
    for function, n in truth[0].items():
        if function != "total" and function != "main.deep":
            assert rows[function]["cum"] == n
    assert sum(r["flat"] for r in rows.values()) == truth[0]["total"]


def test_tree(tmp_path):
    truth, text = dump("1.27", "stack")
    nodes = ask(tmp_path, text, command="tree")["tree"]
    assert nodes[0]["function"] == "main.main" and nodes[0]["below"] == truth[0]["total"]
    below = {n["function"]: n["count"] for n in nodes[1:]}
    assert all(below[f] == n for f, n in truth[0].items() if f != "total")


def test_cut_short(tmp_path):
    """Every beginning of a dump is used as far as it goes."""
    _, text = dump("1.27", "stack")
    whole = ask(tmp_path, text)["total"]
    for part in (0.2, 0.5, 0.9):
        cut = text[:int(len(text) * part)]
        answer = ask(tmp_path, cut)
        assert answer["total"] == len(re.findall(r"^goroutine \d+ \[.*\]:$", cut, re.M)) <= whole
    assert answer["dumps"][0]["cut"]


def test_no_goroutine(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("goroutine 7 is fine\npanic: no\n")
    answer = limpet("goroutines", str(path), code=4)
    assert answer.stderr.count("\n") == 1
