"""Go 1.18 to 1.21: pointer bits in the heap's arenas, older tables of functions and types.

What the tests of the newer versions ask of a program is asked of these, too: by the collector's marks, the program's own
words, its stack dumps, and the same process looked at in other ways.
"""
import pytest

import build_targets
import cores
import test_containers
import test_core
import test_goroutines
import test_typing
import test_verify
from procs import Target, limpet, limpet_json

MINORS = build_targets.OLD_MINORS
FLAVOURS = ["stripped", "dwarf", "pie"]


def some(*quick):
    """All four versions, those outside of make check marked."""
    return pytest.mark.parametrize("minor", [pytest.param(m, marks=[] if m in quick else pytest.mark.full) for m in MINORS])


needs_objects = pytest.mark.skipif(not cores.objects_program(), reason="needs tests/tools/objects, which the build makes")

QUICK = [*[("mixed", m, "stripped") for m in MINORS], ("cgo", "1.18", "stripped"), ("goroutines10k", "1.20", "pie")]
ALL = [(p, m, f) for p in ("quiet", "mixed", "goroutines10k", "bigmaps", "cgo") for m in MINORS for f in FLAVOURS]
CASES = [pytest.param(*c, marks=[] if c in QUICK else pytest.mark.full, id="-".join(c)) for c in ALL]


@pytest.mark.parametrize("program,minor,flavour", CASES)
def test_program(program, minor, flavour):
    """The collector's marks: nothing missing, nothing too much."""
    with Target(program, minor, flavour) as target:
        answer = limpet_json("verify", target.pid)
        test_verify.check_exact(answer, test_verify.LEAST[program])
        assert answer["missing"] == 0 and answer["capture"]["losses"] == []
        assert target.alive()


@some()
def test_storm(minor):
    test_verify.test_storm(minor)


@some("1.19")
def test_bytes_are_those_of_memstats(minor):
    test_verify.test_bytes_are_those_of_memstats(minor)


@some("1.18")
def test_goroutines_are_those_of_the_runtime(minor):
    """State, frames with inlined ones and lines, creator: as the program's own stack dump has them."""
    with Target("mixed", minor) as target:
        assert test_goroutines.compare(target) >= 18


@some()
def test_ten_thousand_goroutines(minor):
    test_goroutines.test_ten_thousand(minor, "stripped")


@some()
def test_frames_across_c(minor):
    test_goroutines.test_frames_across_c(minor)


@some("1.18")
def test_containers_live(minor):
    """Maps, channels, sync.Map, contexts, timers and so on: every entry that the program told of."""
    test_containers.test_live(minor)


@some()
@pytest.mark.parametrize("flavour", ["stripped", "dwarf"])
def test_containers_matrix(minor, flavour, tmp_path):
    test_containers.test_matrix(minor, flavour, tmp_path)


@needs_objects
@some()
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_cores(minor, flavour, tmp_path):
    """Live, our own core, gcore, the kernel's core: the same objects."""
    test_core.test_one_process_one_instant(tmp_path, minor, flavour)


@needs_objects
@some()
@pytest.mark.parametrize("flavour", ["stripped", "dwarf"])
def test_names(minor, flavour, tmp_path):
    """Without malloc headers larger objects are named by what points to them.

    To 1.19 the underlying type of one of go.shape is an rtype of its own, and looks like any other without a name: what
    only shared code knows may be called by that, "struct { v error; ok bool }" for main.option[error].
    """
    with Target("truth", minor, flavour, args=[tmp_path / "facts"]) as target:
        judged = test_typing.judge([target.pid, "--quiet"], test_typing.facts(tmp_path / "facts"))
    assert judged.total() > 90000 and len(judged.types) > 2000
    assert judged.total("right") > 0.97 * judged.total(kinds=judged.counts.keys() - {"first", "inside", "tiny"})
    assert len(judged.wrong) * (2000 if minor in ("1.18", "1.19") else 10000) <= judged.total(), judged.wrong[:20]


@needs_objects
@some()
@pytest.mark.parametrize("program", ["mixed", "leakhttp"])
def test_stripped_says_what_dwarf_says(program, minor, tmp_path):
    test_typing.test_stripped_says_what_dwarf_says(program, minor, tmp_path)


@some()
def test_stripped_and_dwarf_give_the_same_graph(minor):
    test_verify.test_stripped_and_dwarf_give_the_same_graph(minor)


@some()
def test_layout_of_a_toolchain(minor, tmp_path, monkeypatch):
    """A table that is made here and now, given by hand."""
    monkeypatch.setenv("GODEBUG", "goindex=0")  # see tools/go-toolchain
    table = tmp_path / "table"
    limpet("layout", "--go", build_targets.toolchain(minor), "-o", table)
    with Target("quiet", minor) as target:
        answer = limpet_json("verify", target.pid, "--layout", table)
        test_verify.check_exact(answer, test_verify.LEAST["quiet"])
