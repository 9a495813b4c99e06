"""Marks, and the one thing that every test needs: a limpet that is there."""
import os
import signal
import socket

import pytest
from _pytest.runner import runtestprotocol

import procs

SECOND_TRIES = 3
tried_twice = []


def pytest_configure(config):
    # A shell without job control ignores SIGINT for what it starts with "&", and children inherit that, as limpet does.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "full: the long runs and the whole matrix; `make check-all`")
    config.addinivalue_line("markers", "matrix: cells that are counted apart at the end")


def pytest_collection_modifyitems(config, items):
    """Without LIMPET_FULL the full matrix is left out, and said to be."""
    if procs.FULL or "full" in (config.option.markexpr or ""):
        return
    left = [item for item in items if item.get_closest_marker("full")]
    if left:
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """Programs run in real time, on machines that others use too: what fails may try once more. It is named at the end,
    and only SECOND_TRIES tests of a run may: where more fail, it is not the machine."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    first = next((r for r in reports if r.failed), None)
    if first and len(tried_twice) < SECOND_TRIES:
        tried_twice.append((item.nodeid, getattr(first.longrepr, "reprcrash", first.longrepr)))
        item.session._setupstate.teardown_exact(None)  # what a module's tests share is made anew, too
        item._initrequest()
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_terminal_summary(terminalreporter):
    """The matrix in figures: passed, failed, skipped and why; and what failed before it passed."""
    for nodeid, why in tried_twice:
        terminalreporter.write_line(f"second try: {nodeid}: {' '.join(str(why).split())[:900]}")
    counts, reasons = {}, {}
    for outcome in ("passed", "failed", "skipped", "error"):
        found = [r for r in terminalreporter.stats.get(outcome, []) if "matrix" in getattr(r, "keywords", {})
                 and "test_cell" in r.nodeid and (r.when == "call" or outcome != "passed")]
        counts[outcome] = len(found)
        for r in found if outcome == "skipped" else []:
            why = r.longrepr[2] if isinstance(r.longrepr, tuple) else str(r.longrepr)
            reasons[why] = reasons.get(why, 0) + 1
    if any(counts.values()):
        terminalreporter.write_line("matrix: %d passed, %d skipped, %d failed" % (
            counts["passed"], counts["skipped"], counts["failed"] + counts["error"]))
        for why, n in sorted(reasons.items()):
            terminalreporter.write_line(f"  {n} skipped: {why}")


@pytest.fixture(scope="session", autouse=True)
def limpet_is_built():
    if not os.path.exists(procs.LIMPET):
        pytest.exit(f"{procs.LIMPET} is not built: run make", 1)


@pytest.fixture(scope="module")
def mixed():
    """One mixed program of the newest version, shared by tests that change nothing in it."""
    with procs.Target("mixed") as target:
        target.collect()
        yield target


@pytest.fixture(scope="module")
def parked():
    """Ten thousand goroutines, blocked."""
    with procs.Target("goroutines10k") as target:
        yield target


@pytest.fixture
def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
