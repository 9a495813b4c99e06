"""Words of a core that are not so: hostile memory for whoever follows pointers."""
import random
import struct

PT_LOAD = 1
ARENA_SHIFT = 26


class Core:
    """The bytes of an ELF core by the addresses that they had."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = bytearray(f.read())
        phoff, = struct.unpack_from("<Q", self.data, 32)
        size, count = struct.unpack_from("<HH", self.data, 54)
        self.loads = []
        for i in range(count):
            kind, _, offset, at, _, nbytes, _, _ = struct.unpack_from("<IIQQQQQQ", self.data, phoff + i * size)
            if kind == PT_LOAD and nbytes:
                self.loads.append((at, at + min(nbytes, len(self.data) - offset), offset))

    def offset(self, at):
        """Where in the file the word at an address lies; None: nowhere."""
        for start, end, offset in self.loads:
            if start <= at and at + 8 <= end:
                return offset + at - start
        return None

    def word(self, at):
        offset = self.offset(at)
        return None if offset is None else struct.unpack_from("<Q", self.data, offset)[0]

    def write(self, path):
        with open(path, "wb") as f:
            f.write(self.data)


def near(core, places, depth=3, width=24):
    """Addresses of words in these objects and in what they point to, as far as it lies in the same arenas."""
    found, edge = set(), list(places)
    arenas = {at >> ARENA_SHIFT for at in places}
    for _ in range(depth):
        new = []
        for at in edge:
            for slot in range(at, at + 8 * width, 8):
                if slot in found:
                    continue
                value = core.word(slot)
                if value is None:
                    break
                found.add(slot)
                if value % 8 == 0 and value >> ARENA_SHIFT in arenas and core.offset(value) is not None:
                    new.append(value)
        edge = new
    return sorted(found)


def spoil(core, words, seed, share=0.02):
    """Change a share of these words: to others of them, to addresses of them, to numbers, by a bit."""
    rng = random.Random(seed)
    values = [core.word(at) for at in words]
    for at in rng.sample(words, max(1, int(len(words) * share))):
        value = rng.choice([rng.choice(values), rng.choice(words), rng.choice([0, 1, 7, 2**31, 2**63, 2**64 - 1]),
                            core.word(at) ^ 1 << rng.randrange(64)])
        struct.pack_into("<Q", core.data, core.offset(at), value)
