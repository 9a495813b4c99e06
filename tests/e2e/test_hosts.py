"""Hosts as they are: new builds deployed over running ones, names, hidden processes, debug files inside of containers."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

import build_targets
from procs import LIMPET, Load, Target, children, limpet, limpet_json, start_limpet, twins
from test_bad_days import AS_NOBODY, NOBODY, ONLY_PTRACE, OTHER, ROOT, place, run, says, unharmed  # noqa: F401
from test_sandbox import Pod

LIBRARY = """package main

import "C"
import "time"

type thing struct{ next *thing; pad [100]byte }

var keep []*thing

//export Start
func Start() {
	for i := 0; i < 5000; i++ {
		keep = append(keep, &thing{})
	}
	go func() {
		for {
			time.Sleep(time.Second)
		}
	}()
}

func main() {}
"""
HOST = """#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	void *h = dlopen(argv[argc - 1], RTLD_NOW);
	void (*start)(void) = h ? (void (*)(void))dlsym(h, "Start") : 0;

	if (!start)
		return 1;
	start();
	printf("READY %d\\n", getpid());
	fflush(stdout);
	for (;;)
		pause();
}
"""


def main_functions(target):
    return sorted({f["function"] for g in limpet_json("goroutines", target, "--limit", 0)["goroutines"]
                   for f in g["stack"] if f["function"].startswith(("main.", "limpet/"))})


def by_type(target):
    return {r["name"]: r["objects"] for r in limpet_json("top", target, "--limit", 40)["rows"]}


def replace(path, new):
    """As deployments do it: beside, then renamed over the running one."""
    shutil.copy(new, path + ".new")
    os.rename(path + ".new", path)


@pytest.mark.parametrize("how", ["replaced", pytest.param("deleted", marks=pytest.mark.full)])
def test_new_build_over_a_running_one(tmp_path, how):
    """The file that runs is asked, never that of the same path."""
    path = str(tmp_path / f"app{os.getpid()}")
    shutil.copy(build_targets.build("mixed", flavour="dwarf"), path)
    other = build_targets.build("quiet", flavour="dwarf")
    with Target("mixed", binary=path) as target:
        target.collect()
        before, types = main_functions(target.pid), by_type(target.pid)
        assert before and "main.main" in before
        if how == "replaced":
            replace(path, other)
        else:
            os.unlink(path)
        report = limpet_json("report", f"name:{os.path.basename(path)}")
        assert report["target"]["pid"] == target.pid and report["target"]["dwarf"] and not report["capture"]["losses"]
        assert report["target"]["exe"] == path + " (deleted)"
        assert main_functions(target.pid) == before and by_type(target.pid) == types
        for exe in [other] + [path] * (how == "replaced"):
            done = limpet("report", target.pid, "--exe", exe, code=4)
            assert done.stderr.startswith(f"limpet: pid {target.pid}: {exe} is not the program that runs ({path} (deleted)): its "
                                          "build id is another one; leave --exe out"), done.stderr
        same = limpet_json("report", target.pid, "--exe", build_targets.build("mixed", flavour="dwarf"))
        assert same["exactness"]["reachable_objects"] == pytest.approx(report["exactness"]["reachable_objects"], rel=0.01)
        core = str(tmp_path / "core")
        limpet("snapshot", target.pid, "-o", core)
        assert main_functions(core) == before
        assert limpet_json("report", core)["exactness"]["missing"] == 0
        unharmed(target)


@pytest.mark.full
@pytest.mark.parametrize("how", ["replaced", "deleted"])
def test_new_build_over_a_running_library(tmp_path, how):
    """Go in a C program: its library as it is mapped, by /proc/PID/map_files."""
    for name, text in (("lib.go", LIBRARY), ("host.c", HOST), ("go.mod", "module x\ngo 1.22\n")):
        (tmp_path / name).write_text(text)
    env = dict(os.environ, CGO_ENABLED="1", GOTOOLCHAIN="local", GOFLAGS="-mod=mod")
    done = subprocess.run([build_targets.toolchain("1.27"), "build", "-buildmode=c-shared", "-o", "lib.so", "."], cwd=tmp_path,
                          env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("no cgo here: " + done.stderr[-200:])
    subprocess.run(["cc", "-o", "host", "host.c", "-ldl"], cwd=tmp_path, check=True)
    with Target("host", binary=str(tmp_path / "host"), args=[tmp_path / "lib.so"]) as target:
        before = limpet_json("report", target.pid)
        assert before["target"]["dwarf"]
        types = by_type(target.pid)
        assert types["main.thing"] == 5000
        if how == "replaced":
            replace(str(tmp_path / "lib.so"), build_targets.build("quiet"))
        else:
            os.unlink(tmp_path / "lib.so")
        after = limpet_json("report", target.pid)
        assert after["target"]["dwarf"] == (os.geteuid() == 0)
        assert after["target"]["go"] == before["target"]["go"] and by_type(target.pid) == types
        unharmed(target)


@ROOT
def test_debug_file_inside_of_a_container(tmp_path):
    """Below /usr/lib/debug of the program's own root, by build id."""
    plain = build_targets.build("quiet", flavour="dwarf")
    notes = subprocess.run(["readelf", "-n", plain], capture_output=True, text=True, check=True).stdout
    build_id = re.search(r"Build ID: ([0-9a-f]+)", notes).group(1)
    bare, debug = str(tmp_path / "bare"), str(tmp_path / "debug")
    subprocess.run(["objcopy", "--strip-all", plain, bare], check=True)
    subprocess.run(["objcopy", "--only-keep-debug", plain, debug], check=True)
    inside = f"usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
    assert not os.path.exists("/" + inside)
    for files, dwarf in (({}, False), ({inside: debug}, True)):
        with Pod(files={"quiet": bare, **files}, argv=["/quiet"]) as pod:
            target = limpet_json("report", pod.pid)["target"]
            assert target["stripped"] and target["dwarf"] == dwarf
            assert json.loads(pod.beside("report", pod.inner, "--json").stdout)["target"]["dwarf"] == dwarf
            assert pod.unharmed()


# Names.

def test_long_name(place, tmp_path):  # noqa: F811
    """A comm has 15 bytes: the whole name is meant, also by who may not see the executable's path."""
    name = f"{os.getpid()}-a-long-name-of-a-server"
    binary = shutil.copy(build_targets.build("quiet"), tmp_path / name)
    with Target("quiet", binary=str(binary)) as target:
        assert limpet_json("report", f"name:{name}")["target"]["pid"] == target.pid
        assert limpet_json("report", f"name:{name[:15]}")["target"]["pid"] == target.pid
        assert limpet("report", f"name:{name[:16]}", code=3).stderr == f"limpet: no process is called {name[:16]}\n"
        if os.geteuid() == 0:
            says(run(*AS_NOBODY, place.limpet, "report", f"name:{name}"), 3,
                 f"process {target.pid} belongs to uid 0, not to you (uid {NOBODY}): run as that user or as root, or give "
                 "limpet CAP_SYS_PTRACE")


def test_who_is_no_answer(tmp_path):
    """Kernel threads, limpet, and the copy that another limpet reads."""
    assert limpet("report", "name:kthreadd", code=3).stderr == "limpet: no process is called kthreadd\n"
    name = f"limpet{os.getpid()}"  # others may run theirs
    own = shutil.copy(LIMPET, tmp_path / name)
    says(run(own, "report", f"name:{name}"), 3, f"no process is called {name}")
    name = f"app{os.getpid()}"
    binary = shutil.copy(build_targets.build("mixed"), tmp_path / name)
    with Target("mixed", binary=str(binary)) as target:
        other = start_limpet("report", target.pid)
        try:
            end = time.monotonic() + 20
            while not twins(target.pid) and time.monotonic() < end:
                time.sleep(0.001)
            os.kill(other.pid, signal.SIGSTOP)
            time.sleep(0.05)
            assert twins(target.pid), "the other limpet was faster than this test"
            assert limpet_json("doctor", f"name:{name}", code=None)["pid"] == target.pid
        finally:
            os.kill(other.pid, signal.SIGCONT)
            other.wait()
        assert not children(target.pid)


def test_arguments_are_values(tmp_path):
    """Secrets are on command lines: shown where --values asks for them."""
    name = f"app{os.getpid()}"
    binary = str(shutil.copy(build_targets.build("quiet"), tmp_path / name))
    with Target("quiet", binary=binary, args=["-password=hunter2"]) as one, Target("quiet", binary=binary) as two:
        plain = limpet("report", f"name:{name}", code=2).stderr
        assert plain.count("\n") == 1 and "hunter2" not in plain and plain.count(binary) == 2
        for target in (one, two):
            assert re.search(rf"\b{target.pid}, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC, {re.escape(binary)}", plain), plain
        shown = limpet("report", f"name:{name}", "--values", "full", code=2).stderr
        assert "-password=hunter2" in shown and shown.count("\n") == 1


@ROOT
def test_hidden_processes(place, tmp_path):  # noqa: F811
    name = f"hidden{os.getpid()}"
    with Target("quiet", binary=str(shutil.copy(place.quiet, tmp_path / name))) as target:
        for options, who, code in (("subset=pid", [], 0), ("hidepid=2", [], 0), ("hidepid=2", AS_NOBODY, 3)):
            done = run("unshare", "-m", "sh", "-c", f"mount -t proc -o {options} proc /proc && exec {' '.join(who)} "
                       f"{place.limpet} verify {target.pid}")
            if "mount" in done.stderr:
                pytest.skip(done.stderr)
            assert done.returncode == code, done
        says(run("unshare", "-m", "sh", "-c", f"mount -t proc -o hidepid=2 proc /proc && exec {' '.join(AS_NOBODY)} "
                 f"{place.limpet} report name:{name}"), 3,
             f"no process is called {name}; /proc shows no processes of other users here (hidepid): run as root")
        unharmed(target)


@ROOT
def test_own_network_namespace():
    """Its sockets are looked up in its own tables."""
    argv = ["unshare", "-n", "sh", "-c", f"ip link set lo up && exec {build_targets.build('leakhttp')}"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        line = p.stdout.readline()
        if not line:
            pytest.skip(p.stderr.read())
        port = line.split()[2].split(":")[1]
        fds = limpet_json("fds", p.pid, "--values", "full")["rows"]
        assert [r["local"] for r in fds if r["socket_state"] == "listen"] == [f"127.0.0.1:{port}"]
        p.kill()


@ROOT
def test_rootless_container_from_outside(place):  # noqa: F811
    """A plain user's container is that user's: no right of the machine is needed.  Another user is told how."""
    with subprocess.Popen([*AS_NOBODY, "unshare", "-Urpf", "--mount-proc", place.quiet], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as u:
        if not u.stdout.readline().startswith("READY"):
            pytest.skip(u.stderr.read())
        inner = children(u.pid)[0][0]
        done = run(*AS_NOBODY, place.limpet, "verify", inner, "--json")
        assert done.returncode == 0 and json.loads(done.stdout)["missing"] == 0, done
        says(run("setpriv", "--reuid", OTHER, "--regid", OTHER, "--clear-groups", place.limpet, "report", inner), 3,
             f"process {inner} belongs to uid {NOBODY}, not to you (uid {OTHER}): run as root; if the container is yours (rootless), "
             f"enter its user namespace: nsenter -t {inner} -U --preserve-credentials limpet ..., podman unshare limpet ...")
        assert not children(inner)
        os.kill(inner, signal.SIGKILL)


@ROOT
def test_entering_a_user_namespace(place):  # noqa: F811
    """As that line says: pids stay those of the machine, rights are those in there."""
    with Pod(program="quiet") as pod:
        for uid in (0, 65532):
            done = run("nsenter", "-t", pod.pid, "-U", f"-S{uid}", f"-G{uid}", place.limpet, "verify", pod.pid, "--json")
            assert done.returncode == 0 and json.loads(done.stdout)["missing"] == 0, done
        assert pod.unharmed()


# Descriptors.

FD_COLUMNS = ("fd", "kind", "state", "path", "local", "peer", "socket_state", "mode", "offset")


def fds(*args):
    return [{k: r[k] for k in FD_COLUMNS} for r in limpet_json("fds", *args, "--limit", 0, "--values", "full")["rows"]]


def test_descriptors_in_a_core(tmp_path):
    """A core of ours has the list, and a core made of it; one without contents has not, and says so."""
    core, second, bare = (str(tmp_path / n) for n in ("core", "second", "bare"))
    with Target("leakhttp") as target, Load(target.address, clients=3, args=["-pause", "20ms"]) as load:
        os.kill(load.process.pid, signal.SIGSTOP)
        time.sleep(0.3)
        live = fds(target.pid)
        limpet("snapshot", target.pid, "-o", core)
        limpet("snapshot", target.pid, "-o", bare, "--no-payload")
        kernel = {int(n) for n in os.listdir(f"/proc/{target.pid}/fd")}
        os.kill(load.process.pid, signal.SIGCONT)
    limpet("snapshot", core, "-o", second)
    assert sum(r["kind"] == "tcp" for r in live) == 4, "the listener and three visitors"
    assert {r["fd"] for r in live if r["fd"] is not None} == kernel
    assert fds(core) == live and fds(second) == live
    said = limpet("fds", bare).stdout
    assert "this core has no list of descriptors (those of `limpet snapshot` have, without --redact and --no-payload)" in said


@ROOT
def test_descriptors_that_may_not_be_seen(place):  # noqa: F811
    with Target("quiet", binary=place.quiet, user=NOBODY) as target:
        done = run(*ONLY_PTRACE, place.limpet, "fds", target.pid)
        assert done.returncode == 0 and "list of descriptors opens for its own user only, not for CAP_SYS_PTRACE alone" \
            in done.stdout, done
        unharmed(target)


# What a limpet leaves that was killed in its worst instant.

DEAD_CHILD = """
import ctypes, os, signal, sys
libc = ctypes.CDLL(None)
def child(exit_signal):
    pid = libc.syscall(56, exit_signal, 0, 0, 0, 0)  # clone, without exec
    if pid == 0:
        while True:
            signal.pause()
    os.kill(pid, signal.SIGKILL)
    return pid
child(0), child(17)
print("READY", os.getpid(), flush=True)
signal.pause()
"""


def test_dead_children_that_nothing_tells_apart():
    """One that was cloned as a twin is, killed before it was marked; and a child of the program's own."""
    with subprocess.Popen([sys.executable, "-c", DEAD_CHILD], stdout=subprocess.PIPE, text=True) as p:
        try:
            assert p.stdout.readline().startswith("READY")
            end = time.monotonic() + 5
            while [state for _, state in children(p.pid)] != ["Z", "Z"] and time.monotonic() < end:
                time.sleep(0.01)
            line = "1 dead child of it may be twins of a killed limpet or its own, nothing tells: they are left alone; each " \
                   "holds a pid and no memory, until the program ends or waits for it"
            done = limpet("doctor", "--reap", p.pid)
            assert done.stdout == f"process {p.pid}: {line}\n"
            assert limpet_json("doctor", "--reap", p.pid) == {"schema": 1, "pid": p.pid, "reaped": 0, "left": 0, "unmarked": 1,
                                                                  "collections_hastened": False}
            leftover = {c["name"]: c for c in limpet_json("doctor", p.pid, code=None)["checks"]}["leftover"]
            assert leftover["level"] == "note" and leftover["detail"] == line
            assert len(children(p.pid)) == 2
        finally:
            p.kill()
