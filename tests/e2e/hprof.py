"""HPROF files as the format's manual has them: a reader that knows nothing of who wrote them."""
import struct

SIZES = {2: None, 4: 1, 5: 2, 6: 4, 7: 8, 8: 1, 9: 2, 10: 4, 11: 8}


class Hprof:
    """strings, classes {id: Class}, objects {id: (class id, size as an analyser counts it, [reference])}, roots {id}."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        end = self.data.index(b"\0")
        assert self.data[:end] == b"JAVA PROFILE 1.0.2"
        self.idsize, = struct.unpack_from(">I", self.data, end + 1)
        assert self.idsize == 4
        self.strings, self.names, self.classes, self.objects = {}, {}, {}, {}
        self.roots, self.threads, self.frames, self.traces = set(), {}, {}, {}
        at = end + 1 + 4 + 8
        self.ended = False
        while at < len(self.data):
            tag, _, n = struct.unpack_from(">BII", self.data, at)
            at += 9
            self.record(tag, at, n)
            at += n
        assert at == len(self.data) and self.ended

    def u4(self, at, n=1):
        return struct.unpack_from(f">{n}I", self.data, at)

    def record(self, tag, at, n):
        assert not self.ended, "a record behind the end"
        if tag == 0x01:
            assert self.u4(at)[0] not in self.strings
            self.strings[self.u4(at)[0]] = self.data[at + 4:at + n].decode()
        elif tag == 0x02:
            _, cls, _, name = self.u4(at, 4)
            self.names[cls] = self.strings[name]
        elif tag == 0x04:
            frame, method, _, file, _, line = self.u4(at, 6)
            self.frames[frame] = (self.strings[method], self.strings[file], line)
        elif tag == 0x05:
            serial, _, count = self.u4(at, 3)
            self.traces[serial] = self.u4(at + 12, count)
        elif tag == 0x1c:
            end = at + n
            while at < end:
                at = self.sub(at)
            assert at == end, "a segment's last record is longer than it"
        else:
            assert tag == 0x2c and not n, hex(tag)
            self.ended = True

    def sub(self, at):
        tag = self.data[at]
        at += 1
        if tag in (0x01, 0x05, 0x08):
            self.roots.add(self.u4(at)[0])
            if tag == 0x08:
                self.threads[self.u4(at)[0]] = self.u4(at + 4, 2)
            return at + {0x01: 8, 0x05: 4, 0x08: 12}[tag]
        if tag == 0x20:
            cls, _, above = self.u4(at, 3)
            size, = self.u4(at + 32)
            constants, statics, fields = struct.unpack_from(">HHH", self.data, at + 36)
            assert constants == statics == 0
            at += 42
            of = [struct.unpack_from(">IB", self.data, at + 5 * i) for i in range(fields)]
            self.classes[cls] = (self.names[cls], above, size, [(self.strings[name], kind) for name, kind in of])
            return at + 5 * fields
        if tag == 0x21:
            oid, _, cls, n = self.u4(at, 4)
            return self.instance(at + 16, oid, cls, n)
        assert tag == 0x22, hex(tag)
        oid, _, n, cls = self.u4(at, 4)
        assert oid not in self.objects
        refs = [r for r in self.u4(at + 16, n) if r] if n else []
        assert self.classes[cls][0].startswith("[")
        self.objects[oid] = (cls, (12 + 4 * n + 7) & ~7, refs)  # as Eclipse MAT: a header of 12, up to 8
        return at + 16 + 4 * n

    def instance(self, at, oid, cls, n):
        end, refs = at + n, []
        name, above, size, fields = self.classes[cls]
        assert oid not in self.objects and oid not in self.classes
        own = 8
        for _, kind in fields:
            own += SIZES[kind] or 4
            if kind == 2:
                refs += [r for r in self.u4(at) if r]
            at += SIZES[kind] or 4
        assert at == end, (name, above)
        # VisualVM believes the class's size, Eclipse MAT adds the fields up: both must be right
        assert size == own or (size, own) == (8, 12) or "root" in name or own == size, (name, size, own)
        self.objects[oid] = (cls, size, refs)
        return end
