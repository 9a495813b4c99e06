"""Reads a store with nothing but sqlite3 and zstd, by docs/store.md: an oracle for limpet's own reader."""
import sqlite3
import struct
import subprocess


def unpack(blob):
    return subprocess.run(["zstd", "-dcq"], input=blob, stdout=subprocess.PIPE, check=True).stdout


class Chunk:
    """One row of `objects`: spans as dicts, with the slots that are reachable and their groups."""

    def __init__(self, raw):
        self.at, self.raw = 20, raw
        magic, nspans, ncells, nalive, bits = struct.unpack_from("<5I", raw)
        assert magic == 0x31424F4C
        names = (("base", "Q"), ("bytes", "Q"), ("elem_bytes", "Q"), ("nelems", "I"), ("spanclass", "B"),
                 ("old_known", "B"))
        columns = {name: self._take(nspans, code) for name, code in names}
        self.cells = list(zip(*[iter(self._take(3 * ncells, "I"))] * 3))
        words = sum((n + 63) // 64 for n in columns["nelems"])
        alive, young = self._take(words, "Q"), self._take(words, "Q")
        unstayed = self._take(words, "Q") if bits & 1 else None
        index = self._take(nalive, "B" if ncells <= 256 else "H" if ncells <= 65536 else "I")
        assert self.at == len(raw)
        self.spans, word, at = [], 0, 0
        for i in range(nspans):
            span = {name: columns[name][i] for name in columns}
            n = (span["nelems"] + 63) // 64
            slots = [64 * w + b for w in range(n) for b in range(64) if alive[word + w] >> b & 1]
            span["slots"] = [(slot, not young[word + slot // 64] >> (slot % 64) & 1, self.cells[index[at + k]])
                             for k, slot in enumerate(slots)]
            span["stayed"] = unstayed and {s for s in slots if not unstayed[word + s // 64] >> (s % 64) & 1}
            self.spans.append(span)
            word += n
            at += len(slots)
        assert at == nalive

    def _take(self, n, code):
        values = struct.unpack_from(f"<{n}{code}", self.raw, self.at)
        self.at += n * struct.calcsize("<" + code)
        return values


def connect(path):
    return sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)


def look(path):
    """The row of `look` as a dict."""
    db = connect(path)
    db.row_factory = sqlite3.Row
    return dict(db.execute("SELECT * FROM look").fetchone())


def objects(path):
    """{address: (slot bytes, old, type, holder, field)} of every reachable object."""
    db = connect(path)
    names = {(c, n): name for c, n, name in db.execute('SELECT "column", number, name FROM groups')}
    found = {}
    for (blob,) in db.execute("SELECT data FROM objects ORDER BY id"):
        for span in Chunk(unpack(blob)).spans:
            for slot, old, (t, h, f) in span["slots"]:
                found[span["base"] + slot * span["elem_bytes"]] = (
                    span["elem_bytes"], old if span["old_known"] else None,
                    names["type", t], names["holder", h], names["field", f])
    return found
