"""What the program says of its own memory: /debug/pprof/heap through `go tool pprof`, and limpet's rows beside it."""
import http.client
import os
import re
import subprocess
import tempfile

import build_targets
from procs import limpet_json


class Asker:
    """Asks for the program's own heap profile over one connection: that, too, is memory of the program."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=60)

    def profile(self):
        """Its bytes, after a collection of its own."""
        for _ in range(2):  # a server may have closed an idle connection
            try:
                self.connection.request("GET", "/debug/pprof/heap?gc=1")
                return self.connection.getresponse().read()
            except (http.client.RemoteDisconnected, ConnectionError):
                self.connection.close()
        raise AssertionError("the server does not answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


def pprof(profile, *flags, sample="inuse_space"):
    """[(name, flat, cum)] of `go tool pprof -top`, in bytes, in its order."""
    with tempfile.NamedTemporaryFile(suffix=".pb.gz") as f:
        f.write(profile)
        f.flush()
        out = subprocess.run([build_targets.toolchain(build_targets.NEWEST), "tool", "pprof", "-top", "-" + sample,
                              "-unit=B", "-nodefraction=0", "-nodecount=100000", *flags, f.name],
                             capture_output=True, text=True, check=True,
                             env=dict(os.environ, GOTOOLCHAIN="local", PPROF_TMPDIR=tempfile.gettempdir()))
    rows = []
    for line in out.stdout.splitlines():
        found = re.match(r"\s*(-?\d+)B?\s+\S+%\s+\S+%\s+(-?\d+)B?\s+\S+%\s+(.*?)( \((?:partial-)?inline\))?$", line)
        if found:
            rows.append((found[3], int(found[1]), int(found[2])))
    assert rows or "Type: " + sample in out.stdout, out.stdout + out.stderr
    return rows


def sites(target, *options):
    """(rows, the document) of `top --by site`."""
    doc = limpet_json("top", target, "--by", "site", "--limit", "0", *options)
    return [(r["name"], r["flat"], r["cum"]) for r in doc["rows"]], doc


def close(a, b, share=0.01):
    return abs(a - b) <= share * max(a, b)


def differences(ours, theirs, first=30, share=0.01):
    """Where the first rows differ by more than that share, or stand in another order; ties may be swapped."""
    found = []
    mine = {name: (flat, cum) for name, flat, cum in ours}
    order = {name: i for i, (name, _, _) in enumerate(ours)}
    top = [r for r in theirs if r[1]][:first]
    for name, flat, cum in top:
        if name not in mine:
            found.append(f"{name}: not there, {flat} flat")
        elif not close(mine[name][0], flat, share) or not close(mine[name][1], cum, share):
            found.append(f"{name}: flat {mine[name][0]}, not {flat}; cum {mine[name][1]}, not {cum}")
    for a, b in zip(top, top[1:]):
        swapped = order.get(a[0], 0) > order.get(b[0], 0)
        if swapped and not close(a[1], b[1], share):
            found.append(f"{a[0]} ({a[1]}) stands behind {b[0]} ({b[1]})")
    return found
