"""Cores: the kernel's, gcore's, delve's; whole, packed, cut, damaged; with and without the executable."""
import gzip
import os
import random
import re
import shutil
import struct
import subprocess

import pytest

import build_targets
import cores
from procs import FULL, LIMPET, SLOW, limpet, limpet_json

MIB = 1 << 20
MINORS = build_targets.MINORS if FULL else ["1.22", "1.27"]

pytestmark = pytest.mark.skipif(not cores.objects_program(), reason="needs tests/tools/objects, which the build makes")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs ptrace of a stopped process, and core_pattern")


def check_same(first, path, what, *args):
    bad = cores.difference(first, cores.objects(path, *args), what)
    assert not bad, bad


@needs_root
@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("flavour", ["stripped", pytest.param("dwarf", marks=pytest.mark.full),
                                     pytest.param("pie", marks=pytest.mark.full)])
def test_one_process_one_instant(tmp_path, minor, flavour):
    """Live twin, our own core plain and packed, gcore, the kernel's core: the same objects, types, reachability."""
    with cores.Stopped(tmp_path, "mixed", minor, flavour) as target:
        target.stop()
        live = cores.objects(target.pid)
        assert len(live) > 100000
        for name, options in (("ours", []), ("ours.zst", ["--zstd"])):
            limpet("snapshot", target.pid, "-o", tmp_path / name, *options)
            check_same(live, tmp_path / name, f"limpet snapshot {options}")
            os.unlink(tmp_path / name)
        if shutil.which("gcore"):
            path = cores.gcore(target)
            check_same(live, path, "gcore")
            os.unlink(path)
        path = cores.kernel_core(target)
        check_same(live, path, "kernel")
        os.unlink(path)


@needs_root
@pytest.mark.parametrize("minor", MINORS if FULL else ["1.27"])
def test_delve(tmp_path, minor):
    """`dlv dump`: no list of mapped files in it, notes without names, program headers at the end."""
    if not cores.dlv():
        pytest.skip("delve is not here and cannot be fetched")
    with cores.Stopped(tmp_path, "mixed", minor) as target:
        target.stop()
        live = cores.objects(target.pid)
        check_same(live, cores.dlv_dump(target), "dlv dump")


@needs_root
@pytest.mark.parametrize("program", ["cgo", "goroutines10k", pytest.param("bigmaps", marks=pytest.mark.full)])
def test_other_programs(tmp_path, program):
    with cores.Stopped(tmp_path, program) as target:
        target.stop()
        live = cores.objects(target.pid)
        path = cores.kernel_core(target)
        check_same(live, path, "kernel")
        os.unlink(path)


@needs_root
@pytest.mark.parametrize("bits", [0x01, 0x3f, pytest.param(0x23, marks=pytest.mark.full),
                                  pytest.param(0x11, marks=pytest.mark.full)])
def test_coredump_filter(tmp_path, bits):
    """Without bits 2 to 5 no page of a file is in the core: they come from the executable."""
    with cores.Stopped(tmp_path, "mixed") as target:
        target.stop()
        live = cores.objects(target.pid)
        path = cores.kernel_core(target, bits)
        check_same(live, path, f"filter {bits:#x}")
        os.unlink(path)


@needs_root
def test_nothing_dumped(tmp_path):
    """Bit 0 is what the heap is in: without it there is nothing, and the line says what is missing."""
    with cores.Stopped(tmp_path, "quiet") as target:
        target.stop()
        path = cores.kernel_core(target, 0)
    done = limpet("report", path, code=4)
    assert "not dumped" in done.stderr and done.stderr.count("\n") == 1, done.stderr


@needs_root
def test_abort(tmp_path):
    """GOTRACEBACK=crash and SIGABRT: Go prints all goroutines before it dies, so the heap is that of a few
    instants later; nothing that was reachable is lost, and what is new is what the printing needed."""
    with cores.Stopped(tmp_path, "mixed", env={"GOTRACEBACK": "crash"}) as target:
        target.stop()
        live = {line for line in cores.objects(target.pid) if line.endswith(" reachable")}
        path = cores.abort_core(target)
    core = {line for line in cores.objects(path) if line.endswith(" reachable")}
    assert len(live - core) <= 20 and len(core - live) <= 200, (len(live - core), len(core - live))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A kernel core of a small program, its executable beside it, and the objects that were in it."""
    folder = tmp_path_factory.mktemp("core")
    binary = str(folder / "quiet")
    shutil.copy(build_targets.build("quiet"), binary)
    with cores.Stopped(folder, "quiet", binary=binary) as target:
        target.stop()
        live = cores.objects(target.pid)
        path = cores.kernel_core(target)
    return path, binary, live


def waits(target):
    """{goroutine: nanoseconds} of those whose wait is known."""
    found = limpet_json("goroutines", target)["goroutines"]
    return {g["id"]: g["since_ns"] for g in found if g["since_ns"] is not None}


def file_parts(path):
    """(offset, bytes in the file) of the mappings of a core, by its program headers."""
    with open(path, "rb") as f:
        data = f.read(1 << 20)
    heads = [struct.unpack_from("<IIQQQQ", data, 64 + 56 * i) for i in range(struct.unpack_from("<H", data, 56)[0])]
    return [(offset, nbytes) for kind, _, offset, _, _, nbytes in heads if kind == 1 and nbytes]


def missing(loads, length):
    """
    (mappings, bytes) that a cut takes.  The kernel makes the file as long as its headers say, holes at its end too
    (dump_user_range, dump_skip; do_coredump ends with dump_truncate), and a page of which a byte is gone is gone:
    nothing tells what stood there.  So one byte less is one page less, of [vsyscall] or whatever comes last.
    """
    gone = [nbytes - max(0, min(nbytes, length - offset)) // 4096 * 4096 for offset, nbytes in loads]
    return sum(n > 0 for n in gone), sum(gone)


@needs_root
class TestSmall:
    """One core, looked at in every way."""

    def test_head(self, small):
        answer = limpet_json("report", small[0])
        assert answer["target"]["kind"] == "core" and answer["capture"]["method"] == "file"
        assert answer["target"]["go"].startswith("go1.27") and answer["capture"]["losses"] == []
        assert answer["exactness"]["missing"] == 0 and answer["exactness"]["extra"] == 0
        assert limpet_json("goroutines", small[0])["goroutines"]

    def test_memory_without_rss(self, small):
        """A core does not know what was resident: no figure is better than a wrong one."""
        memory = limpet_json("memory", small[0])["memory"]
        assert memory["rss"] is None and memory["off_heap"] is None and memory["unexplained"] is None
        assert memory["heap_live"] > 0
        assert "RSS" in limpet("memory", small[0]).stdout

    def test_verify(self, small):
        answer = limpet_json("verify", small[0])
        assert answer["missing"] == 0 and answer["gc_objects"] > 0

    def test_waits(self, tmp_path):
        """since_ns: from our own core as from the process; from others a lower bound."""
        with cores.Stopped(tmp_path, "mixed") as target:
            target.collect()
            target.stop()
            limpet("snapshot", target.pid, "-o", tmp_path / "ours")
            paths = [target.pid, tmp_path / "ours"]
            live, ours = [waits(p) for p in paths]
            kernel = waits(cores.kernel_core(target))
        assert live and live.keys() == ours.keys() == kernel.keys()
        for goroutine, wait in live.items():
            assert abs(wait - ours[goroutine]) < 20e9, (goroutine, wait, ours[goroutine])
            assert 0 <= kernel[goroutine] <= wait, (goroutine, wait, kernel[goroutine])

    def test_live_options(self, small):
        """What steers a live snapshot means nothing for a file, and does no harm."""
        limpet("report", small[0], "--freeze")
        limpet("report", small[0], "--max-pause", "1")

    def test_gzip(self, small, tmp_path):
        packed = tmp_path / "x.bin"
        with open(small[0], "rb") as f, gzip.open(packed, "wb", compresslevel=1) as out:
            shutil.copyfileobj(f, out)
        check_same(small[2], packed, "gzip", "--exe", small[1])
        assert not [name for name in os.listdir("/var/tmp") if name.startswith("limpet-")]

    @pytest.mark.skipif(not shutil.which("zstd"), reason="needs the zstd command")
    def test_zstd_stream(self, small, tmp_path):
        packed = tmp_path / "x.bin"
        subprocess.run(["zstd", "-1", "-q", "-o", packed, small[0]], check=True)
        check_same(small[2], packed, "zstd", "--exe", small[1])

    def test_packed_and_cut(self, small, tmp_path):
        """What came out before the cut is used; the line says that the file was cut."""
        packed = tmp_path / "x.gz"
        with open(small[0], "rb") as f, gzip.open(packed, "wb", compresslevel=1) as out:
            shutil.copyfileobj(f, out)
        os.truncate(packed, os.path.getsize(packed) * 9 // 10)
        code, words, _ = cores.bounded("report", packed, "--exe", small[1])
        assert code == 0 or "cut" in words, words

    def test_no_room_to_unpack(self, small, tmp_path):
        """A disk that is too small: one line, exit 3, nothing left behind."""
        packed, disk = tmp_path / "x.gz", tmp_path / "disk"
        with open(small[0], "rb") as f, gzip.open(packed, "wb", compresslevel=1) as out:
            shutil.copyfileobj(f, out)
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], check=False).returncode:
            pytest.skip("cannot mount a small disk here")
        try:
            done = limpet("report", packed, code=3, env=dict(os.environ, TMPDIR=str(disk)))
            assert "TMPDIR" in done.stderr and done.stderr.count("\n") == 1, done.stderr
            assert os.listdir(disk) == []
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_executable(self, small, tmp_path):
        """By its path; beside the core; by --exe; by --sysroot; and not at all."""
        path, binary, live = small
        away = tmp_path / "away" / os.path.relpath(binary, "/")
        os.makedirs(away.parent)
        shutil.move(binary, away)
        try:
            done = limpet("report", path, code=3)
            assert binary in done.stderr and "--exe" in done.stderr and done.stderr.count("\n") == 1
            check_same(live, path, "--exe", "--exe", away)
            check_same(live, path, "--sysroot", "--sysroot", tmp_path / "away")
            alone = tmp_path / "alone"
            alone.mkdir()
            shutil.copy(path, alone / "core")
            shutil.copy(away, alone / "quiet")
            check_same(live, alone / "core", "beside")
        finally:
            shutil.move(away, binary)

    @pytest.mark.parametrize("other", ["1.26 quiet", "1.27 mixed", "/bin/ls", "rebuilt"])
    def test_wrong_executable(self, small, tmp_path, other):
        path, binary, _ = small
        if other == "rebuilt":
            wrong = tmp_path / "rebuilt"
            shutil.copy(binary, wrong)
            with open(wrong, "r+b") as f:
                at = f.read(4096).index(b"Go\0\0") + 8
                f.seek(at)
                f.write(b"another-build")
        elif other.startswith("/"):
            wrong = other
        else:
            wrong = build_targets.build(other.split()[1], other.split()[0])
        done = limpet("report", path, "--exe", wrong, code=4)
        assert "is not the file that ran" in done.stderr and done.stderr.count("\n") == 1, done.stderr

    def test_wrong_executable_found(self, small, tmp_path):
        """The path of the core holds a newer build by now: refused, not read as if it were the old one."""
        path, binary, _ = small
        shutil.copy(binary, tmp_path / "right")
        try:
            shutil.copy(build_targets.build("quiet", "1.26"), binary)
            done = limpet("report", path, code=4)
            assert "is not the file that ran" in done.stderr and "--exe" in done.stderr, done.stderr
            limpet("report", path, "--exe", tmp_path / "right")
        finally:
            shutil.copy(tmp_path / "right", binary)

    def test_cut(self, small, tmp_path):
        """ulimit -c: used as far as it goes; bytes that are missing are said; never a crash."""
        path, binary, _ = small
        loads = file_parts(path)
        size, answered = os.path.getsize(path), 0
        rng = random.Random(7)
        lengths = sorted([0, 1, 63, 64, 200, 4095, size - 1, *(rng.randrange(size) for _ in range(93 if FULL else 8))])
        cut = tmp_path / "cut"
        subprocess.run(["cp", "--sparse=always", path, cut], check=True)
        for length in reversed(lengths):
            os.truncate(cut, length)
            code, words, peak = cores.bounded("report", cut, "--exe", binary)
            answered += code == 0
            assert code or not words, words
            assert code in (0, 4) and peak < 400 * MIB * SLOW, (length, code, peak, words)
            assert not code or words.count("\n") == 1, words
            if code == 0:
                losses = limpet_json("report", cut, "--exe", binary)["capture"]["losses"]
                assert [(loss["count"], loss["bytes"]) for loss in losses if "cut off" in loss["what"]] == [missing(loads, length)], \
                    (length, losses)
        print(f"{answered} of {len(lengths)} answered")
        assert answered

    def test_cut_in_half_has_goroutines(self, small, tmp_path):
        """The kernel writes the runtime's tables last, so they are lost first; stacks are still there."""
        path, binary, _ = small
        want = {g["id"]: [f["function"] for f in g["stack"]] for g in limpet_json("goroutines", path)["goroutines"]}
        shutil.copy(path, tmp_path / "cut")
        os.truncate(tmp_path / "cut", os.path.getsize(path) * 55 // 100)
        answer = limpet_json("goroutines", tmp_path / "cut", "--exe", binary)
        got = {g["id"]: [f["function"] for f in g["stack"]] for g in answer["goroutines"]}
        same = [i for i in want if got.get(i) == want[i] and want[i]]
        assert len(same) >= len(want) // 2, (want, got)
        assert sum(loss["bytes"] for loss in answer["capture"]["losses"]) > MIB

    def test_flips(self, small, tmp_path):
        """Random bytes of it are changed: an error, a loss, or an answer, within time and memory."""
        path, binary, _ = small
        damaged = tmp_path / "damaged"
        subprocess.run(["cp", "--sparse=always", path, damaged], check=True)
        spans = cores.extents(path)
        rng = random.Random(11)
        codes = {}
        for round_ in range(10000 if FULL else 100):
            # one in four hits headers and notes, where everything hangs on each byte
            start, end = (0, 8192) if round_ % 4 == 0 else rng.choice(spans)
            places = [rng.randrange(start, end) for _ in range(rng.choice([1, 1, 1, 20]))]
            before = []
            with open(damaged, "r+b") as f:
                for at in places:
                    f.seek(at)
                    before.append((at, f.read(1)))
                    f.seek(at)
                    f.write(bytes([rng.randrange(256)]))
            command = rng.choice(["report", "goroutines", "top", "verify", "memory"])
            code, words, peak = cores.bounded(command, damaged, "--exe", binary)
            codes[code] = codes.get(code, 0) + 1
            assert peak < 600 * MIB * SLOW and re.fullmatch(r"(limpet: [^\n]+\n)?", words), (places, command, peak, words)
            with open(damaged, "r+b") as f:
                for at, old in reversed(before):
                    f.seek(at)
                    f.write(old)
        print(codes)


@needs_root
@pytest.mark.full
def test_big_core_costs_no_memory(tmp_path):
    """3 GB of byte slices in the core: what limpet needs follows the objects, not the bytes."""
    with cores.Stopped(tmp_path, "payload", args=[3000, 10]) as target:
        target.stop()
        path = cores.kernel_core(target)
    held = sum(end - start for start, end in cores.extents(path))
    code, words, peak = cores.bounded("report", path, seconds=60)
    os.unlink(path)
    assert code == 0, words
    print(f"{held / MIB:.0f} MiB of core, {peak / MIB:.0f} MiB of memory")
    assert held > 3000 * 10**6 and peak < 200 * MIB * SLOW


def test_not_a_core(tmp_path):
    """Kinds are told by content; what is no evidence is named."""
    text = tmp_path / "core"
    text.write_text("hello\n")
    assert "no kind of file" in limpet("report", text, code=4).stderr
    text.write_text("")
    assert "empty" in limpet("report", text, code=4).stderr
    assert "not a core" in limpet("report", LIMPET, code=4).stderr
    assert "folder" in limpet("report", tmp_path, code=4).stderr
    limpet("report", tmp_path / "none", code=3)
    text.write_bytes(b"SQLite format 3\0" + bytes(100))
    assert "is no store that can be read" in limpet("report", text, code=4).stderr
    text.write_bytes(b"go 1.26 trace\0\0\0" + bytes(100))
    done = limpet("report", text, code=4)
    assert "this version" in done.stderr and done.stderr.count("\n") == 1, done.stderr
