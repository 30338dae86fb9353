"""Stores with runs, for tests of readers."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from trackbook.store.base import POINTS
from trackbook.store.memory import MemoryStore
from trackbook.types import CAPTURED, RunRecord

NAMES = ["train/loss", "a'b\"c", "../../etc", "x" * 500, "📉 loss", "a\nb,c", "a%2Fb=c", "NULL", "007", ' "value":null']


def filled(*runs: RunRecord, points: dict[str, list[tuple[str, int, float, float]]] | None = None) -> MemoryStore:
    """Return a store of runs, each by default with two points of `loss` and one of `acc`."""
    store = MemoryStore()
    for run in runs:
        store.put_run(run)
        rows = [("loss", 1, 0.25, 11.0), ("loss", 0, 0.5, 10.0), ("acc", 0, math.nan, 10.0)]
        rows = rows if points is None else points[run.id]
        store.append(run.id, pl.DataFrame(rows, schema=POINTS, orient="row"))
    return store


def one_run(**fields: Any) -> RunRecord:
    return RunRecord(
        **{"id": "r1", "name": "brisk-otter-1", "started": 10.0, "state": "finished", "ended": 12.0} | fields
    )


def points_of(store: MemoryStore, run_id: str) -> pl.DataFrame:
    return store.read(run_id).with_columns(pl.col("metric").cast(pl.String)).sort("metric", "step")


def stand(store: MemoryStore, run_id: str) -> str:
    """Return all data of a run, comparable with NaN equal to NaN."""
    figures, captured = list(store.summary(run_id).items()), [store.captured(run_id, table) for table in CAPTURED]
    return repr((store.run(run_id), figures, points_of(store, run_id).rows(), captured))
