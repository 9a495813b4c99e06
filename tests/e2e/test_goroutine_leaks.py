"""`goroutines --leaked`: proved is what the runtime's own search finds, no more and no less (Go 1.26 and later), and
what the runtime's own test expects in programs of older versions."""
import os
import signal

import pytest

import cores
import leaks
import procs

import leak_programs

# Of each lock one, and the ones that wait for each other.
QUICK = ["Cockroach1055", "Cockroach1462", "Cockroach2448", "Cockroach3710", "Etcd7492", "Grpc3017", "Hugo3251", "Moby27782"]


def right(*args, **more):
    done = leaks.check(*args, **more)
    assert not leaks.complaints(done)
    return sum(n for n, _ in done.values())


def test_as_the_runtime_finds():
    assert right("1.27", "micro") > 100


def test_as_the_runtime_finds_in_real_bugs():
    assert right("1.27", "goker", only=QUICK) > 1000


def test_where_the_runtime_cannot():
    assert right("1.22", "micro") > 100


@pytest.mark.full
@pytest.mark.parametrize("part", ["micro", "goker"])
@pytest.mark.parametrize("sources", ["1.26", "1.27"])
@pytest.mark.parametrize("minor", ["1.22", "1.23", "1.24", "1.25", "1.26", "1.27"])
def test_all(minor, sources, part):
    assert right(minor, part, sources) > 100


@pytest.mark.full
@pytest.mark.parametrize("minor", ["1.22", "1.27"])
def test_with_dwarf(minor):
    assert right(minor, "micro", flavour="dwarf") > 100


@pytest.mark.full
@pytest.mark.parametrize("minor", ["1.22", "1.24", "1.27"])
def test_in_a_core(minor, tmp_path):
    def look(target):
        target.folder = str(tmp_path)
        core = cores.gcore(target)
        try:
            return leaks.proved(core)
        finally:
            os.unlink(core)

    assert right(minor, "micro", look=look, only=["Select", "Mixed", "Cond", "RWMutexLock", "NilRecv", "NCastLeak", "WaitGroup"]) > 5


@pytest.mark.parametrize("minor,how", [("1.27", []), ("1.22", ["--no-payload"]), ("1.27", ["--redact"])])
def test_in_a_snapshot(tmp_path, minor, how):
    def look(target):
        core = tmp_path / f"core.{target.pid}"
        procs.limpet("snapshot", target.pid, "-o", core, *how)
        return leaks.proved(core)

    assert right(minor, "micro", look=look, only=["Select", "Mixed", "Cond", "RWMutexLock"]) > 3


def never_leaked(minor, looks):
    with procs.Target("pingpong", minor, args=[4]) as target:
        target.ready()
        for _ in range(looks):
            found = procs.limpet_json("goroutines", target.pid, "--leaked")
            assert not found["goroutines"], found["goroutines"][:3]
            assert found["unproved_because"] is None


@pytest.mark.parametrize("minor", ["1.22", "1.27"])
def test_a_wake_on_its_way_is_no_leak(minor):
    never_leaked(minor, 5)


@pytest.mark.full
@pytest.mark.parametrize("minor", ["1.22", "1.23", "1.24", "1.25", "1.26", "1.27"])
def test_a_wake_on_its_way_is_no_leak_often(minor):
    never_leaked(minor, 200)


@pytest.mark.full
@pytest.mark.parametrize("minor", ["1.18", "1.19", "1.20", "1.21"])
def test_old(minor):
    # Before 1.22 the wrapper of a go statement has a name like a closure's: the list does not know it.
    assert right(minor, "micro", only=[n for n in leak_programs.names("1.27", "micro") if n != "NoCloseRange"]) > 100


def test_nothing_is_proved_where_something_is_missing(tmp_path):
    binary = leak_programs.build("1.27", "micro")
    with procs.Target(None, binary=binary, args=["Timeout"]) as target:
        target.ready()
        core = tmp_path / "core"
        procs.limpet("snapshot", target.pid, "-o", core)
    assert procs.limpet_json("goroutines", core)["leaked_proved"] == 100
    os.truncate(core, os.path.getsize(core) - 8192)
    found = procs.limpet_json("goroutines", core)
    assert found["leaked_proved"] == 0 and found["leaked_suspect"] >= 90
    assert found["unproved_because"]


def test_what_would_go_with_them():
    """500 goroutines of early-return keep 40 KiB each, and a stack."""
    with procs.Target("findings/goroutine-leak", args=["early-return"]) as target:
        target.ready()
        found = procs.limpet_json("goroutines", target.pid, "--leaked", "--group-by", "stack")
    group = max(found["groups"], key=lambda g: g["count"])
    assert group["count"] == group["leaked_proved"] == 500
    assert 500 * 40960 <= group["leaked_bytes"] <= 500 * (40960 + 1024)
    assert 500 * 2048 <= group["stack_bytes"] <= 500 * 8192
    assert found["leaked_bytes"] >= group["leaked_bytes"]


def test_two_who_share_are_counted_once():
    """Both goroutines of each account of lost-unlock have its 40 KiB: neither keeps them alone."""
    with procs.Target("findings/goroutine-leak", args=["lost-unlock"]) as target:
        target.ready()
        found = procs.limpet_json("goroutines", target.pid, "--leaked")
    payers = [g for g in found["goroutines"] if g["function"] == "main.(*account).pay" or "plant" in g["function"]]
    assert len(payers) == 200 and sum(g["retained_bytes"] for g in payers) < 100 * 40960
    assert 100 * 40960 <= found["leaked_bytes"] <= 100 * (40960 + 2048)


def test_heap_dump_says_that_it_cannot(tmp_path):
    with procs.Target("heapdump", args=[tmp_path / "dump"]) as target:
        at = len(target.ready().lines)
        os.kill(target.pid, signal.SIGUSR1)
        target.wait_line("DUMPED", after=at)
        done = procs.limpet("goroutines", str(tmp_path / "dump"), "--leaked", code=4)
        assert "does not say who waits for what" in done.stderr
