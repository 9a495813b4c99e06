"""runtime/debug.WriteHeapDump files against the live process that wrote them, object by object, and against its own counts."""
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import time

import pytest

import build_targets
from cores import objects
from procs import FULL, LIMPET, SLOW, TOP, Target, limpet, limpet_json

QUICK = ("1.22", "1.27")
MINORS = [pytest.param(m, marks=[] if m in QUICK else pytest.mark.full) for m in build_targets.MINORS]
OLD = ["1.18.10", "1.19.13", "1.20.14", "1.21.13"]
# Of each of the program's 50 cleanups: its argument, the closures that runtime.AddCleanup makes, the weak handle.
HELD_BY_CLEANUP = {"1.24": 3, "1.25": 4, "1.26": 3, "1.27": 3}
# dump() itself opens a file and prints: what it allocates on the way is not in the look before.
OWN = 40
COMMANDS = ["report", "top", "goroutines", "memory", "verify", "tree"]


def parse(lines):
    """address -> (bytes, reachable)"""
    rows = (line.split(" ", 2) for line in lines)
    return {int(a, 16): (int(n), rest.endswith(" reachable")) for a, n, rest in rows}


def reachable(found):
    return {a for a, (_, is_reachable) in found.items() if is_reachable}


def write_dump(target, seconds=60):
    """(HeapObjects, HeapAlloc, NumGC) just before."""
    at = len(target.lines)
    os.kill(target.pid, signal.SIGUSR1)
    return tuple(map(int, target.wait_line("DUMPED", seconds, after=at)[0].split()[1:]))


class Dumped:
    """A dump of the test program, and its objects live just before."""

    def __init__(self, path, minor, args=()):
        self.path, self.minor = str(path), minor
        with Target("heapdump", minor, args=[path, *args]) as target:
            time.sleep(0.2)
            self.before = parse(objects(target.pid))
            self.counted = write_dump(target)
        self.objects = parse(objects(self.path))


@pytest.fixture(scope="module", params=MINORS)
def dumped(request, tmp_path_factory):
    return Dumped(tmp_path_factory.mktemp("dump") / "dump", request.param)


@pytest.fixture(scope="module")
def newest(tmp_path_factory):
    path = tmp_path_factory.mktemp("dump") / "dump"
    with Target("heapdump", args=[path]) as target:
        write_dump(target)
    return str(path)


def check_same(d):
    """What the dump lacks is what cleanups and weak handles alone hold; what it has more was made since."""
    live, dump = reachable(d.before), reachable(d.objects)
    held_by_cleanups = HELD_BY_CLEANUP.get(d.minor, 0) * 50
    lacking = live - dump
    # main's own goroutine has gone on: what its frames held in the look before, it need not hold in dump().
    assert 0 <= len(lacking) - held_by_cleanups <= 4, [(hex(a), d.before[a]) for a in sorted(lacking)[:5]]
    assert all(a in d.objects for a in lacking)
    new = [a for a in dump - live if a in d.before]
    assert not new, [(hex(a), d.before[a]) for a in new[:5]]
    assert len(dump - live) <= OWN
    assert all(d.before[a][0] == d.objects[a][0] for a in live & dump)
    assert not set(d.before) - set(d.objects)
    assert len(live) > 50000


def test_same_objects_as_live(dumped):
    check_same(dumped)


def test_bytes_are_those_of_memstats(dumped):
    """The oracle is the runtime: all slots in the file are HeapObjects and HeapAlloc, but for what was made since."""
    count, bytes_, _ = dumped.counted
    assert 0 <= len(dumped.objects) - count <= OWN
    assert 0 <= sum(n for n, _ in dumped.objects.values()) - bytes_ <= 65536


def test_what_the_program_counts(dumped):
    """EXPECT of the program: list, wides, boxes, map by root; goroutines with what each alone holds."""
    rows = limpet_json("top", dumped.path, "--by", "root", "--limit", 100)["rows"]
    held = {row["objects"] for row in rows}
    # main's frames may still hold the last one that it made: then the global does not hold it alone.
    for n in (20000, 3 * 1000 + 1, 2 * 5000 + 1, 512 + 1, 2 * 500 + 1):
        assert held & set(range(n - 4, n + 1)), (n, sorted(held))
    types = {row["name"]: row["objects"] for row in limpet_json("top", dumped.path, "--limit", 500)["rows"]}
    assert types["main.value"] == 2500
    groups = limpet_json("goroutines", dumped.path, "--group-by", "stack")["groups"]
    count = {g["name"]: (g["count"], g["retained_bytes"]) for g in groups}
    assert count["main.waiter [chan receive]"][0] == 100
    assert count["main.holder [chan receive]"] == (8, 8 * 4 * 32)
    everyone = limpet_json("goroutines", dumped.path)["goroutines"]
    deep = [g for g in everyone if sum(f["function"] == "main.deep" for f in g["stack"]) == 201]
    assert len(deep) == 1 and deep[0]["retained_bytes"] == 201 * 32
    assert {g["creator"] for g in everyone if g["function"] in ("main.waiter", "main.holder")} <= {"main.main", "main.startWaiters", ""}


def test_memory_adds_up(dumped):
    memory = limpet_json("memory", dumped.path)["memory"]
    assert memory["rss"] is None
    assert sum(line["bytes"] for line in memory["lines"] if line["part_of_sys"]) == memory["sys"]
    assert memory["heap_live"] + memory["heap_garbage"] == sum(n for n, _ in dumped.objects.values())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command(newest, command):
    answer = limpet_json(command, newest)
    assert answer["target"]["kind"] == "heapdump" and answer["capture"]["method"] == "file"
    assert answer["target"]["go"].startswith("go1.27") and answer["target"]["arch"] == "amd64"
    assert answer["capture"]["losses"] == []
    assert any(lack.startswith("mark bits") for lack in answer["capture"]["lacks"])
    assert limpet(command, newest).stdout


def test_one_object(newest):
    """An element of the list: why, object and tree by address."""
    rows = limpet_json("top", newest, "--by", "root", "--limit", 100)["rows"]
    holder = next(row["name"] for row in rows if row["objects"] == 20000)
    first = limpet_json("tree", newest, holder, "--depth", 1)
    node = next(n for n in json.dumps(first).split('"') if n.startswith("0x") and len(n) > 10)
    why = limpet_json("why", newest, node)
    assert why["paths"][0][0]["name"] == holder or why["paths"][0][0]["what"] == "global"
    one = limpet_json("object", newest, node)
    assert one["addr"] == node and one["bytes"] == 32 and one["reachable"] and one["marked"] is None
    assert len(one["references"]) == 1 and one["references"][0]["field"] == "+0x8"


def test_where_it_was_allocated(tmp_path):
    path = str(tmp_path / "dump")
    with Target("heapdump", args=[path, "profile"], env={"GODEBUG": "memprofilerate=1"}) as target:
        write_dump(target)
    value = next(line.split()[0] for line in objects(path) if " main.value " in line)
    calls = limpet_json("object", path, value)["allocated_at"]
    fill = next(call for call in calls if call["function"] == "main.fill")
    with open(os.path.join(TOP, "tests/goprogs/heapdump/main.go"), encoding="utf-8") as f:
        assert "value{a: i" in f.read().splitlines()[fill["line"] - 1]


def test_verify_has_nothing_to_compare(newest):
    answer = limpet_json("verify", newest)
    assert answer["holds"] is None and answer["extra"] == 0
    assert answer["gc_objects"] is None and answer["missing"] is None
    text = limpet("verify", newest).stdout
    assert "no mark bits" in text and "not contradicted" in text


def test_interrupted_anywhere(tmp_path):
    """A goroutine that never calls: its pointers are in registers and in its frame."""
    check_same(Dumped(tmp_path / "dump", "1.27", ["spin"]))


def test_names_of_variables(tmp_path):
    """--exe: what a dump lacks, if it is the program that wrote it."""
    path = str(tmp_path / "dump")
    with Target("heapdump", flavour="dwarf", args=[path]) as target:
        binary = target.binary
        write_dump(target)
    rows = {row["name"]: row["objects"] for row in limpet_json("top", path, "--by", "root", "--exe", binary)["rows"]}
    assert rows["main.keep"] > 20000 + 3 * 1000 + 2 * 5000 + 512
    answer = limpet_json("report", path, "--exe", binary)
    assert answer["build"]["module"] == "limpet/goprogs"
    assert not any(lack.startswith("names of variables") for lack in answer["capture"]["lacks"])
    assert limpet_json("why", path, "main.keep", "--exe", binary)
    for minor, program, word in (("1.26", "heapdump", "go1.26"), ("1.27", "mixed", "variables")):
        said = limpet("report", path, "--exe", build_targets.build(program, minor, "dwarf"), code=4).stderr
        assert word in said and said.count("\n") == 1, said


def test_records_without_end(newest, tmp_path):
    """A file of nothing but tiny records costs memory by its size, no more."""
    with open(newest, "rb") as f:
        head = f.read(16)
    params = bytes([6, 0, 8, 0, 0]) + b"\x05amd64" + b"\x08go1.27.4" + b"\x02"
    bomb = tmp_path / "bomb"
    bomb.write_bytes(head + params + bytes([11, 0x80, 0x20, 0, 0, 0, 0]) * 2000000)
    done = limpet("report", bomb, code=None)
    assert done.returncode in (0, 4, 5) and done.stderr.count("\n") <= 1


@pytest.mark.parametrize("packer", [["gzip", "-1c"], ["zstd", "-1c"]], ids=["gzip", "zstd"])
def test_packed(newest, tmp_path, packer):
    """The same answer; one that is cut is read as far as it goes."""
    packed = tmp_path / "packed"
    packed.write_bytes(subprocess.run([*packer, newest], check=True, capture_output=True).stdout)
    for command in ("top", "goroutines", "memory"):
        there, here = limpet_json(command, newest), limpet_json(command, packed)
        assert here["capture"]["losses"] == []
        for key in ("rows", "goroutines", "memory"):
            assert here.get(key) == there.get(key)
    os.truncate(packed, packed.stat().st_size * 9 // 10)
    losses = limpet_json("top", packed)["capture"]["losses"]
    assert {loss["what"] for loss in losses} >= {"the packed file is cut short"} and sum(loss["bytes"] for loss in losses), losses


def test_cut_while_it_is_read(newest, tmp_path):
    """By whatever cleans up: an answer with what was lost, or one line; no signal."""
    ends = []
    for i in range(12):
        path = tmp_path / "dump"
        shutil.copy(newest, path)
        with subprocess.Popen([LIMPET, "report", path, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            time.sleep(0.012 * SLOW * i)
            os.truncate(path, 4096 * i)
            out, said = child.communicate(timeout=60)
        assert child.returncode in (0, 3, 4) and said.count(b"\n") <= 1, (child.returncode, said)
        ends.append((child.returncode, child.returncode == 0 and json.loads(out)["capture"]["losses"] != []))
    assert len(set(ends)) > 1, ends


class Damaged:
    """A dump that is cut or changed in place, and put right again."""

    def __init__(self, path, folder):
        self.path = os.path.join(folder, "damaged")
        with open(path, "rb") as f:
            self.bytes = f.read()
        with open(self.path, "wb") as f:
            f.write(self.bytes)

    def ask(self):
        """(exit code, answer or None): within time and memory, and never a crash."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        done = subprocess.run([LIMPET, "report", self.path, "--json"], capture_output=True, timeout=10 * SLOW)
        assert done.returncode in (0, 4), (done.returncode, done.stderr[-500:])
        assert SLOW > 1 or max(0, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - before) < 400 << 10
        if done.returncode:
            assert done.stderr.count(b"\n") == 1, done.stderr
            return done.returncode, None
        return 0, json.loads(done.stdout)


def test_cut(newest, tmp_path):
    damaged = Damaged(newest, tmp_path)
    whole = len(damaged.bytes)
    chance = random.Random(20)
    answered = 0
    for _ in range(100 if FULL else 15):
        length = chance.randrange(whole)
        os.truncate(damaged.path, length)
        code, answer = damaged.ask()
        if code == 0:
            answered += 1
            assert answer["capture"]["losses"], length
        with open(damaged.path, "r+b") as f:
            f.seek(length)
            f.write(damaged.bytes[length:])
    assert answered > 10


def test_flipped(newest, tmp_path):
    damaged = Damaged(newest, tmp_path)
    chance = random.Random(21)
    answered, lossy = 0, 0
    n = 10000 if FULL else 200
    with open(damaged.path, "r+b", buffering=0) as f:
        for _ in range(n):
            at = chance.randrange(len(damaged.bytes))
            os.pwrite(f.fileno(), bytes([damaged.bytes[at] ^ (1 << chance.randrange(8))]), at)
            code, answer = damaged.ask()
            os.pwrite(f.fileno(), damaged.bytes[at:at + 1], at)
            answered += code == 0
            lossy += code == 0 and bool(answer["capture"]["losses"])
    assert answered > 0.99 * n
    assert lossy > 0  # most bytes are data of objects; some are not


def test_many_flips(newest, tmp_path):
    """Damage everywhere: what can be read is, the rest is counted."""
    damaged = Damaged(newest, tmp_path)
    chance = random.Random(22)
    for n in (10, 1000, 100000):
        bad = bytearray(damaged.bytes)
        for _ in range(n):
            bad[chance.randrange(4096, len(bad))] ^= 1 << chance.randrange(8)
        with open(damaged.path, "wb") as f:
            f.write(bad)
        code, answer = damaged.ask()
        assert code == 0 and (n < 1000 or answer["capture"]["losses"])


def check_sums(path, counted):
    found = parse(objects(path))
    assert abs(len(found) - counted[0]) <= OWN
    assert abs(sum(n for n, _ in found.values()) - counted[1]) <= 65536


@pytest.mark.full
def test_heap_bits_elsewhere(tmp_path):
    """GOEXPERIMENT=noallocheaders of Go 1.22: nothing lies behind a span's slots."""
    path = str(tmp_path / "dump")
    with Target("heapdump", "1.22", "exp-noallocheaders", args=[path]) as target:
        counted = write_dump(target)
    check_sums(path, counted)


def build_old(version, folder):
    """These know no go.mod of Go 1.22."""
    go = subprocess.run([os.path.join(TOP, "tools/go-toolchain"), version], stdout=subprocess.PIPE, check=True,
                        text=True).stdout.strip()
    binary = os.path.join(folder, "heapdump")
    sources = os.path.join(TOP, "tests/goprogs/heapdump")
    files = [os.path.join(sources, name) for name in ("main.go", "extras_old.go")]
    subprocess.run([go, "build", "-o", binary, *files], check=True, cwd=folder,
                   env=dict(os.environ, GO111MODULE="off", GOTOOLCHAIN="local", CGO_ENABLED="0", GOFLAGS=""))
    return binary


@pytest.mark.full
@pytest.mark.parametrize("version", OLD)
def test_older_versions(version, tmp_path):
    path = str(tmp_path / "dump")
    with Target("heapdump", binary=build_old(version, str(tmp_path)), args=[path]) as target:
        counted = write_dump(target)
    check_sums(path, counted)
    rows = limpet_json("top", path, "--by", "root", "--limit", 100)["rows"]
    assert {20000, 3 * 1000 + 1, 2 * 5000 + 1, 512 + 1, 2 * 500 + 1} <= {row["objects"] for row in rows}
    # What a go statement starts is a wrapper in these versions: by frames, then.
    everyone = limpet_json("goroutines", path)["goroutines"]
    within = {f: [g for g in everyone if any(f == frame["function"] for frame in g["stack"])] for f in ("main.waiter", "main.holder")}
    assert [g["wait"] for g in within["main.waiter"]] == ["chan receive"] * 100
    assert [g["retained_bytes"] for g in within["main.holder"]] == [4 * 32] * 8
