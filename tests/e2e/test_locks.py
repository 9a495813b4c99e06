"""limpet locks against what the program says of itself: who is inside which lock, who waits."""
import re

import pytest

from procs import FULL, Target, limpet, limpet_json

PROGRAM = "findings/lock-contention"
MINORS = ["1.22", "1.24", "1.27"] if FULL else ["1.22", "1.27"]
WAITS = {"sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock"}


def truth(target):
    """What the program printed: name -> (goroutine, function); and its own count of who waits for locks."""
    inside = {}
    for line in target.lines:
        if line and line.startswith("HOLDS "):
            _, name, goroutine, function = line.split()
            inside[name] = (int(goroutine), function)
    waiting = sum(m in WAITS for m in re.findall(r"^goroutine \d+ \[([^\],]+)", target.stacks(), re.M))
    return inside, waiting


def ask(target):
    return limpet_json("locks", target.pid)


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("case, evidence", [("field-defer", "deferred unlock"), ("field-plain", "inside"), ("global", "inside"),
                                            ("readers", "deferred unlock"), ("writer-behind-reader", "deferred unlock")])
def test_holder_is_who_says_so(case, evidence, minor):
    with Target(PROGRAM, minor, args=[case]) as target:
        inside, waiting = truth(target)
        answer = ask(target)
        [lock] = answer["locks"]
        [(name, (goroutine, function))] = inside.items()
        assert waiting >= 48
        assert lock["waiters"] == answer["total_waiters"] == waiting
        assert [h["goroutine"]["id"] for h in lock["held_by"]] == [goroutine]
        holder = lock["held_by"][0]
        assert holder["function"] == function and holder["evidence"] == evidence
        assert holder["line"] > holder["locked_line"] > 0
        assert lock["deadlock"] is None and answer["lock_not_found"] == 0
        if case != "global":
            assert lock["field"] == "." + name, lock["field"]
            assert lock["holder"][0]["what"] == "global"
        assert lock["oldest_ns"] > 1e9
        if case == "readers":
            assert lock["lock_state"] == {"locked": True, "woken": False, "starving": False, "waiters": 0, "readers": 0,
                                          "writer_waits": False}
        if case == "writer-behind-reader":
            assert lock["lock_state"]["readers"] == 1 and lock["lock_state"]["writer_waits"]
            assert holder["how"] == "rlock"


@pytest.mark.parametrize("minor", MINORS)
def test_deadlock_is_named(minor):
    with Target(PROGRAM, minor, args=["deadlock"]) as target:
        inside, _ = truth(target)
        answer = ask(target)
        assert answer["deadlocks"] == 1 and len(answer["locks"]) == 2
        by_holder = {k["held_by"][0]["goroutine"]["id"]: k for k in answer["locks"]}
        assert set(by_holder) == {g for g, _ in inside.values()}
        for mine, other in (list(by_holder), list(by_holder)[::-1]):
            assert by_holder[mine]["held_by"][0]["waits_on"] == by_holder[other]["addr"]
            assert by_holder[mine]["deadlock"] == 1
        text = limpet("locks", target.pid).stdout
        assert "DEADLOCK 1" in text


def test_a_goroutine_that_locks_twice():
    with Target(PROGRAM, args=["self"]) as target:
        inside, _ = truth(target)
        [lock] = ask(target)["locks"]
        assert lock["held_by"][0]["goroutine"]["id"] == inside["mu"][0]
        assert lock["held_by"][0]["waits_on"] == lock["addr"] and lock["deadlock"] == 1


def test_busy_has_no_deadlock_and_wait_groups_no_holder():
    with Target(PROGRAM, args=["busy"]) as target:
        assert ask(target)["deadlocks"] == 0
    with Target(PROGRAM, args=["waitgroup"]) as target:
        [lock] = ask(target)["locks"]
        assert lock["kind"] == "sync.WaitGroup" and lock["waiters"] == 48 and not lock["held_by"]
