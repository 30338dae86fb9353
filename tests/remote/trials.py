"""Trials of the upload to a server: faults at every request, and kills of the writing process and of the server, at random.

``python tests/remote/trials.py 200`` (``make trials``). Each trial ends when everything is uploaded, and compares: every point of the
source must be there once, and no other, in the order of its steps.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

KILLED: Final = 0.5  # of the writers
SERVERS_KILLED: Final = 0.1  # in a trial
FAULTS: Final = ("drop", "500", "429", "truncate", "lost", "hang")


class Proxy:
    """Stands before the server, and spoils some of its answers, each in one of `FAULTS`."""

    def __init__(self, port: int, seed: int, share: float) -> None:
        self._port, self._chance, self._share = port, random.Random(seed), share
        self.faults: dict[str, int] = dict.fromkeys(FAULTS, 0)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Pass on one request after another, each to a connection of its own."""
        with contextlib.suppress(OSError, ValueError), client:
            while request := _message(client):
                fault = self._chance.choice(FAULTS) if self._chance.random() < self._share else None
                if fault is not None:
                    self.faults[fault] += 1
                if fault == "drop":
                    return
                if fault in ("500", "429"):
                    more = "retry-after: 0\r\n" if fault == "429" else ""
                    client.sendall(f"HTTP/1.1 {fault} no\r\n{more}content-length: 2\r\n\r\nno".encode())
                    continue
                if fault == "hang":
                    time.sleep(self._chance.random() * 0.3)
                    return
                with socket.create_connection(("127.0.0.1", self._port), 5) as server:
                    server.sendall(request)
                    answer = _message(server)
                if fault == "lost":  # it is done, and nobody learns
                    return
                client.sendall(answer[: max(1, len(answer) - 9)] if fault == "truncate" else answer)
                if fault == "truncate":
                    return

    def close(self) -> None:
        self._listening.close()


def _message(stream: socket.socket) -> bytes:
    """Return one HTTP message with a content-length; empty at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := stream.recv(1 << 16)):
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    missing = (int(found[1]) if found else 0) - len(body)
    while missing > 0:
        if not (more := stream.recv(min(missing, 1 << 16))):
            raise ValueError("cut short")
        data, missing = data + more, missing - len(more)
    return data


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    words = ["-m", "trackbook", "serve", "--dir", str(folder), "--port", str(port)]
    process = subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE)
    assert process.stderr is not None
    process.stderr.readline()
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


class Trials:
    """Trials one after another, against one server, which is killed now and then."""

    def __init__(self, place: Path) -> None:
        from trackbook.server.tokens import TokenFile

        self._here, self._there = place / "here", place / "there"
        self._token = TokenFile(self._there).create(may_write=True)
        os.environ |= {"TRACKBOOK_DIR": str(self._here), "TRACKBOOK_TOKEN": self._token, "TRACKBOOK_QUIET": "1"}
        self._port = free_port()
        self._servers = contextlib.ExitStack()
        self.total: dict[str, int] = {}
        self._serve()

    def _serve(self) -> None:
        self._servers.close()
        self._servers.enter_context(server(self._there, self._port))

    def trial(self, seed: int) -> None:
        """Write a run in two processes, send the rest, and compare. Raises ``AssertionError``."""
        chance = random.Random(seed)
        proxy = Proxy(self._port, seed, share=0.4)
        happened = {"trials": 1}
        for part in range(2):
            reading, writing = os.pipe()
            begun = partial(os.write, writing, b".")
            writer = forked(partial(write, f"p{seed}", proxy.address, 2 * seed + part, begun))
            os.close(writing)
            os.read(reading, 1)
            os.close(reading)
            time.sleep(chance.random() * 1.5)
            if chance.random() < SERVERS_KILLED / 2:
                happened["servers killed"] = happened.get("servers killed", 0) + 1
                self._serve()
            if chance.random() < KILLED:
                os.kill(writer, signal.SIGKILL)
                happened["writers killed"] = happened.get("writers killed", 0) + 1
            os.waitpid(writer, 0)
        reading, writing = os.pipe()
        checker = forked(lambda: os.write(writing, self._check(f"p{seed}", proxy.address, chance)))
        os.close(writing)
        said = os.read(reading, 1 << 16).decode()
        os.close(reading)
        os.waitpid(checker, 0)
        assert said.startswith("points "), f"trial {seed}: {said}"
        happened |= {
            "points": int(said.split()[1]),
            "rewinds": int(said.split()[2]),
            "faults": sum(proxy.faults.values()),
        }
        proxy.close()
        for name, value in happened.items():
            self.total[name] = self.total.get(name, 0) + value

    def _check(self, name: str, where: str, chance: random.Random) -> bytes:
        """Return what came of a trial, as text: in a process of its own, because Polars hangs in forked children of one that uses it."""
        try:
            return self._compared(name, where, chance).encode()
        except BaseException as error:  # noqa: BLE001  # told to the parent
            return f"{type(error).__name__}: {error}".encode()

    def _compared(self, name: str, where: str, chance: random.Random) -> str:
        from trackbook.remote.target import open_target
        from trackbook.remote.upload import Upload
        from trackbook.remote.uploader import send_all
        from trackbook.tracking.project import Project

        project, is_cut = Project(name, self._here), chance.random() < 0.3
        project.recover()
        if is_cut:
            project.store.cut("r1", chance.randrange(60))
        upload = Upload(project.store.path, name, where, open_target, self._token)
        upload.ledger.follow(["r1"], where, ())  # a writer may be killed before it noted that
        send_all(upload, patience=120.0)
        received = Project(name, self._there)
        columns = ["metric", "step", "value", "time"]
        source, copy = (each.store.read("r1").cast({"metric": str}) for each in (project, received))
        assert not copy.select("metric", "step").is_duplicated().any(), "doubled"
        assert source.sort(columns).equals(copy.sort(columns)), f"{len(source)} points here, {len(copy)} there"
        for metric in ("loss", "acc"):
            assert copy.filter(metric=metric)["step"].is_sorted(), "out of order"
        assert repr(project.store.run("r1")) == repr(received.store.run("r1")), "another record"
        return f"points {len(copy)} {is_cut:d}"

    def close(self) -> None:
        self._servers.close()


def forked(work: Callable[[], object]) -> int:
    """Start a process that does `work`; return its id. It has what this one imported, which takes most of a process's start."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001  # it is the end of the process
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(0)
    return child


def write(project: str, where: str, seed: int, begun: Callable[[], object]) -> None:
    """Go on with the run, and upload it; end as a program does. Call `begun` when it is open."""
    import trackbook as tb
    from trackbook.api.process import process

    process()  # before Polars is loaded, which a process made by a fork cannot use if its parent does
    from trackbook.remote import attempts

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    attempts.LONGEST_WAIT = 0.2  # type: ignore[misc]  # the trials are many
    chance = random.Random(seed)
    run = tb.init(
        project, id="r1", resume="allow", sync=where, upload_seconds=0.1, display=False, capture=False, force=True
    )
    begun()
    history = run.history()
    first = 0 if history.is_empty() else int(history["step"].max()) + 1  # type: ignore[arg-type]
    for step in range(first, first + chance.randrange(50, 400)):
        run.log({"loss": 1 / (step + 1), "acc": step / 7}, step=step)
        if step % 50 == 49:
            time.sleep(chance.random() * 0.3)
    run.finish()
    process().close()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("count", type=int, nargs="?", default=200)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    import httpx  # noqa: F401  # so that its children need not
    import tenacity  # noqa: F401

    import trackbook  # noqa: F401

    assert "polars" not in sys.modules
    with tempfile.TemporaryDirectory() as place:
        trials = Trials(Path(place))
        try:
            for number in range(given.count):
                trials.trial(given.seed + number)
                print(", ".join(f"{value:,} {name}" for name, value in trials.total.items()), flush=True)
        finally:
            trials.close()
    print(f"{given.count} trials: 0 points lost, 0 doubled, in order")


if __name__ == "__main__":
    main()
