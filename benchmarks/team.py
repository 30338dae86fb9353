"""A team's server under load: `python benchmarks/team.py [--writers 50] [--viewers 100] [--seconds 120] [--kills 2] [--backlog 10000000]`.

Live: each writer is a process with a store of its own that logs 20 metrics ten times a second; a server gets all of it, is killed on
the way, and is started again; each viewer is a WebSocket of the board that draws all runs. Prints how late points reach a viewer,
and compares what the server has at the end with what was logged. Backlog: points of one finished project are sent at once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import websockets

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]
from viewers import cookie_of, parts_of  # noqa: E402

from remote.trials import forked, free_port, server  # noqa: E402
from wire import rows_of  # noqa: E402

METRICS: Final = [f"group{number % 4}/m{number}" for number in range(20)]
CALLS_A_SECOND: Final = 10
PROJECT: Final = "team"


def write(folder: Path, where: str, number: int, seconds: float) -> None:
    """Log as one machine of a team does, and wait until all is uploaded."""
    os.environ["TRACKBOOK_DIR"] = str(folder / f"writer{number}")
    import trackbook as tb

    run = tb.init(PROJECT, f"writer {number}", sync=where, display=False, capture=False)
    begin = time.monotonic()
    for step in range(int(seconds * CALLS_A_SECOND)):
        run.log({metric: step + place for place, metric in enumerate(METRICS)})
        time.sleep(max(0.0, begin + (step + 1) / CALLS_A_SECOND - time.monotonic()))
    run.finish(wait=600)


class Viewers:
    """The sockets of a board that draws all runs. One of them reads how late the points are.

    As pages do, they keep their cookie, and only connect again when the server was away.
    """

    def __init__(self, entrance: str, count: int) -> None:
        self._address = entrance.partition("?")[0]
        with httpx.Client(base_url=self._address, timeout=30) as client:
            client.get(entrance)
            self._cookie = cookie_of(client)
        self._count = count
        self.waits: list[float] = []  # seconds from when a point was logged until it was seen
        self.frames = 0
        self.connections = 0
        self._newest: dict[str, float] = {}

    async def watch(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(self._view(reads=not number) for number in range(self._count)))

    async def _view(self, *, reads: bool) -> None:
        while True:
            try:
                socket = self._address.replace("http", "ws") + f"ws?project={PROJECT}"
                async with websockets.connect(
                    socket, additional_headers={"cookie": self._cookie}, max_size=None
                ) as connected:
                    self.connections += 1
                    await connected.send('{"set": {"drawn_runs": "all"}}')
                    async for message in connected:
                        self.frames += 1
                        if reads:
                            self._receive(message)
                        await connected.send('{"set": {"seen": 1}}')
            except (OSError, httpx.HTTPError, websockets.WebSocketException):
                await asyncio.sleep(0.5)  # the server is away

    def _receive(self, message: str | bytes) -> None:
        now = time.time()
        for head, data in parts_of(message):
            if head.get("trait") in ("keyframe", "delta") and head["value"]:
                self._read(head["value"]["header"], data, now)

    def _read(self, header: dict[str, Any], data: bytes, now: float) -> None:
        for series in header["series"]:
            if series["metric"] or not series["rows"]:
                continue
            row = list(rows_of(series, data).values())[-1]
            logged = row["time"] if series["width"] == 1 else row["last_time"]
            before = self._newest.get(series["run"])
            if before is not None:
                missed = round((logged - before) * CALLS_A_SECOND)
                self.waits += [now - logged + age / CALLS_A_SECOND for age in range(missed)]
            self._newest[series["run"]] = max(logged, before or 0.0)


class Killed:
    """A server that is killed at these seconds since now, and started again."""

    def __init__(self, folder: Path, port: int, kills: list[float]) -> None:
        self._make = partial(server, folder, port)
        self._servers = contextlib.ExitStack()
        self._cpu = 0.0  # of those that were killed
        self._ended = threading.Event()
        self._start()
        self._thread = threading.Thread(target=self._work, args=(kills,))
        self._thread.start()

    def _start(self) -> None:
        self._process = psutil.Process(self._servers.enter_context(self._make()).pid)

    def _work(self, kills: list[float]) -> None:
        begin = time.monotonic()
        for when in kills:
            if self._ended.wait(max(0.0, when - (time.monotonic() - begin))):
                return
            self._cpu = self.cpu
            self._servers.close()  # kills it
            self._start()

    @property
    def cpu(self) -> float:
        return self._cpu + spent(self._process)

    @property
    def memory(self) -> int:
        return int(self._process.memory_info().rss)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._servers.close()


def spent(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def live(folder: Path, writers: int, viewers: int, seconds: float, kills: int) -> None:
    from trackbook.server.tokens import TokenFile

    there, port = folder / "server", free_port()
    token = TokenFile(there).create(may_write=True)
    os.environ |= {"TRACKBOOK_TOKEN": token, "TRACKBOOK_QUIET": "1"}
    where = f"http://127.0.0.1:{port}"
    times = [seconds * (n + 1) / (kills + 1) for n in range(kills)]
    with contextlib.closing(Killed(there, port, times)) as serving:
        begin = time.time()
        children = [forked(partial(write, folder, where, number, seconds)) for number in range(writers)]
        watching = Viewers(f"{where}/?token={token}", viewers)
        asyncio.run(watching.watch(seconds))
        cpu, memory = serving.cpu, serving.memory / 2**20
        print(
            f"{watching.frames / viewers / seconds:.1f} frames a viewer and second, {watching.connections} connections"
        )
        print(f"server: {100 * cpu / seconds:.0f} % of a core, {memory:.0f} MB")
        cuts = statistics.quantiles(watching.waits, n=100)
        print(f"log to viewer: p50 {cuts[49]:.2f} s, p95 {cuts[94]:.2f} s, p99 {cuts[98]:.2f} s", end=" ")
        print(f"({len(watching.waits)} points)")
        for child in children:
            os.waitpid(child, 0)
        print(f"all uploaded {time.time() - begin - seconds:.1f} s after the last call")
    said = subprocess.run(
        [sys.executable, __file__, "--compare", str(folder), "--writers", str(writers)],
        check=True,
        capture_output=True,
        text=True,
    )
    print(said.stdout, end="")


def compare(folder: Path, writers: int) -> None:
    """Print how many points the server has, lost and doubled."""
    import polars as pl

    from trackbook.tracking.project import Project

    columns = ["metric", "step", "value", "time"]
    there = Project(PROJECT, folder / "server")
    received = {run.name: run.id for run in there.store.runs()}
    points = lost = doubled = 0
    for number in range(writers):
        here = Project(PROJECT, folder / f"writer{number}")
        (run,) = here.store.runs()
        source, copy = (
            store.read(key).cast({"metric": pl.String}).select(columns)
            for store, key in ((here.store, run.id), (there.store, received[run.name]))
        )
        points += len(source)
        lost += len(source.join(copy, on=columns, how="anti"))
        doubled += int(copy.select("metric", "step").is_duplicated().sum())
    print(f"{len(received)} runs, {points:,} points logged, {lost} lost, {doubled} doubled")


def send_backlog(folder: Path, points: int) -> None:
    """Print how fast the points of a finished project reach a server."""
    import numpy as np
    import polars as pl

    import trackbook as tb
    from trackbook.api.process import process
    from trackbook.server.tokens import TokenFile

    there, port = folder / "server", free_port()
    os.environ |= {"TRACKBOOK_DIR": str(folder / "here"), "TRACKBOOK_TOKEN": TokenFile(there).create(may_write=True)}
    os.environ["TRACKBOOK_QUIET"] = "1"
    steps = points // len(METRICS)
    chance = np.random.default_rng(0)
    step = np.tile(np.arange(steps), len(METRICS))
    rows = {"run": "backlog", "metric": np.repeat(METRICS, steps), "step": step, "time": 1.8e9 + step / 10}
    pl.DataFrame({**rows, "value": chance.normal(size=len(step))}).write_parquet(folder / "points.parquet")
    tb.import_parquet(folder / "points.parquet", project=PROJECT)
    process().close()
    with server(there, port) as receiving:
        begin, used = time.perf_counter(), time.process_time()
        tb.sync(PROJECT, to=f"http://127.0.0.1:{port}")
        took, here = time.perf_counter() - begin, time.process_time() - used
        print(f"{points:,} points in {took:.2f} s: {points / took:,.0f} a second;", end=" ")
        print(f"processor time: sender {here:.2f} s, server {spent(psutil.Process(receiving.pid)):.2f} s")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--writers", type=int, default=50)
    arguments.add_argument("--viewers", type=int, default=100)
    arguments.add_argument("--seconds", type=float, default=120)
    arguments.add_argument("--kills", type=int, default=2)
    arguments.add_argument("--backlog", type=int, default=0, help="points that are sent at once, instead")
    arguments.add_argument("--compare", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.compare:
        compare(given.compare, given.writers)
        return
    with tempfile.TemporaryDirectory() as place:
        if given.backlog:
            send_backlog(Path(place), given.backlog)
        else:
            live(Path(place), given.writers, given.viewers, given.seconds, given.kills)


if __name__ == "__main__":
    main()
