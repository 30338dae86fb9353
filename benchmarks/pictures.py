"""The kernel's cost of a board: its pictures, the sent frames, and the requested windows."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import random
import statistics
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERIES = 30
REFRESHES_A_SECOND = 10
BEGAN = 1_750_000_000.0


class Following:
    """A run in a store, and a source that follows it."""

    def __init__(self, folder: Path) -> None:
        import numpy as np
        import polars as pl

        from trackbook.boards.frame_source import FrameSource
        from trackbook.store.base import POINTS
        from trackbook.store.sqlite import SqliteStore
        from trackbook.types import RunRecord

        self.np, self.pl, self.schema = np, pl, POINTS
        self.store = SqliteStore(folder / "pictures.db", "pictures")
        self.store.put_run(RunRecord("r", "run", started=BEGAN))
        self.source = FrameSource("pictures", self.store)
        self.source.add_run("r")
        self.chance = np.random.default_rng(3)
        self.names = pl.Series([f"group{m % 3}/metric{m}" for m in range(SERIES)], dtype=pl.String).cast(
            POINTS["metric"]
        )
        self.calls = 0

    def log(self, calls: int, rate: float) -> None:
        np, pl = self.np, self.pl
        steps = np.repeat(np.arange(self.calls, self.calls + calls), SERIES)
        metric = self.names.gather(np.tile(np.arange(SERIES), calls))
        value = self.chance.normal(size=len(steps))
        columns = [metric, pl.Series("step", steps), pl.Series("value", value), pl.Series("time", BEGAN + steps / rate)]
        self.store.append("r", pl.DataFrame(columns, schema=self.schema))
        self.calls += calls

    def refresh(self) -> tuple[float, int]:
        """Return the thread's seconds for one refresh, and the bytes sent, including headers."""
        begin = time.thread_time()
        self.source.pull()
        frames = [frame for frame in self.source.frames() if frame is not None]
        seconds = time.thread_time() - begin
        return seconds, sum(len(frame["data"]) + len(json.dumps(frame["header"])) for frame in frames)

    def refreshes(self, rate: int, seconds: int) -> tuple[tuple[float, ...], tuple[int, ...]]:
        """Return the time and bytes of each refresh, at `rate` calls a second."""
        self.source.keyframe()
        taken = []
        for refresh in range(seconds * REFRESHES_A_SECOND):
            self.log(rate // REFRESHES_A_SECOND, rate)
            if refresh % REFRESHES_A_SECOND == 0:
                self.store.flush()
            taken.append(self.refresh())
        times, sent = zip(*taken, strict=True)
        return times, sent


def pictures(_: Any, folder: Path, points: int, seconds: int) -> dict[str, float]:
    """30 series of `points` points in all: a refresh at 100 and at 1,000 calls a second, and the whole keyframe."""
    following = Following(folder)
    while following.calls * SERIES < points:
        following.log(min(100_000, -(-points // SERIES) - following.calls), 1000)
        following.store.flush()
    following.source.pull()
    found: dict[str, float] = {}
    for rate in (100, 1000):
        times, sent = following.refreshes(rate, seconds)
        found |= {f"ms_{rate}": statistics.fmean(times) * 1e3, f"bytes_{rate}": statistics.fmean(sent)}
    return found | _keyframe(following.source)


def growing(_: Any, folder: Path, rate: int, seconds: int) -> dict[str, float]:
    """Measure a run from its first call on."""
    following = Following(folder)
    following.source.pull()
    times, sent = following.refreshes(rate, seconds)
    return {"ms": statistics.fmean(times) * 1e3, "bytes": statistics.fmean(sent), "largest": max(sent)}


def largest(_: Any) -> dict[str, float]:
    """A keyframe, and refreshes, of 30 series of 10 M steps each, of which every 16th was logged."""
    import numpy as np

    from trackbook.boards.frame_source import FrameSource
    from trackbook.store.memory import MemoryStore

    source = FrameSource("pictures", MemoryStore())
    header: Any = {"key": 0, "id": "r", "name": "run", "state": "running"}
    picture = source._picture  # noqa: SLF001  # 300 M points are too many to write for this
    picture.put_run(header)
    chance = np.random.default_rng(4)
    numbers = np.array([picture.number("r", f"metric{m}") for m in range(SERIES)])
    for first in range(0, 10_000_000, 1_000_000):
        steps = np.arange(first, first + 1_000_000, 16)
        for number in numbers.tolist():
            picture.add(np.full(len(steps), number), steps, BEGAN + steps / 1000, chance.normal(size=len(steps)))
    found = _keyframe(source)
    source.keyframe()
    sent = []
    for refresh in range(200):
        steps = np.tile(np.arange(100), SERIES) + 10_000_000 + 100 * refresh
        picture.add(np.repeat(numbers, 100), steps, BEGAN + steps / 1000, chance.normal(size=len(steps)))
        frames = [frame for frame in source.frames() if frame is not None]
        sent.append(sum(len(frame["data"]) + len(json.dumps(frame["header"])) for frame in frames))
    return found | {"bytes": statistics.fmean(sent)}


def _keyframe(source: Any) -> dict[str, float]:
    taken = []
    for _ in range(5):
        begin = time.perf_counter()
        keyframe, _ = source.keyframe()
        taken.append(time.perf_counter() - begin)
    saved, _ = source.saved_keyframe()
    return {
        "keyframe_ms": statistics.median(taken) * 1e3,
        "keyframe_bytes": len(keyframe["data"]),
        "saved_bytes": len(saved["data"]),
    }


def detail(_: Any, folder: Path, questions: int) -> dict[str, float]:
    """Measure windows of a long run, from a thousandth to a quarter of it, while another thread computes as a cell does."""
    os.environ["TRACKBOOK_DIR"] = str(folder)
    from trackbook.api import projects
    from trackbook.boards.frame_source import FrameSource
    from trackbook.boards.publisher import Publisher
    from trackbook.metrics import is_system

    project = projects.home("bench")
    (run,) = project.store.runs()
    source = FrameSource(project.name, project.store)
    source.add_run(run.id)
    source.pull()
    last = run.done or max(summary.count for summary in project.store.summary(run.id).values())
    chance = random.Random(11)  # noqa: S311  # no secret
    publisher = Publisher(source, lambda *_: None)
    metric = next(number for number, name in enumerate(source.picture.metrics) if not is_system(name))
    taken = []
    with _busy_cell():
        for _ in range(questions):
            width = last * 10 ** chance.uniform(-3, -0.6)
            start = chance.uniform(0, last - width)
            question = {"ask": "detail", "series": [[0, metric]], "from": start, "to": start + width, "buckets": 720}
            begin = time.perf_counter()
            answer, _ = publisher.answer(question)
            taken.append(time.perf_counter() - begin)
            if "series" not in answer:
                raise RuntimeError(f"no detail: {answer}")
    return {"p50_ms": statistics.median(taken) * 1e3, "p95_ms": sorted(taken)[int(len(taken) * 0.95)] * 1e3}


@contextmanager
def _busy_cell() -> Iterator[None]:
    over = threading.Event()

    def compute() -> None:
        loss = 1.0
        while not over.is_set():
            for i in range(1000):
                loss = loss * 0.999 + i * 1e-6

    cell = threading.Thread(target=compute)
    cell.start()
    try:
        yield
    finally:
        over.set()
        cell.join()


def board(_: Any, folder: Path, seconds: float) -> dict[str, float]:
    """A loop of 1 ms steps that logs 10 metrics a step: the thread's time of its board's ticks beside the loop's.

    No browser: the comm packs and signs each message as a kernel does, and drops it; what it acknowledges keeps the board at
    ten refreshes a second. With `display=False` there would be no tick.
    """
    os.environ["TRACKBOOK_DIR"] = str(folder)
    import ipywidgets
    from comm.base_comm import BaseComm

    import trackbook
    from trackbook.api.process import process
    from trackbook.boards.frame_source import FrameSource
    from trackbook.boards.run_actions import RunActions

    sent = []

    class Comm(BaseComm):  # type: ignore[misc]  # a library without types
        def publish_msg(
            self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any
        ) -> None:
            content = json.dumps({"type": msg_type, "data": data, "metadata": metadata}, default=str).encode()
            hmac.new(b"key", content, hashlib.sha256).hexdigest()
            sent.append(len(content) + sum(memoryview(buffer).nbytes for buffer in buffers or []))

    ipywidgets.widgets.widget.comm.create_comm = Comm
    run = trackbook.init(project="bench", display=False)
    here = process()
    project = here.project("bench")
    source = FrameSource(project.name, project.store)
    source.add_run(run.id)
    shown = here.boards.add(source, project.name, project.store.path, RunActions(project), project)
    tick, ticking = shown.tick, [0.0]

    def measured(now: float) -> float:
        begin = time.thread_time()
        rest: float = tick(now)
        ticking[0] += time.thread_time() - begin
        return rest

    shown.tick = measured
    names = [f"train/metric{m}" for m in range(10)]
    begin, steps, loss = time.perf_counter(), 0, 1.0
    while (now := time.perf_counter()) < begin + seconds:
        due = begin + (steps + 1) * 1e-3
        run.log(dict.fromkeys(names, loss))
        while time.perf_counter() < due:
            loss = loss * 0.999 + 1e-6
        steps += 1
        if steps % 250 == 0:
            shown.set_state({"seen": source.seq})
    seconds = now - begin
    trackbook.finish()
    return {
        "percent": ticking[0] / seconds * 100,
        "calls_per_s": steps / seconds,
        "messages_per_s": len(sent) / seconds,
        "bytes": statistics.fmean(sent),
    }
