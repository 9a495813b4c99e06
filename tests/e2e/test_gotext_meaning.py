"""What dumps of goroutines are said to mean: waits that are no locks, holders, panics, deadlocks.

Truth is the Go source whose tracebacks these are: which call waits for what, who panicked, what the runtime itself says.
"""
import os
import re

import pytest

import pproffiles
from procs import TOP, limpet, limpet_json

GO = "/usr/local/go/src/"


def write(folder, text, name="dump.txt"):
    path = folder / name
    path.write_text(text)
    return str(path)


def goroutine(i, state, calls, creator="main.main"):
    """calls: innermost first, "function(arguments)" or with the file that it is in."""
    frames = "".join(f"{c}\n\t/src/main.go:{n + 3} +0x19\n" if isinstance(c, str) else f"{c[0]}\n\t{GO}{c[1]} +0x25\n" for n, c in enumerate(calls))
    return f"goroutine {i} [{state}]:\n{frames}" + (f"created by {creator}\n\t/src/main.go:9 +0x1d\n" if creator else "") + "\n"


GROUP = [("sync.runtime_Semacquire(0x0?)", "runtime/sema.go:56"), ("sync.(*WaitGroup).Wait(0x0?)", "sync/waitgroup.go:136")]
MUTEX = [("sync.runtime_SemacquireMutex(0x0?, 0x0?, 0x0?)", "runtime/sema.go:71"), ("sync.(*Mutex).lockSlow(0xc000012340)", "sync/mutex.go:162"), ("sync.(*Mutex).Lock(...)", "sync/mutex.go:81")]
COND = [("sync.runtime_notifyListWait(0xc000010050, 0x0)", "runtime/sema.go:513"), ("sync.(*Cond).Wait(0xc000010040)", "sync/cond.go:56")]
WEIGHTED = ["golang.org/x/sync/semaphore.(*Weighted).Acquire(0xc000010040, {0x1, 0x2}, 0x1)"]


@pytest.mark.parametrize("state,calls,lock", [("semacquire", GROUP, False), ("semacquire", MUTEX, True)])
def test_semacquire_of_go_1_18(tmp_path, state, calls, lock):
    """Of Go up to 1.22 one state is that of locks and of wait groups: the calls tell."""
    path = write(tmp_path, "".join(goroutine(i, f"{state}, 3 minutes", calls + ["main.wait(0x0?)"]) for i in range(1, 21)))
    kinds = [f["kind"] for f in limpet_json("report", path)["findings"]]
    assert ("lock-contention" in kinds) == lock


@pytest.mark.parametrize("state,calls,want,never", [
    ("semacquire", GROUP, "wg.Done()", "lock"), ("sync.Cond.Wait", COND, "Broadcast", "channel"),
    ("select", WEIGHTED, "Release", "channel"), ("chan receive", [], "<-ctx.Done()", "lock"),
    ("IO wait", [("net.(*conn).Read(0xc000010040, {0x1, 0x2, 0x3})", "net/net.go:179")], "deadline", "channel")])
def test_fix_of_what_is_waited_for(tmp_path, state, calls, want, never):
    """Forty more, none of the first gone: the advice is about what they wait for."""
    def dump(n):
        return "".join(goroutine(i, state, calls + ["main.wait(0x0?)"]) for i in range(1, n + 1))
    path = write(tmp_path, dump(40) + "\n2026/01/02 03:04:05 serving\n" + dump(80))
    (finding,) = limpet_json("report", path)["findings"]
    assert finding["kind"] == "goroutine-leak"
    assert want in finding["fix"] and never not in finding["fix"].replace("under the lock", "")


def panicked(path):
    return [d["panic"]["function"] for d in limpet_json("goroutines", path)["dumps"] if d["panic"]]


HTTP = [("net/http.(*conn).serve.func1()", "net/http/server.go:1939"), ("panic({0xa97790?, 0xb246c0?})", "runtime/panic.go:859")]
SERVE = [("net/http.HandlerFunc.ServeHTTP(0x487bf9?)", "net/http/server.go:2338"), ("net/http.(*conn).serve(0xc000010000)", "net/http/server.go:2137")]


@pytest.mark.parametrize("calls,want", [
    ([("strings.(*Builder).copyCheck(...)", "strings/builder.go:33"), ("strings.(*Builder).WriteString(...)", "strings/builder.go:113"), "main.main()"], "main.main"),
    ([("log.Panicf({0x1?, 0x2?})", "log/log.go:460"), "main.main()"], "main.main"),
    ([("internal/runtime/maps.fatal({0x1?, 0x2?})", "runtime/panic.go:1195"), "main.writes.func1()"], "main.writes.func1"),
    ([("slices.SortFunc[...](...)", "slices/sort.go:27"), "main.sorted(...)"], "main.sorted"),
    # a module may have no dot in its name, and be called like a package of Go
    (["billing/store.(*Cache).get(0x1)", "main.main()"], "billing/store.(*Cache).get"),
    (["log/audit.write(0x1)", "main.main()"], "log/audit.write"),
    (["example.com/sort.Of(0x1)", "main.main()"], "example.com/sort.Of"),
    # who panics anew is the one that panicked last
    (["main.main.func1()", ("panic({0xa97790?, 0xb246c0?})", "runtime/panic.go:859"), "main.main()"], "main.main.func1"),
])
def test_panics_in_the_program_itself(tmp_path, calls, want):
    """What the program called is not the program, wherever Go's own function found the mistake."""
    assert panicked(write(tmp_path, "panic: no\n\n" + goroutine(1, "running", calls, None))) == [want]


def test_panic_that_was_recovered(tmp_path):
    """What looks at the stack is the deferred call that recovered it; who panicked stands below; so in each dump."""
    own = [("runtime/debug.Stack()", "runtime/debug/stack.go:26"), "example.com/web.Recover.func1()", HTTP[1], "main.handle(0x1)"]
    text = "".join(f"2026/01/02 03:04:0{i} http: panic serving 10.1.2.3:5: boom\n" + goroutine(20 + i, "running", calls + SERVE, "net/http.(*Server).Serve")
                   for i, calls in enumerate((HTTP + ["main.index(0x1)"], own, HTTP + ["main.cart.func1()", HTTP[1], "main.cart(0x1)"])))
    assert panicked(write(tmp_path, text)) == ["main.index", "main.handle", "main.cart.func1"]


def test_panic_of_a_dump_that_is_not_shown(tmp_path):
    """Of two processes in one log: the first one's panic, among others that wait."""
    died = "panic: no\n\n" + goroutine(7, "running", ["main.worker(0x1)"]) + goroutine(1, "chan receive", ["main.main()"], None)
    path = write(tmp_path, died + "exit status 2\n" + goroutine(1, "chan receive", ["main.main()"], None) + goroutine(5, "select", ["main.serve(0x1)"]))
    first, last = limpet_json("goroutines", path)["dumps"]
    assert (first["shown"], last["shown"]) == (False, True)
    assert first["panic"]["function"] == "main.worker" and last["panic"] is None


ASLEEP = "all goroutines are asleep - deadlock!"
GOEXIT = "no goroutines (main called runtime.Goexit) - deadlock!"
WAITING = [("main.main", "chan receive"), ("main.w", "chan receive"), ("main.e", "select (no cases)")]


@pytest.mark.parametrize("says", [ASLEEP, GOEXIT])
def test_deadlock(tmp_path, says):
    """What the runtime says of all goroutines is taken over as its search for leaks is, and names each but its own."""
    text = f"fatal error: {says}\n\n" + "".join(goroutine(i + 1, state, [f + "(...)"]) for i, (f, state) in enumerate(WAITING))
    text += goroutine(9, "force gc (idle)", [("runtime.forcegchelper()", "runtime/proc.go:387")], "runtime.init.7")
    path = write(tmp_path, text)
    findings = limpet_json("report", path)["findings"]
    assert sorted((f["goroutine"]["function"], f["goroutine"]["wait"]) for f in findings) == sorted(WAITING)
    assert {(f["kind"], f["verdict"], f["proof"]) for f in findings} == {("goroutine-leak", "leak", "measured")}
    answer = limpet_json("goroutines", path)
    assert {g["function"] for g in answer["goroutines"] if g["leaked"] == "proved"} == {f for f, _ in WAITING}
    assert "Nothing is suspected" not in limpet("report", path).stdout


@pytest.mark.parametrize("text", ["panic: all goroutines are asleep - deadlock!", "fatal error: all goroutines are asleep", "SIGQUIT: quit"])
def test_not_the_runtimes_word(tmp_path, text):
    """A panic says what the program likes; a signal says nothing of who waits."""
    path = write(tmp_path, f"{text}\n\n" + "".join(goroutine(i + 1, state, [f + "(...)"]) for i, (f, state) in enumerate(WAITING)))
    assert limpet_json("report", path)["findings"] == []


# runtime/proc.go, sigtab_linux_generic.go, malloc.go, stack.go, internal/runtime/maps
@pytest.mark.parametrize("how,says", [
    ("SIGQUIT", "quit"), ("SIGABRT", "abort"), ("fatal error", ASLEEP), ("fatal error", "out of memory"), ("fatal error", "stack overflow"),
    ("fatal error", "concurrent map writes"), ("fatal error", "concurrent map read and map write")])
def test_texts_of_go_are_shown(tmp_path, how, says):
    path = write(tmp_path, f"{how}: {says}\n\n" + goroutine(1, "running", ["main.main()"], None))
    assert limpet_json("goroutines", path)["dumps"][0]["panic"]["message"] == says
    shown = limpet("goroutines", path).stdout
    assert f"\n  {says}\n" in shown and "--values full" not in shown


@pytest.mark.parametrize("says", ["out of memory of customer 4711", "customer 4711", "quit\ncustomer 4711"])
def test_values_are_withheld(tmp_path, says):
    path = write(tmp_path, f"panic: {says}\n\n" + goroutine(1, "running", ["main.main()"], None))
    for command in ("goroutines", "report"):
        for args in ([], ["--json"]):
            assert "4711" not in limpet(command, path, *args).stdout


@pytest.mark.parametrize("row", ["goroutines as text", "a goroutine profile"])
def test_docs_say_what_answers(tmp_path, row):
    """Each command that the table of docs/evidence.md names for such a file has an answer to it."""
    with open(os.path.join(TOP, "docs/evidence.md"), encoding="utf-8") as f:
        (line,) = [x for x in f if x.startswith(f"| {row}")]
    path = write(tmp_path, goroutine(1, "chan receive", ["main.main()"], None)) if row.endswith("text") else pproffiles.path("1.27", "goroutine.0")
    for command in re.findall(r"`(\w+)`", line.split("|")[3]):
        more = {"diff": [path], "peek": ["main"], "list": ["main"]}.get(command, [])
        assert limpet(command, path, *more).stdout
