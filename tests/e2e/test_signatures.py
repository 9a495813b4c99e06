"""The name of a finding: the same in every run and build, so that it can stand in a file."""
import pytest

from procs import Target, limpet, limpet_json

BUILDS = [("1.27", "dwarf"), ("1.22", "dwarf"), pytest.param(("1.24", "dwarf"), marks=pytest.mark.full)]


def names(build, program="growing"):
    """What holds it -> its signature, of one process."""
    with Target(program, *build) as t:
        return {(f["kind"], f["held_by"]): f["signature"] for f in limpet_json("report", t.pid)["findings"]}


@pytest.fixture(scope="module")
def here():
    return names(("1.27", "dwarf"))


def test_there_are_some(here):
    assert {"main.sessions", "main.cache", "main.table"} <= {held for _, held in here}
    assert len(set(here.values())) == len(here)
    assert all(len(s) == 16 and int(s, 16) >= 0 for s in here.values())


@pytest.mark.parametrize("build", BUILDS, ids=lambda b: "-".join(b))
def test_every_build_has_the_same(here, build):
    there = names(build)
    for place in [p for p in here if p[1] in ("main.sessions", "main.cache", "main.table", "main.events")]:
        assert there[place] == here[place]


@pytest.mark.parametrize("minor", ["1.27", pytest.param("1.22", marks=pytest.mark.full)])
def test_stripped_ones_have_their_own(minor):
    """Names of globals are gone: who uses them, and their types, are the same in each run."""
    first = names((minor, "stripped"))
    assert first and first == names((minor, "stripped"))


@pytest.mark.parametrize("minor", ["1.27", pytest.param("1.22", marks=pytest.mark.full)])
def test_where_a_program_is_loaded_does_not_matter(minor):
    """Position-independent and stripped: the same places as in a program at fixed addresses."""
    fixed, moved = (set(names((minor, flavour)).values()) for flavour in ("stripped", "pie"))
    assert fixed and fixed == moved


def test_functions_are_known_in_both():
    """A goroutine is called by its function, which a stripped program still has."""
    def leak(flavour):
        with Target("leaklab", "1.27", flavour, args=("-mode", "worker-unclosed", "-test")) as t:
            return {f["signature"] for f in limpet_json("report", t.pid)["findings"] if f["kind"] == "goroutine-leak"}
    assert leak("stripped") and leak("stripped") == leak("dwarf")
