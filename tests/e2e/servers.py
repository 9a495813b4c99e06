#!/usr/bin/env python3
"""Real servers at work: started, loaded until they hold something, snapshotted in the middle of it.

    tests/e2e/servers.py NAME EXE CORE [SECONDS]     a core of caddy, nats, etcd, coredns, prometheus or nsq under load
"""
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from procs import HTTP, Load, Target, limpet


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Visitors:
    """Threads that ask again and again; failures are counted, as a server that starts refuses for a while."""

    def __init__(self, ask, clients=4, pause=0.002):
        self.ask, self.pause, self.done = ask, pause, threading.Event()
        self.answers, self.failures = 0, 0
        self.threads = [threading.Thread(target=self._run, args=(i,), daemon=True) for i in range(clients)]

    def _run(self, seed):
        rng = random.Random(seed)
        while not self.done.is_set():
            try:
                self.ask(rng)
                self.answers += 1
            except OSError:
                self.failures += 1
            time.sleep(self.pause)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def stop(self):
        self.done.set()
        for t in self.threads:
            t.join()

    def __exit__(self, *_):
        self.stop()


def _http(port, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{HTTP}127.0.0.1:{port}{path}", data), timeout=10) as answer:
        return answer.read()


def _caddy(folder, port, profiles):
    with open(os.path.join(folder, "index.html"), "wb") as f:
        f.write(bytes(range(256)) * 40)
    server = {"listen": [f"127.0.0.1:{port}"], "automatic_https": {"disable": True},
              "routes": [{"handle": [{"handler": "file_server", "root": folder}]}]}
    with open(os.path.join(folder, "caddy.json"), "w", encoding="ascii") as f:
        json.dump({"admin": {"listen": f"127.0.0.1:{profiles}"}, "apps": {"http": {"servers": {"s": server}}}}, f)
    return ["run", "--config", os.path.join(folder, "caddy.json")], lambda rng: _http(port, "/index.html")


def _base64(text):
    import base64
    return base64.b64encode(text.encode()).decode()


def _etcd(folder, port, _):
    peer = f"{HTTP}127.0.0.1:{free_port()}"
    client = f"{HTTP}127.0.0.1:{port}"

    def ask(rng):
        key = _base64(f"/registry/things/{rng.randrange(20000)}")
        _http(port, "/v3/kv/put", {"key": key, "value": _base64("x" * rng.randrange(400))})
        if rng.random() < 0.3:
            _http(port, "/v3/kv/range", {"key": key})
        if rng.random() < 0.05:
            _http(port, "/v3/lease/grant", {"TTL": 600})
    return ["--data-dir", os.path.join(folder, "data"), "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default=" + peer,
            "--log-level", "error", "--unsafe-no-fsync", "--enable-pprof"], ask


def _coredns(folder, port, _):
    with open(os.path.join(folder, "zone"), "w", encoding="ascii") as f:
        f.write("$ORIGIN example.org.\n@ 3600 IN SOA ns.example.org. me.example.org. 1 7200 3600 1209600 3600\n")
        f.write("@ 3600 IN NS ns.example.org.\nns 3600 IN A 127.0.0.1\n")
        f.writelines(f"host{i} 3600 IN A 10.0.{i >> 8}.{i & 255}\nhost{i} 60 IN TXT \"number {i}\"\n" for i in range(5000))
    with open(os.path.join(folder, "Corefile"), "w", encoding="ascii") as f:
        f.write(f"example.org:{port} {{\n bind 127.0.0.1\n cache\n loadbalance\n file {folder}/zone\n errors\n}}\n")
        f.write(f"test:{port} {{\n bind 127.0.0.1\n cache 300\n errors\n template IN A test {{\n"
                ' answer "{{ .Name }} 60 IN A 10.1.1.1"\n }\n}\n')

    def ask(rng):
        name = f"host{rng.randrange(6000)}.example.org" if rng.random() < 0.5 else f"x{rng.randrange(20000)}.test"
        labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(2)
            s.sendto(struct.pack(">HHHHHH", rng.randrange(65536), 0x100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1",
                     ("127.0.0.1", port))
            s.recv(4096)
    return ["-conf", os.path.join(folder, "Corefile")], ask


def _prometheus(folder, port, _):
    jobs = [{"job_name": f"self{i}", "scrape_interval": "1s", "metrics_path": "/metrics",
             "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": {"shard": str(k)}} for k in range(5)]}
            for i in range(8)]
    rules = [{"name": "g", "interval": "1s", "rules": [{"record": "x:y", "expr": "sum by (job) (rate(go_gc_duration_seconds_count[1m]))"},
                                                       {"alert": "A", "expr": "up == 1", "for": "1m"}]}]
    for name, what in (("p.yml", {"scrape_configs": jobs, "rule_files": [folder + "/rules.yml"]}), ("rules.yml", {"groups": rules})):
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            json.dump(what, f)  # JSON is YAML
    return ["--config.file", folder + "/p.yml", "--storage.tsdb.path", folder + "/data", "--log.level", "error",
            "--web.listen-address", f"127.0.0.1:{port}"], lambda rng: (_http(port, "/api/v1/query?query=" + rng.choice(
                ["up", "sum(go_memstats_heap_alloc_bytes)", "rate(prometheus_http_requests_total[1m])", "topk(5,go_goroutines)"])),
                time.sleep(0.05))


def _nsq_drain(port, topic):
    """A consumer that comes, takes what is there and goes."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        s.sendall(b"  V2" + f"SUB {topic} workers\n".encode() + b"RDY 100\n")
        s.settimeout(0.05)
        left = b""
        with contextlib.suppress(TimeoutError):
            while got := s.recv(65536):
                left += got
                while len(left) >= 8 and len(left) >= 4 + int.from_bytes(left[:4], "big"):
                    size, kind = struct.unpack(">II", left[:8])
                    if kind == 2:  # timestamp, attempts, id, body
                        s.sendall(b"FIN " + left[18:34] + b"\n")
                    elif left[8:4 + size] == b"_heartbeat_":
                        s.sendall(b"NOP\n")
                    left = left[4 + size:]


def _nsq(folder, port, apart):
    def ask(rng):
        topic = f"topic{rng.randrange(5)}"
        request = urllib.request.Request(f"{HTTP}127.0.0.1:{port}/pub?topic={topic}", b"x" * rng.randrange(1, 2000))
        urllib.request.urlopen(request, timeout=10).read()
        if rng.random() < 0.05:
            _nsq_drain(apart, topic)
    return [f"127.0.0.1:{port}", f"127.0.0.1:{apart}", folder], ask


HOW = {"caddy": _caddy, "etcd": _etcd, "coredns": _coredns, "prometheus": _prometheus, "nsq": _nsq}
NAMES = ["caddy", "nats", *HOW]


def rest(name, folder, target, visitors):
    """The work ends, the server stays: it does nothing but what it does by itself."""
    visitors.stop()
    if name == "prometheus":  # which is its own visitor
        with open(os.path.join(folder, "p.yml"), "w", encoding="ascii") as f:
            json.dump({}, f)
        os.kill(target.pid, signal.SIGHUP)
    time.sleep(3)


@contextlib.contextmanager
def at_work(name, exe, seconds=10, env=None):
    """The server as a Target, some seconds into its work; the work goes on while this holds, or until rest().

    Its own profiles are at target.profiles/debug/pprof (not of coredns).
    """
    folder = tempfile.mkdtemp(prefix="limpet-server-")
    try:
        if name == "nats":
            with Target("nats", binary=exe, env=env) as target, Load(target.address, "nats") as load:
                done = []
                target.profiles = target.words[1]
                target.rest = lambda: (done.append(load.result()), time.sleep(3))
                time.sleep(seconds)
                yield target
                assert (done or [load.result()])[0]["requests"] > 100
            return
        port, apart = free_port(), free_port()
        args, ask = HOW[name](folder, port, apart)
        target = Target(name, binary=exe, args=args, env={"XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder, **(env or {})})
        target.ready = lambda: target
        with target, Visitors(ask) as visitors:
            time.sleep(seconds)
            assert target.alive(), target.lines[-20:]
            target.profiles = f"127.0.0.1:{apart if name == 'caddy' else port}"
            target.rest = lambda: rest(name, folder, target, visitors)
            assert visitors.answers > 20, (visitors.answers, visitors.failures, target.lines[-5:])
            yield target
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(argv):
    if len(argv) not in (3, 4) or argv[0] not in NAMES:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    with at_work(argv[0], argv[1], float(argv[3]) if len(argv) == 4 else 10) as target:
        limpet("snapshot", target.pid, "-o", argv[2])
    print(subprocess.run(["du", "-h", argv[2]], capture_output=True, text=True, check=True).stdout.strip())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
