"""The Parquet files that Trackbook writes, and reads back as equal runs.

A file holds a table of the columns `LONG`, sorted by run id, metric and step. Its key-value metadata have the runs' records as JSON
under ``trackbook``, and under ``trackbook.captured`` what was captured of them (cells, console, environment, system metrics) as
JSON, compressed by zlib, in base64: files beside the points would be read as points.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
from polars.io.plugins import register_io_source

from ..metrics import is_system, logged
from ..store.base import POINTS, Store
from ..types import CAPTURED, RunRecord
from .dataframes import LONG, SERIES, by_metric, series

FORMAT_VERSION: Final = 2  # 2: the record has `defined`
KEY: Final = "trackbook"
CAPTURED_KEY: Final = "trackbook.captured"
_LEVEL: Final = 1  # of zstd: 15 % faster than its usual 3, and 1.3 % larger
_ARROW: Final = "ARROW:schema"

Tables = dict[str, list[tuple[Any, ...]]]  # captured rows by table


def write_parquet(path: Path, project: str, runs: Sequence[RunRecord], store: Store) -> None:
    """Write runs of one project as one Parquet file. Raises ``OSError`` when it cannot be written.

    Large metrics get row groups of their own, because Polars ends a row group where a large batch ends: readers can pass over
    metrics. The store is read before Polars begins. Polars takes batches on its own threads, of which it has few; one that waits
    there for a store whose holder waits for Polars would wait for ever (tried).
    """
    points = {run.id: by_metric(store, run.id) for run in runs}
    about = {
        "version": FORMAT_VERSION,
        "project": project,
        "runs": [
            {
                "record": dataclasses.asdict(run),
                "metrics": {name: dataclasses.asdict(known) for name, known in logged(store.summary(run.id)).items()},
            }
            for run in runs
        ],
    }
    captured = pack_captured(store, points)
    more = {} if captured is None else {CAPTURED_KEY: captured}

    def batches(*_: Any) -> Iterator[pl.DataFrame]:
        for run in runs:
            yield from series(points.pop(run.id), project, run)

    try:
        register_io_source(batches, schema=SERIES).sink_parquet(
            path,
            compression="zstd",
            compression_level=_LEVEL,
            statistics=True,
            metadata={KEY: json.dumps(about), **more, _ARROW: _arrow_schema()},
        )
    except pl.exceptions.PolarsError as error:
        raise OSError(f"cannot write {path.parent}: {error}") from None


@functools.cache
def _arrow_schema() -> str:
    """The Arrow schema of plain strings, so that categories change only how the file is written."""
    file = io.BytesIO()
    pl.DataFrame(schema=LONG).write_parquet(file)
    file.seek(0)
    return pl.read_parquet_metadata(file)[_ARROW]


def metadata(path: Path) -> dict[str, Any] | None:
    """What an export of Trackbook says of its runs; None for any other file."""
    try:
        text = pl.read_parquet_metadata(path).get(KEY)
        about = None if text is None else json.loads(text)
    except (pl.exceptions.PolarsError, OSError, ValueError):
        return None
    return about if isinstance(about, dict) and "runs" in about else None


def read_points(path: Path, run_id: str, metrics: Sequence[str]) -> pl.DataFrame:
    """The points of one run, in the order of `metrics`, so that the store's summary has that order again.

    Raises ``ValueError`` when they cannot be read.
    """
    table = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    try:
        points = table.filter(pl.col("run_id") == run_id).select(*POINTS).cast(POINTS).collect()
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"cannot read the points of run {run_id!r} in {path}: {str(error).splitlines()[0]}") from None
    parts = points.partition_by("metric", as_dict=True)
    ordered = [parts.pop((name,)) for name in metrics if (name,) in parts]
    return pl.concat([*ordered, *parts.values()]) if ordered or parts else points


def read_captured(path: Path, run_id: str) -> Tables:
    """What was captured of one run, by table. Raises ``ValueError`` when it is damaged."""
    text = pl.read_parquet_metadata(path).get(CAPTURED_KEY)
    try:
        return {} if text is None else unpack_captured(text, run_id)
    except ValueError as error:
        raise ValueError(f"cannot read {path}: {error}") from None


def pack_captured(store: Store, runs: Mapping[str, Mapping[str, pl.DataFrame]]) -> str | None:
    """The captured rows and the system metrics of `runs`, whose points are given by metric; None when there are none.

    By run id and table, each table with its columns, which a later version may have changed.
    """
    tables: dict[str, dict[str, Any]] = {}
    for run_id, points in runs.items():
        for table, columns in _tables().items():
            rows = _system_rows(points) if table == "system" else store.captured(run_id, table)
            if rows:
                tables.setdefault(run_id, {})[table] = {"columns": columns, "rows": rows}
    return base64.b64encode(zlib.compress(json.dumps(tables).encode())).decode() if tables else None


def unpack_captured(text: str, run_id: str) -> Tables:
    """The rows that `pack_captured` has of one run, with the columns of this version. Raises ``ValueError``."""
    try:
        tables = json.loads(zlib.decompress(base64.b64decode(text))).get(run_id, {})
        found = {}
        for table in [name for name in _tables() if name in tables]:
            columns = tables[table]["columns"]
            rows = [dict(zip(columns, row, strict=True)) for row in tables[table]["rows"]]
            found[table] = [tuple(row.get(column) for column in _tables()[table]) for row in rows]
    except (ValueError, zlib.error, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"the captured tables of run {run_id!r} are damaged: {error}") from None
    return found


def _tables() -> dict[str, tuple[str, ...]]:
    """The columns of each table."""
    return {**{table: tuple(columns) for table, columns in CAPTURED.items()}, "system": tuple(POINTS)}


def _system_rows(points: Mapping[str, pl.DataFrame]) -> list[tuple[Any, ...]]:
    parts = [part.cast({"metric": pl.String}) for name, part in points.items() if is_system(name)]
    return pl.concat(parts).rows() if parts else []
