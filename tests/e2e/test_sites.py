"""Who allocated it: the rows of `top --by site` are those of the program's own heap profile, without asking it."""
import pytest

import profiles
from procs import Target, limpet, limpet_json

QUICK = ["1.22", "1.24", "1.27"]


def compare(target, what, first=30, tries=3, *options, flags=()):
    """The program's profile, limpet's rows, the profile again: where the program itself stands still they are equal."""
    for _ in range(tries):
        before = profiles.pprof(profiles.fetch(target.address), *flags)
        ours, doc = profiles.sites(what, *options)
        after = profiles.pprof(profiles.fetch(target.address), *flags)
        wrong = min(profiles.differences(ours, before, first), profiles.differences(ours, after, first), key=len)
        if not wrong:
            return ours, doc, before
        if not profiles.differences(before, after, first):
            break
    assert not wrong, "\n".join(wrong)
    return ours, doc, before


@pytest.mark.parametrize("minor", QUICK)
def test_rows_are_those_of_pprof(minor):
    with Target("sites", minor, env={"GODEBUG": "memprofilerate=8192"}) as t:
        ours, doc, theirs = compare(t, t.pid)
    profile = doc["memory_profile"]
    assert profile["on"] and profile["rate"] == 8192
    assert doc["sort"] == "shallow" and len([r for r in theirs if r[1]]) > 15
    print(len(ours), len(theirs), profile)
