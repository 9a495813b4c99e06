"""--source DIR: the lines of a finding's sites and who owns them; nothing but source below that folder is read."""
import os
import shutil

import pytest

import build_targets
from procs import Target, limpet, limpet_json

PROGRAM = os.path.join(build_targets.PROGS, "growing", "main.go")


@pytest.fixture(scope="module")
def growing():
    with Target("growing", flavour="dwarf") as t:
        yield t


@pytest.fixture
def tree(tmp_path):
    """The source, as somebody else has it: another folder above, the same end."""
    place = tmp_path / "src" / "growing"
    place.mkdir(parents=True)
    shutil.copy(PROGRAM, place)
    return tmp_path / "src"


def lines(pid, tree):
    answer = limpet_json("report", pid, "--source", tree)
    return [s for f in answer["findings"] for s in f.get("source", [])]


def number_of(text):
    with open(PROGRAM, encoding="utf-8") as f:
        return next(i for i, line in enumerate(f, 1) if text in line)


def test_lines_and_owner(growing, tree):
    (tree / "CODEOWNERS").write_text("* @everybody\n# a comment\n/growing/ @growers @shop/team  # them\n*.md @writers\n")
    found = lines(growing.pid, tree)
    here = next(s for s in found if s["line"] == number_of("func newSession"))
    assert here["what"] == "allocated" and here["file"] == "growing/main.go" and here["owner"] == "@growers @shop/team"
    text = open(PROGRAM, encoding="utf-8").read().split("\n")
    assert here["lines"] == text[here["first"] - 1:here["first"] - 1 + len(here["lines"])]
    said = limpet("report", growing.pid, "--source", tree).stdout
    assert "> func newSession(id int)" in said and "owned by @growers @shop/team" in said


@pytest.mark.parametrize("owners,owner", [
    ("*.go @go\n", "@go"),
    ("*.go @go\ngrowing/ @dir\n", "@dir"),
    ("growing/*.go @a\n", "@a"),
    ("/main.go @root\n", ""),
    ("**/main.go @deep\n", "@deep"),
    ("* @all\ngrowing\n", ""),
    ("", ""),
])
def test_patterns(growing, tree, owners, owner):
    (tree / ".github").mkdir()
    (tree / ".github" / "CODEOWNERS").write_text(owners)
    assert {s["owner"] for s in lines(growing.pid, tree)} == {owner}


def test_no_link_is_followed(growing, tree, tmp_path):
    real = tree / "growing" / "main.go"
    real.rename(tmp_path / "outside.go")
    real.symlink_to(tmp_path / "outside.go")
    assert not lines(growing.pid, tree)
    real.unlink()
    (tree / "growing").rmdir()
    (tree / "growing").symlink_to(tmp_path)
    assert not lines(growing.pid, tree)


def test_no_such_folder(growing, tree, tmp_path):
    assert "--source" in limpet("report", growing.pid, "--source", tmp_path / "gone", code=3).stderr
    assert "--source" in limpet("report", growing.pid, "--source", PROGRAM, code=3).stderr
