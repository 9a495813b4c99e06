"""examples/leaklab: its list, its pages and its sources are the same set, and its modes do what they say.

Here the truth is the program's own: MemStats after two collections.  What limpet says of each mode is in the CASE lines,
which test_findings.py runs.
"""
import glob
import os
import re
import signal
import subprocess
import sys

import pytest

import procs
from procs import Target, build_targets, limpet_json

LAB = os.path.join(procs.TOP, "examples", "leaklab")
DOCS = os.path.join(procs.TOP, "docs", "lab")
NOT_HERE = {"cgo"}  # modes of other builds


@pytest.fixture(scope="module")
def leaklab():
    return build_targets.build("leaklab")


def modes(binary):
    """Mode -> whether it has a fixed twin."""
    out = subprocess.run([binary, "-list"], stdout=subprocess.PIPE, check=True, text=True).stdout
    return {line.split()[0]: "(-fixed)" in line[:29] for line in out.splitlines()}


def pages(folder):
    return {os.path.basename(p)[:-3] for p in glob.glob(os.path.join(folder, "*.md"))} - {"README"}


def live(binary, mode, n):
    """HeapAlloc after n of a mode and two collections."""
    with Target("leaklab", binary=binary, args=["-mode", mode, "-n", n]) as lab:
        os.kill(lab.pid, signal.SIGUSR1)
        line, _ = lab.wait_line("GC ")
        return int(line.split()[3])


def test_every_mode_has_a_page_in_both_languages(leaklab):
    assert set(modes(leaklab)) | NOT_HERE == pages(DOCS) == pages(os.path.join(DOCS, "zh"))


def test_every_mode_has_a_case(leaklab):
    sys.path.insert(0, procs.TESTS)
    import findings
    names = {c.name for c in findings.load("leaklab")}
    wanted = set()
    for mode, twin in modes(leaklab).items():
        wanted |= {mode, mode + "-fixed"} if twin else {mode}
    assert names == wanted


def test_pages_show_the_code_as_it_is():
    done = subprocess.run([os.path.join(procs.TOP, "tools", "lab-pages"), "--check"], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout


def test_pages_of_both_languages_show_the_same_output():
    for mode in pages(DOCS):
        blocks = []
        for folder in (DOCS, os.path.join(DOCS, "zh")):
            with open(os.path.join(folder, mode + ".md"), encoding="utf-8") as f:
                blocks.append(re.findall(r"```\n\$ leaklab.*?\n```", f.read(), re.S))
        assert blocks[0] == blocks[1] and blocks[0], mode


def test_links_lead_somewhere():
    for page in glob.glob(os.path.join(DOCS, "**", "*.md"), recursive=True):
        with open(page, encoding="utf-8") as f:
            prose = re.sub(r"```.*?```", "", f.read(), flags=re.S)
        for link in re.findall(r"\]\(([^)#]+)\)", prose):
            assert os.path.exists(os.path.join(os.path.dirname(page), link)), f"{page}: {link}"


@pytest.mark.parametrize("mode, n, each", [("afterfunc", 1000, 4096), ("handler-blocked", 100, 16384), ("gin-copy", 300, 8192),
                                           ("context-children", 1000, 4096), ("gorm-cache", 300, 4096)])
def test_leaks_and_its_twin_does_not(leaklab, mode, n, each):
    leaks, twin = live(leaklab, mode, n), live(leaklab, mode + "-fixed", n)
    none = live(leaklab, mode + "-fixed", 1)
    assert leaks - none > n * each
    assert twin - none < n * each / 2


def test_rate_and_time(leaklab):
    with Target("leaklab", binary=leaklab, args=["-mode", "nil-channel", "-rate", "600/s", "-for", "500ms"]) as lab:
        count = int(lab.wait_line("READY")[0].split()[3])
    assert 100 < count <= 300


def test_usage(leaklab):
    for args, word in [(["-mode", "nothing"], "nothing"), (["-mode", "cycle", "-fixed"], "no fixed twin"),
                       (["-mode", "ticker", "-rate", "5/h"], "5/h"), (["-mode", "cgo"], "CGO_ENABLED")]:
        done = subprocess.run([leaklab, *args], stderr=subprocess.PIPE, text=True)
        assert done.returncode == 2 and word in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.full
def test_cgo(tmp_path):
    """The mode that needs another build: C's memory is no Go memory, and is said to be somewhere."""
    binary = tmp_path / "leaklab"
    subprocess.run([build_targets.toolchain("1.27"), "build", "-tags", "small", "-buildvcs=false", "-o", binary, "."], cwd=LAB, check=True,
                   env=dict(os.environ, GOTOOLCHAIN="local", GOWORK="off", CGO_ENABLED="1", CC="gcc"))
    found = []
    for mode in ("cgo", "cgo-fixed"):
        with Target("leaklab", binary=str(binary), args=["-mode", mode, "-test"]) as lab:
            found.append([f for f in limpet_json("report", lab.pid)["findings"] if f["kind"] == "off-heap"])
    assert found[0] and found[0][0]["verdict"] != "leak" and found[0][0]["retained_bytes"] > 50e6
    assert not found[1]
