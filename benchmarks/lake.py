"""Measures a lake: `python benchmarks/lake.py [--points 10000000] [--runs 1000]`, with moto's server as the object store.

Prints the speed of a put as a share of a bare `write_delta` of the same frame, the share of the bytes that one metric of one run takes, and
the seconds to the first frame of a board.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from trackbook.api.boards import board
from trackbook.remote.lake_rows import Known, row, sorted_points
from trackbook.remote.lake_store import open_lake
from trackbook.remote.lake_tables import SCHEMAS, Lake, Rows, app_id, to_version
from trackbook.remote.lake_target import LakeTarget
from trackbook.remote.target import NOTHING, Batch
from trackbook.store.base import POINTS
from trackbook.store.metric_stats import MetricStats
from trackbook.types import Cursor, RunRecord

METRICS = [f"train/metric{number}" for number in range(10)]
AT_ONCE = 4_000_000  # points of one commit that fills a lake


def frame(points: int) -> pl.DataFrame:
    """Return points as a store hands them over: calls of `log` with ten metrics each."""
    steps = points // len(METRICS)
    names = pl.Series(METRICS, dtype=POINTS["metric"])
    return pl.DataFrame(
        {
            "metric": names.gather(np.tile(np.arange(len(METRICS)), steps)),
            "step": np.repeat(np.arange(steps), len(METRICS)),
            "value": np.random.default_rng(0).normal(size=points).cumsum(),
            "time": 1.7e9 + np.arange(points) * 1e-3,
        }
    ).cast(dict(POINTS))


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def speed(points: int) -> None:
    """Compare a put with a bare write of the same frame, in turn; the best of three each."""
    given = frame(points)
    bare, ours = [], []
    for _ in range(3):
        folder = Path(tempfile.mkdtemp(prefix="trackbook-bench-"))
        plain = given.cast({"metric": pl.String})
        bare.append(seconds(partial(plain.write_delta, folder / "bare")))
        target = LakeTarget(str(folder / "lake"), project="bench", source="one")
        batch = Batch(RunRecord("r", "r", 1.0), given, NOTHING, Cursor(0, points))
        ours.append(seconds(partial(target.put, batch)))
        shutil.rmtree(folder)
    print(
        f"put of {points:,} points: {points / min(ours):,.0f} points/s, {min(bare) / min(ours):.0%} of a bare write_delta"
    )


def fill(where: str, runs: int, points: int) -> None:
    """Fill a lake with finished runs, many of them by one commit."""
    each = points // runs
    metrics = MetricStats()
    one = sorted_points(frame(each), metrics).cast({"metric": pl.String})
    lake, names = Lake(where), [f"r{number:05}" for number in range(runs)]
    position = Cursor(0, len(one))
    for start in range(0, runs, max(1, AT_ONCE // each)):
        some = names[start : start + max(1, AT_ONCE // each)]
        rows = pl.concat([one.with_columns(pl.lit(name).alias("run_id")) for name in some]).with_columns(
            pl.lit("bench").alias("project"),
            pl.lit(to_version(position)).alias("position"),
            pl.lit(to_version(position)).alias("cursor"),
        )
        versions = {app_id("bench", name): to_version(position) for name in some}
        lake.commit("points", lambda _, rows=rows, versions=versions: (Rows(rows), versions))
    records = [RunRecord(name, name, 1.7e9 + place, "finished", ended=1.8e9) for place, name in enumerate(names)]
    rows = pl.concat(
        [row("bench", Known(each, metrics, position, frozenset({"one"}), 1.0, revision=1)) for each in records]
    )
    lake.commit("runs", lambda _: (Rows(rows.select(*SCHEMAS["runs"])), {}))


def touched(runs: int, points: int) -> None:
    """Print the share of all bytes that an answer about one metric of one run takes, the tables' log included."""
    sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests")]
    from remote.local_s3 import LocalS3

    server = LocalS3()
    os.environ.update(server.environment)
    where = f"s3://{server.bucket()}/team"
    fill(where, runs, points)
    lake = Lake(where)
    for table in ("points", "runs"):
        lake.known(table).create_checkpoint()
    stored = sum(pl.DataFrame(lake.known("points").get_add_actions(flatten=True))["size_bytes"])
    server.requests.clear()
    took = seconds(lambda: open_lake(where).read("r00500" if runs > 500 else "r00000", [METRICS[3]]))
    print(
        f"one metric of one of {runs:,} runs: {server.sent:,} of {stored:,} bytes ({server.sent / stored:.2%}) by "
        f"{len(server.requests)} requests in {took:.2f} s"
    )
    server.close()


def paint(runs: int, points: int) -> None:
    """Print the seconds until a board of a lake on a path has its first frame."""
    folder = Path(tempfile.mkdtemp(prefix="trackbook-bench-"))
    filled = seconds(lambda: fill(str(folder / "lake"), runs, points))
    size = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
    took = seconds(lambda: board((folder / "lake").as_uri()).source.keyframe())  # noqa: PLW0108  # the board is timed, too
    print(
        f"board of {points:,} points in {runs:,} runs ({size:,} bytes, filled in {filled:.0f} s): first frame after {took:.2f} s"
    )
    shutil.rmtree(folder)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--points", type=int, default=10_000_000)
    asked.add_argument("--runs", type=int, default=1_000)
    asked.add_argument("--only", choices=["speed", "touched", "paint"])
    words = asked.parse_args()
    for name, work in {
        "speed": lambda: speed(words.points),
        "touched": lambda: touched(words.runs, words.points),
        "paint": lambda: paint(words.runs, words.points),
    }.items():
        if words.only in (None, name):
            work()


if __name__ == "__main__":
    main()
