"""A Go version without a table: the nearest one, if the collector's marks agree; else exit 4."""
import os

import pytest

import build_targets
from procs import Target, limpet, limpet_json


def patched(tmp_path, minor, flavour, old, new):
    """A build whose version says something else: what tomorrow's Go looks like to us."""
    with open(build_targets.build("mixed", minor, flavour), "rb") as f:
        image = f.read()
    assert image.count(old) > 0
    path = tmp_path / "server"
    path.write_bytes(image.replace(old, new))
    path.chmod(0o755)
    return str(path)


def test_nearest_table_is_accepted_by_the_oracle(tmp_path):
    with Target("mixed", binary=patched(tmp_path, "1.27", "stripped", b"go1.27.", b"go1.39.")) as target:
        target.collect()
        answer = limpet_json("verify", target.pid)
        assert answer["target"]["go"].startswith("go1.39.")
        assert answer["target"]["layout"] == "1.27" and answer["target"]["layout_exact"] is False
        assert answer["extra"] == 0 and answer["gc_objects"] > 400000
        assert "no table for this Go version" in limpet("report", target.pid).stdout


def test_wrong_table_is_refused(tmp_path):
    """Under a name whose own table exists but does not fit, nothing is guessed."""
    with Target("mixed", binary=patched(tmp_path, "1.27", "stripped", b"go1.27.", b"go1.22.")) as target:
        answer = limpet("verify", target.pid, code=4)
        assert answer.stderr.count("\n") == 1 and "go1.22." in answer.stderr


@pytest.mark.full
def test_made_table_for_fields_that_moved(tmp_path):
    """What tomorrow's Go looks like: a version nobody knows, with locks of another size; a table made from its toolchain."""
    binary = patched(tmp_path, "1.27", "exp-staticlockranking", b"go1.27.", b"go1.28.")
    table = tmp_path / "table"
    limpet("layout", "--go", build_targets.toolchain("1.27"), "-o", table, "--quiet",
           env=dict(os.environ, GOEXPERIMENT="staticlockranking", GOTOOLCHAIN="local"))
    with Target("mixed", binary=binary) as target:
        target.collect()
        said = limpet("verify", target.pid, code=4).stderr
        assert said.count("\n") == 1 and "go1.28." in said and "limpet layout --go" in said, said
        answer = limpet_json("verify", target.pid, "--layout", table)
        assert answer["missing"] == 0 and answer["extra"] == 0 and answer["gc_objects"] > 400000
        assert answer["target"]["layout_exact"] is False
