"""A leaking server in a pod: own users, pids, mounts and cgroup, read-only root without a shell; asked from both sides.

What limpet says from the machine and from a container beside it in the pod must be the same answer, and the truth: the
load generator has counted the sessions that the server cannot forget, the server its own goroutines.
"""
import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

import build_targets
from procs import HERE, HTTP, SLOW, Load, children, limpet, limpet_json, status, traced, twins
from test_core_handler import syslog
from test_static import static_file

SANDBOX = os.path.join(HERE, "sandbox.py")
NAME = f"shop{os.getpid()}"  # others may run tests on this machine
POD_UID = "6e1f0a52-7a1c-4c5e-9d0e-0c9f2b7f4a11"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to map users and to look in from outside")


def cgroup_mounts():
    """[place, type, options]: a hierarchy of v2, and the memory controller of v1, that can be written to."""
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        for line in f:
            left, right = line.split(" - ")
            kind, _, options = right.split()[:3]
            if kind == "cgroup2" or (kind == "cgroup" and "memory" in options.split(",")):
                found.append((left.split()[4], kind, "memory" if kind == "cgroup" else ""))
    return [m for m in found if os.access(m[0], os.W_OK)]


class Cgroups:
    """Folders named as the kubelet and containerd name them, one container's in each hierarchy; gone at the end."""

    def __init__(self):
        self.id, self.neighbour = secrets.token_hex(32), secrets.token_hex(32)
        self.made = []
        uid = POD_UID.replace("-", "_")
        self.shown = [mount[1:] for mount in cgroup_mounts()]
        for top, _, _ in cgroup_mounts():
            pod = os.path.join(top, f"limpet-test-{os.getpid()}", f"kubepods-burstable-pod{uid}.slice")
            for path in (os.path.dirname(pod), pod, *(os.path.join(pod, self.scope(i)) for i in (self.id, self.neighbour))):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(path)
                    self.made.append(path)

    @staticmethod
    def scope(container):
        return f"cri-containerd-{container}.scope"

    def folders(self, container=None):
        return [path for path in self.made if path.endswith(self.scope(container or self.id))]

    def limit(self, container, nbytes):
        """Its memory, in whichever hierarchy has that; False where none has."""
        done = False
        for path in self.folders(container):
            for name in ("memory.limit_in_bytes", "memory.max"):
                if os.path.exists(f"{path}/{name}"):
                    with open(f"{path}/{name}", "w", encoding="utf-8") as f:
                        f.write(str(nbytes))
                    done = True
        return done

    def remove(self):
        for path in reversed(self.made):
            for _ in range(100):
                try:
                    os.rmdir(path)
                    break
                except OSError:
                    time.sleep(0.05)


class Pod:
    """The leaking server in its sandbox, and what is asked of it from the two sides."""

    def __init__(self, program="leakhttp", minor=build_targets.NEWEST, static=None, **spec):
        self.static = static or static_file("-static")
        self.cgroups = Cgroups()
        self.name = NAME
        spec = {"files": {self.name: build_targets.build(program, minor, "stripped")}, "argv": ["/" + self.name],
                "uid": 65532, "cgroups": self.cgroups.folders(), **spec}
        self.process = subprocess.Popen([sys.executable, SANDBOX, "pod", json.dumps(spec)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        first, words = self.process.stdout.readline(), self.process.stdout.readline().split()
        if not words:
            why = self.process.communicate()[1].strip().split("\n")[-1]
            self.cgroups.remove()
            pytest.skip("no such sandbox here: " + why)
        self.__dict__.update(json.loads(first))  # pause, pid
        self.inner, self.address = int(words[1]), (words + [""])[2]

    def beside(self, *args, code=0, **spec):
        """limpet as a further container of the pod."""
        spec = {"pod": self.pause, "files": {"limpet": self.static}, "argv": ["/limpet", *map(str, args)],
                **spec}
        done = subprocess.run([sys.executable, SANDBOX, "beside", json.dumps(spec)], capture_output=True, text=True,
                              timeout=60 * SLOW, check=False)
        assert done.returncode == code, done
        return done

    def get(self, path="/"):
        with urllib.request.urlopen(HTTP + self.address + path, timeout=10) as answer:
            return answer.status, answer.read()

    def collect(self):
        os.kill(self.pid, signal.SIGUSR1)
        return tuple(map(int, self.process.stdout.readline().split()[1:]))

    def goroutines(self):
        """The functions of all goroutines, as the program prints them: those that were started by `go`."""
        os.kill(self.pid, signal.SIGUSR2)
        text = "".join(iter(self.process.stdout.readline, "END\n"))
        return re.findall(r"^created by (\S+)", text, re.M)

    def unharmed(self):
        return (self.process.poll() is None and not traced(self.pid) and not children(self.pid) and
                status(self.pid, "State")[0] in "SR")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()
        self.cgroups.remove()


class Visitor(threading.Thread):
    """Somebody who comes back all the time: how long the longest answer took, and what went wrong."""

    def __init__(self, pod):
        super().__init__(daemon=True)
        self.pod, self.ended, self.answers, self.wrong, self.longest = pod, threading.Event(), 0, [], 0

    def run(self):
        while not self.ended.wait(0.02):
            at = time.monotonic()
            try:
                if self.pod.get("/?seed=1&n=100")[0] != 200:
                    self.wrong.append("not 200")
            except OSError as no:
                self.wrong.append(str(no))
            self.answers += 1
            self.longest = max(self.longest, time.monotonic() - at)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


def settle(pod):
    """No request is on its way, and the heap says the same twice."""
    time.sleep(0.5)
    before = None
    for _ in range(40):
        now = pod.collect()[1:]
        if before and abs(now[0] - before[0]) <= 3:
            return
        before = now
        time.sleep(0.25)


def rows(report, by, bytes_at_least=4096):
    return {r["name"]: (r["objects"], r["shallow_bytes"], r["retained_bytes"]) for r in report["top"][by]
            if r["retained_bytes"] >= bytes_at_least}


def near(a, b):
    """A connection may be let go, a timer run, between two looks."""
    return abs(a - b) <= 64 + max(a, b) / 200


def same(outside, inside):
    """All that a report says but where it was said, and when."""
    for key in ("exe", "go", "arch", "stripped", "dwarf", "layout_exact", "ns_pid"):
        assert outside["target"][key] == inside["target"][key], key
    assert outside["build"] == inside["build"]
    assert not outside["capture"]["losses"] and not inside["capture"]["losses"]
    assert outside["capture"]["method"] == inside["capture"]["method"] == "fork"
    for key in ("reachable_objects", "typed_objects"):
        assert near(outside["exactness"][key], inside["exactness"][key]), key
    for report in (outside, inside):
        assert report["exactness"]["missing"] == report["exactness"]["extra"] == 0 and report["exactness"]["holds"]
    assert [{k: f[k] for k in ("kind", "verdict", "type")} for f in outside["findings"]] == \
           [{k: f[k] for k in ("kind", "verdict", "type")} for f in inside["findings"]]
    for by in ("by_type", "by_root"):
        here, there = rows(outside, by), rows(inside, by)
        assert set(list(here)[:8]) <= set(there) and set(list(there)[:8]) <= set(here), by
        for name in list(here)[:8]:
            for a, b in zip(here[name], there[name]):
                assert abs(a - b) <= 4096 + max(a, b) / 100, (by, name, here[name], there[name])


def leak(pod, seconds):
    with Load(pod.address, clients=4, args=["-pause", "2ms"]) as load:
        time.sleep(seconds)
        figures = load.result()
    assert figures["failures"] == 0 and figures["requests"] > 100, figures
    settle(pod)
    return figures["requests"]


def objects_of(report, name):
    return sum(r["objects"] for r in report["top"]["by_type"] if r["name"] == name)


def look_from_both_sides(pod, target=None, **beside):
    """From outside, inside, and outside again: only of a program that did not change meanwhile can the two be the same."""
    for _ in range(6):
        outside = limpet_json("report", pod.pid, "--limit", 0)
        inside = json.loads(pod.beside("report", target or pod.inner, "--limit", 0, "--json", **beside).stdout)
        try:
            same(outside, limpet_json("report", pod.pid, "--limit", 0))
            return outside, inside
        except AssertionError:
            time.sleep(1)
    raise AssertionError("the program is never at rest")


KINDS = [
    pytest.param({}, {}, id="root-beside", marks=pytest.mark.full),
    pytest.param({"root": "overlay"}, {}, id="overlay", marks=pytest.mark.full),
    pytest.param({}, {"uid": 65532}, id="same-user", marks=pytest.mark.full),
    pytest.param({}, {"caps": ["sys_ptrace"]}, id="only-sys-ptrace"),
    pytest.param({"uid": 0}, {"caps": ["sys_ptrace"]}, id="both-root", marks=pytest.mark.full),
    pytest.param({"proc": False}, {}, id="no-proc", marks=pytest.mark.full),
    pytest.param({"proc": False, "root": "overlay", "uid": 0}, {}, id="no-proc-overlay", marks=pytest.mark.full),
]


@pytest.mark.parametrize("minor", [pytest.param(m, marks=[] if m == "1.27" else pytest.mark.full)
                                   for m in build_targets.MINORS])
def test_same_answer_from_both_sides(minor):
    with Pod(minor=minor) as pod:
        listing = sorted(os.listdir(f"/proc/{pod.pid}/root"))
        assert listing == ["proc", NAME], "nothing but the program is in there"
        for space in ("user", "pid", "mnt"):
            assert os.readlink(f"/proc/{pod.pid}/ns/{space}") != os.readlink(f"/proc/self/ns/{space}")
        requests = leak(pod, 2)
        outside, inside = look_from_both_sides(pod)
        same(outside, inside)
        for report in (outside, inside):
            assert objects_of(report, "main.Session") == requests, "each request without a cookie left one"
        assert outside["target"]["pid"] == pod.pid and inside["target"]["pid"] == pod.inner
        created = limpet_json("goroutines", pod.pid, "--limit", 0)["goroutines"]
        audits = pod.goroutines().count("main.page")
        assert audits > 50 and sum(g["creator"] == "main.page" for g in created) == audits
        with Visitor(pod) as visitor:
            for by in (limpet_json("report", pod.pid), json.loads(pod.beside("report", f"name:{NAME}", "--json").stdout)):
                assert by["exactness"]["missing"] == by["exactness"]["extra"] == 0
        assert visitor.answers > 3 and not visitor.wrong and visitor.longest < 5 * SLOW, vars(visitor)
        assert pod.unharmed()


@pytest.mark.parametrize("pod_spec, beside", KINDS)
def test_kinds_of_neighbours(pod_spec, beside):
    with Pod(**pod_spec) as pod:
        leak(pod, 0.5)
        same(*look_from_both_sides(pod, f"name:{NAME}", **beside))
        assert pod.unharmed()


def test_no_right_beside():
    """Another user without capabilities: the line that says so, and nothing happened to the program."""
    with Pod(program="quiet") as pod:
        done = pod.beside("report", pod.inner, uid=1000, code=3)
        assert re.fullmatch(f"limpet: process {pod.inner} belongs to uid 65532, not to you .uid 1000.: .*\n", done.stderr)
        done = pod.beside("doctor", pod.inner, uid=1000, code=3)
        assert "FAIL  access" in done.stdout
        done = pod.beside("report", "name:nobody", code=3)
        assert done.stderr == "limpet: no process is called nobody\n"
        assert pod.unharmed()


def test_who_it_is_from_outside():
    """Both numbers, the container and the pod; by name, where two have it."""
    with Pod(program="quiet") as pod:
        if not pod.cgroups.folders():
            pytest.skip("no cgroup to write to here")
        target = limpet_json("report", pod.pid)["target"]
        assert (target["pid"], target["ns_pid"]) == (pod.pid, pod.inner) and pod.inner == 2
        assert target["container"] == pod.cgroups.id and target["pod_uid"] == POD_UID
        assert target["container_runtime"] == "containerd"
        assert limpet_json("report", f"name:{NAME}@{pod.cgroups.id[:8]}")["target"]["pid"] == pod.pid
        place = {c["name"]: c["detail"] for c in limpet_json("doctor", pod.pid)["checks"]}["place"]
        assert place == (f"pid {pod.pid} here, 2 in its own pid namespace; it runs in container {pod.cgroups.id[:12]} "
                         f"(containerd) of pod {POD_UID}")
        with Pod(program="quiet") as other:
            done = limpet("report", f"name:{NAME}", code=2)
            assert done.stderr.count("\n") == 1
            for p in (pod, other):
                assert f" {p.pid} (pid 2 in there) in container {p.cgroups.id[:12]} (containerd)" in done.stderr
            assert limpet_json("report", f"name:{NAME}@{other.cgroups.id[:8]}")["target"]["pid"] == other.pid


def test_inner_number_from_outside():
    """A number that is only one inside: who it is out here."""
    with open("/proc/sys/kernel/pid_max", encoding="utf-8") as f:
        number = next(n for n in range(int(f.read()) - 1, 300, -1) if not os.path.exists(f"/proc/{n}"))
    assert limpet("report", number, code=3).stderr == f"limpet: no process with pid {number}\n"
    with Pod(program="quiet", number=number) as pod:
        assert pod.inner == number != pod.pid
        said = limpet("report", number, code=3).stderr
        assert said.startswith(f"limpet: no process with pid {number}; it is the number in a pid namespace of its own of {pod.pid}")
        assert f"{pod.pid} in container {pod.cgroups.id[:12]} (containerd) of pod {POD_UID}\n" in said or not pod.cgroups.folders()


def test_filter_in_a_user_namespace():
    """CAP_SYS_ADMIN of a user namespace suspends no filter: said before anything is tried, and --freeze reads it."""
    with Pod(program="quiet", filter=True) as pod:
        done = pod.beside("report", pod.inner, code=4)
        assert done.stderr == (f"limpet: process {pod.inner} has a seccomp filter, which would judge the injected call and may "
                               "kill the program for it; to suspend it takes CAP_SYS_ADMIN of the machine, and limpet has that of a "
                               "user namespace: run as root of the machine, or use --freeze, which injects nothing\n")
        assert "FAIL  filter" in pod.beside("doctor", pod.inner, code=4).stdout
        assert json.loads(pod.beside("verify", pod.inner, "--freeze", "--json").stdout)["missing"] == 0
        assert limpet_json("verify", pod.pid)["missing"] == 0
        assert pod.unharmed()


def test_core_through_a_pipe(tmp_path):
    """No place to write to in there: -o - is what `kubectl exec` brings out; read here, without any of its files."""
    with Pod() as pod:
        leak(pod, 0.3)
        core = tmp_path / "core"
        spec = {"pod": pod.pause, "files": {"limpet": pod.static}, "argv": ["/limpet", "snapshot", str(pod.inner), "-o", "-"]}
        with open(core, "wb") as out:
            subprocess.run([sys.executable, SANDBOX, "beside", json.dumps(spec)], stdout=out, stderr=subprocess.PIPE, check=True)
        outside, later = limpet_json("report", pod.pid, "--limit", 0), limpet_json("report", core, "--limit", 0)
        assert later["target"]["pid"] == pod.inner and not later["capture"]["losses"]
        for by in ("by_type", "by_root"):
            # the runtime's own lists (dead threads among them) may shrink between the two looks
            here, there = rows(outside, by), rows(later, by, bytes_at_least=0)
            assert set(list(here)[:8]) <= set(there)
        assert objects_of(later, "main.Session") == objects_of(outside, "main.Session") > 20


def test_limits_of_a_neighbour():
    """What the twin may take is what the program's cgroup has left: not ours, not the machine's, and unknown if not seen."""
    shown = Cgroups()
    shown.remove()
    for pod_shows in (True, False):
        with Pod(program="quiet", cgroupfs=shown.shown if pod_shows else []) as pod:
            groups = pod.cgroups
            if not groups.limit(groups.id, 1 << 30) or not groups.limit(groups.neighbour, 512 << 20):
                pytest.skip("no memory controller to write to here")
            ours = {"cgroups": groups.folders(groups.neighbour), "cgroupfs": groups.shown}
            checks = json.loads(pod.beside("doctor", pod.inner, "--json", **ours).stdout)["checks"]
            headroom = {c["name"]: c for c in checks}["headroom"]
            report = json.loads(pod.beside("report", pod.inner, "--json", **ours).stdout)
            lines = {line["key"]: line["bytes"] for line in report["memory"]["lines"]}
            if pod_shows:
                assert headroom["level"] == "ok" and " left of 1.0 GiB in its cgroup " in headroom["detail"], headroom
                outside = {line["key"]: line["bytes"] for line in limpet_json("report", pod.pid)["memory"]["lines"]}
                assert abs(lines["cgroup_usage"] - outside["cgroup_usage"]) < 8 << 20
            else:
                assert headroom["level"] == "note" and "its cgroup cannot be looked into from here" in headroom["detail"]
                assert "cgroup_usage" not in lines
            assert pod.unharmed()


def test_killed_beside_pid_1():
    """`kubectl debug --target`: the program is pid 1 and inherits what a killed limpet leaves; the next one takes it away."""
    with Pod(program="mixed", first=True) as pod:
        assert pod.inner == 1 and json.loads(pod.beside("verify", 1, "--json").stdout)["missing"] == 0
        assert pod.unharmed()
        spec = {"pod": pod.pause, "files": {"limpet": pod.static}, "argv": ["/limpet", "report", "1"]}
        with subprocess.Popen([sys.executable, SANDBOX, "beside", json.dumps(spec)], stdout=subprocess.DEVNULL) as other:
            end = time.monotonic() + 20 * SLOW
            while not twins(pod.pid) and time.monotonic() < end:
                time.sleep(0.001)
            os.kill(children(other.pid)[0][0], signal.SIGKILL)
        while any(state != "Z" for _, state in children(pod.pid)) and time.monotonic() < end:
            time.sleep(0.01)
        left = {status(child, "Name") for child, _ in children(pod.pid)}
        assert left <= {"lmp-broker", "lmp-surgeon"}, left
        for command in (("verify", 1, "--json"), ("doctor", "--reap", 1)):
            pod.beside(*command)
            assert not children(pod.pid)
        assert pod.unharmed()


def test_log_of_an_attach():
    """Who reads the machine's log knows which container was looked into."""
    with Pod(program="quiet") as pod, syslog() as lines:
        limpet("report", pod.pid)
        time.sleep(0.5)
        mine = [line for line in lines if f"target pid {pod.pid} " in line]
    if not pod.cgroups.folders():
        pytest.skip("no cgroup to write to here")
    assert len(mine) == 1
    assert f"target pid {pod.pid} (/{NAME} in container {pod.cgroups.id[:12]} (containerd) of pod {POD_UID}), method fork" in mine[0]
