"""What was captured of runs beside what they logged, as one text in the metadata of their Parquet file."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

import polars as pl

from ..store.base import POINTS, Store
from ..types import CAPTURED, is_system


def enclose(store: Store, runs: Mapping[str, Mapping[str, pl.DataFrame]]) -> str | None:
    """The rows of `CAPTURED`, and system metrics, by run id and table, each table with its columns: JSON in zlib in base64; None
    when there are none. `runs` are the points of each, by metric.
    """
    tables: dict[str, dict[str, Any]] = {}
    for run_id, points in runs.items():
        for table, columns in _tables().items():
            rows = _system(points) if table == "system" else store.captured(run_id, table)
            if rows:
                tables.setdefault(run_id, {})[table] = {"columns": columns, "rows": rows}
    return base64.b64encode(zlib.compress(json.dumps(tables).encode())).decode() if tables else None


def disclosed(text: str, run_id: str) -> dict[str, list[tuple[Any, ...]]]:
    """What `enclose` said of one run: rows by table, with the columns that they have here. Raises ``ValueError``."""
    try:
        tables = json.loads(zlib.decompress(base64.b64decode(text))).get(run_id, {})
        found = {}
        for table in [name for name in _tables() if name in tables]:
            columns = tables[table]["columns"]
            rows = [dict(zip(columns, row, strict=True)) for row in tables[table]["rows"]]
            found[table] = [tuple(row.get(column) for column in _tables()[table]) for row in rows]
    except (ValueError, zlib.error, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"what is told of run {run_id!r} beside its points is damaged: {error}") from None
    return found


def _tables() -> dict[str, tuple[str, ...]]:
    """The columns of each table."""
    return {**CAPTURED, "system": tuple(POINTS)}


def _system(points: Mapping[str, pl.DataFrame]) -> list[tuple[Any, ...]]:
    parts = [part.cast({"metric": pl.String}) for name, part in points.items() if is_system(name)]
    return pl.concat(parts).rows() if parts else []
