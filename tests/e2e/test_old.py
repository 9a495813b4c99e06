"""Go 1.18 to 1.21: pointer bits in the heap's arenas, older tables of functions and types."""
import pytest

import build_targets
from procs import Target, limpet_json
from test_verify import LEAST, check_exact

QUICK = [("mixed", m, "stripped") for m in build_targets.OLD_MINORS]
ALL = [(p, m, f) for p in ("quiet", "mixed", "goroutines10k") for m in build_targets.OLD_MINORS
       for f in ("stripped", "dwarf", "pie")]
CASES = [pytest.param(*c, marks=[] if c in QUICK else pytest.mark.full, id="-".join(c)) for c in ALL]


@pytest.mark.parametrize("program,minor,flavour", CASES)
def test_program(program, minor, flavour):
    """The collector's marks: nothing missing, nothing too much."""
    with Target(program, minor, flavour) as target:
        answer = limpet_json("verify", target.pid)
        check_exact(answer, LEAST[program])
        assert answer["missing"] == 0
        assert target.alive()
