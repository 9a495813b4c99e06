"""Options that an answer does not know are refused, not ignored: of goroutines as text and of GC logs.

What each answer knows stands in its own help and docs; what was refused says so in one line.
"""
import json

import pytest

from procs import limpet, limpet_json

DUMP = "".join(f"goroutine {i} [chan receive]:\nmain.f{i % 3}(0xc000010000)\n\t/src/main.go:{3 + i % 3} +0x19\ncreated by main.main in goroutine 1\n\t/src/main.go:9 +0x1d\n\n" for i in range(2, 9))
DUMP = "goroutine 1 [select]:\nmain.main()\n\t/src/main.go:20 +0x19\n\n" + DUMP
PROFILE = "goroutine profile: total 2\n2 @ 0x43a3f6 0x46d2a5\n#\t0x46d2a5\tmain.f+0x1d\t/src/main.go:41\n"
HEAP = "heap profile: 1: 64 [1: 64] @ heap/1048576\n1: 64 [1: 64] @ 0x46d2a5\n#\t0x46d2a5\tmain.f+0x1d\t/src/main.go:41\n"
GCLOG = "".join(f"gc {i} @{i}.0{i}s 1%: 0.01+0.5+0.01 ms clock, 0.1+0.2/0.3/0.4+0.1 ms cpu, 4->4->{i} MB, 5 MB goal, 0 MB stacks, 0 MB globals, 8 P\n" for i in range(1, 30))


@pytest.fixture
def files(tmp_path):
    for name, text in (("dump", DUMP), ("profile", PROFILE), ("heap", HEAP), ("gclog", GCLOG)):
        (tmp_path / name).write_text(text)
    return tmp_path


def refused(*args):
    answer = limpet(*map(str, args), code=2)
    assert not answer.stdout and answer.stderr.count("\n") == 1
    return answer.stderr


@pytest.mark.parametrize("command,option", [
    *(("top", o) for o in ("--html=/dev/null", "--focus=f", "--ignore=f", "--hide=f", "--show=f", "--show-from=f", "--tag-focus=f", "--tag-ignore=f", "--value=cpu",
                           "--format=dot", "--tree=both", "--owners=f", "--sort=flat", "--by=type", "--granularity=line", "--no-inlines", "--watch", "--count=2")),
    *(("report", o) for o in ("--svg=/dev/null", "--stream=3", "--tree=both", "--owners=f", "--since=x.limpet")),
    *(("tree", o) for o in ("--tree=both", "--focus=f", "--by=line", "--sort=cum", "--html=/dev/null", "--value=cpu")),
    *(("diff", o) for o in ("--sort=name", "--by=type", "--objects", "--requests=1,2", "--focus=f", "--force", "--for=1s", "--cycles=2", "--normalize", "--percent-of=old")),
])
def test_of_goroutines(files, command, option):
    assert option.split("=")[0] in refused(command, files / "dump", option)


@pytest.mark.parametrize("command,option", [("report", "--dump=2"), ("report", "--tree=both"), ("report", "--since=x.limpet")])
def test_of_gc_logs(files, command, option):
    assert option.split("=")[0] in refused(command, files / "gclog", option)


@pytest.mark.parametrize("option", ["--svg=/dev/null", "--stream=3", "--tree=both", "--owners=f"])
@pytest.mark.parametrize("names", [("dump", "gclog"), ("gclog", "heap"), ("heap",)])
def test_of_several(files, names, option):
    assert option.split("=")[0] in refused("report", *(files / n for n in names), option)


def test_what_it_says_is_what_was_found(files):
    assert refused("top", files / "dump", "--html", "x.html") == f"limpet: --html is for profiles; {files / 'dump'} is goroutines as text\n"


@pytest.mark.parametrize("option", ["--values=full", "--threads=2", "--max-memory=1G", "--no-color", "--quiet", "--limit=3", "--exe=/bin/true"])
@pytest.mark.parametrize("command", ["goroutines", "report", "top", "tree"])
def test_common_options_are_taken(files, command, option):
    assert limpet(command, str(files / "dump"), option).stdout


@pytest.mark.parametrize("second", ["heap", "profile", "gclog"])
def test_top_of_several(files, second):
    assert second in refused("top", files / "dump", files / second)


@pytest.mark.parametrize("second", ["heap", "gclog"])
def test_diff_of_two_kinds(files, second):
    assert second in refused("diff", files / "dump", files / second)


def test_tree_goes_as_deep_as_asked(files):
    """main.main started all others: two levels."""
    path = str(files / "dump")
    assert {n["depth"] for n in limpet_json("tree", path)["tree"]} == {0, 1}
    (root,) = limpet_json("tree", path, "--depth", "1")["tree"]
    assert root["function"] == "main.main" and root["below"] == 8
    assert len(limpet_json("tree", path, "--depth", "2")["tree"]) == 4
    assert "main.f9" in refused("tree", path, "main.f9")


@pytest.mark.parametrize("name", ["dump", "gclog"])
def test_report_has_all_forms(files, name):
    """A report of one file has the forms that one of several has."""
    path = str(files / name)
    assert limpet("report", path, "--markdown").stdout.startswith("#")
    assert json.loads(limpet("report", path, "--format", "sarif").stdout)["version"] == "2.1.0"
    limpet("report", path, "--junit", str(files / "out.xml"))
    assert "<testsuite" in (files / "out.xml").read_text()
    assert "signature" in refused("report", path, "--ignore", "xyz")


def test_picture_and_forms(files):
    for option in ("--svg=/dev/null", "--stream=1"):
        assert "--svg and --stream" in refused("report", files / "gclog", option, "--markdown")


def test_report_leaves_out_what_is_known(files):
    """The runtime's word of a deadlock is a finding; one that is named is left out."""
    path = str(files / "dump")
    (files / "dump").write_text("fatal error: all goroutines are asleep - deadlock!\n\n" + DUMP)
    all_of = limpet_json("report", path)["findings"]
    assert len(all_of) == 4
    left = limpet_json("report", path, "--ignore", all_of[0]["signature"])["findings"]
    assert {f["signature"] for f in left} == {f["signature"] for f in all_of[1:]}


@pytest.mark.parametrize("command", ["gc", "report"])
def test_svg_of_gc_logs(files, command):
    out = files / "x.svg"
    assert limpet(command, str(files / "gclog"), "--svg", str(out)).stdout
    assert "<svg" in out.read_text()
    answer = limpet(command, str(files / "gclog"), "--svg", str(files / "no" / "x.svg"), code=3)
    assert str(files / "no" / "x.svg") in answer.stderr and " -o " not in answer.stderr


def test_commands_are_named_once(files):
    said = limpet("memory", str(files / "dump"), code=4).stderr
    words = said.split("limpet ")[-1].split(", ")
    assert len(words) == len({w.strip() for w in words}) > 3
