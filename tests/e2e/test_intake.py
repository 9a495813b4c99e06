"""TARGETs that are no files: URLs, unix sockets, standard input, pipes; what goes wrong there, in one line each."""
import contextlib
import http.server
import os
import shutil
import socket
import socketserver
import subprocess
import threading
import time

import pytest

import procs


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        if self.path.startswith("/slow"):
            time.sleep(3)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/core")
            self.end_headers()
        elif self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        elif self.path == "/core" and self.headers.get("Authorization", "Bearer s3") == "Bearer s3":
            self.send_response(200)
            self.end_headers()
            with open(self.server.core, "rb") as f:
                shutil.copyfileobj(f, self.wfile)
        else:
            self.send_response(404)
            self.end_headers()
            self.wfile.write(b"no \x1b[31msuch page\nsecond line")

    def address_string(self):
        return "somebody"

    def log_message(self, *_):
        pass


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextlib.contextmanager
def serving(server, core):
    server.core, server.seen = core, []
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module", name="core")
def core_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("intake") / "core"
    with procs.Target("mixed") as target:
        procs.limpet("snapshot", target.pid, "-o", path)
    return path


@pytest.fixture(scope="module", name="server")
def web(core):
    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler), core) as s:
        s.url = f"{procs.HTTP}127.0.0.1:{s.server_address[1]}"
        yield s


def rows(doc):
    return doc["rows"]


def test_url_pipe_and_stdin_are_the_file(core, server, tmp_path):
    """The same answer four ways, and nothing left in the folder for copies."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    env = {**os.environ, "TMPDIR": str(scratch)}
    want = rows(procs.limpet_json("top", core))
    for target in (server.url + "/core", server.url + "/moved"):
        assert rows(procs.limpet_json("top", target, env=env)) == want
    with open(core, "rb") as f:
        assert rows(procs.limpet_json("top", "-", stdin=f, env=env)) == want
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    with subprocess.Popen(["cp", core, fifo]):
        assert rows(procs.limpet_json("top", fifo, env=env)) == want
    assert not os.listdir(scratch)


def test_headers_and_passwords(server, tmp_path):
    """--header goes out, also from a file; a password goes to the server and into no answer."""
    server.seen.clear()
    secrets = tmp_path / "headers"
    secrets.write_text("Authorization: Bearer s3\n\nX-Two: 2\n")
    procs.limpet("top", server.url + "/core", "--header", f"@{secrets}", "--header", "X-One: 1")
    assert {"X-One": "1", "X-Two": "2", "Authorization": "Bearer s3"}.items() <= server.seen[-1][1].items()
    url = server.url.replace("//", "//ann:geheim@")
    said = procs.limpet("top", url + "/nothing", code=3).stderr
    assert "Authorization" in server.seen[-1][1]
    assert "geheim" not in said and "//ann:***@" in said and "404: no \\x1b" not in said and "\x1b" not in said and "404" in said
    assert procs.limpet("top", url + "/nothing", "--header", "nonsense", code=2).stderr.count("\n") == 1


def test_unix_socket(core, tmp_path):
    path = str(tmp_path / "s")
    with serving(UnixServer(path, Handler), core) as server:
        doc = procs.limpet_json("top", procs.HTTP + "localhost/core", "--unix-socket", path)
        assert rows(doc) == rows(procs.limpet_json("top", core)) and server.seen[0][0] == "/core"


def test_a_server_alone_means_its_heap_profile(server):
    """As with go tool pprof; for goroutines the dump with states."""
    for typed, command, path in (("", "top", "/debug/pprof/heap"), ("/", "top", "/debug/pprof/heap"),
                                 ("/debug/pprof/", "top", "/debug/pprof/heap"),
                                 ("", "goroutines", "/debug/pprof/goroutine?debug=2")):
        procs.limpet(command, server.url + typed, code=3)
        assert server.seen[-1][0] == path


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.mark.parametrize("path, args, code, words", [
    ("/slow", ["--timeout", "300ms"], 3, "Timeout"),
    ("/elsewhere", [], 3, ""),
    ("/nothing", [], 3, "404"),
])
def test_what_goes_wrong(server, path, args, code, words):
    began = time.monotonic()
    said = procs.limpet("top", server.url + path, *args, code=code).stderr
    assert said.count("\n") == 1 and words in said and server.url in said
    assert time.monotonic() - began < 2.5 * procs.SLOW


def test_what_goes_wrong_elsewhere(core):
    assert "connect" in procs.limpet("top", f"{procs.HTTP}127.0.0.1:{closed_port()}/x", code=3).stderr
    assert "http" in procs.limpet("top", "ftp:" + "//localhost/x", code=2).stderr
    with open(core, "rb") as f:
        assert "twice" in procs.limpet("diff", "-", "-", stdin=f, code=2).stderr
    with open(os.devnull, encoding="utf-8") as f:
        assert "empty" in procs.limpet("top", "-", stdin=f, code=4).stderr
