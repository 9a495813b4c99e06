"""pprof labels: whose memory is it, against the books that labelled servers keep of what their handlers hold."""
import contextlib
import json
import os
import socket
import time
import urllib.request

import pytest

import build_targets
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
    for _ in range(600):
        with urllib.request.urlopen(f"{HTTP}{address}/truth", timeout=10) as answer:
            books = json.load(answer)
        if waiting is None or books["waiting"] == waiting:
            return books["entries"]
        time.sleep(0.05)
    raise AssertionError(f"{books['waiting']} of {waiting} wait")


STANDING = 4 * (8 + len(REQUESTS))


@contextlib.contextmanager
def http_server(minor, flavour="stripped"):
    with Target("labelhttp", minor, flavour) as target, contextlib.ExitStack() as open_ones:
        host, port = target.address.rsplit(":", 1)
        for i, (route, tenant, total, n, more) in enumerate(REQUESTS):
            s = open_ones.enter_context(socket.create_connection((host, int(port))))
            path = route.replace("{id}", "7") + f"?tenant={tenant}&total={total}&n={n}{more}"
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n".encode())
            truth(target.address, 4 * (8 + i + 1))  # who gives comes before who takes
        yield target, "route", truth(target.address, STANDING)


@contextlib.contextmanager
def grpc_server(minor, flavour="stripped"):
    with Target("labelgrpc", minor, flavour) as target, contextlib.ExitStack() as clients:
        for i, (route, tenant, total, n, more) in enumerate(REQUESTS):
            call = f"{RPC[route]}?tenant={tenant}&total={total}&n={n}{more}"
            clients.enter_context(Target("labelgrpc", minor, flavour, args=["client", target.address, call]))
            truth(target.words[1], 4 * (8 + i + 1))
        yield target, "rpc", truth(target.words[1], STANDING)


SERVERS = {"http": http_server, "grpc": grpc_server}


def expected(books, group):
    """Bytes by what group() makes of the holders; its value None: no label."""
    sums = {}
    for e in books:
        groups = {group(w) for w in e["who"] or [{"place": None, "tenant": None}]}
        if e["global"]:
            name = GLOBALLY if e["who"] else GLOBALS
        else:
            name = SHARED if len(groups) > 1 else groups.pop()
        sums[name] = sums.get(name, 0) + e["bytes"]
    return sums


def close(have, want, what):
    assert want * 0.98 <= have <= want * 1.02 + 4096, (what, have, want)


def rows_of(target, by, *more):
    """name or labels -> row; and all rows together are the reachable bytes."""
    answer = limpet_json("top", target, "--by", by, "--limit", 0, "--values", "full", *more)
    assert answer["by"] == by
    assert sum(r["retained_bytes"] for r in answer["rows"]) == answer["reachable_bytes"]
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
        want = expected(books, group)
        nolabel = "(no labels)" if by == "label" else "(no label " + by.split(":")[1] + ")"
        for name, bytes_ in want.items():
            name = nolabel if name is None else name
            assert name in rows, (by, name, list(rows))
            # What the program and its libraries hold besides is not in its books, but it is without labels or shared.
            if isinstance(name, tuple) or name == nolabel:
                close(rows[name]["retained_bytes"], bytes_, (by, name))
            else:
                assert rows[name]["retained_bytes"] >= bytes_, (by, name)
        assert {n for n in rows if isinstance(n, tuple)} == {n for n in want if isinstance(n, tuple)}, by
    return rows


def some(minor, *quick):
    return pytest.param(minor, marks=[] if minor in quick else pytest.mark.full)


@pytest.mark.parametrize("minor", [some(m, "1.22", "1.25", "1.27") for m in build_targets.MINORS])
def test_http(minor, tmp_path):
    with http_server(minor) as (target, key, books):
        compare(target.pid, key, books)
        core = str(tmp_path / "core")
        limpet("snapshot", target.pid, "-o", core)
        compare(core, key, books)


@pytest.mark.parametrize("minor", [some(m, "1.23", "1.26") for m in build_targets.MINORS])
def test_grpc(minor):
    with grpc_server(minor) as (target, key, books):
        compare(target.pid, key, books)
