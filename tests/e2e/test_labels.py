"""pprof labels: whose memory is it, against the books that labelled servers keep of what their handlers hold."""
import collections
import contextlib
import json
import os
import re
import signal
import socket
import time
import urllib.request

import pytest

import build_targets
import pprof_file
import procs
from cores import gcore
from procs import HTTP, Target, limpet, limpet_json

# What is asked of the servers: place, tenant, total bytes, bytes a buffer, and more.
REQUESTS = [
    ("/cart", "acme", 900_000, 700, "&give=1"),
    ("/cart", "acme", 300_000, 6000, ""),
    ("/cart", "globex", 500_000, 120, ""),
    ("/search", "acme", 1_500_000, 40_000, "&take=1"),
    ("/search", "initech", 700_000, 1000, "&common=1"),
    ("/report/{id}", "globex", 400_000, 300, ""),
    ("/report/{id}", "globex", 400_000, 300, "&give=1"),
    ("/report/{id}", "acme", 250_000, 2500, "&take=1"),
]
RPC = {"/cart": "/shop.Cart/Add", "/search": "/shop.Search/Find", "/report/{id}": "/shop.Cart/Pay"}
SHARED, GLOBALLY, GLOBALS = ("(shared by several labels)", "(shared by goroutines and globals)",
                             "(held by globals and other roots)")


def truth(address, waiting=None):
    """The books, once so many goroutines stand still."""
    for _ in range(1800):
        with urllib.request.urlopen(f"{HTTP}{address}/truth", timeout=10) as answer:
            books = json.load(answer)
        if waiting is None or books["waiting"] == waiting:
            return books["entries"]
        time.sleep(0.05)
    raise AssertionError(f"{books['waiting']} of {waiting} wait")


EACH = 6  # goroutines of a request
STANDING = EACH * (8 + len(REQUESTS))


@contextlib.contextmanager
def http_server(minor, flavour="stripped"):
    with Target("labelhttp", minor, flavour) as target, contextlib.ExitStack() as open_ones:
        host, port = target.address.rsplit(":", 1)
        for i, (route, tenant, total, n, more) in enumerate(REQUESTS):
            s = open_ones.enter_context(socket.create_connection((host, int(port))))
            path = route.replace("{id}", "7") + f"?tenant={tenant}&total={total}&n={n}{more}"
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n".encode())
            truth(target.address, EACH * (8 + i + 1))  # who gives comes before who takes
        yield target, "route", truth(target.address, STANDING)


@contextlib.contextmanager
def grpc_server(minor, flavour="stripped"):
    with Target("labelgrpc", minor, flavour) as target, contextlib.ExitStack() as clients:
        for i, (route, tenant, total, n, more) in enumerate(REQUESTS):
            call = f"{RPC[route]}?tenant={tenant}&total={total}&n={n}{more}"
            clients.enter_context(Target("labelgrpc", minor, flavour, args=["client", target.address, call]))
            truth(target.words[1], EACH * (8 + i + 1))
        yield target, "rpc", truth(target.words[1], STANDING)


SERVERS = {"http": http_server, "grpc": grpc_server}


def expected(books, group, tree="exact"):
    """Bytes by what group() makes of the holders; its value None: no label."""
    sums = {}
    for e in books:
        if e["timed"] and tree == "exact":
            sums[GLOBALLY] = sums.get(GLOBALLY, 0) + e["bytes"]
            continue
        groups = {group(w) for w in e["who"] or [{"place": None, "tenant": None}]}
        if e["global"]:
            name = GLOBALLY if e["who"] else GLOBALS
        else:
            name = SHARED if len(groups) > 1 else groups.pop()
        sums[name] = sums.get(name, 0) + e["bytes"]
    return sums


def close(have, want, what, besides=4096):
    assert want * 0.98 <= have <= want * 1.02 + besides, (what, have, want)


def rows_of(target, by, *more):
    """name or labels -> row; and all rows together are the reachable bytes."""
    answer = limpet_json("top", target, "--by", by, "--limit", 0, "--values", "full", *more)
    assert answer["by"] == by
    assert sum(r["retained_bytes"] for r in answer["rows"]) == answer["reachable_bytes"]
    assert sum(r["owner_retained_bytes"] for r in answer["rows"]) == answer["reachable_bytes"]
    assert all({"objects", "shallow_bytes", "retained_bytes", "goroutines", "stack_bytes"} <= r.keys() for r in answer["rows"])
    rest = [bool(r.get("remainder")) for r in answer["rows"]]
    assert rest == sorted(rest), "what is no label stands last"
    return {tuple(sorted(r["labels"].items())) if "labels" in r else r["name"]: r for r in answer["rows"]}


def compare(target, key, books):
    """Each way to group, within 2 % of the books."""
    groupings = {"label": lambda w: w["place"] and (((key, w["place"]), ("tenant", w["tenant"]))),
                 f"label:{key}": lambda w: w["place"] and ((key, w["place"]),),
                 "label:tenant": lambda w: w["tenant"] and (("tenant", w["tenant"]),)}
    for by, group in groupings.items():
        rows = rows_of(target, by)
        nolabel = "(no labels)" if by == "label" else "(no label " + by.split(":")[1] + ")"
        for tree, figure in (("exact", "retained_bytes"), ("owner", "owner_retained_bytes")):
            want = expected(books, group, tree)
            for name, bytes_ in want.items():
                name = nolabel if name is None else name
                assert name in rows, (by, name, list(rows))
                # What the program and its libraries hold besides is not in its books, but it is without labels or shared.
                if isinstance(name, tuple) or name == nolabel:
                    close(rows[name][figure], bytes_, (by, name, tree), 4096 if name != nolabel else 1 << 17)
                else:
                    assert rows[name][figure] >= bytes_, (by, name, tree)
        # What one label shares with globals alone.  (From a request's context a way leads to all other requests.)
        for name in want:
            if isinstance(name, tuple):
                shared = sum(e["bytes"] for e in books if e["global"] and e["who"] and group(e["who"][0]) == name)
                assert shared <= rows[name]["shared_bytes"] <= shared * 1.02 + 65536, (by, name, rows[name])
        assert {n for n in rows if isinstance(n, tuple)} == {n for n in want if isinstance(n, tuple)}, by
    return rows


def some(minor, *quick):
    return pytest.param(minor, marks=[] if minor in quick else pytest.mark.full)


OLD = [pytest.param(m, marks=pytest.mark.full) for m in build_targets.OLD_MINORS]


@pytest.mark.parametrize("minor", OLD + [some(m, "1.22", "1.25", "1.27") for m in build_targets.MINORS])
def test_http(minor, tmp_path):
    with http_server(minor) as (target, key, books):
        compare(target.pid, key, books)
        core = str(tmp_path / "core")
        limpet("snapshot", target.pid, "-o", core)
        compare(core, key, books)


@pytest.mark.full
@pytest.mark.parametrize("minor,flavour", [("1.22", "dwarf"), ("1.24", "exp-noswissmap"), ("1.25", "exp-greenteagc"), ("1.26", "pie"),
                                           ("1.26", "exp-nogreenteagc"), ("1.27", "dwarf")])
def test_flavours(minor, flavour):
    with http_server(minor, flavour) as (target, key, books):
        compare(target.pid, key, books)


@pytest.mark.full
@pytest.mark.parametrize("minor", ["1.23", "1.27"])
def test_cores_of_others(minor, tmp_path):
    """gcore's, too: a request's labels are in every core that has the heap."""
    with http_server(minor) as (target, key, books):
        target.folder = str(tmp_path)
        compare(gcore(target), key, books)


@pytest.mark.parametrize("minor", [some(m, "1.23", "1.26") for m in build_targets.MINORS])
def test_grpc(minor):
    with grpc_server(minor) as (target, key, books):
        compare(target.pid, key, books)


@pytest.fixture(scope="module", params=["1.23", "1.27"])
def shop(request):
    with http_server(request.param) as (target, _, books):
        yield target, books


@pytest.fixture(scope="module", params=[some("1.22"), some("1.26", "1.26")])
def newer_shop(request):
    with http_server(request.param) as (target, _, books):
        yield target, books


@pytest.mark.parametrize("tree", ["exact", "owner"])
def test_retention_has_the_labels(shop, tree, tmp_path):
    """What only goroutines of equal labels hold carries these: what top says.  Values of labels only if they are asked for."""
    target, _ = shop
    figure = "retained_bytes" if tree == "exact" else "owner_retained_bytes"
    want = {labels: row[figure] for labels, row in rows_of(target.pid, "label").items() if isinstance(labels, tuple)}
    assert len(want) > 5
    sums = {}
    for policy in ("full", "hash", "none"):
        path = str(tmp_path / f"{policy}.pb.gz")
        limpet("profile", target.pid, "--kind", "retention", "--tree", tree, "--values", policy, "-o", path)
        ours = pprof_file.read(path)
        at = [kind for kind, _ in ours.types].index("space")
        sums[policy] = collections.Counter()
        for _, labels, values in ours.samples:
            sums[policy][tuple(sorted(dict(labels).items()))] += values[at]
    assert {labels: n for labels, n in sums["full"].items() if labels} == want
    assert sorted(sums["hash"].values()) == sorted(sums["full"].values())
    assert sum(sums["none"].values()) == sum(sums["full"].values())
    for policy in ("hash", "none"):
        assert not {v for labels in sums[policy] for _, v in labels} & {"acme", "globex", "initech", "/cart"}


def profile(target):
    """Goroutines by their labels, as the program's own profile has them."""
    found = collections.Counter()
    for block in target.get("/goroutines").decode().split("\n\n"):
        count = re.search(r"^(\d+) @", block, re.M)
        labels = re.search(r"^# labels: (\{.*\})$", block, re.M)
        if count and labels:
            found[frozenset(json.loads(labels.group(1)).items())] += int(count.group(1))
    return found


def test_goroutines_have_the_labels_of_the_profile(shop):
    target, _ = shop
    ours = limpet_json("goroutines", target.pid, "--values", "full")["goroutines"]
    want = profile(target)
    have = collections.Counter(frozenset(g["labels"].items()) for g in ours if g["labels"])
    assert have == want and sum(want.values()) == EACH * len(REQUESTS)
    # A goroutine's labels are those of who started it.
    by_id = {g["id"]: g for g in ours}
    helpers = [g for g in ours if g["labels"] and g["parent_id"] in by_id and by_id[g["parent_id"]]["labels"]]
    assert len(helpers) == (EACH - 1) * len(REQUESTS)
    assert all(g["labels"] == by_id[g["parent_id"]]["labels"] for g in helpers)


@pytest.mark.parametrize("by,key", [("label", None), ("label:tenant", "tenant"), ("label:nothing", "nothing")])
def test_groups(newer_shop, by, key):
    target, _ = newer_shop
    answer = limpet_json("goroutines", target.pid, "--group-by", by, "--values", "full")
    labels = {g["id"]: g["labels"] for g in limpet_json("goroutines", target.pid, "--values", "full")["goroutines"]}
    assert answer["group_by"] == by
    seen = 0
    for k in answer["groups"]:
        want = k.get("labels", {})
        for i in k["ids"]:
            if i in labels:
                mine = labels[i] if key is None else {x: y for x, y in labels[i].items() if x == key}
                assert mine == want, (i, k["name"])
                seen += 1
    assert seen >= EACH * (8 + len(REQUESTS))
    together = rows_of(target.pid, by)
    for k in answer["groups"]:
        row = together[tuple(sorted(k["labels"].items())) if "labels" in k else k["name"]]
        assert row["goroutines"] == k["count"] and abs(row["retained_bytes"] - k["retained_bytes"]) <= 65536
    assert len(answer["groups"]) == len(set(k["name"] for k in answer["groups"]))


def holders(answer):
    """Every node of every path, wherever it stands in the document."""
    if isinstance(answer, dict):
        if "what" in answer:
            yield answer
        for v in answer.values():
            yield from holders(v)
    elif isinstance(answer, list):
        for v in answer:
            yield from holders(v)


@pytest.mark.parametrize("command", [["why", "onbehalf.part", "--limit", 20], ["report"], ["tree", "--depth", 2, "--limit", 100],
                                     ["chans", "--limit", 0]])
def test_holders(shop, command):
    target, _ = shop
    answer = limpet_json(command[0], target.pid, *command[1:], "--values", "full")
    labels = {f"goroutine {g['id']}": g["labels"]
              for g in limpet_json("goroutines", target.pid, "--values", "full")["goroutines"]}
    met = 0
    for h in holders(answer):
        if h["what"] == "goroutine":
            name = re.match(r"goroutine \d+", h["name"]).group(0)
            assert h.get("labels", {}) == labels.get(name, h.get("labels", {})), h
            met += "labels" in h
        else:
            assert "labels" not in h
    assert met


def test_no_labels(shop):
    target, _ = shop
    with Target("quiet") as quiet:
        done = limpet("top", quiet.pid, "--by", "label")
        assert "no goroutine carries a pprof label\n" in done.stdout and "(no labels)" in done.stdout
        assert "by_label" not in limpet_json("report", quiet.pid)["top"]
    answer = limpet_json("top", target.pid, "--by", "label:customer")
    assert answer["no_labels"] == "no goroutine carries a pprof label customer; there are: route, tenant"
    assert sum(r["retained_bytes"] for r in answer["rows"]) == answer["reachable_bytes"]
    assert "no_labels" not in limpet_json("top", target.pid, "--by", "label:tenant")


def test_rows_by_goroutine(shop):
    target, _ = shop
    rows = limpet_json("top", target.pid, "--by", "goroutine", "--limit", 0, "--values", "full")["rows"]
    # One row for equal stacks: those of all requests, and of goroutines without labels.
    stand = [r for r in rows if r["name"].startswith("limpet/goprogs/internal/onbehalf.stand")]
    assert stand and all(r["label_sets"] == 1 + len({(r, t) for r, t, *_ in REQUESTS}) for r in stand)
    assert not any("labels" in r for r in rows if r["name"].startswith("main.main"))


def test_of_one_goroutine(shop):
    target, _ = shop
    g = next(g for g in limpet_json("goroutines", target.pid, "--values", "full")["goroutines"] if g["labels"])
    words = "{" + ", ".join(f'{k}: {json.dumps(v) if "{" in v else v}' for k, v in sorted(g["labels"].items())) + "}"
    for command in ("why", "object", "tree"):
        assert words in limpet(command, target.pid, f"goroutine:{g['id']}", "--values", "full").stdout
    assert limpet_json("object", target.pid, f"goroutine:{g['id']}", "--values", "full")["labels"] == g["labels"]
    assert words in limpet("chans", target.pid, "--limit", 0, "--values", "full").stdout


SECRETS = ("acme", "globex", "initech", "/cart", "/search", "/report/{id}")


def told(text):
    return [s for s in SECRETS if f": {s}" in text or f'"{s}"' in text]


@pytest.mark.parametrize("command", [["top", "--by", "label"], ["top", "--by", "goroutine"], ["goroutines"],
                                     ["goroutines", "--group-by", "label:route"], ["report"], ["why", "onbehalf.part"], ["tree"]])
def test_values_stay_in(newer_shop, command):
    target, _ = newer_shop
    for how in ([], ["--json"], ["--values", "none"], ["--json", "--values", "none"]):
        answer = limpet(command[0], target.pid, *command[1:], *how).stdout
        assert told(answer) == [], (how, told(answer))
        assert command[0] == "tree" or command[1:] in (["--by", "goroutine"], ["--group-by", "label:route"]) or "tenant" in answer
    shown = limpet("top", target.pid, "--by", "label", "--json").stdout
    values = [v for r in json.loads(shown)["rows"] for v in r.get("labels", {}).values()]
    assert values and all(re.fullmatch("…[0-9a-f]{4}", v) for v in values)
    hidden = limpet_json("top", target.pid, "--by", "label", "--values", "none")["rows"]
    assert all(v is None for r in hidden for v in r.get("labels", {}).values())
    # Rows are told apart by what the labels are, not by what is shown of them.
    assert len(hidden) == len(json.loads(shown)["rows"])


def on_terminal(*args):
    return procs.on_terminal(*args).decode("utf-8", "replace")


def test_on_a_terminal(newer_shop):
    target, _ = newer_shop
    assert {"acme", "/cart"} <= set(told(on_terminal("top", target.pid, "--by", "label")))
    assert {"acme", "/cart"} <= set(told(on_terminal("goroutines", target.pid, "--group-by", "label")))
    assert told(on_terminal("goroutines", target.pid, "--group-by", "label", "--values", "hash")) == []
    for nobody_asked in (["report"], ["goroutines"], ["top", "--by", "goroutine"]):
        assert told(on_terminal(nobody_asked[0], target.pid, *nobody_asked[1:])) == []
    assert "{route: \"/report/{id}\", tenant: globex}" in on_terminal("goroutines", target.pid, "--values", "full")


@pytest.mark.parametrize("how", ["--no-payload", "--redact"])
def test_core_without_text(shop, tmp_path, how):
    """A key and a route are in the executable; tenants came with the requests, and are gone with all such text."""
    target, books = shop
    core = str(tmp_path / "core")
    limpet("snapshot", target.pid, "-o", core, how)
    answer = limpet("top", core, "--by", "label:tenant", "--values", "full", "--limit", 0)
    assert not any(t in answer.stdout for t in ("acme", "globex", "initech"))
    assert "tenant: (left out)" in answer.stdout
    rows = rows_of(core, "label:tenant")
    want = expected(books, lambda w: w["tenant"] and "left out")
    close(rows[(("tenant", None),)]["retained_bytes"], want["left out"], "one row for all whose tenant is not known")
    rows = rows_of(core, "label:route")
    want = expected(books, lambda w: w["place"])
    for route in ("/cart", "/search", "/report/{id}"):
        close(rows[(("route", route),)]["retained_bytes"], want[route], route)


def test_heap_dump_has_none(tmp_path):
    """That file's format has no labels: nobody says that there are none."""
    with Target("heapdump", args=[tmp_path / "dump"]) as target:
        os.kill(target.pid, signal.SIGUSR1)
        target.wait_line("DUMPED")
        dump = str(tmp_path / "dump")
        error = limpet("top", dump, "--by", "label", code=4).stderr
        assert "labels" in error and error.count("\n") == 1
        assert all(g["labels"] is None for g in limpet_json("goroutines", dump)["goroutines"])


@pytest.mark.parametrize("minor", [some("1.23"), some("1.27", "1.27"), some("1.24")])
def test_renamed_type(minor, tmp_path, monkeypatch):
    """Names of types may be changed (garble): the form of today is known by its shape, and no answer is made up."""
    with open(build_targets.build("labelhttp", minor), "rb") as f:
        code = f.read()
    assert b"labelMap" in code
    renamed = tmp_path / "labelhttp"
    renamed.write_bytes(code.replace(b"labelMap", b"q7PzLw3x"))
    renamed.chmod(0o755)
    monkeypatch.setattr(build_targets, "build", lambda *_: str(renamed))
    with http_server(minor) as (target, key, books):
        if minor != "1.23":
            compare(target.pid, key, books)
            return
        rows = rows_of(target.pid, "label")
        assert rows["(labels not readable)"]["goroutines"] == EACH * len(REQUESTS)
        losses = limpet_json("goroutines", target.pid)["capture"]["losses"]
        assert [x["count"] for x in losses if x["what"] == "labels of goroutines not readable"] == [EACH * len(REQUESTS)]
