"""Transfer of whole runs between stores. A written run is read back and compared before the caller may delete the original."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from ..types import CAPTURED, RunRecord
from .base import Store

_ROWS_AT_ONCE: Final = 1_000_000

Tables = Mapping[str, Sequence[tuple[Any, ...]]]  # captured rows by table


def read_whole(store: Store, run_id: str) -> tuple[RunRecord, pl.DataFrame, Tables]:
    """Read a run with all its points and captured rows.

    Raises ``OSError`` when a part cannot be read, and ``ValueError`` when there is no such run.
    """
    record = store.run(run_id)
    if record is None:
        raise ValueError(f"there is no run with id {run_id!r}")
    return record, store.read(run_id, None, True), {table: store.captured(run_id, table) for table in CAPTURED}


def put_whole(store: Store, record: RunRecord, points: pl.DataFrame, captured: Tables) -> None:
    """Write a new run into a store, and read it back as another process would.

    Raises ``OSError`` when a part is missing or different; the written run is then deleted if the disk allows it.
    """
    _flush(store)
    try:
        store.put_run(record)
        for part in points.iter_slices(_ROWS_AT_ONCE):
            store.append(record.id, part)
        for table, rows in captured.items():
            store.put_captured(record.id, table, rows)
        _flush(store)
        with store.reopened() as again:
            _compare(record, points, captured, read_whole(again, record.id))
    except BaseException:
        with contextlib.suppress(OSError):
            store.delete(record.id)
        raise


def _flush(store: Store) -> None:
    if not store.flush():
        raise OSError(" ".join(store.notices) or "the store is busy")


def _compare(
    record: RunRecord, points: pl.DataFrame, captured: Tables, found: tuple[RunRecord, pl.DataFrame, Tables]
) -> None:
    """Raise ``OSError`` when the run that was read back differs from the one that was written."""
    there, back, tables = found
    if repr(there) != repr(record):  # NaN in a config equals itself
        raise OSError(f"the record of run {record.id!r} reads back otherwise than it was written")
    if not _sorted(points).equals(_sorted(back)):
        raise OSError(f"of {len(points):,} points of run {record.id!r} {len(back):,} can be read back, or other ones")
    for table, rows in captured.items():
        if sorted(map(repr, rows)) != sorted(map(repr, tables[table])):
            raise OSError(f"table {table!r} of run {record.id!r} reads back otherwise than it was written")


def _sorted(points: pl.DataFrame) -> pl.DataFrame:
    return points.with_columns(pl.col("metric").cast(pl.String)).sort("metric", "step")
