"""All points of a chart, for a reader who saves them as CSV."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..store.base import Store
from .questions import Answer, Question

MOST_RUNS: Final = 1000
MOST_POINTS: Final = 2_000_000  # 48 MB; more are exported by `trackbook.export`
COLUMNS: Final = ("step", "time", "value")


def points(store: Store, question: Question) -> Answer:
    """Answer ``{ask: "points", metric, runs: [id, ...]}`` with ``{rows: [count of each run]}`` and one buffer.

    The buffer holds the float64 columns of `COLUMNS` one after the other, each with the rows of all runs. Raises
    ``ValueError`` or ``TypeError`` for bad arguments, and ``ValueError`` for more than `MOST_POINTS` points.
    """
    metric, runs = question.get("metric"), question.get("runs")
    if not isinstance(metric, str) or not isinstance(runs, list) or not 0 < len(runs) <= MOST_RUNS:
        raise ValueError(f"points are of a metric and 1 to {MOST_RUNS} runs")
    counts, columns = [], {name: [np.empty(0)] for name in COLUMNS}
    for run in runs:
        if not isinstance(run, str):
            raise TypeError(f"a run is named by its id, not by {run!r}")
        frame = store.read(run, [metric]).sort("step")
        counts.append(frame.height)
        if sum(counts) > MOST_POINTS:
            raise ValueError(f"these are more than {MOST_POINTS:,} points: trackbook.export(path) writes them all")
        for name in COLUMNS:
            columns[name].append(frame[name].to_numpy().astype("<f8"))
    return {"rows": counts}, [np.concatenate([np.concatenate(columns[name]) for name in COLUMNS]).tobytes()]
