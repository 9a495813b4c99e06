#!/usr/bin/env python3
"""Real servers at work are healthy: no finding says `leak`.

    tests/e2e/test_healthy.py [SECONDS [NAME...]]     all that limpet says of them, for the eye

Two minutes of load each, with LIMPET_FULL; in the quick set one of them, for ten seconds.
"""
import sys

import pytest

import procs
import servers

# Go of each: the newest that the server's own sources build and run with.
SERVERS = {"nats": "1.27", "caddy": "1.27", "etcd": "1.27", "coredns": "1.27", "prometheus": "1.27", "nsq": "1.27"}


def told(name, seconds):
    """The findings about that server after so many seconds of work, the work going on."""
    binary = procs.build_targets.build(name, SERVERS[name])
    with servers.at_work(name, binary, seconds=seconds) as target:
        return procs.limpet_json("report", target.pid, "--limit", "100")["findings"]


def lines(found):
    return [f"{f['kind']} {f['verdict']}/{f['proof']} {f['retained_bytes'] + (f['stack_bytes'] or 0):,} B: {f['title']}"
            for f in found]


@pytest.mark.parametrize("name, seconds", [pytest.param("nats", 10, id="nats-10s")] +
                         [pytest.param(name, 120, id=name, marks=pytest.mark.full) for name in SERVERS])
def test_no_leak(name, seconds):
    found = told(name, seconds)
    assert not [f for f in found if f["verdict"] == "leak"], "\n".join(lines(found))


def main(argv):
    for name in argv[1:] or SERVERS:
        print(f"{name}:", flush=True)
        for line in lines(told(name, float(argv[0]) if argv else 10)):
            print("   ", line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
