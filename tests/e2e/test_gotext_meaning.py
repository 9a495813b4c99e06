"""What dumps of goroutines are said to mean: waits that are no locks, holders, panics, deadlocks.

Truth is the Go source whose tracebacks these are: which call waits for what, who panicked, what the runtime itself says.
"""
import pytest

from procs import limpet, limpet_json

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
