"""limpet.conf, known findings, --ignore, owners' hints: what is left out, by whose wish, and for how long."""
import os

import pytest

from procs import Target, limpet, limpet_json


@pytest.fixture(scope="module")
def growing():
    with Target("growing", flavour="dwarf") as t:
        yield t


@pytest.fixture
def conf(tmp_path, monkeypatch):
    path = tmp_path / "limpet.conf"

    def write(text, mode=0o644):
        path.write_text(text)
        path.chmod(mode)
        monkeypatch.setenv("LIMPET_CONF", str(path))
        return path
    return write


def finding(answer, holder="main.sessions"):
    return next((f for f in answer["findings"] if f["held_by"] == holder), None)


@pytest.fixture(scope="module")
def signature(growing):
    return finding(limpet_json("report", growing.pid))["signature"]


def test_ignore(growing, signature):
    answer = limpet_json("report", growing.pid, "--ignore", signature, "--ignore", "0" * 16)
    assert not finding(answer) and finding(answer, "main.cache")
    assert [(i["signature"], i["by"]) for i in answer["ignored"]] == [(signature, "--ignore")]
    text = limpet("report", growing.pid, "--ignore", signature).stdout
    assert "1 left out" in text and f"left out {signature}" in text
    assert "want a signature" in limpet("report", growing.pid, "--ignore", "main.sessions", code=2).stderr


@pytest.mark.parametrize("by", ["conf", "known"])
def test_known_until(growing, signature, by, conf, tmp_path):
    text = f"# ours\nknown {signature} until 2099-01-31 ticket #12: being fixed  # they say\n"
    more = []
    if by == "conf":
        path = conf(text)
    else:
        path = tmp_path / "known"
        path.write_text(text)
        more = ["--known", path]
    answer = limpet_json("report", growing.pid, *more)
    assert not finding(answer)
    (left,) = answer["ignored"]
    assert left["by"] == f"{path}:2" and left["why"] == "until 2099-01-31: ticket #12: being fixed"
    assert left["kind"] and left["title"] and left["retained_bytes"] > 4 << 20


def test_an_end_that_is_over(growing, signature, conf):
    path = conf(f"known {signature} until 2026-01-31 ticket 12\n")
    found = finding(limpet_json("report", growing.pid))
    assert found["known"] == f"was known until 2026-01-31: ticket 12 ({path}:1)"
    assert "was known until 2026-01-31" in limpet("report", growing.pid).stdout


@pytest.mark.parametrize("hint", ["cache main.cache", "pool main.cache", "pass main.cache"])
def test_a_hinted_holder_is_no_suspect(growing, conf, hint):
    path = conf(hint + "\n")
    answer = limpet_json("report", growing.pid)
    assert not finding(answer, "main.cache") and finding(answer)
    assert f"{path}:1" in {i["by"] for i in answer["ignored"]}


def test_the_same_hint_by_option(growing, tmp_path):
    rules = tmp_path / "rules"
    rules.write_text("cache main.cache\n")
    assert not finding(limpet_json("report", growing.pid, "--owners", rules), "main.cache")


def test_limits(growing, conf):
    conf("max-memory 1M\n")
    assert limpet("report", growing.pid, code=5).stderr
    assert limpet("report", growing.pid, "--max-memory", "2G").stdout  # what is said counts
    conf("max-pause 100\nthreads 1\nvalues none\nlimit 2\n")
    assert len(limpet_json("report", growing.pid)["findings"]) == 2


@pytest.mark.parametrize("line,says", [
    ("knwon 0123456789abcdef until 2027-01-01 x", ":1: knwon: want known, pool"),
    ("known main.cache until 2027-01-01 x", "want a signature"),
    ("known 0123456789abcdef", "want an end"),
    ("known 0123456789abcdef until 2027-02-30 x", "want an end"),
    ("known 0123456789abcdef until 2027-01-01", "want a reason"),
    ("cache", "of what? want a name"),
    ("max-pause soon", "max-pause soon: want milliseconds"),
    ("threads -1", "want a number"),
])
def test_wrong_lines(growing, conf, line, says):
    conf(line + "\n")
    done = limpet("report", growing.pid, code=2)
    assert says in done.stderr and "limpet.conf:1" in done.stderr and done.stderr.count("\n") == 1


def test_whose_file_it_is(growing, conf, tmp_path, monkeypatch):
    conf("threads 1\n", mode=0o666)
    assert "others may write it" in limpet("report", growing.pid, code=2).stderr
    if os.geteuid() == 0:
        path = conf("threads 1\n")
        os.chown(path, 1234, 1234)
        assert "others may write it" in limpet("report", growing.pid, code=2).stderr
    monkeypatch.setenv("LIMPET_CONF", str(tmp_path / "gone"))
    assert "LIMPET_CONF" in limpet("report", growing.pid, code=3).stderr
    monkeypatch.setenv("LIMPET_CONF", "")
    assert limpet("report", growing.pid).stdout


def test_the_folder_is_not_asked(growing, tmp_path, monkeypatch):
    (tmp_path / "limpet.conf").write_text("nonsense\n")
    monkeypatch.delenv("LIMPET_CONF", raising=False)
    assert limpet("report", growing.pid, cwd=tmp_path).stdout
