"""Where it was allocated, in a program without a memory profile: the calls in its code against what it says itself."""
import re

import pytest

import build_targets
from procs import Target, limpet, limpet_json

QUICK = [("1.22", "stripped"), ("1.27", "stripped"), ("1.27", "pie")]
SLOW = [(m, f) for m in build_targets.OLD_MINORS + build_targets.MINORS for f in ("stripped", "pie", "dwarf")
        if (m, f) not in QUICK]


def said(target):
    made = {}
    for line in target.lines:
        found = line and re.match(r"MADE (.*?)((?: #\d+)+)$", line)
        if found:
            made[found[1]] = {int(n) for n in re.findall(r"#(\d+)", found[2])}
    return made


@pytest.mark.parametrize("minor,flavour", QUICK + [pytest.param(*v, marks=pytest.mark.full) for v in SLOW])
def test_the_lines_that_make_it(minor, flavour):
    with Target("makers", minor, flavour) as target:
        made = said(target)
        assert len(made) == 8
        for kind, lines in made.items():
            doc = limpet_json("why", target.pid, kind, "--limit", "1")
            item = doc["items"][0] if "items" in doc else doc
            assert not item["allocated_at"]  # nothing was sampled
            found = item["allocated_at_inferred"]
            assert found["basis"] == "code" and found["like"] == kind
            assert {s["line"] for s in found["sites"]} == lines, (kind, found)
            assert all(s["file"].endswith("makers/main.go") for s in found["sites"])
            assert found["of"] == len(lines) and not found["others"]
        text = limpet("why", target.pid, "main.single", "--limit", "1").stdout
        assert re.search(r"allocated, by the code: main.fill \S*main.go:%d\n.*reflection may" % min(made["main.single"]), text)
