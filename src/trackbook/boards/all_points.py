"""All points of a chart: for a reader who saves them, and to count what a chart leaves out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..store.base import Store
from .questions import Answer, AnswerTable, Question

if TYPE_CHECKING:
    import polars as pl

MOST_RUNS: Final = 1000
MOST_POINTS: Final = 2_000_000  # 48 MB; more are exported by `trackbook.export`
COLUMNS: Final = ("step", "time", "value")


def answers(store: Store, pull: Callable[[], None]) -> AnswerTable:
    """Return the questions about points; `pull` moves into the store what was just logged."""

    def after_pull(answer: Callable[[Store, Question], Answer]) -> Callable[[Question], Answer]:
        def answered(question: Question) -> Answer:
            pull()
            return answer(store, question)

        return answered

    return {"points": after_pull(points), "parquet": after_pull(parquet), "outside": after_pull(outside)}


def points(store: Store, question: Question) -> Answer:
    """Answer ``{ask: "points", metric, runs: [id, ...]}`` with ``{rows: [count of each run]}`` and one buffer.

    The buffer holds the float64 columns of `COLUMNS` one after the other, each with the rows of all runs. Raises
    ``ValueError`` or ``TypeError`` for bad arguments, and ``ValueError`` for more than `MOST_POINTS` points.
    """
    frames = [frame.sort("step") for frame in _read(store, question)]
    columns = {name: [np.empty(0), *(frame[name].to_numpy().astype("<f8") for frame in frames)] for name in COLUMNS}
    data = np.concatenate([np.concatenate(columns[name]) for name in COLUMNS]).tobytes()
    return {"rows": [frame.height for frame in frames]}, [data]


def parquet(store: Store, question: Question) -> Answer:
    """Answer ``{ask: "parquet", parts: [{metric, runs, labels}, ...]}`` with a Parquet file as the buffer."""
    from ..data.chart_points import as_parquet

    parts = question.get("parts")
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise ValueError("a Parquet file is of one or more metrics")
    lines: list[tuple[str, str, Any]] = []
    for part in parts:
        frames, labels = _read(store, part), part.get("labels")
        if (
            not isinstance(labels, list)
            or len(labels) != len(frames)
            or not all(isinstance(each, str) for each in labels)
        ):
            raise ValueError("each run of a Parquet file has a label")
        lines += [(label, part["metric"], frame) for label, frame in zip(labels, frames, strict=True)]
    return {}, [as_parquet(lines)]


def outside(store: Store, question: Question) -> Answer:
    """Answer ``{ask: "outside", metric, runs, low, high}`` with ``{count}`` of the finite values outside of the range."""
    from ..data.chart_points import count_outside

    low, high = question.get("low"), question.get("high")
    if not isinstance(low, (int, float)) or not isinstance(high, (int, float)):
        raise ValueError("a range has two numbers")  # noqa: TRY004  as of the other arguments
    return {"count": sum(count_outside(frame, low, high) for frame in _read(store, question))}, []


def _read(store: Store, question: Question) -> list[pl.DataFrame]:
    """Return the points of a metric, by run."""
    metric, runs = question.get("metric"), question.get("runs")
    if not isinstance(metric, str) or not isinstance(runs, list) or not 0 < len(runs) <= MOST_RUNS:
        raise ValueError(f"points are of a metric and 1 to {MOST_RUNS} runs")
    frames: list[pl.DataFrame] = []
    for run in runs:
        if not isinstance(run, str):
            raise TypeError(f"a run is named by its id, not by {run!r}")
        frames.append(store.read(run, [metric]))
        if sum(frame.height for frame in frames) > MOST_POINTS:
            raise ValueError(f"these are more than {MOST_POINTS:,} points: trackbook.export(path) writes them all")
    return frames
