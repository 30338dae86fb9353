"""The cost of a project of many runs, compared with an empty one and with Polars alone."""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

PROJECT = "many"
METRICS = [f"group {number % 4}/metric {number}" for number in range(20)]
STEPS = 50
QUERY = (
    "select run, min(value) as best from points where metric = 'group 3/metric 3' group by run order by best limit 5"
)


def fill(folder: Path, runs: int) -> None:
    """Write a project of `runs` finished runs, each of 20 metrics x 50 steps."""
    from trackbook.store.base import POINTS
    from trackbook.store.paths import project_file
    from trackbook.store.sqlite import SqliteStore
    from trackbook.types import RunRecord

    chance, numbers = random.Random(7), np.random.default_rng(7)  # noqa: S311  # made-up figures
    store = SqliteStore(folder / project_file(PROJECT), PROJECT)
    steps = np.tile(np.arange(STEPS), len(METRICS))
    metric = pl.Series("metric", [name for name in METRICS for _ in range(STEPS)]).cast(POINTS["metric"])
    for number in range(runs):
        started = 1.7e9 + 60 * number
        config = {
            "lr": 10 ** -chance.uniform(1, 5),
            "optimizer": {"name": chance.choice(["adam", "sgd"])},
            "seed": number,
        }
        store.put_run(
            RunRecord(
                f"run{number:05}",
                f"brisk-otter-{number + 1}",
                started,
                "finished",
                group=f"sweep {number % 20}",
                config=config,
                ended=started + 50,
            )
        )
        times = started + steps + numbers.exponential(0.01, len(steps))
        values = numbers.random(len(steps))
        columns = [
            metric,
            *(pl.Series(name, each) for name, each in (("step", steps), ("value", values), ("time", times))),
        ]
        store.append(f"run{number:05}", pl.DataFrame(columns, schema=POINTS))
        if number % 200 == 199:
            store.flush()
    store.close()


def fill_project(_: Any, folder: Path, runs: int) -> dict[str, float]:
    """Return the seconds that `fill` takes."""
    folder.mkdir(parents=True)
    return {"seconds": _seconds(lambda: fill(folder, runs))}


def begin_and_end(_: Any, full: Path, empty: Path, rounds: int) -> dict[str, float]:
    """Median seconds of `init` + `finish` in a project of many runs, and in one of few; in turn."""
    import trackbook as tb

    taken: dict[Path, list[float]] = {full: [], empty: []}
    for _round in range(rounds):
        for folder, seconds in taken.items():
            begin = time.perf_counter()
            tb.init(PROJECT, dir=folder, capture=False, display=False)
            tb.finish()
            seconds.append(time.perf_counter() - begin)
    in_full, in_empty = (statistics.median(seconds[1:]) for seconds in taken.values())
    return {"many_ms": in_full * 1e3, "empty_ms": in_empty * 1e3, "ratio": in_full / in_empty}


def tables(_: Any, folder: Path) -> dict[str, float]:
    """Return the seconds of `runs` and of `sql` over one metric of every run, in a fresh process and repeated."""
    import trackbook as tb

    os.environ["TRACKBOOK_DIR"] = str(folder)
    tb.init("other", capture=False, display=False)  # what the first use of a project imports
    tb.finish()
    return {
        "runs_s": _seconds(lambda: tb.runs(PROJECT)),
        "runs_again_s": _seconds(lambda: tb.runs(PROJECT)),
        "sql_s": _seconds(lambda: tb.sql(QUERY, PROJECT)),
        "sql_again_s": _seconds(lambda: tb.sql(QUERY, PROJECT)),
    }


def wide(_: Any, folder: Path, metrics: int, steps: int) -> dict[str, float]:
    """`history(wide=True)` beside Polars' own pivot of the same points, in turn."""
    import trackbook as tb

    run = tb.init("wide", dir=folder, capture=False, display=False)
    for step in range(steps):
        run.log({f"layer {number}": float(step) for number in range(metrics)})
    run.finish()
    ours, pivot, long = [], [], run.history()
    for _round in range(3):
        ours.append(_seconds(lambda: run.history(wide=True)))
        pivot.append(_seconds(lambda: long.pivot(on="metric", index="step", values="value")))
    return {"seconds": min(ours), "pivot_s": min(pivot), "ratio": min(ours) / min(pivot)}


def _seconds(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
