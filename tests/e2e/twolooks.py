#!/usr/bin/env python3
"""Two looks at one memory, with debug information and without: does every object get the same name?

    tests/e2e/twolooks.py CORE EXE          a core of EXE as movable() made it: compares, prints by rule
    tests/e2e/twolooks.py --causes TARGET [--exe EXE]    what the nameless objects hang from
    tests/e2e/twolooks.py --movable EXE OUT    an executable to be run, whose twin() has the same bytes in memory

The section headers of a Go binary lie in its first page, which is loaded: a stripped copy differs there from
what ran, and is refused.  movable() puts them at the end of the file, where nothing is loaded; twin() then
blanks those of the symbols and of DWARF.  What runs is the same for both, so one core has two answers.
"""
import collections
import os
import re
import struct
import subprocess
import sys

from procs import SLOW  # first: it puts the tests on the path
from cores import objects_program

HEADER = 64


def _sections(image):
    shoff, = struct.unpack_from("<Q", image, 40)
    size, n, names = struct.unpack_from("<HHH", image, 58)
    assert image[:5] == b"\x7fELF\x02" and size == HEADER, "a 64 bit ELF file is wanted"
    return shoff, n, names


def movable(source, out):
    """A copy of an executable with its section headers at the end of the file."""
    with open(source, "rb") as f:
        image = bytearray(f.read())
    shoff, n, _ = _sections(image)
    image += bytes(-len(image) % 16)
    struct.pack_into("<Q", image, 40, len(image))
    image += image[shoff:shoff + n * HEADER]
    _write(out, image)
    return out


def twin(source, out):
    """What `strip` leaves of an executable from movable(): no symbols, no DWARF, all loaded bytes the same."""
    with open(source, "rb") as f:
        image = bytearray(f.read())
    shoff, n, names = _sections(image)
    name_at, = struct.unpack_from("<Q", image, shoff + names * HEADER + 24)
    hidden = 0
    for i in range(1, n):
        at = shoff + i * HEADER
        name_off, = struct.unpack_from("<I", image, at)
        name = bytes(image[name_at + name_off:image.index(0, name_at + name_off)])
        if name in (b".symtab", b".strtab") or name.startswith((b".debug_", b".zdebug_", b".gosymtab")):
            image[at:at + HEADER] = bytes(HEADER)
            hidden += 1
    assert hidden >= 3, f"{source} has no debug information to hide"
    _write(out, image)
    return out


def _write(path, image):
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "wb") as f:
        f.write(image)
    os.chmod(path, 0o755)


class Named(collections.namedtuple("Named", "bytes name reached")):
    """What one look says of one object."""

    @property
    def typed(self):
        return not self.name.startswith("~")


def look(*args):
    """{address: Named} of a TARGET."""
    done = subprocess.run([objects_program(), *map(str, args)], capture_output=True, text=True, timeout=300 * SLOW)
    assert done.returncode == 0, (args, done.stderr)
    found = {}
    for line in done.stdout.splitlines():
        address, size, rest = line.split(" ", 2)
        name, reached = rest.rsplit(" ", 1)
        found[int(address, 16)] = Named(int(size), name, reached == "reachable")
    return found


def same(a, b):
    """One array and a row of the same lie the same way; a header knows a map's groups and a queue as rows."""
    return plain(a) == plain(b)


def plain(name):
    name = re.sub(r"^(\[(\d+|\.\.\.)?\])+", "", name)
    if name.startswith(("map.group[", "map.bucket[")):
        return "part of a map"
    name = re.sub(r"^(groups|buckets) of .*", "part of a map", name)
    return name.removeprefix("queued in chan of ")


class Comparison:
    """By rule: equal, different (wrong!), only in one, in neither; objects and bytes, reachable ones."""

    def __init__(self, dwarf, stripped):
        assert dwarf.keys() == stripped.keys(), "not the same objects: not the same memory"
        self.rules = collections.defaultdict(lambda: [0, 0])
        self.groups = collections.defaultdict(lambda: [0, 0, 0])
        for address, d in dwarf.items():
            if d.reached:
                self._add(address, d, stripped[address])

    def _add(self, address, d, s):
        rule = ("equal" if same(d.name, s.name) else "different") if d.typed and s.typed else \
            "only DWARF" if d.typed else "only stripped" if s.typed else "neither"
        for counts, key in ((self.rules, rule), (self.rules, "all"), (self.groups, (rule, d.name, s.name))):
            counts[key][0] += 1
            counts[key][1] += d.bytes
        self.groups[rule, d.name, s.name][2] = address

    @property
    def wrong(self):
        return self.rules["different"][0]

    def share(self, which):
        """(objects, bytes) typed, as fractions of the reachable ones."""
        rules = {"dwarf": ("equal", "different", "only DWARF"), "stripped": ("equal", "different", "only stripped")}[which]
        return tuple(sum(self.rules[r][i] for r in rules) / max(1, self.rules["all"][i]) for i in (0, 1))

    def largest(self, rule, n):
        rows = [(k, v) for k, v in self.groups.items() if k[0] == rule]
        return sorted(rows, key=lambda row: -row[1][1])[:n]

    def text(self, n=15):
        out = [f"{rule:15} {self.rules[rule][0]:10,} objects {self.rules[rule][1]:14,} bytes"
               for rule in ("all", "equal", "different", "only DWARF", "only stripped", "neither")]
        out += [f"typed {which:9} {100 * self.share(which)[0]:6.2f} % of objects {100 * self.share(which)[1]:6.2f} % of bytes"
                for which in ("dwarf", "stripped")]
        for rule in ("different", "only DWARF", "only stripped", "neither"):
            for (_, d, s), (objects, size, address) in self.largest(rule, n):
                out.append(f"  {rule:13} {objects:8,} {size:12,} B  {address:#x}  DWARF {d}  |  stripped {s}")
        return "\n".join(out)


class Cause(collections.namedtuple("Cause", "what detail")):
    """Why an object has no name, as tests/tools/unnamed says; numbers of elements taken out."""

    @classmethod
    def of(cls, what, detail):
        return cls(what.removeprefix("behind "), re.sub(r"\[\d+\]", "[]", detail))


def causes(*args):
    """{Cause: [objects, bytes, of these directly, bytes directly, an address, {name: bytes}]} of a TARGET's nameless."""
    program = os.path.join(os.path.dirname(objects_program()), "unnamed")
    done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, timeout=300 * SLOW)
    assert done.returncode == 0, (args, done.stderr)
    found = {}
    for line in done.stdout.splitlines():
        object_, what, detail = line.split("\t")
        address, size, name = object_.split(" ", 2)
        row = found.setdefault(Cause.of(what, detail), [0, 0, 0, 0, address, collections.Counter()])
        for i in (0, 2) if not what.startswith("behind ") else (0,):
            row[i] += 1
            row[i + 1] += int(size)
        row[5][name] += int(size)
    return found


def causes_text(found, n):
    whole = collections.Counter()
    for cause, row in found.items():
        whole[cause.what] += row[1]
    out = [f"{size:12,} B  {what}" for what, size in whole.most_common()]
    for cause, row in sorted(found.items(), key=lambda x: -x[1][1])[:n]:
        out.append(f"  {row[0]:8,} {row[1]:12,} B ({row[2]:,} directly {row[3]:,} B)  {cause.what} {cause.detail}  "
                   f"{row[4]} {row[5].most_common(1)[0][0]}")
    return "\n".join(out)


def compare(core, exe, folder):
    hidden = twin(exe, os.path.join(folder, os.path.basename(str(exe)) + ".twin"))
    try:
        return Comparison(look(core, "--exe", exe), look(core, "--exe", hidden))
    finally:
        os.unlink(hidden)


def main(argv):
    if len(argv) == 3 and argv[0] == "--movable":
        print(movable(argv[1], argv[2]))
        return 0
    if len(argv) >= 2 and argv[0] == "--causes":
        print(causes_text(causes(*argv[1:]), 40))
        return 0
    if len(argv) not in (2, 3) or argv[0].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    comparison = compare(argv[0], argv[1], os.environ.get("TMPDIR", "/tmp"))
    print(comparison.text(int(argv[2]) if len(argv) == 3 else 15))
    return 1 if comparison.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
