"""The server under load: many viewers of one live run, and a folder of many projects."""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import websockets

VIEWERS = 100
PROJECTS = 1_000
SERVER = "import sys; sys.argv[1:] = {words!r}; from trackbook.cli.app import main; main()"
# Trains until its input ends: 2 ms of computing and one call of ten metrics a step. Then prints calls, CPU and wall seconds.
TRAINING = """
import select, sys, time
import trackbook as tb
run = tb.init("digits", "live", capture=False)
def work():
    end = time.process_time() + 0.002
    while time.process_time() < end:
        pass
calls, begin, cpu = 0, time.perf_counter(), time.process_time()
while not select.select([sys.stdin], [], [], 0)[0]:
    work()
    run.log({f"group{i % 2}/metric{i}": calls / (i + 1) for i in range(10)})
    calls += 1
wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
print(calls, cpu, wall, flush=True)
run.finish()
"""


@contextmanager
def served(python: str, folder: Path, environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of a folder, and its address with the token."""
    words = ["show", "--port", "0", "--dir", str(folder), "--no-browser"]
    command = [python, "-c", SERVER.format(words=words)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            found = re.search(r"http://\S+", process.stderr.readline())
            assert found is not None
            yield process, found[0]
        finally:
            process.kill()


def train(python: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([python, "-c", TRAINING], stdin=pipe, stdout=pipe, text=True, env=environment)


def end(training: subprocess.Popen[str]) -> tuple[float, float]:
    """CPU and wall milliseconds a step of a training that ends now."""
    out, _ = training.communicate("\n")
    calls, cpu, wall = (float(word) for word in out.split())
    return 1e3 * cpu / calls, 1e3 * wall / calls


def watch(entrance: str, seconds: float, viewers: int) -> dict[str, float]:
    """Let `viewers` watch for `seconds`: how late frames arrive after they were made, and how many a second."""
    address = entrance.partition("?")[0]
    with httpx.Client(base_url=address) as client:
        client.get(entrance)
        cookie = cookie_of(client)
    lateness: list[float] = []
    frames = 0

    async def view() -> None:
        nonlocal frames
        socket = address.replace("http", "ws") + "ws?project=digits"
        async with websockets.connect(socket, additional_headers={"cookie": cookie}, max_size=None) as connection:
            try:
                async with asyncio.timeout(seconds):
                    while True:
                        message = await connection.recv()
                        made = frame_time(message)
                        if made is not None:
                            lateness.append(time.time() - made)
                            frames += 1
                            await connection.send('{"set": {"seen": 1}}')
            except TimeoutError:
                return

    async def all_views() -> None:
        await asyncio.gather(*(view() for _ in range(viewers)))

    asyncio.run(all_views())
    return {
        "p50_ms": 1e3 * statistics.median(lateness),
        "p95_ms": 1e3 * statistics.quantiles(lateness, n=20)[-1],
        "frames_a_second": frames / viewers / seconds,
    }


def cookie_of(client: httpx.Client | httpx.AsyncClient) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def parts_of(message: str | bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Return the parts of a server's message: what it says of a trait or an answer, and its data."""
    assert isinstance(message, bytes)
    at = 0
    while at < len(message):
        text, data = struct.unpack_from("<II", message, at)
        begin = at + 8 + text
        at = begin + data
        yield json.loads(message[begin - text : begin]), message[begin:at]


def frame_time(message: str | bytes) -> float | None:
    """When the delta of a message was made, None without one."""
    found = [head["value"]["header"]["now"] for head, _ in parts_of(message) if head.get("trait") == "delta"]
    return float(found[-1]) if found else None


def many_viewers(
    python: str, folder: Path, environment: dict[str, str], seconds: float, viewers: int
) -> dict[str, float]:
    """Train alone, then beside a server with viewers, each as long."""
    alone = train(python, environment)
    time.sleep(seconds)
    cpu_alone, wall_alone = end(alone)
    with served(python, folder, environment) as (server, entrance):
        training = train(python, environment)
        time.sleep(1)
        found = watch(entrance, seconds, viewers)
        memory = psutil.Process(server.pid).memory_info().rss / 2**20
        cpu, wall = end(training)
    return {
        **found,
        "server_mb": memory,
        "training_cpu_ratio": cpu / cpu_alone,
        "training_wall_ratio": wall / wall_alone,
    }


def many_projects(python: str, folder: Path, environment: dict[str, str], projects: int) -> dict[str, float]:
    """Milliseconds until the list of projects is answered, first and again."""
    from trackbook.store.paths import project_file
    from trackbook.store.sqlite import SqliteStore
    from trackbook.types import RunRecord

    for number in range(projects):
        store = SqliteStore(folder / project_file(f"project-{number}"), f"project-{number}")
        store.put_run(RunRecord("r", "r", float(number), "finished", ended=number + 1.0))
        store.flush()
        store.close()
    times = []
    with served(python, folder, environment) as (_, entrance), httpx.Client(timeout=60) as client:
        client.get(entrance)
        for _ in range(3):
            begin = time.perf_counter()
            answer = client.get(entrance.partition("?")[0] + "api/projects")
            times.append(1e3 * (time.perf_counter() - begin))
            assert len(answer.json()["projects"]) == projects
    return {"first_ms": times[0], "again_ms": statistics.median(times[1:])}
