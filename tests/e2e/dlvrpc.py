"""dlv on a core, asked by its JSON-RPC: what a debugger says of variables."""
import json
import re
import socket
import subprocess

import build_tools

BARE = {"FollowPointers": False, "MaxVariableRecurse": 0, "MaxStringLen": 0, "MaxArrayValues": 0, "MaxStructFields": 0}


class Dlv:
    """Use as a context; None is never returned, an absent dlv raises FileNotFoundError."""

    def __init__(self, binary, core):
        tool = build_tools.dlv()
        if not tool:
            raise FileNotFoundError("dlv")
        self.process = subprocess.Popen([tool, "core", binary, str(core), "--headless", "--check-go-version=false",
                                         "--listen=127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, text=True)
        where = None
        said = []
        for line in self.process.stdout:
            said.append(line)
            where = re.search(r"listening at: ([\d.]+):(\d+)", line)
            if where:
                break
        assert where, "".join(said)
        self.socket = socket.create_connection((where[1], int(where[2])), timeout=120)
        self.file = self.socket.makefile("rw", encoding="utf-8")
        self.count = 0

    def call(self, method, **params):
        self.count += 1
        self.file.write(json.dumps({"method": "RPCServer." + method, "params": [params], "id": self.count}) + "\n")
        self.file.flush()
        answer = json.loads(self.file.readline())
        if answer["error"]:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def globals(self):
        return self.call("ListPackageVars", Filter="", Cfg=BARE)["Variables"]

    def goroutines(self):
        return [g["id"] for g in self.call("ListGoroutines", Start=0, Count=100000)["Goroutines"]]

    def stack(self, goroutine):
        return self.call("Stacktrace", Id=goroutine, Depth=200)["Locations"]

    def locals(self, goroutine, frame):
        scope = {"GoroutineID": goroutine, "Frame": frame}
        return (self.call("ListLocalVars", Scope=scope, Cfg=BARE)["Variables"] or []) + \
            (self.call("ListFunctionArgs", Scope=scope, Cfg=BARE)["Args"] or [])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.kill()
        self.process.wait()
