"""A store in memory: the hot copy of runs that this process writes, and the fake for tests."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import polars as pl

from .._types import Cursor, MetricSummary, RunRecord
from ._interface import NO_MARKS, POINTS

_KEY = ["metric", "step"]
_MOST_FRAMES = 64  # frames of a run before they are joined into one


class MemoryStore:
    """Keeps runs and points in Polars frames, as long as the process lives."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self._lock = threading.RLock()
        self._runs: dict[str, RunRecord] = {}
        self._points: dict[str, RunPoints] = {}
        self._generations: dict[str, int] = {}
        self._marks: dict[str, int] = {}

    def put_run(self, run: RunRecord) -> None:
        with self._lock:
            self._runs[run.id] = run

    def runs(self) -> list[RunRecord]:
        with self._lock:
            return sorted(self._runs.values(), key=lambda run: run.started)

    def run(self, run_id: str) -> RunRecord | None:
        with self._lock:
            return self._runs.get(run_id)

    def append(self, run_id: str, points: pl.DataFrame, marks: Mapping[str, int] = NO_MARKS) -> list[str]:
        with self._lock:
            self._marks.update(marks)
            return self._points.setdefault(run_id, RunPoints()).append(points)

    def marks(self, journal: str) -> dict[str, int]:
        with self._lock:
            return {mark: drained for mark, drained in self._marks.items() if mark.startswith(f"{journal}/")}

    def clear_marks(self, journal: str) -> None:
        with self._lock:
            for mark in self.marks(journal):
                del self._marks[mark]

    def cut(self, run_id: str, step: int) -> None:
        with self._lock:
            kept = self.read(run_id).filter(pl.col("step") <= step)
            self._points[run_id] = RunPoints()
            self._points[run_id].append(kept)
            self._generations[run_id] = self._generations.get(run_id, 0) + 1

    def delete(self, run_id: str) -> None:
        with self._lock:
            self._runs.pop(run_id, None)
            self._points.pop(run_id, None)
            self._generations[run_id] = self._generations.get(run_id, 0) + 1

    def read(self, run_id: str, metrics: Sequence[str] | None = None) -> pl.DataFrame:
        with self._lock:
            points = self._points.get(run_id, RunPoints()).frame()
        return points if metrics is None else points.filter(pl.col("metric").cast(pl.String).is_in(list(metrics)))

    def since(self, run_id: str, cursor: Cursor) -> tuple[pl.DataFrame, Cursor]:
        with self._lock:
            points = self._points.get(run_id, RunPoints())
            generation = self._generations.get(run_id, 0)
            start = cursor.ordinal if cursor.generation == generation else 0
            return points.since(start), Cursor(generation, points.count)

    def summary(self, run_id: str) -> dict[str, MetricSummary]:
        with self._lock:
            return dict(self._points[run_id].summary) if run_id in self._points else {}

    def forget(self, run_id: str) -> None:
        """Lets go of a run and its points."""
        with self._lock:
            self._runs.pop(run_id, None)
            self._points.pop(run_id, None)

    def flush(self) -> bool:
        return True  # memory has nothing more durable to offer

    def close(self) -> None:
        """Nothing is held that would have to be let go of."""


class RunPoints:
    """The points of one run in order of arrival, each metric and step once."""

    def __init__(self) -> None:
        self.count = 0
        self.summary: dict[str, MetricSummary] = {}
        self._frames: list[pl.DataFrame] = []

    def append(self, points: pl.DataFrame) -> list[str]:
        """Takes in points; returns the metrics of which one was discarded because its step was taken."""
        numbered = points.with_row_index("row")
        fresh = numbered.unique(_KEY, keep="first", maintain_order=True)
        largest = {name: figures.step for name, figures in self.summary.items()}
        known = fresh["metric"].cast(pl.String).replace_strict(largest, default=-1, return_dtype=pl.Int64)
        behind = fresh["step"] <= known
        if behind.any():
            late = fresh.filter(behind).join(self.frame(), on=_KEY, how="anti", maintain_order="left")
            fresh = pl.concat([fresh.filter(~behind), late]).sort("row")
        discarded = numbered.join(fresh, on="row", how="anti") if len(fresh) < len(points) else numbered.clear()
        if len(fresh):
            self._frames.append(fresh.drop("row"))
            self.count += len(fresh)
            self._summarise(fresh)
        return discarded["metric"].unique(maintain_order=True).cast(pl.String).to_list()

    def frame(self) -> pl.DataFrame:
        if len(self._frames) != 1:
            self._frames = [pl.concat(self._frames)] if self._frames else [pl.DataFrame(schema=POINTS)]
        return self._frames[0]

    def since(self, ordinal: int) -> pl.DataFrame:
        """The points from `ordinal` on."""
        fresh: list[pl.DataFrame] = []
        missing = self.count - ordinal
        for frame in reversed(self._frames):
            if missing <= 0:
                break
            fresh.append(frame.tail(missing))
            missing -= len(fresh[-1])
        if len(self._frames) > _MOST_FRAMES:
            self.frame()
        return pl.concat(fresh[::-1]) if fresh else pl.DataFrame(schema=POINTS)

    def _summarise(self, fresh: pl.DataFrame) -> None:
        value = pl.col("value")
        figures = fresh.group_by("metric", maintain_order=True).agg(
            value.sort_by("step").last().alias("last"),
            value.drop_nans().min().fill_null(float("nan")).alias("min"),
            value.drop_nans().max().fill_null(float("nan")).alias("max"),
            pl.len().alias("count"),
            pl.col("step").max(),
        )
        for metric, *row in figures.with_columns(pl.col("metric").cast(pl.String)).iter_rows():
            new = MetricSummary(*row)
            old = self.summary.get(metric)
            self.summary[metric] = new if old is None else _joined(old, new)


def _joined(old: MetricSummary, new: MetricSummary) -> MetricSummary:
    latest = new if new.step > old.step else old
    return MetricSummary(
        latest.last,
        old.min if old.min <= new.min or new.min != new.min else new.min,
        old.max if old.max >= new.max or new.max != new.max else new.max,
        old.count + new.count,
        latest.step,
    )
