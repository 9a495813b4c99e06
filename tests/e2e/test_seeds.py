"""docs/seeds.md: each sentence has a program, and each program agrees with its page."""
import os
import subprocess

import pytest

import build_targets

PAGES = os.path.join(build_targets.TOP, "tools", "seeds-pages")


def check(minor):
    build_targets.toolchain(minor)
    done = subprocess.run([PAGES, "--check"], env=dict(os.environ, SEEDS_GO=minor), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    assert done.returncode == 0, done.stdout


def test_the_page_is_true():
    check("1.26")


@pytest.mark.full
@pytest.mark.parametrize("minor", ["1.22", "1.24", "1.27"])
def test_in_other_versions(minor):
    check(minor)
