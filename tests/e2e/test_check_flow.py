"""The gate in a project's life: the version with the bug is red and named, the fixed one is green.

tests/goprogs/realleaks/shop: a web shop with gorilla/sessions (gorilla/sessions#122); the source is the same, go.mod pins
the version with the leak and fixed.mod the one without.
"""
import contextlib
import json
import os
import socket

import pytest

from procs import build_targets, limpet

VISITS = 20
SOURCE = os.path.join(build_targets.PROGS, "realleaks", "shop", "main.go")


def free_port():
    with contextlib.closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def check(minor, fixed, *options, code):
    shop = build_targets.build("realleaks/shop", minor, modfile="fixed.mod" if fixed else None)
    load = f"{shop} -listen 127.0.0.1:$LIMPET_PORT -visit {VISITS}"
    done = limpet("check", "--json", *options, "--load", load, "--", shop, "-listen", f"127.0.0.1:{free_port()}",
                  code=code, seconds=300)
    return json.loads(done.stdout)["checks"][0]


MINORS = ["1.27", pytest.param("1.22", marks=pytest.mark.full)]


@pytest.mark.parametrize("minor", MINORS)
def test_the_fix_is_green(minor):
    answer = check(minor, True, code=0)
    assert answer["result"] == "passed" and not answer["findings"], answer


def line_of(text):
    with open(SOURCE, encoding="utf-8") as f:
        return 1 + [text in line for line in f].index(True)


@pytest.mark.parametrize("minor", MINORS)
def test_the_bug_is_red_and_named(minor):
    """Each visit leaves one http.Request in gorilla/context's map: that, and nothing else, is what is said."""
    answer = check(minor, False, code=1)
    assert answer["result"] == "failed" and answer["sure"] > 0.9, answer
    leaks = [f for f in answer["findings"] if f["verdict"] == "leak"]
    assert leaks and "gorilla/context.Set" in json.dumps(leaks[0]["holder"]), answer["findings"]
    requests = [f for f in leaks if f["type"] == "http.Request"]
    assert requests, [f["title"] for f in leaks]
    assert any("gorilla/context.Set" in f["title"] + f["why"] + json.dumps(f["holder"]) for f in requests)
    # The line to look at: the middleware that makes another request, whose session nobody clears.
    assert (requests[0]["at"]["function"], requests[0]["at"]["line"]) == ("main.withUser.func1", line_of("r.WithContext"))
    # What stays with each of them is made by two lines of the handler: the session, and what is put into it.
    assert leaks[0]["at"]["function"] == "main.cart", leaks[0]["at"]
    assert leaks[0]["at"]["line"] in (line_of("store.Get"), line_of('session.Values["items"] = ')), leaks[0]["at"]
    assert answer["rounds"][-1]["live_bytes"] > answer["rounds"][0]["live_bytes"] + 50 * VISITS * 300


@pytest.mark.full
@pytest.mark.parametrize("minor", MINORS)
def test_a_proved_leak_is_red_after_few_rounds(minor):
    """What can never run again needs no statistics: a goroutine a request is told long before 64 loads."""
    lab = build_targets.build("checklab", minor)
    done = limpet("check", "--json", "--load", f"{lab} load -n 20", "--", lab, "goroutine", code=1, seconds=300)
    answer = json.loads(done.stdout)["checks"][0]
    assert answer["result"] == "failed"
    assert any("main.leakGoroutine" in json.dumps(f) for f in answer["findings"]), answer["findings"]
