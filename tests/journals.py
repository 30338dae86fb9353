"""Helpers for tests of runs, journals and faults."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from trackbook.journal.journal import FileJournal, Journal
from trackbook.journal.null_journal import NullJournal
from trackbook.journal.records import Batch
from trackbook.store.base import Store
from trackbook.store.memory import MemoryStore
from trackbook.tracking.run import Run, writer_of
from trackbook.tracking.run_writer import RunWriter
from trackbook.types import RunRecord

Row = tuple[str, int, float]


def in_memory() -> FileJournal:
    """Return a journal without a folder."""
    return FileJournal(None, {"id": "r1"})


def a_run(project: str, record: RunRecord, store: Store, *more: Any) -> Run:
    """Return a run for writing without a project; `more` are its journal, and the folder of the project."""
    return Run(RunWriter(project, record, store, *more))


def new_run(name: str = "r1") -> Run:
    """Return a run without project and journal, with an empty store in memory."""
    return a_run("p", RunRecord(name, name, 1.0), MemoryStore(), NullJournal())


def new_writer(name: str = "r1") -> RunWriter:
    """Return the writing side of such a run."""
    return writer_of(new_run(name))


def put(journal: Journal, *points: tuple[int, int, float], now: float = 0.0) -> None:
    """Write one call with points of metric, step and value."""
    fields: list[Any] = []
    for place, (metric, step, value) in enumerate(points):
        fields += (now, step, value, metric, len(points) - place)
    journal.write(len(points), fields)


def by_metric(frame: pl.DataFrame) -> list[Row]:
    """Sort points by metric, since a store keeps the order of arrival only within a metric."""
    return sorted(points(frame), key=lambda row: row[0])


def rows(batches: Batch | Iterable[Batch] | None) -> list[Row]:
    """Return metric, step and value of each point."""
    if batches is None or isinstance(batches, Batch):
        batches = [] if batches is None else [batches]
    return [row for batch in batches for row in points(batch.points)]


def points(frame: pl.DataFrame) -> list[Row]:
    return frame.select(pl.col("metric").cast(pl.String), "step", "value").rows()


def drained(journal: Journal) -> list[Row]:
    """Drain a journal completely, and return its points."""
    found: list[Row] = []
    ready = journal.ready()
    while (batch := journal.drain(ready)) is not None:
        found += rows(batch)
        journal.drained(batch.marks)
    return found


def abandoned(home: Path, *calls: list[tuple[int, int, float]], **head: Any) -> Path:
    """Return the folder of a journal of a dead process, with the metrics `a` and `b` and the given calls."""
    journal = FileJournal(home, {"id": "r1", "name": "a", "started": 0.0} | head)
    journal.open()
    for name in "ab":
        journal.metric(name)
    for call in calls:
        put(journal, *call)
    journal.leave()
    return home / journal.name
