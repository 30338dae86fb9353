"""A server in a process of its own, and a process that trains."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from browser.lab import PATIENCE

SERVER = """
import sys
from trackbook.api.serving import serve
server = serve(port=int(sys.argv[1]), embed_from=sys.argv[2:])
print(server.address_with_token(), file=sys.stderr, flush=True)
server.wait()
"""
# Logs as many points as the next line of its input says, each time that one comes; the step is the value.
TRAINING = """
import sys
import trackbook as tb
run = tb.init("digits", "live", config={"lr": 0.1}, capture="console")
count = 0
for line in sys.stdin:
    for _ in range(int(line)):
        run.log({"train/loss": count, "val/loss": -count, "lr": 0.1})
        count += 1
    print("logged", count, flush=True)
run.finish()
"""


class Served:
    """A server in a process of its own, and a page that is let in."""

    def __init__(self, folder: Path, *embed_from: str, runs: Path | None = None) -> None:
        """`folder` is for its files, and for those of `runs` unless they have a folder."""
        self.embed_from = embed_from
        self.environment = os.environ | {
            "TRACKBOOK_DIR": str(runs or folder / "runs"),
            "XDG_STATE_HOME": str(folder / "state"),
        }
        self.port = free_port()
        self.server: subprocess.Popen[str] | None = None
        self.entrance = self.start()

    def start(self) -> str:
        """Start the server; return its address with the token."""
        command = [sys.executable, "-c", SERVER, str(self.port), *self.embed_from]
        self.server = subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True)
        assert self.server.stderr is not None
        line = self.server.stderr.readline()
        found = re.search(r"http://\S+", line)
        assert found, line + self.server.stderr.read()
        assert urlsplit(found[0]).port == self.port
        return found[0]

    def kill(self) -> None:
        assert self.server is not None
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        assert self.server.stderr is not None
        self.server.stderr.close()

    def address(self, query: str = "") -> str:
        return f"http://127.0.0.1:{self.port}/{query}"

    def train(self) -> Training:
        return Training(self.environment)

    def run(self, program: str) -> None:
        """Run a program that records runs to its end."""
        subprocess.run([sys.executable, "-c", program], env=self.environment, check=True)


class Training:
    """A process that logs when it is told to."""

    def __init__(self, variables: dict[str, str]) -> None:
        command = [sys.executable, "-c", TRAINING]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, env=variables, stdin=pipe, stdout=pipe, text=True)

    def log(self, count: int) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        self._process.stdout.readline()

    def end(self) -> None:
        self._process.communicate(timeout=PATIENCE)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
