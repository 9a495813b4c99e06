"""Stores: what is in them against another reader and another command, atomic, read by anybody's sqlite3, damaged."""
import collections
import os
import random
import signal
import sqlite3
import stat
import subprocess
import time

import pytest

import build_targets
import cores
import stores
from procs import FULL, LIMPET, SLOW, Target, limpet, limpet_json

FIXTURE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fixtures", "v1.limpet")
MINORS = build_targets.MINORS if FULL else ["1.22", "1.27"]
BRIEF = ("--detail", "brief")


@pytest.fixture(scope="module")
def look(tmp_path_factory):
    """A core and its store, of a small program."""
    folder = tmp_path_factory.mktemp("store")
    with Target("quiet").ready() as target:
        limpet("snapshot", target.pid, "-o", folder / "core")
    limpet("snapshot", folder / "core", "-o", folder / "look.limpet")
    return folder


def rows(core, by):
    return {r["name"]: r for r in limpet_json("top", core, "--by", by, "--limit", 0, "--tree", "exact")["rows"]}


@pytest.mark.parametrize("minor", MINORS)
def test_objects_are_those_of_the_look(tmp_path, minor):
    """A reader of 60 lines finds in the file, object by object, what the commands count on the core it was made of."""
    with Target("mixed", minor).ready() as target:
        limpet("snapshot", target.pid, "-o", tmp_path / "core")
    limpet("snapshot", tmp_path / "core", "-o", tmp_path / "x.limpet", *BRIEF)
    found, exact = stores.objects(tmp_path / "x.limpet"), limpet_json("verify", tmp_path / "core", code=None)
    assert len(found) == exact["reachable_objects"]
    assert sum(x[0] for x in found.values()) == exact["reachable_bytes"]
    if exact["spans_undecidable"] == 0:  # old: the collector's last cycle met it
        assert sum(x[1] for x in found.values()) == exact["gc_objects"] - exact["missing"]
    for column, by in ((2, "type"), (4, "field")):
        want = rows(tmp_path / "core", by)
        count = collections.Counter(x[column] for x in found.values())
        size = collections.Counter()
        for x in found.values():
            size[x[column]] += x[0]
        assert {n: (r["objects"], r["shallow_bytes"]) for n, r in want.items() if r["objects"]} == \
            {n: (count[n], size[n]) for n in count}
    if cores.objects_program():
        lines = (line.split(" ") for line in cores.objects(tmp_path / "core", "--quiet"))
        assert {int(w[0], 16): int(w[1]) for w in lines} == {at: x[0] for at, x in found.items()}
    # who alone holds it: roots of one name together
    held = collections.Counter()
    for x in found.values():
        held[x[3]] += x[0]
    known = dict(stores.connect(tmp_path / "x.limpet").execute("SELECT key, bytes FROM since_roots"))
    assert {n: b for n, b in held.items() if n != "(held by several)"} == known


def test_places_add_up(look):
    db = stores.connect(look / "look.limpet")
    found = collections.Counter(x[2:] for x in stores.objects(look / "look.limpet").values())
    places = {(t, h, f): n for t, h, f, n in db.execute("SELECT type, holder, field, objects FROM places")}
    assert places == found  # of so small a look all are kept
    for example, path in db.execute("SELECT example, path FROM places"):
        nodes = db.execute("SELECT what, addr FROM path_nodes WHERE parent = ? ORDER BY id", (path,)).fetchall()
        assert nodes and nodes[-1][1] == example, example


def test_threads_change_nothing(look, tmp_path):
    for n in (1, 4):
        limpet("snapshot", look / "core", "-o", tmp_path / f"{n}.limpet", "--threads", n, *BRIEF)
    one, four = (stores.connect(tmp_path / f"{n}.limpet") for n in (1, 4))
    for table in ("look", "groups", "objects", "places"):
        assert one.execute(f"SELECT * FROM {table}").fetchall() == four.execute(f"SELECT * FROM {table}").fetchall()


def test_any_sqlite_opens_it_and_all_is_documented(look):
    db = stores.connect(look / "look.limpet")
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    tables = [n for (n,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    told = dict(db.execute("SELECT name, about FROM tables"))
    for table in set(tables) - {"tables", "columns"}:
        assert told.get(table), table
        columns = {r[1] for r in db.execute(f"PRAGMA table_info('{table}')")}
        known = {n for n, about in db.execute('SELECT name, about FROM columns WHERE "table" = ?', (table,)) if about}
        assert columns == known, (table, columns ^ known)
    assert stat.S_IMODE(os.stat(look / "look.limpet").st_mode) == 0o600
    shown = subprocess.run(["sqlite3", look / "look.limpet", "SELECT count(*) FROM objects"], capture_output=True, text=True)
    assert shown.returncode == 0 and int(shown.stdout) > 0


def test_the_page_has_all_tables(look):
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    done = subprocess.run([os.path.join(top, "tools", "store-pages"), "--check", look / "look.limpet"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_json_says_what_was_written(look, tmp_path):
    said = limpet_json("snapshot", look / "core", "-o", tmp_path / "a.limpet")
    assert said["snapshot"]["format"] == "store"
    assert said["snapshot"]["file_bytes"] == os.stat(tmp_path / "a.limpet").st_size
    assert said["snapshot"]["objects"] == stores.look(tmp_path / "a.limpet")["objects"]


def test_options_that_are_for_cores_are_refused(look, tmp_path):
    for option in ("--zstd", "--no-payload", "--redact"):
        said = limpet("snapshot", look / "core", "-o", tmp_path / "no.limpet", option, code=2).stderr
        assert option in said and said.count("\n") == 1
    assert not os.listdir(tmp_path)


def test_killed_while_writing(look, tmp_path):
    """kill -9 at many instants: the old file, or the new one; never a part, and nothing beside it."""
    begun = time.monotonic()
    limpet("snapshot", look / "core", "-o", tmp_path / "x.limpet", *BRIEF)
    whole = time.monotonic() - begun
    old = (tmp_path / "x.limpet").read_bytes()
    rng, kept, new = random.Random(8), 0, 0
    for i in range(60 if FULL else 14):
        p = subprocess.Popen([LIMPET, "snapshot", look / "core", "-o", tmp_path / "x.limpet", *BRIEF],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(whole * (0.4 + 0.8 * rng.random()))
        p.send_signal(signal.SIGKILL)
        p.wait()
        now = (tmp_path / "x.limpet").read_bytes()
        if now == old:
            kept += 1
        else:
            new += 1
            assert stores.connect(tmp_path / "x.limpet").execute("PRAGMA integrity_check").fetchone() == ("ok",)
            old = now
        end = time.monotonic() + 10 * SLOW
        while os.listdir(tmp_path) != ["x.limpet"] and time.monotonic() < end:
            time.sleep(0.02)  # the broker clears what was half written
        assert os.listdir(tmp_path) == ["x.limpet"]
    assert kept


def damaged(path, out, rng, i):
    data = bytearray(path.read_bytes())
    if i % 4 == 0:
        data = data[:rng.randrange(len(data))]
    elif i % 4 == 1:
        at = rng.randrange(len(data) - 64)
        data[at:at + 64] = rng.randbytes(64)
    else:
        for _ in range(1 + i % 5):
            data[rng.randrange(len(data) if i % 3 else 2048)] ^= 1 << rng.randrange(8)
    out.write_bytes(data)


@pytest.mark.parametrize("seed", [1] if not FULL else range(1, 9))
def test_damage_is_one_line_and_never_a_crash(look, tmp_path, seed):
    rng = random.Random(seed)
    asked = [("report", "X"), ("top", "X"), ("diff", look / "look.limpet", "X"), ("goroutines", "X"), ("tree", "X")]
    for i in range(200 if FULL else 25):
        bad = tmp_path / "bad.limpet"
        damaged(look / "look.limpet", bad, rng, i)
        args = [bad if a == "X" else a for a in asked[i % len(asked)]]
        done = limpet(*args, code=None, seconds=30)
        assert done.returncode in (0, 4), (i, args, done.returncode, done.stderr)
        if done.returncode:
            assert done.stderr.count("\n") == 1 and "bad.limpet" in done.stderr, done.stderr


def test_foreign_databases_are_refused(tmp_path):
    db = sqlite3.connect(tmp_path / "other.db")
    db.execute("CREATE TABLE t (x)")
    db.commit()
    db.close()
    said = limpet("report", tmp_path / "other.db", code=4).stderr
    assert "no store of limpet's" in said and said.count("\n") == 1


def test_version_1_opens():
    """A file that the first version wrote; it is never written anew."""
    if not os.path.exists(FIXTURE):
        pytest.fail("tests/fixtures/v1.limpet is missing")
    db = stores.connect(FIXTURE)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    head = stores.look(FIXTURE)
    assert head["objects"] == len(stores.objects(FIXTURE))
    assert head["go"].startswith("go1.")
    report = limpet_json("report", FIXTURE)
    assert report["exactness"]["reachable_objects"] == head["objects"]
    assert report["findings"]
    top = limpet_json("top", FIXTURE, "--by", "type", "--limit", 3)
    assert len(top["rows"]) == 3
    assert limpet_json("diff", FIXTURE, FIXTURE)
