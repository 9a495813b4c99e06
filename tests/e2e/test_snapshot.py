"""`limpet snapshot`: a core that others open too, that says no more than it may, whole or not at all."""
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import time

import pytest

import build_targets
import build_tools
import procs
from procs import limpet, limpet_json

QUICK = ("1.22", "1.27")
MINORS = [m if m in QUICK else pytest.param(m, marks=pytest.mark.full) for m in build_targets.MINORS]
CANARY = b"cAnArY"
# Four letters in a row are what `strings -n 4` would show.
SHREDS = re.compile(b"cAnA|AnAr|nArY")


def run(*argv, **more):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=300, check=False, **more)


def need(tool):
    if not shutil.which(tool):
        pytest.skip(f"no {tool} here")
    return tool


def dlv_stacks(*argv):
    """The program's goroutines with their stacks, as dlv prints them."""
    tool = build_tools.dlv()
    if not tool:
        pytest.skip("no dlv here")
    done = run(tool, argv[0], "--check-go-version=false", "--allow-non-terminal-interactive=true", *argv[1:],
               input="goroutines -t\nexit\nn\n")
    lines = [re.sub(r"^\(dlv\) ", "", line) for line in done.stdout.splitlines()]
    found, current = {}, None
    for line in lines:
        head = re.match(r"[* ]*Goroutine (\d+) - User: (\S+)", line)
        if head:
            # the runtime's own move on while the program waits
            current = None if "/src/runtime/" in head.group(2) else head.group(1)
            if current:
                found[current] = [re.sub(r" \[.*", "", line)]
        elif current and line.startswith("\t"):
            found[current].append(line)
    assert len(found) > 3 and all(len(f) > 2 for f in found.values()), done.stdout + done.stderr
    return found


@pytest.mark.parametrize("minor", MINORS)
def test_others_open_it(minor, tmp_path):
    """readelf has no complaint, gdb sees all threads, dlv the goroutines and stacks of the live process."""
    core, bare, redacted = (tmp_path / n for n in ("core", "core.bare", "core.redacted"))
    with procs.Target("mixed", minor, "dwarf") as target:
        least = len(os.listdir(f"/proc/{target.pid}/task"))  # the runtime may make one meanwhile, and ends none
        limpet("snapshot", target.pid, "-o", core)
        most = len(os.listdir(f"/proc/{target.pid}/task"))
        limpet("snapshot", core, "-o", bare, "--no-payload")
        limpet("snapshot", core, "-o", redacted, "--redact")
        live = dlv_stacks("attach", target.pid)
        assert target.alive()
    for path in (core, bare, redacted):
        elf = run(need("readelf"), "-aW", path)
        assert elf.returncode == 0 and not elf.stderr and "Warning" not in elf.stdout, elf.stderr[:500]
        gdb = run(need("gdb"), "-nx", "-batch", "-iex", "set auto-load off", "-ex", "info threads", target.binary, path)
        threads = len(re.findall(r"^\*? +\d+ +(?:LWP|Thread)", gdb.stdout, re.M))
        assert least <= threads <= most and threads == elf.stdout.count("NT_PRSTATUS"), gdb.stdout + gdb.stderr
        assert "warning" not in gdb.stderr.lower(), gdb.stderr
        assert dlv_stacks("core", target.binary, path) == live


# Not rip and rax: gdb stops threads in their system calls anew, and those may be about to be restarted.
REGISTERS = ["rsp", "rbp", "fs_base", *(f"xmm{i}" for i in range(16)), *(f"st{i}" for i in range(8)),
             "mxcsr", "fctrl", "fstat", "ftag"]


def gdb_registers(*target):
    """{thread: its registers} as gdb says them, and what it complains of."""
    done = run(need("gdb"), "-nx", "-batch", "-iex", "set auto-load off", "-iex", "set debuginfod enabled off",
               "-ex", "thread apply all info registers " + " ".join(REGISTERS), *target)
    found, thread = {}, None
    for line in done.stdout.splitlines():
        head = re.match(r"Thread \d+ \(.*LWP (\d+)", line)
        if head:
            thread = found.setdefault(int(head.group(1)), {})
        elif thread is not None and line.split(" ")[0] in REGISTERS:
            thread[line.split(" ")[0]] = line
    return found, done.stderr


def test_registers(tmp_path):
    """Of all threads, floating point and vectors too: what gdb sees in the stopped program it sees in the core of it."""
    core = tmp_path / "core"
    with procs.Target("cgo") as target:
        target.process.send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        limpet("snapshot", target.pid, "-o", core)
        limpet("snapshot", core, "-o", tmp_path / "redacted", "--redact")
        live, _ = gdb_registers("-p", target.pid)
        binary = target.binary
    assert len(live) > 3 and all(len(of) == len(REGISTERS) for of in live.values()), live
    assert len({of["xmm0"] for of in live.values()}) > 1
    found, said = gdb_registers(binary, core)
    assert found == live and "warning" not in said.lower(), said
    everything = run("gdb", "-nx", "-batch", "-iex", "set auto-load off", "-ex", "info all-registers", binary, core)
    assert "warning" not in everything.stderr.lower() and re.search("^xmm15 ", everything.stdout, re.M), everything.stderr
    notes = run(need("readelf"), "-nW", core)
    assert not notes.stderr and notes.stdout.count("NT_FPREGSET") == len(live) and notes.stdout.count("NT_SIGINFO") == 1
    # What was being copied is in them: they are data.
    assert "NT_FPREGSET" not in run("readelf", "-nW", tmp_path / "redacted").stdout


def without_labels(x):
    """Labels of goroutines are contents: how many there are is not."""
    if isinstance(x, list):
        return [without_labels(y) for y in x]
    if not isinstance(x, dict):
        return x
    return {key: len(value) if key == "labels" and value else
            [{k: v for k, v in row.items() if k not in ("name", "labels")} for row in value] if key == "by_label" else
            without_labels(value) for key, value in x.items()}


def answers(core, *more):
    """What limpet says of a core, without times of its own work."""
    said = {}
    for question in ("report", "verify", "top --by type --limit 200", "top --by root", "goroutines", "memory", "tree"):
        command, *options = question.split()
        text = json.dumps(limpet_json(command, core, *options, *more))
        said[question] = without_labels(json.loads(re.sub(r"(\\u2026)[0-9a-f]{4}", r"\1", text)))  # hashes of contents
        for key in ("read_ns", "extract_ns", "names_ns", "type_conflicts", "detectors"):
            said[question].get("capture", {}).pop(key, None)
        said[question].get("target", {}).pop("file", None)
        for part in ("target", "capture"):
            said[question].get(part, {}).pop("lacks", None)  # where it says what was left out
        for g in said[question].get("goroutines", []):
            g.pop("since_ns")  # by the clock of the machine
    return said


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("program", ["canary", pytest.param("mixed", marks=pytest.mark.full)])
def test_structure_stays(program, minor, tmp_path):
    """One instant, five ways to keep it: every answer but contents is the same."""
    core = tmp_path / "core"
    with procs.Target(program, minor) as target:
        limpet("snapshot", target.pid, "-o", core)
    full = answers(core)
    assert full["verify"]["missing"] == full["verify"]["extra"] == 0
    for options in (("--no-payload",), ("--redact",), ("--zstd",), ("--zstd", "--redact")):
        other = tmp_path / "other"
        limpet("snapshot", core, "-o", other, *options)
        less = answers(other)
        for question, answer in full.items():
            assert less[question] == answer, f"{options}: {question}"


def test_what_lacks_is_said(tmp_path):
    """What a core was without, a core made of it is without too, and every answer says so."""
    core, bare, again = (tmp_path / n for n in ("core", "core.bare", "again"))
    with procs.Target("canary") as target:
        limpet("snapshot", target.pid, "-o", core)
    limpet("snapshot", core, "-o", bare, "--redact")
    limpet("snapshot", bare, "-o", again)
    assert "left out" not in limpet("report", core, "--json").stdout
    for path in (bare, again):
        assert "left out" in limpet("report", path, "--json").stdout
        assert "lacks   text and contents" in limpet("report", path).stdout


def test_damaged_core_in(tmp_path):
    """Of a core that was cut, the copy has no more than it: no zeroes where nothing is known.  Absurd sizes end."""
    core, cut, copy = (tmp_path / n for n in ("core", "cut", "copy"))
    with procs.Target("mixed") as target:
        limpet("snapshot", target.pid, "-o", core)
    data = core.read_bytes()
    phoff, = struct.unpack_from("<Q", data, 32)
    headers = [phoff + 56 * i for i in range(struct.unpack_from("<H", data, 56)[0])]
    # of the heap, the biggest segment, only the first part is in the file any more
    heap = max((at for at in headers if struct.unpack_from("<I", data, at)[0] == 1),
               key=lambda at: struct.unpack_from("<Q", data, at + 32))
    offset, size = (struct.unpack_from("<Q", data, heap + k)[0] for k in (8, 32))
    for kept in (8, 12, 14, 15, 15.5, 15.8, 15.9, 15.95, 15.98):  # where the list of goroutines is not in what is lost
        held = int(size * kept / 16) & -4096 | 2500  # within a page: what is left of that counts for neither
        damaged = bytearray(data + data[offset:offset + held])
        struct.pack_into("<Q", damaged, heap + 8, len(data))
        cut.write_bytes(damaged)
        before = limpet("verify", cut, "--json", code=None)
        if before.stdout:
            break
    before = json.loads(before.stdout)
    said = limpet_json("snapshot", cut, "-o", copy)["snapshot"]
    after = json.loads(limpet("verify", copy, "--json", code=None).stdout)
    assert said["lost_bytes"] >= size - held > 0 and not said["lost_bytes"] % 4096
    pages = [[w for w in x["capture"]["losses"] if w["what"].startswith("heap pages")] for x in (before, after)]
    assert pages[0] == pages[1] and before["capture"]["losses"] and after["capture"]["losses"]
    for key in ("reachable_objects", "reachable_bytes", "gc_objects", "missing", "extra"):
        assert before[key] == after[key], key
    # a segment that reaches for 32 TiB
    for at in headers[-3:]:
        huge = bytearray(data)
        struct.pack_into("<Q", huge, at + 40, 1 << 45)
        cut.write_bytes(huge)
        start = time.monotonic()
        limpet("snapshot", cut, "-o", copy, code=None)
        assert time.monotonic() - start < 10 * procs.SLOW


def places(path):
    """Where the canaries in a file come from."""
    with open(path, "rb") as f:
        return {m.decode() for m in re.findall(CANARY + b"-([a-z]+)-", f.read())}


# Bytes beside pointers, on stacks, in globals and outside of Go are no payload.
STRUCTURE = {"field", "inlinekey", "chanfield", "argument", "captured", "stack", "chansend", "thread", "global",
             "globalfield", "globaldata", "mmap"}
PAYLOAD = {"mapkey", "mapvalue", "string", "slice", "noscankey", "any", "boxed", "syncmap", "list", "unicode",
           "chanbytes", "chanstring", "buffer", "builder", "label", "labelkey", "argv", "env"}


@pytest.mark.parametrize("minor", MINORS)
def test_canaries_in_cores(minor, tmp_path):
    """A full core has them all, one without payload only those in structure, a redacted one none."""
    core, bare, redacted = (tmp_path / n for n in ("core", "core.bare", "core.redacted"))
    letters = CANARY.decode()
    with procs.Target("canary", minor, args=["-x", f"{letters}-argv-1"], env={"SECRET": f"{letters}-env-1"}) as target:
        assert not places(target.binary)
        limpet("snapshot", target.pid, "-o", core)
        limpet("snapshot", target.pid, "-o", bare, "--no-payload")
        limpet("snapshot", target.pid, "-o", redacted, "--redact")
    assert STRUCTURE | PAYLOAD <= places(core)
    found = places(bare)
    assert found & STRUCTURE and not found & PAYLOAD, found & PAYLOAD
    # of 20,000 that lived once, what a stack still shows of the last ones
    assert bare.read_bytes().count(CANARY + b"-garbage") < 20 < core.read_bytes().count(CANARY + b"-garbage")
    data = redacted.read_bytes()
    assert not SHREDS.findall(data), [data[m.start() - 40:m.end() + 40] for m in SHREDS.finditer(data)][:5]
    shown = run(need("strings"), "-n", "4", redacted).stdout
    assert "padding" not in shown and "makes-it" not in shown and "\u043a\u043b\u044e\u0447".encode() not in data
    for name in ("GOTRACEBACK", "PATH=", "HOME="):
        assert name not in shown


def test_canaries_in_answers(tmp_path):
    """No answer shows a value that nobody asked for; --values full does."""
    letters = CANARY.decode()
    with procs.Target("canary", args=["-x", f"{letters}-argv-1"], env={"SECRET": f"{letters}-env-1"}) as target:
        record = dict(w.split("=") for w in target.words)["big"]
        core = tmp_path / "core"
        limpet("snapshot", target.pid, "-o", core)
    questions = [("report",), ("memory",), ("verify",), ("tree",), ("tree", record), ("object", record),
                 ("why", record), ("why", "main.Big"), ("goroutines",)]
    questions += [("top", "--by", by) for by in ("type", "package", "module", "root", "goroutine", "label", "kind", "field",
                                                 "generation", "site")]
    questions += [("goroutines", "--group-by", by) for by in ("stack", "state", "creator", "label")]
    questions += [("tree", "--tree", "owner"), ("why", "main.Big", "--tree", "both"), ("report", "--tree", "both")]
    for command, *rest in questions:
        for style in ((), ("--json",), ("--values", "none"), ("--values", "hash"), ("-o", tmp_path / "file")):
            if command != "object" and "--values" in style:
                continue
            done = limpet(command, core, *rest, *style)
            text = done.stdout + done.stderr
            if "-o" in style:
                text += (tmp_path / "file").read_text()
                assert os.stat(tmp_path / "file").st_mode & 0o777 == 0o600
            assert not SHREDS.search(text.encode()), f"{command} {rest} {style}: {SHREDS.search(text.encode())}"
    assert letters in limpet("object", core, record, "--values", "full").stdout
    assert letters in limpet("object", core, record, "--values", "full", "--json").stdout


@pytest.mark.parametrize("scale", [0.15, pytest.param(1, marks=pytest.mark.full)])
def test_payload_is_left_out(scale, tmp_path):
    """Of 1 GB with 600 MB of byte slices at most 420 MB are written."""
    core = tmp_path / "core"
    with procs.Target("payload", args=[int(600 * scale), int(360 * scale)]) as target:
        rss = int(procs.status(target.pid, "VmRSS").split()[0]) * 1024
        assert rss < 1010e6 * scale + 15e6 * (1 - scale)
        said = limpet_json("snapshot", target.pid, "-o", core, "--no-payload", seconds=300)["snapshot"]
    size = os.stat(core)
    assert said["file_bytes"] == size.st_size
    # the executable and the runtime's own cost the same at every scale
    assert size.st_size <= 420e6 * scale + 5e6 * (1 - scale)
    assert size.st_blocks * 512 <= size.st_size


def frames_of(packed):
    """(packed bytes, bytes) of each frame, by the seek table: zstd_seekable_compression_format.md."""
    count, descriptor, magic = struct.unpack("<IBI", packed[-9:])
    assert magic == 0x8F92EAB1 and descriptor == 0
    table = len(packed) - 9 - 8 * count - 8
    assert struct.unpack("<II", packed[table:table + 8]) == (0x184D2A5E, 8 * count + 9)
    return table, [struct.unpack("<II", packed[table + 8 + 8 * i:table + 16 + 8 * i]) for i in range(count)]


def test_zstd_is_seekable(mixed, tmp_path):
    need("zstd")
    core, packed, unpacked = (tmp_path / n for n in ("core", "core.zst", "core.out"))
    limpet("snapshot", mixed.pid, "-o", core)
    limpet("snapshot", core, "-o", packed, "--zstd")
    assert run("zstd", "-q", "-d", packed, "-o", unpacked).returncode == 0
    plain, data = unpacked.read_bytes(), packed.read_bytes()
    limpet("snapshot", core, "-o", tmp_path / "again")
    assert plain == (tmp_path / "again").read_bytes()
    table, frames = frames_of(data)
    assert len(frames) > 4 and sum(p for p, _ in frames) == table and sum(n for _, n in frames) == len(plain)
    at = inside = 0
    for size, n in frames:
        one = subprocess.run(["zstd", "-q", "-d", "-c"], input=data[at:at + size], capture_output=True, check=True)
        assert one.stdout == plain[inside:inside + n]
        at, inside = at + size, inside + n


def test_values_on_a_terminal(tmp_path):
    """`object` shows them there, for it was asked; nobody else does."""
    with procs.Target("canary") as target:
        limpet("snapshot", target.pid, "-o", tmp_path / "core")
    big = dict(w.split("=") for w in target.words)["big"]
    assert CANARY in procs.on_terminal("object", tmp_path / "core", big)
    assert not SHREDS.search(procs.on_terminal("object", tmp_path / "core", big, "--values", "none"))
    for command in ("report", "goroutines", "tree"):
        shown = procs.on_terminal(command, tmp_path / "core")
        assert len(shown) > 100 and not SHREDS.search(shown)


def one_line(done):
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("limpet: "), done.stderr
    return done.stderr


def test_usage(mixed, tmp_path):
    assert "-o FILE" in one_line(limpet("snapshot", mixed.pid, code=2))
    assert "--json" in one_line(limpet("snapshot", mixed.pid, "-o", "-", "--json", code=2))
    assert not os.listdir(tmp_path)
    one_line(limpet("snapshot", mixed.pid, "-o", tmp_path / "no" / "folder", code=3))
    one_line(limpet("snapshot", mixed.pid, "-o", tmp_path, code=3))


def test_summary_and_mode(mixed, tmp_path):
    core = tmp_path / "core"
    core.write_text("old")
    core.chmod(0o644)
    done = limpet("snapshot", mixed.pid, "-o", core)
    assert done.stdout.count("\n") == 1 and str(core) in done.stdout and not done.stderr
    assert core.stat().st_mode & 0o777 == 0o600 and core.read_bytes()[:4] == b"\x7fELF"
    said = limpet_json("snapshot", mixed.pid, "-o", core, "--zstd")
    assert said["snapshot"]["file_bytes"] == core.stat().st_size and said["capture"]["pause_ns"] > 0
    assert said["target"]["pid"] == mixed.pid and said["snapshot"]["format"] == "core.zst"
    assert os.listdir(tmp_path) == ["core"]


def test_limit_on_file_size(tmp_path):
    """ulimit -f: one line, exit 3, and what was there before is still there."""
    core, limit = tmp_path / "core", 20 << 20
    core.write_text("old")
    with procs.Target("payload", args=[40, 10]) as target:
        for options in ([], ["--zstd"]):
            done = limpet("snapshot", target.pid, "-o", core, *options, code=3,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
            assert "too large" in one_line(done)
            assert core.read_text() == "old" and os.listdir(tmp_path) == ["core"]
        assert target.alive() and not procs.twins(target.pid)


def in_small_disk(size, words, folder):
    """A shell line in a mount namespace of its own, where folder is a tmpfs of that size."""
    script = f"mount -t tmpfs -o size={size} none {folder} && {{ {words}; echo code $?; ls -A {folder}; }}"
    done = run("unshare", "-m", "sh", "-c", script)
    if "code" not in done.stdout:
        pytest.skip(f"no mount namespace here: {done.stderr.strip()}")
    return done


def test_disk_full(mixed, tmp_path):
    """Too little room is seen before anything is written, and if not, nothing is left behind."""
    done = in_small_disk("4m", f"{procs.LIMPET} snapshot {mixed.pid} -o {tmp_path}/core", tmp_path)
    assert done.stdout.split() == ["code", "3"] and "needs" in one_line(done) and "are free" in done.stderr
    # the guess of what zstd needs may be too low
    done = in_small_disk("3m", f"{procs.LIMPET} snapshot {mixed.pid} -o {tmp_path}/core --zstd", tmp_path)
    assert done.stdout.split() == ["code", "3"] and "No space left" in one_line(done)
    assert mixed.alive() and not procs.twins(mixed.pid)


def test_pipe(mixed, tmp_path):
    """A core through a pipe is the same; a reader that goes away is an error in one line."""
    core, piped = tmp_path / "core", tmp_path / "piped"
    limpet("snapshot", mixed.pid, "-o", core)
    with open(piped, "wb") as f:
        subprocess.run(f"{procs.LIMPET} snapshot {core} -o - | cat", shell=True, stdout=f, check=True,
                       stderr=subprocess.DEVNULL)
    limpet("snapshot", core, "-o", tmp_path / "again")
    assert piped.read_bytes() == (tmp_path / "again").read_bytes()
    done = run("bash", "-c", f"{procs.LIMPET} snapshot {mixed.pid} -o - | head -c 10000 >/dev/null; echo ${{PIPESTATUS[0]}}")
    assert done.stdout.strip() == "3" and "Broken pipe" in one_line(done)
    assert mixed.alive() and not procs.twins(mixed.pid)


PART = re.compile(r"core\.\w{6}")


def nameless(folder):
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ended_while_it_writes(sig, tmp_path):
    """Ctrl-C, kill, kill -9 at any moment: no file or a whole one, no twin, and the program runs on."""
    with procs.Target("payload", args=[100, 100]) as target:
        for wait in (0.02, 0.1, 0.2, 0.3):
            with subprocess.Popen([procs.LIMPET, "snapshot", str(target.pid), "-o", str(tmp_path / "core"), "--zstd"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as p:
                time.sleep(wait * procs.SLOW)
                p.send_signal(sig)
                words = p.stderr.read()
                code = p.wait(timeout=60)
            assert code in (0, -sig), f"{code}: {words}"
            if code:
                # who is killed cannot clean up: where the file system knows no nameless files, the part stays
                left = [n for n in os.listdir(tmp_path) if nameless(tmp_path) or sig != signal.SIGKILL or not PART.fullmatch(n)]
                assert left in ([], ["core"])
                if left:  # the signal came when all was written
                    limpet("verify", tmp_path / "core")
            for name in os.listdir(tmp_path):
                os.unlink(tmp_path / name)
            end = time.monotonic() + 10
            while procs.twins(target.pid) and time.monotonic() < end:
                time.sleep(0.05)
            assert target.alive() and not procs.twins(target.pid) and not procs.traced(target.pid)


def descendants(pid):
    with contextlib.suppress(OSError):
        kids = open(f"/proc/{pid}/task/{pid}/children", encoding="ascii").read().split()
        return [d for kid in kids for d in [int(kid), *descendants(int(kid))]]
    return []


def test_all_killed_while_it_writes(tmp_path):
    """kill -9 of limpet, its broker and its surgeon at once: nobody is left to clean up, and nothing is there to be."""
    if not nameless(tmp_path):
        pytest.skip("no O_TMPFILE on this file system")
    seen = 0
    with procs.Target("payload", args=[100, 100]) as target:
        for i in range(8):
            with subprocess.Popen([procs.LIMPET, "snapshot", str(target.pid), "-o", str(tmp_path / "core")],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
                time.sleep((0.05 + 0.03 * i) * procs.SLOW)
                helpers = descendants(p.pid)
                for pid in [*helpers, p.pid]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                code = p.wait(timeout=60)
            seen += code == -signal.SIGKILL and len(helpers) == 2
            assert os.listdir(tmp_path) in ([], ["core"])
            with contextlib.suppress(FileNotFoundError):
                os.unlink(tmp_path / "core")
            procs.limpet("doctor", "--reap", target.pid)
            assert target.alive() and not procs.twins(target.pid) and not procs.traced(target.pid)
    assert seen


EVIL = b"\x1b]0;owned\x07\x1b[2J\xc2\x9b31m"


def hostile_program(folder):
    """A binary whose names of types, functions and of the module drive a terminal."""
    with open(build_targets.build("evil"), "rb") as f:
        data = f.read()
    for name in (b"EvilTypeEvilTypeEvil", b"evilFuncevilFuncevil", b"evilFieldevilField"):
        assert name in data, name
        data = data.replace(name, EVIL[:len(name)].ljust(len(name), b"x"))
    data = data.replace(b"goprogs/evil\n", b"goprogs/\x1b[1m\n")
    path = folder / "evil\x1b]0;name\x07"
    path.write_bytes(data)
    path.chmod(0o755)
    return path


def test_names_drive_no_terminal(tmp_path):
    """Escape sequences in names of types, functions, fields, modules and files are shown, not obeyed."""
    binary = hostile_program(tmp_path)
    with procs.Target("evil", binary=str(binary)) as target:
        core = tmp_path / "core"
        snap = limpet("snapshot", target.pid, "-o", core)
    assert "\x1b" not in snap.stdout + snap.stderr
    seen = ""
    for command in (("report",), ("top", "--by", "type"), ("top", "--by", "goroutine"), ("goroutines",), ("memory",),
                    ("verify",), ("tree",), ("why", target.words[0]), ("goroutines", "--group-by", "stack"),
                    ("object", target.words[0])):
        for style in ((), ("--json",)):
            done = limpet(command[0], core, *command[1:], *style)
            text = done.stdout + done.stderr
            bad = [c for c in text if (ord(c) < 32 and c not in "\n\t") or 0x7f <= ord(c) < 0xa0]
            assert not bad, f"{command} {style}: {bad}: {text[max(0, text.index(bad[0]) - 60):][:120]!r}"
            if style:
                json.loads(done.stdout)
            seen += text
    assert "\\x1b]0;" in seen and "\\u001b]0;" in seen
    done = limpet("report", "name:evil\x1b[2J", code=3)
    assert "\x1b" not in done.stderr


def test_what_it_takes(tmp_path):
    """A heap dump is no memory, a foreign program not Go; an unknown Go runtime is kept all the same."""
    dump, core = tmp_path / "dump", tmp_path / "core"
    with procs.Target("heapdump", args=[dump]) as target:
        at = len(target.lines)
        os.kill(target.pid, signal.SIGUSR1)
        target.wait_line("DUMPED", after=at)
        assert "heap dump" in one_line(limpet("snapshot", dump, "-o", core, code=4))
        table = tmp_path / "table"
        limpet("layout", "--go", build_targets.toolchain("1.22"), "-o", table)
        # a table that cannot fit stands for a Go that nobody knows yet
        done = limpet("snapshot", target.pid, "-o", core, "--layout", table)
        assert "the core is whole" in one_line(done)
        one_line(limpet("snapshot", target.pid, "-o", tmp_path / "no", "--layout", table, "--redact", code=4))
    assert limpet_json("verify", core)["missing"] == 0 and not (tmp_path / "no").exists()
    with subprocess.Popen(["sleep", "60"]) as other:
        assert "not a Go program" in one_line(limpet("snapshot", other.pid, "-o", tmp_path / "no", code=4))
        other.kill()
    assert not (tmp_path / "no").exists()
