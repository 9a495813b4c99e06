"""What the matrix does not say of build modes: several Go runtimes in one process, cores by gcore, forms of DWARF."""
import os
import shutil
import subprocess
import sys

import pytest

import build_targets
import cores
from procs import TESTS, Target, limpet, limpet_json

sys.path.insert(0, os.path.join(TESTS, "matrix"))
import axes  # noqa: E402


def library(minor, symbols="stripped"):
    """(host, library) of the matrix, built if need be."""
    return axes.build(minor, "c-shared", symbols)


def sessions(target, *more):
    rows = limpet_json("top", target, "--by", "type", "--limit", 0, *more)["rows"]
    return [r["objects"] for r in rows if r["name"] == "body.Session"]


def check_one(target, minor, path):
    answer = limpet_json("verify", target, "--exe", path)
    assert answer["extra"] == 0 and answer["holds"] is not False
    assert answer["target"]["go"].startswith(f"go{minor}.")
    assert sessions(target, "--exe", path) == [2000]


@pytest.fixture(name="two", scope="module")
def fixture_two(tmp_path_factory):
    """A C program that has opened two libraries of two Go versions: two runtimes, two heaps."""
    host, first = map(os.path.realpath, library("1.27"))
    second = str(tmp_path_factory.mktemp("two") / "other.so")
    shutil.copyfile(library("1.24")[1], second)
    with Target("matrix", binary=host, args=[first, second]) as target:
        target.wait_line("READY", after=1)
        yield target, first, second


def check_asked_which(target, first, second):
    for command in ("report", "verify"):
        said = limpet(command, target, code=2).stderr
        assert said.count("\n") == 1 and first in said and second in said and "--exe" in said, said


def test_two_runtimes(two):
    """Neither is guessed: exit 2 names both, --exe says which."""
    target, first, second = two
    check_asked_which(target.pid, first, second)
    check_one(target.pid, "1.27", first)
    check_one(target.pid, "1.24", second)


@pytest.mark.full  # gcore writes more than a GB of reserved memory
@pytest.mark.skipif(not shutil.which("gcore"), reason="no gcore (gdb) here")
def test_two_runtimes_in_a_core(two, tmp_path):
    """gcore leaves libraries' code out of the program headers: their files say what they are."""
    target, first, second = two
    subprocess.run(["gcore", "-o", tmp_path / "core", str(target.pid)], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    path = f"{tmp_path}/core.{target.pid}"
    check_asked_which(path, first, second)
    check_one(path, "1.27", first)
    check_one(path, "1.24", second)
    said = limpet("verify", path, "--exe", build_targets.build("quiet"), code=4).stderr
    assert said.count("\n") == 1 and "is not the file that ran" in said
    os.unlink(path)


@pytest.mark.full
@pytest.mark.skipif(not shutil.which("gcore"), reason="no gcore (gdb) here")
@pytest.mark.parametrize("mode", ["c-shared-python", "plugin", "linkshared"])
def test_gcore_of_libraries(mode, tmp_path):
    program, *args = axes.build("1.26", mode, "stripped")
    with cores.Stopped(tmp_path, "matrix", binary=program, args=args) as target:
        path = cores.gcore(target)
        answer = limpet_json("verify", path)
        assert answer["extra"] == 0 and answer["holds"] is not False
        assert sessions(path) == [2000]
        os.unlink(path)


def test_library_that_is_gone(tmp_path):
    """The process still runs it: everything is in its memory."""
    host, path = library("1.27")
    copy = tmp_path / "lib.so"
    shutil.copyfile(path, copy)
    with Target("matrix", binary=host, args=[copy]) as target:
        os.unlink(copy)
        answer = limpet_json("verify", target.pid)
        assert answer["missing"] == 0 and answer["extra"] == 0
        assert sessions(target.pid) == [2000]


FORMS = {"as linked": None, "plain": "none", "zlib": "zlib", "zlib-gnu": "zlib-gnu", "zstd": "zstd"}


@pytest.mark.parametrize("minor", [pytest.param(m, marks=[] if m == "1.27" else pytest.mark.full)
                                   for m in build_targets.OLD_MINORS + build_targets.MINORS])
def test_forms_of_dwarf(minor, tmp_path):
    """DWARF 4 up to Go 1.24, 5 from 1.25 on; compressed by Go's linker, not at all, or by others: one answer."""
    binary = axes.build(minor, "exe", "dwarf")[0]
    answers = {}
    for name, how in FORMS.items():
        path = binary
        if how:
            option = "--decompress-debug-sections" if how == "none" else f"--compress-debug-sections={how}"
            path = str(tmp_path / name)
            subprocess.run(["objcopy", option, binary, path], check=True)
        with Target("matrix", binary=path) as target:
            report = limpet_json("report", target.pid)
            facts, losses = report["target"], report["capture"]["losses"]
            assert facts["stripped"] is False
            if how == "zstd" and losses:  # said, where libelf is older than 0.189
                assert facts["dwarf"] is False and "zstd" in losses[0]["what"]
                assert "zstd" in limpet("report", target.pid, "--symbols", path, code=4).stderr
                continue
            assert facts["dwarf"] is True and losses == []
            rows = limpet_json("top", target.pid, "--by", "type", "--limit", 0)["rows"]
            answers[name] = {r["name"]: (r["objects"], r["shallow_bytes"]) for r in rows if r["name"].startswith("body.")}
    assert answers["plain"]["body.Job"] == (3, 288)
    assert all(a == answers["plain"] for a in answers.values()), answers
