"""Forms of what `limpet check` found: JUnit and SARIF against their schemas, annotations and Code Quality by their rules.

Drawn answers (tests/tools/checkdraw) have every result and texts as a hostile program would choose them; one real check
of a leaking test package is written in all forms at once.
"""
import json
import os
import re
import subprocess

import jsonschema
import pytest
import yaml

import build_targets
import procs

SCHEMAS = os.path.join(procs.TESTS, "schemas")
TOP = procs.TOP
SIGNATURE = re.compile(r"^[0-9a-f]{16}$")
RESULTS = {"passed", "failed", "unsure", "broken", "skipped"}


def drawn(*what):
    build = os.path.dirname(os.path.realpath(procs.LIMPET))
    tool = os.path.join(build, "tests", "tools", "checkdraw")
    if not os.access(tool, os.X_OK):
        subprocess.run(["ninja", "-C", build, "tests/tools/checkdraw"], check=False, stdout=subprocess.DEVNULL)
    if not os.access(tool, os.X_OK):
        pytest.skip("this build has no test tools")
    return subprocess.run([tool, *what], stdout=subprocess.PIPE, check=True).stdout


def check_sarif(text):
    doc = json.loads(text)
    with open(os.path.join(SCHEMAS, "sarif-2.1.0.json"), encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft4Validator(schema).validate(doc)
    run = doc["runs"][0]
    rules = [r["id"] for r in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert SIGNATURE.match(result["partialFingerprints"]["limpetSignature/v1"])
        for where in result["locations"]:
            uri = where.get("physicalLocation", {}).get("artifactLocation", {}).get("uri", "x")
            assert not uri.startswith("/") and " " not in uri
    return run


def check_junit(text, tmp_path):
    path = tmp_path / "junit.xml"
    path.write_bytes(text)
    out = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", os.path.join(SCHEMAS, "junit-10.xsd"), str(path)],
                         stderr=subprocess.PIPE, text=True)
    assert out.returncode == 0, out.stderr
    # by another reader, which knows nothing of the schema
    import xml.etree.ElementTree as tree
    return tree.fromstring(text)


def test_sarif_drawn():
    run = check_sarif(drawn("sarif"))
    by = {r["partialFingerprints"]["limpetSignature/v1"]: r for r in run["results"]}
    assert by["0123456789abcdef"]["level"] == "error"
    place = by["0123456789abcdef"]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "cmd/a%20b/main%25.go" and place["region"]["startLine"] == 17
    assert by["00000000000000ff"]["level"] == "warning" and by["00000000000000ff"]["locations"] == []
    assert by["1111111111111111"]["level"] == "warning"
    assert by["ffffffffffffffff"]["suppressions"][0]["status"] == "accepted"
    assert "suppressions" not in by["0123456789abcdef"]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [n["level"] for n in notes] == ["warning", "error"] and run["invocations"][0]["executionSuccessful"] is False


def test_junit_drawn(tmp_path):
    root = check_junit(drawn("junit"), tmp_path)
    assert root.attrib["tests"] == "5" and root.attrib["failures"] == "2" and root.attrib["errors"] == "1"
    suites = root.findall("testsuite")
    assert [s.attrib["name"].split()[0] for s in suites] == ["./server", "example.com/m/pkg", "example.com/m/none"]
    for s in suites:
        cases = s.findall("testcase")
        assert int(s.attrib["tests"]) == len(cases)
        for kind in ("failure", "error", "skipped"):
            n = sum(c.find(kind) is not None for c in cases)
            assert int(s.attrib[{"failure": "failures", "error": "errors"}.get(kind, kind)]) == n
    cases = {c.attrib["name"]: c for s in suites for c in s.findall("testcase")}
    assert cases["TestUnsure"].find("failure").attrib["type"] == "unsure"
    assert "last line" in cases["TestBroken"].find("error").text
    assert cases["TestGood"].attrib["classname"] == "example.com/m/pkg" and cases["TestGood"].attrib["time"] == "1.234"


def test_json_drawn():
    doc = json.loads(drawn("json"))
    assert doc["schema"] == 1 and doc["result"] == "failed"
    assert {c["result"] for c in doc["checks"]} == RESULTS
    row = doc["checks"][0]["findings"][0]
    assert row["kind"] == "global-growth" and row["objects"] == 100 and row["bytes_per_round"] == 64
    assert row["at"] == {"function": "main.newSession", "file": "main.go", "line": 17, "path": "cmd/a b/main%.go"}
    assert doc["checks"][0]["rounds"][0]["rss"] is None
    assert doc["checks"][0]["limits"][3]["value"] is None and doc["checks"][0]["limits"][0]["broken"] is True
    assert json.loads(drawn("json", "empty"))["checks"] == []


def test_annotations_drawn():
    """Each line is one command, and a hostile text cannot begin another."""
    text = drawn("github").decode()
    lines = text.rstrip("\n").split("\n")
    levels = []
    for line in lines:
        m = re.match(r"^::(error|warning|notice) ((?:file=[^,:]*,line=\d+,)?title=[^,:]*)::(.*)$", line)
        assert m, line
        levels.append(m.group(1))
        for part in m.group(2, 3):
            assert not re.search(r"%(?!25|0A|0D|2C|3A)", part), part
    # two of the failed one (the known one is silent), unsure, broken, and what is fixed
    assert levels == ["error", "warning", "warning", "error", "notice"]
    assert "file=cmd/a b/main%25.go,line=17," in lines[0]
    assert "SECRET-OUTPUT" not in text and "\r" not in text and "\x1b" not in text


def test_code_quality_drawn():
    rows = json.loads(drawn("gitlab"))
    assert [r["fingerprint"] for r in rows] == ["0123456789abcdef", "1111111111111111"]
    for r in rows:
        assert set(r) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert r["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert isinstance(r["location"]["lines"]["begin"], int) and not r["location"]["path"].startswith("/")


@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif", "github", "gitlab"])
def test_hostile_text(form):
    """Nothing that drives a terminal; what the program printed stays where people look, not in what services keep."""
    text = drawn(form)
    text.decode("utf-8")
    for bad in (b"\x1b", b"\x01", b"\x7f", b"\xe2\x80\xae", b"\r"):
        assert bad not in text
    assert (b"SECRET-OUTPUT" in text) == (form in ("text", "json", "junit"))


def test_kinds_are_those_of_the_docs():
    """Rules of SARIF: each kind that has a page, and words of check itself."""
    pages = {f[:-3] for f in os.listdir(os.path.join(TOP, "docs", "findings"))} - {"README"}
    kinds = set(drawn("kinds").decode().split())
    assert pages <= kinds and kinds - pages == {"growth", "limit", "unsure", "broken"}


LEAKY = {
    "go.mod": "module example.com/leaky\n\ngo 1.22\n",
    "leaky.go": """package leaky

type Session struct {
	ID   int
	Data [256]byte
}

var kept = map[int]*Session{}

func Open() *Session {
	s := &Session{ID: len(kept)}
	kept[s.ID] = s // line 12: it stays
	return s
}
""",
    "leaky_test.go": """package leaky

import "testing"

func TestOpen(t *testing.T) {
	for i := 0; i < 50; i++ {
		if Open() == nil {
			t.Fatal("none")
		}
	}
}
""",
}


def write_module(folder, files):
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def go_env(minor=build_targets.NEWEST, **more):
    go = build_targets.toolchain(minor)
    env = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-mod=mod", LIMPET_CONF="",
               PATH=os.path.dirname(go) + ":" + os.environ["PATH"], **more)
    env.pop("GITHUB_ACTIONS", None)
    return env


def check(folder, *args, env=None, seconds=300):
    return subprocess.run([procs.LIMPET, "check", *args], cwd=folder, env=env or go_env(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=seconds * procs.SLOW)


def test_all_forms_of_one_check(tmp_path):
    """A package that leaks, in six forms at once; each names it, its line, and one signature."""
    write_module(tmp_path, LEAKY)
    out = check(tmp_path, "--format", "json", "--junit", "j.xml", "--sarif", "s.sarif", "--code-quality", "q.json",
                "--annotations", "--", "go", "test", ".")
    assert out.returncode == 1, out.stderr
    doc = json.loads(out.stdout)
    assert doc["result"] == "failed" and len(doc["checks"]) == 1 and doc["checks"][0]["name"] == "example.com/leaky"
    rows = [r for r in doc["checks"][0]["findings"] if r["type"] == "leaky.Session"]
    assert len(rows) == 1 and rows[0]["verdict"] == "leak" and "leaky.kept" in rows[0]["held_by"]
    assert abs(rows[0]["objects_per_round"] - 50) < 1  # what TestOpen does
    assert rows[0]["at"]["path"] == "leaky.go" and rows[0]["at"]["line"] == 11 and rows[0]["at"]["function"].endswith(".Open")
    signature = rows[0]["signature"]

    run = check_sarif((tmp_path / "s.sarif").read_text())
    assert signature in [r["partialFingerprints"]["limpetSignature/v1"] for r in run["results"]]
    assert all(r["locations"] for r in run["results"])  # GitHub refuses others
    root = check_junit((tmp_path / "j.xml").read_bytes(), tmp_path)
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None and signature in failure.text
    json.loads((tmp_path / "q.json").read_text())
    notes = out.stderr.decode()
    assert re.search(r"^::error file=leaky.go,line=11,title=[^:]+::.*" + signature, notes, re.M), notes
    for name in ("j.xml", "s.sarif", "q.json"):
        assert os.stat(tmp_path / name).st_mode & 0o777 == 0o600


def test_bad_options(tmp_path):
    """One line and exit 2 or 3, before anything is started."""
    for args, code, word in (
            (["--format", "xml"], 2, "--format"),
            (["--baseline", "none.json"], 3, "none.json"),
            (["--known", "none"], 3, "--known"),
            (["--load", "true"], 2, "--load")):
        out = check(tmp_path, *args, "--", "go", "test", ".")
        assert out.returncode == code and word in out.stderr.decode(), (args, out.stderr)
        assert out.stderr.count(b"\n") == 1 and not out.stdout


@pytest.mark.parametrize("text, word", [
    ("", "no baseline"), ("[1,2]", "no baseline"), ("{", "no baseline"), ('{"limpet_baseline": 2}', "schema 2"),
    ('{"limpet_baseline": 1, "findings": [{"signature": "x"}]}', "no baseline"),
    ('{"limpet_baseline": "1"}', "no baseline"), ("\x00\xff" * 100, "no baseline"), ("[" * 5000, "no baseline")])
def test_damaged_baseline(tmp_path, text, word):
    (tmp_path / "limpet-baseline.json").write_text(text, encoding="latin-1")
    out = check(tmp_path, "--", "go", "test", ".")
    assert out.returncode == 4 and word in out.stderr.decode() and out.stderr.count(b"\n") == 1, out.stderr


@pytest.mark.full
def test_baseline_flow(tmp_path):
    """Red, accepted, green; another leak: red again for that one alone; fixed: said so."""
    write_module(tmp_path, LEAKY)
    args = ["--format", "json", "--", "go", "test", "."]
    out = check(tmp_path, "--update-baseline", *args)
    assert out.returncode == 0, out.stderr
    with open(tmp_path / "limpet-baseline.json", encoding="utf-8") as f:
        text = f.read()
    lines = [json.loads(line.rstrip(",]}") + "}") for line in text.splitlines() if '"signature"' in line]
    assert lines and lines == sorted(lines, key=lambda x: (x["program"], x["test"], x["signature"]))
    assert json.loads(text)["rounds"][0]["alloc_bytes_per_load"] > 0

    out = check(tmp_path, *args)
    doc = json.loads(out.stdout)
    assert out.returncode == 0 and doc["result"] == "passed" and all(r["known"] for c in doc["checks"] for r in c["findings"])

    write_module(tmp_path, {"more_test.go": """package leaky

import "testing"

var second [][]byte

func TestMore(t *testing.T) { second = append(second, make([]byte, 9000)) }
"""})
    out = check(tmp_path, *args)
    doc = json.loads(out.stdout)
    assert out.returncode == 1
    fresh = [r for r in doc["checks"][0]["findings"] if not r["known"]]
    assert fresh and all("second" in r["held_by"] for r in fresh)

    (tmp_path / "more_test.go").unlink()
    write_module(tmp_path, {"leaky.go": LEAKY["leaky.go"].replace("kept[s.ID] = s", "_ = kept")})
    out = check(tmp_path, *args)
    doc = json.loads(out.stdout)
    assert out.returncode == 0
    assert {g["signature"] for g in doc["fixed"]} == {x["signature"] for x in lines}


def test_known_file(tmp_path):
    """A line of --known silences for as long as it says; the check fails for it before and behind."""
    (tmp_path / "known").write_text("known zz until 2030-01-01 because\n")
    out = check(tmp_path, "--known", "known", "--", "true")
    assert out.returncode == 2 and b"signature" in out.stderr


CI = os.path.join(TOP, "docs", "ci")


def ci_commands(name):
    """Every shell command of a CI file."""
    with open(os.path.join(CI, name), encoding="utf-8") as f:
        text = f.read()
    if name == "Jenkinsfile":
        assert text.count("{") == text.count("}")
        return [m.replace("\\'", "'") for m in re.findall(r"\bsh '((?:[^'\\]|\\.)*)'", text)]
    doc = yaml.safe_load(text)
    if name == "gitlab-ci.yml":
        assert set(doc["leaks"]["artifacts"]["reports"]) == {"junit", "codequality"}
        return doc["leaks"]["script"]
    assert set(doc) == {"name", True, "permissions", "jobs"}  # YAML 1.1: "on" is a truth
    steps = doc["jobs"]["leaks"]["steps"]
    assert all(("run" in s) != ("uses" in s) for s in steps)
    return [line for s in steps if "run" in s for line in s["run"].strip().splitlines()]


SERVER = """package main

import (
	"fmt"
	"net"
	"net/http"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "hello") }))
}
"""


@pytest.mark.parametrize("name", ["github.yml", "gitlab-ci.yml", "Jenkinsfile"])
def test_ci_files(name):
    """They parse, and each option in them is one that `limpet check` takes."""
    commands = [c for c in ci_commands(name) if "limpet check" in c]
    assert len(commands) == 2
    known = subprocess.run([procs.LIMPET, "check", "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    for c in commands:
        for option in re.findall(r" (--[a-z-]+)", c.split(" -- ")[0]):
            assert option in known, option


@pytest.mark.full
@pytest.mark.parametrize("name", ["github.yml", "gitlab-ci.yml", "Jenkinsfile"])
def test_ci_commands(tmp_path, name):
    """The commands in them, run in a repository that is as they assume: sound, then with a leak."""
    write_module(tmp_path, {"go.mod": LEAKY["go.mod"], "cmd/server/main.go": SERVER,
                            "sum_test.go": 'package leaky\n\nimport "testing"\n\nfunc TestSum(t *testing.T) {}\n'})
    os.symlink(procs.LIMPET, tmp_path / "fetched")
    env = dict(go_env(), LIMPET_URL="file://" + str(tmp_path / "fetched"))
    for c in ci_commands(name):
        out = subprocess.run(["sh", "-ec", c], cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert out.returncode == 0, (c, out.stdout.decode())
    assert (tmp_path / "leaks-tests.xml").exists() and (tmp_path / "leaks-server.xml").exists()
    write_module(tmp_path, LEAKY)
    first = [c for c in ci_commands(name) if "go test" in c][0]
    assert subprocess.run(["sh", "-ec", first], cwd=tmp_path, env=env, stdout=subprocess.PIPE).returncode == 1


def test_report_forms(tmp_path):
    """Findings of a report for services: the same signatures as its JSON; what is ignored is a suppression."""
    with procs.Target("mixed") as target:
        target.wait_line("READY")
        base = [procs.LIMPET, "report", str(target.pid), "--limit", "0"]
        out = subprocess.run([*base, "--json", "--sarif", "r.sarif", "--junit", "r.xml"], cwd=tmp_path, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        assert out.returncode == 0, out.stderr
        want = {f["signature"]: f for f in json.loads(out.stdout)["findings"]}
        assert want
        run = check_sarif((tmp_path / "r.sarif").read_text())
        assert {r["partialFingerprints"]["limpetSignature/v1"] for r in run["results"]} == set(want)
        for r in run["results"]:
            f = want[r["partialFingerprints"]["limpetSignature/v1"]]
            assert r["ruleId"] == f["kind"]
            assert r["level"] == {"leak": "error", "suspect": "warning"}.get(f["verdict"], "note")
        check_junit((tmp_path / "r.xml").read_bytes(), tmp_path)
        first = sorted(want)[0]
        out = subprocess.run([*base, "--format", "sarif", "--ignore", first], cwd=tmp_path, stdout=subprocess.PIPE, check=True)
        got = {r["partialFingerprints"]["limpetSignature/v1"]: r for r in check_sarif(out.stdout)["results"]}
        assert "suppressions" in got[first]
        out = subprocess.run([*base, "--format", "xml"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert out.returncode == 2 and b"--format" in out.stderr
