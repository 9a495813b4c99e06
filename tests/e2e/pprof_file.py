"""A pprof file by the letter of proto/profile.proto, decoded by hand: what both sides are compared as."""
import gzip


def _varint(b, i):
    x = shift = 0
    while True:
        x |= (b[i] & 127) << shift
        shift += 7
        i += 1
        if b[i - 1] < 128:
            return x, i


def _fields(b):
    """(number, value) of a message: ints, or bytes of what is packed."""
    i = 0
    while i < len(b):
        key, i = _varint(b, i)
        if key & 7 == 0:
            value, i = _varint(b, i)
        elif key & 7 == 2:
            n, i = _varint(b, i)
            value, i = b[i:i + n], i + n
        else:
            raise ValueError(f"wire type {key & 7}")
        yield key >> 3, value


def _signed(x):
    return x - (1 << 64) if x >> 63 else x


def _numbers(value):
    if isinstance(value, int):
        return [value]
    out, i = [], 0
    while i < len(value):
        x, i = _varint(value, i)
        out.append(x)
    return out


def _message(b):
    return dict(_fields(b))


class Profile:
    """types, default, period, period_type, time_ns; mappings; samples: [(stack, labels, values)].

    A stack is a tuple of locations, leaf first: (address, ((function, system name, file, line, start line), ...)); labels a
    sorted tuple of (key, text or number).
    """

    def __init__(self, data):
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        text, raw, functions, locations = [], {n: [] for n in range(1, 16)}, {}, {}
        for number, value in _fields(data):
            if number == 6:
                text.append(value.decode())
            elif number in raw:
                raw[number].append(value)
        assert text[0] == ""

        def word(m, k):
            return text[m.get(k, 0)]
        for m in map(_message, raw[5]):
            functions[m[1]] = (word(m, 2), word(m, 3), word(m, 4), m.get(5, 0))
        self.mappings = {m[1]: m for m in map(_message, raw[3])}
        for m in self.mappings.values():
            m["file"], m["build_id"] = word(m, 5), word(m, 6)
        for b in raw[4]:
            m, lines = {}, []
            for number, value in _fields(b):
                if number == 4:
                    line = _message(value)
                    name, system, file, start = functions[line[1]]
                    lines.append((name, system, file, line.get(2, 0), start))
                else:
                    m[number] = value
            locations[m[1]] = (m.get(3, 0), tuple(lines))
            assert m.get(2, 0) == 0 or m[2] in self.mappings
        self.types = [(word(m, 1), word(m, 2)) for m in map(_message, raw[1])]
        self.period_type = [(word(m, 1), word(m, 2)) for m in map(_message, raw[11])]
        self.period = sum(raw[12])
        self.default = text[raw[14][0]] if raw[14] else ""
        self.time_ns = sum(raw[9])
        self.samples = []
        for b in raw[2]:
            ids, values, labels = [], [], []
            for number, value in _fields(b):
                if number == 1:
                    ids += _numbers(value)
                elif number == 2:
                    values += map(_signed, _numbers(value))
                elif number == 3:
                    m = _message(value)
                    labels.append((word(m, 1), word(m, 2) if 2 in m else _signed(m.get(3, 0))))
            self.samples.append((tuple(locations[i] for i in ids), tuple(sorted(labels, key=str)), tuple(values)))

    def sums(self):
        return [sum(v[i] for _, _, v in self.samples) for i in range(len(self.types))]

    def by_stack(self, but=None, labels=True):
        """{(stack, labels): values added up}, of what is not 0, without stacks that have a function of which but() is true."""
        out = {}
        for stack, tags, values in self.samples:
            if but and any(but(line[0]) for _, lines in stack for line in lines):
                continue
            key = (stack, tags if labels else ())
            out[key] = tuple(map(sum, zip(out.get(key, (0,) * len(values)), values)))
        return {key: values for key, values in out.items() if any(values)}


def read(path):
    with open(path, "rb") as f:
        return Profile(f.read())


def show(key):
    stack, labels = key
    return "\n".join([repr(labels)] + [f"  {address:#x} " + ", ".join(f"{x[0]} {x[2].rsplit('/', 1)[-1]}:{x[3]} s={x[4]}" for x in lines)
                                       for address, lines in stack])


def differences(ours, theirs):
    """In words, of two by_stack()."""
    found = []
    for key in sorted({*ours, *theirs}, key=repr):
        if ours.get(key) != theirs.get(key):
            found.append(f"ours {ours.get(key)}, theirs {theirs.get(key)} of {show(key)}")
    return found
