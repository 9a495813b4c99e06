"""Variables by DWARF, held against dlv on the same core; twins, debug files, and files that are none."""
import http.server
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import threading
import time

import pytest

import build_targets
import dlvrpc
import procs

TOOL = os.path.join(os.path.dirname(procs.LIMPET), "tests/tools/vars")
MINORS = build_targets.MINORS if procs.FULL else ["1.23", "1.26"]


# Globals that only code told of are named by their place in the section.
UNNAMED = re.compile(r"(noptr)?(data|bss)\+0x")


def run(*argv, code=0):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == code, (argv, done.returncode, done.stdout[-500:], done.stderr[-2000:])
    return done


def variables(target, *options):
    """[(address, bytes, name, type, where, first word, function)] as limpet believes: what DWARF named."""
    out = run(TOOL, target, *options).stdout
    return [(int(f[0], 16), int(f[1]), f[2], f[3], f[4], int(f[5], 16), f[6])
            for f in (line.split("\t") for line in out.splitlines()) if not UNNAMED.match(f[2])]


def plain(name):
    """Types as both spell them: struct, func and interface literals are left to their kind."""
    name = re.sub(r"(struct|interface|func)\s*[{(].*", r"\1", name)
    return name.replace("interface {}", "any").replace("interface", "any").replace("%2e", ".")


def generic(function):
    """Type arguments are spelt out by dlv only."""
    return re.sub(r"\[.*?\]", "[...]", function)


@pytest.fixture(name="cores", scope="module")
def make_cores(tmp_path_factory):
    made = {}

    def core(program, minor, flavour="dwarf", args=()):
        key = (program, minor, flavour)
        if key not in made:
            path = tmp_path_factory.mktemp("cores") / "core"
            with procs.Target(program, minor, flavour, args=args) as target:
                run(procs.LIMPET, "snapshot", target.pid, "-o", path, "--quiet")
                made[key] = (target.binary, path)
        return made[key]

    yield core
    for _, path in made.values():
        os.remove(path)


def compare_globals(dlv, ours):
    theirs = {v["name"]: v for v in dlv.globals() if v["addr"]}
    seen, wrong = 0, []
    for at, nbytes, name, kind, where, _, _ in ours:
        if where != "global" or name not in theirs:
            continue
        seen += 1
        v = theirs[name]
        if at != v["addr"] or plain(kind) != plain(v["type"]) or not nbytes:
            wrong.append((name, hex(at), nbytes, kind, hex(v["addr"]), v["type"]))
    return seen, len(theirs), wrong


def compare_locals(dlv, ours):
    """Each local that limpet believes in: dlv has one of that name and type there, in that frame's function."""
    by_goroutine = {}
    for v in ours:
        where = re.match(r"goroutine (\d+) frame (\d+) pc (\S+) (.*)", v[4])
        if where:
            by_goroutine.setdefault(int(where[1]), []).append((int(where[3], 16), v))
    seen, wrong, unknown = 0, [], 0
    known = set(dlv.goroutines())
    for goroutine, found in sorted(by_goroutine.items())[:400 if procs.FULL else 25]:
        if goroutine not in known:
            continue
        pcs = {pc for pc, _ in found}
        theirs = {}
        for i, frame in enumerate(dlv.stack(goroutine)):
            if frame["pc"] not in pcs:
                continue
            for v in dlv.locals(goroutine, i):
                theirs.setdefault(v["addr"], []).append((v["name"], plain(v["type"]), frame["pc"],
                                                         generic(frame["function"]["name"])))
        for pc, (at, _, name, kind, where, word, function) in found:
            if name.startswith("&"):  # dlv shows the variable on the heap itself
                at, name, kind = word, name[1:], kind[1:]
            seen += 1
            # at a call dlv looks where it returns to: what ends there it no longer shows
            unknown += at not in theirs
            if at in theirs and (name, plain(kind), pc, generic(function)) not in theirs[at]:
                wrong.append((where, hex(at), name, kind, function, theirs.get(at)))
    return seen, unknown, wrong


@pytest.mark.parametrize("program", ["mixed", "leakhttp", "inlined"])
@pytest.mark.parametrize("minor", MINORS)
def test_variables_are_dlvs(minor, program, cores):
    """Addresses, names and types of globals and locals."""
    if program != "mixed" and minor == "1.23" and not procs.FULL:
        pytest.skip("one version of it will do")
    binary, core = cores(program, minor)
    ours = variables(core, "--exe", binary)
    try:
        with dlvrpc.Dlv(binary, core) as dlv:
            seen, theirs, wrong_globals = compare_globals(dlv, ours)
            nlocals, unknown, wrong = compare_locals(dlv, ours)
    except FileNotFoundError:
        pytest.skip("no dlv here")
    print(f"{program} {minor}: {seen} of {theirs} globals, {nlocals} locals compared, {unknown} not shown by dlv")
    assert seen > 200 and seen > 0.9 * theirs and not wrong_globals, wrong_globals[:10]
    assert nlocals - unknown > 8 and unknown <= 2 + nlocals // 100 and not wrong, wrong[:10]


PLACE = re.compile(r"^ +(\w+) \((\S+), .*\) in goroutine (\d+), frame (\d+)\n(?:.*\n)*?.*"
                   r" in frame of (\S+): local (\w+)\n *-> (\S+) (0x[0-9a-f]+)", re.M)


@pytest.mark.parametrize("minor", MINORS)
def test_why_counts_frames_as_dlv(minor, cores):
    """`session in goroutine 18, frame 4`: dlv's frame 4 of it has a session that points there, inlined or not."""
    binary, core = cores("inlined", minor)
    said = run(procs.LIMPET, "why", core, "main.session", "main.server", "--exe", binary, "--paths", "4", "--limit",
               "0").stdout
    found = PLACE.findall(said)
    try:
        with dlvrpc.Dlv(binary, core) as dlv:
            for name, kind, goroutine, frame, function, local, what, at in found:
                theirs = {v["name"]: v for v in dlv.locals(int(goroutine), int(frame))}
                assert name == local and theirs[name]["type"] == kind == "*" + what
                assert theirs[name]["children"][0]["addr"] == int(at, 16), (name, at, theirs[name])
                assert dlv.stack(int(goroutine))[int(frame)]["function"]["name"] == function
    except FileNotFoundError:
        pytest.skip("no dlv here")
    names = [f[0] for f in found]
    print(minor, len(found), "names")
    assert names.count("session") >= 10 and names.count("server") >= 10


def by_name(found):
    """What does not depend on where the program was loaded: goroutines' frames by function."""
    return sorted((n, t, re.sub(r"^goroutine \d+ frame \d+ pc \S+ ", "", w)) for _, _, n, t, w, _, _ in found
                  if not re.match(r"goroutine \d+ frame \d+ pc \S+ runtime\.", w))


@pytest.mark.parametrize("minor", MINORS)
def test_twin_is_as_good(minor, cores):
    """A stripped program with --symbols has the variables of the unstripped one, each section moved."""
    twin, core = cores("mixed", minor)
    bare, stripped_core = cores("mixed", minor, "stripped")
    assert not variables(stripped_core, "--exe", bare)
    own = by_name(variables(core, "--exe", twin))
    given = by_name(variables(stripped_core, "--exe", bare, "--symbols", twin))
    assert [v for v in own if v[2] == "global"] == [v for v in given if v[2] == "global"]
    assert len(own) == len(given) and own == given


def test_other_files_are_refused(cores, tmp_path):
    bare, core = cores("mixed", "1.26", "stripped")
    other = build_targets.build("quiet", "1.26", "dwarf")
    older = build_targets.build("mixed", "1.23", "dwarf")
    (tmp_path / "text").write_text("no ELF file", encoding="ascii")
    for path, words, code in ((other, "of another build", 4), (older, "of another build: by go1.23", 4),
                              (bare, "no DWARF in it", 4), (tmp_path / "text", "not an ELF file", 4),
                              (tmp_path / "none", "No such file", 3)):
        done = run(procs.LIMPET, "report", core, "--exe", bare, "--symbols", path, code=code)
        assert words in done.stderr and done.stderr.count("\n") == 1 and not done.stdout, done.stderr


@pytest.mark.parametrize("minor", ["1.22", "1.26"])
def test_debug_files(minor, tmp_path):
    """A debug file beside the program (debug link), one by build id below a sysroot, other compressions: 4 and 5."""
    if not shutil.which("objcopy"):
        pytest.skip("no objcopy here")
    twin = build_targets.build("mixed", minor, "dwarf")
    version = re.search(r"Version: +(\d)", run("readelf", "--debug-dump=info", "--dwarf-depth=1", twin).stdout)
    assert version[1] == ("4" if minor == "1.22" else "5")
    cut, debug = tmp_path / "mixed", tmp_path / "mixed.debug"
    run("objcopy", "--only-keep-debug", twin, debug)
    run("objcopy", "--strip-all", twin, cut)
    build_id = re.search(r"Build ID: ([0-9a-f]+)", run("readelf", "-n", cut).stdout)
    assert bool(build_id) == (minor != "1.22")  # Go's linker makes one from 1.24 on
    with procs.Target("mixed", binary=str(cut)) as target:
        assert not variables(target.pid)
        want = variables(target.pid, "--symbols", twin)
        assert sum(v[4] == "global" for v in want) > 200 and any(v[2] == "local" for v in want)
        want = by_name(want)
        assert by_name(variables(target.pid, "--symbols", debug)) == want
        if build_id:
            below = tmp_path / "root/usr/lib/debug/.build-id" / build_id[1][:2]
            below.mkdir(parents=True)
            shutil.copy(debug, below / (build_id[1][2:] + ".debug"))
            assert by_name(variables(target.pid, "--sysroot", tmp_path / "root")) == want
        hows = [("zlib-gnu", ".zdebug_info"), ("none", ".debug_info"), ("zlib", ".debug_info"), ("zlib-gabi", ".debug_info")]
        for how, section in hows if procs.FULL else hows[:2]:
            packed = tmp_path / how
            how = "--decompress-debug-sections" if how == "none" else f"--compress-debug-sections={how}"
            run("objcopy", how, debug, packed)
            assert f" {section} " in run("readelf", "-SW", packed).stdout
            assert by_name(variables(target.pid, "--symbols", packed)) == want, how
    run("objcopy", f"--add-gnu-debuglink={debug}", cut)
    with procs.Target("mixed", binary=str(cut)) as target:
        assert by_name(variables(target.pid)) == want


def test_why_names_the_local(cores):
    """A goroutine's stack holds an object: by its variable, as the source calls it."""
    binary, core = cores("mixed", "1.26")
    one = next(v for v in variables(core, "--exe", binary) if v[2] == "local" and v[5])
    done = run(procs.LIMPET, "why", core, hex(one[5]), "--exe", binary, "--paths", "20")
    assert re.search(r"in frame of main\.holder: local local\b", done.stdout), done.stdout


@pytest.fixture(name="server", scope="module")
def serve(tmp_path_factory):
    """A real debuginfod with an unstripped program; (its URL, its log, the stripped program, the twin)."""
    if not shutil.which("debuginfod") or not shutil.which("objcopy"):
        pytest.skip("no debuginfod here (tools/install-deps)")
    folder = tmp_path_factory.mktemp("debuginfod")
    twin, cut, log = folder / "files/mixed", folder / "mixed", folder / "log"
    twin.parent.mkdir()
    shutil.copy(build_targets.build("mixed", "1.26", "dwarf"), twin)
    run("objcopy", "--strip-all", twin, cut)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with open(log, "wb") as out:
        process = subprocess.Popen(["debuginfod", "-F", "-p", str(port), "-d", ":memory:", "-t", "0", str(twin.parent)],
                                   stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while b"fts traversed" not in log.read_bytes():
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        yield f"{procs.HTTP}127.0.0.1:{port}", log, str(cut), str(twin)
    finally:
        process.kill()
        process.wait()


def asked(monkeypatch, tmp_path, urls, **more):
    """The environment of somebody whose debuginfod is that; nothing is remembered."""
    monkeypatch.setenv("DEBUGINFOD_CACHE_PATH", str(tmp_path / "cache"))
    for name, value in (("DEBUGINFOD_URLS", urls), *more.items()):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)


def losses(report):
    return [x["what"] for x in report["capture"]["losses"] if "debuginfod" in x["what"]]


def test_debuginfod(server, tmp_path, monkeypatch):
    """By build id from a real server: only where it is configured, never while the program stands still."""
    url, log, cut, twin = server
    if "static" in os.path.basename(procs.LIMPET):
        pytest.skip("the static file asks no debuginfod, and says so")
    with procs.Target("mixed", binary=cut) as target:
        asked(monkeypatch, tmp_path, None)
        before = procs.limpet_json("report", target.pid)
        assert not before["target"]["dwarf"] and not losses(before) and b"GET" not in log.read_bytes()
        want = by_name(variables(target.pid, "--symbols", twin))
        asked(monkeypatch, tmp_path, url)
        frozen = procs.limpet_json("report", target.pid, "--freeze")
        assert not frozen["target"]["dwarf"] and "stopped" in losses(frozen)[0] and b"GET" not in log.read_bytes()
        assert not procs.limpet_json("report", target.pid, "--symbols", "none")["target"]["dwarf"]
        assert b"GET" not in log.read_bytes()
        after = procs.limpet_json("report", target.pid)
        assert after["target"]["dwarf"] and after["target"]["stripped"] and not losses(after)
        assert by_name(variables(target.pid)) == want
        assert log.read_bytes().count(b"GET") == 1  # the second one is from the cache
        core = tmp_path / "core"
        run(procs.LIMPET, "snapshot", target.pid, "-o", core, "--quiet")
        assert procs.limpet_json("report", core)["target"]["dwarf"]


class Liar(http.server.BaseHTTPRequestHandler):
    """A server that gives another program, or no end."""
    body, wait = b"", 0

    def do_GET(self):  # pylint: disable=invalid-name
        time.sleep(self.wait)
        self.send_response(200 if self.body else 404)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


@pytest.mark.parametrize("how", ["none", "another", "text", "slow", "nobody"])
def test_debuginfod_that_does_not_help(how, tmp_path, monkeypatch):
    """The answer is there without it, and says why; a build that the server does not have is nothing to tell."""
    if "static" in os.path.basename(procs.LIMPET):
        pytest.skip("the static file asks no debuginfod, and says so")
    Liar.body, Liar.wait = b"", 0
    if how == "another":
        with open(build_targets.build("quiet", "1.26", "dwarf"), "rb") as f:
            Liar.body = f.read()
    elif how == "text":
        Liar.body = b"<html>please log in</html>" * 100
    elif how == "slow":
        Liar.wait = 30
    bare = build_targets.build("mixed", "1.26", "stripped")
    words = {"none": None, "another": "no build of this program", "text": "no build of this program",
             "slow": "in time", "nobody": "could not be asked"}[how]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"{procs.HTTP}127.0.0.1:{1 if how == 'nobody' else server.server_port}"
    asked(monkeypatch, tmp_path, url, DEBUGINFOD_MAXTIME="1", DEBUGINFOD_TIMEOUT="1")
    try:
        with procs.Target("mixed", binary=bare) as target:
            start = time.monotonic()
            report = procs.limpet_json("report", target.pid)
            assert time.monotonic() - start < 20 * procs.SLOW
            assert not report["target"]["dwarf"] and report["exactness"]["missing"] == 0
            assert not losses(report) if not words else words in str([x["what"] for x in report["capture"]["losses"]])
            assert not [c for c in procs.children(target.pid)]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(name="plain_core", scope="module")
def make_plain_core(tmp_path_factory):
    """minor -> (program whose DWARF is not packed, its core): what is changed there is changed for the reader."""
    made = {}
    if not shutil.which("objcopy"):
        pytest.skip("no objcopy here")

    def core(minor):
        if minor not in made:
            folder = tmp_path_factory.mktemp("plain")
            run("objcopy", "--decompress-debug-sections", build_targets.build("mixed", minor, "dwarf"), folder / "mixed")
            with procs.Target("mixed", binary=str(folder / "mixed")) as target:
                run(procs.LIMPET, "snapshot", target.pid, "-o", folder / "core", "--quiet")
            made[minor] = folder / "mixed", folder / "core"
        return made[minor]

    yield core
    for _, path in made.values():
        os.remove(path)


def dwarf_sections(path):
    """{name: (offset, bytes)} of a file's sections of DWARF."""
    lines = run("readelf", "-SW", path).stdout.splitlines()
    found = [re.search(r"\] (\.debug_\w+)\s+\S+\s+\S+\s+(\w+)\s+(\w+)", line) for line in lines]
    return {m[1]: (int(m[2], 16), int(m[3], 16)) for m in found if m}


READ = [".debug_info", ".debug_info", ".debug_abbrev", ".debug_abbrev", ".debug_loclists", ".debug_loc", ".debug_rnglists",
        ".debug_ranges", ".debug_addr"]


@pytest.mark.parametrize("minor", ["1.22", "1.26"])
def test_damaged_dwarf(minor, plain_core, tmp_path):
    """An answer, or one line and exit 4 or 5: whatever the DWARF says.  4 in 1.22, 5 in 1.26."""
    binary, core = plain_core(minor)
    sections = dwarf_sections(binary)
    assert sections[".debug_info"][1] > 100_000
    with open(binary, "rb") as f:
        whole = f.read()
    codes = {}
    for seed in range(150 if procs.FULL else 4):
        rng = random.Random(f"{minor} {seed}")
        offset, nbytes = sections[rng.choice([name for name in READ if name in sections])]
        bad = bytearray(whole)
        for _ in range(rng.choice([1, 3, 10, 100, 1000])):
            at = offset + rng.randrange(nbytes)
            bad[at] = rng.choice([bad[at] ^ 1 << rng.randrange(8), rng.randrange(256), 0, 0x80, 0xff])
        path = tmp_path / "mixed"
        path.write_bytes(bad)
        done = procs.limpet("why", core, "goroutine:1", "--exe", path, "--max-memory", "1G", code=None, seconds=30)
        codes[done.returncode] = codes.get(done.returncode, 0) + 1
        assert done.returncode in (0, 4, 5), (seed, done.returncode, done.stderr)
        assert done.stderr.count("\n") == (done.returncode != 0), (seed, done.stderr)
    print(minor, codes)


def test_dwarf_within_memory(plain_core):
    """Under each limit an answer, or one line that says what is too little."""
    binary, core = plain_core("1.26")
    said = set()
    for mib in range(24, 160, 4 if procs.FULL else 12):
        done = procs.limpet("report", core, "--exe", binary, "--max-memory", f"{mib}M", "--threads", "1", code=None)
        said.add("its DWARF takes" in done.stderr)
        assert done.returncode in (0, 5) and done.stderr.count("\n") == (done.returncode == 5), (mib, done.stderr)
    assert False in said and done.returncode == 0 and not done.stderr
    assert procs.limpet_json("report", core, "--exe", binary, "--symbols", "none")["target"]["dwarf"] is False


def test_sizes_that_are_lies(plain_core, tmp_path):
    """A packed section that would be 16 EiB: no DWARF, and all the rest."""
    binary, _ = plain_core("1.26")
    packed = tmp_path / "mixed"
    run("objcopy", "--compress-debug-sections=zlib", binary, packed)
    with procs.Target("mixed", binary=str(packed)) as target:
        core = tmp_path / "core"
        run(procs.LIMPET, "snapshot", target.pid, "-o", core, "--quiet")
    data = bytearray(packed.read_bytes())
    offset, _ = dwarf_sections(packed)[".debug_info"]
    assert struct.unpack_from("<I", data, offset)[0] == 1  # ELFCOMPRESS_ZLIB
    struct.pack_into("<Q", data, offset + 8, 2**64 - 8)
    packed.write_bytes(data)
    report = procs.limpet_json("report", core, "--exe", packed)
    assert any("DWARF not readable" in x["what"] for x in report["capture"]["losses"])
    assert report["exactness"]["missing"] == 0 and report["exactness"]["reachable_objects"] > 100_000
