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
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
from polars.io.plugins import register_io_source

from ..metrics import SYSTEM, is_system, logged
from ..store import check_stored
from ..store.base import POINTS, Store
from ..text import one_line
from ..types import CAPTURED, RunRecord
from .dataframes import LONG, SERIES, Tally, by_metric, series

FORMAT_VERSION: Final = 2  # 2: the record has `defined`
KEY: Final = "trackbook"
CAPTURED_KEY: Final = "trackbook.captured"
_LEVEL: Final = 1  # of zstd: 15 % faster than its usual 3, and 1.3 % larger
_ARROW: Final = "ARROW:schema"

DAMAGED: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)  # what Polars makes of a damaged file

Tables = dict[str, list[tuple[Any, ...]]]  # captured rows by table


def write_parquet(path: Path, project: str, runs: Sequence[RunRecord], store: Store) -> Tally:
    """Write runs of one project as one Parquet file; count its points. Raises ``OSError`` when it cannot be written.

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
            yield from tally.watch(series(points.pop(run.id), project, run))

    tally = Tally()
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
    return tally


def scan_points(path: Path) -> pl.LazyFrame:
    """The table of points of a file, and nothing of its path."""
    return pl.scan_parquet(path, glob=False, hive_partitioning=False)


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
    except (*DAMAGED, OSError, ValueError):
        return None
    about = None if text is None else check_stored.json_value(text)
    return about if isinstance(about, dict) and "runs" in about else None


def read_records(path: Path, about: dict[str, Any]) -> list[tuple[RunRecord, list[str]]]:
    """The records of an export's runs, each with the names of its metrics. Raises ``ValueError``."""
    version, runs = about.get("version"), about["runs"]
    if not (isinstance(version, int) and isinstance(runs, list)):
        raise ValueError(f"cannot read {path}: what it says of its runs is damaged")  # noqa: TRY004  of a damaged file
    if version > FORMAT_VERSION:
        raise ValueError(f"{path} was written by a newer Trackbook (format {version}); upgrade this one")
    if not check_stored.is_name(about.get("project")):
        raise ValueError(f"cannot read {path}: its project is {one_line(repr(about.get('project')))}, not a name")
    found = []
    for run in runs:
        if not isinstance(run, dict) or not check_stored.is_object(run.get("metrics")):
            raise ValueError(f"cannot read {path}: what it says of a run is damaged")
        try:
            found.append((check_stored.record(run.get("record")), list(run["metrics"])))
        except ValueError as error:
            raise ValueError(f"cannot read {path}: {error}") from None
    return found


def read_points(path: Path, run_id: str, metrics: Sequence[str]) -> pl.DataFrame:
    """The points of one run, in the order of `metrics`, so that the store's summary has that order again.

    Raises ``ValueError`` when they cannot be read.
    """
    table = scan_points(path)
    try:
        points = table.filter(pl.col("run_id") == run_id).select(*POINTS).cast(POINTS).collect()
        points = check_stored.points(points, f"cannot read run {run_id!r} in {path}")
    except DAMAGED as error:
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
    return base64.b64encode(check_stored.compress(json.dumps(tables).encode())).decode() if tables else None


def unpack_captured(text: str, run_id: str) -> Tables:
    """The rows that `pack_captured` has of one run, with the columns of this version. Raises ``ValueError``."""
    try:
        tables = _tables_of(check_stored.json_value(check_stored.decompress(base64.b64decode(text))), run_id)
        return {
            name: check_stored.captured(name, tables[name].get("columns"), tables[name].get("rows"))
            for name in CAPTURED
            if name in tables
        } | _unpack_system(tables.get("system"))
    except ValueError as error:
        raise ValueError(f"the captured tables of run {run_id!r} are damaged: {error}") from None


def _tables_of(runs: Any, run_id: str) -> dict[str, dict[str, Any]]:
    tables = runs.get(run_id, {}) if isinstance(runs, dict) else None
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ValueError("they are not JSON objects")
    return tables


def _unpack_system(table: Any) -> Tables:
    if table is None:
        return {}
    columns, rows = table.get("columns"), table.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list) or set(POINTS) - set(map(str, columns)):
        raise ValueError("the system metrics are not a list of columns and a list of rows")
    try:
        found = pl.DataFrame(rows, columns, orient="row", infer_schema_length=None).select(*POINTS).cast(POINTS)
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"the system metrics are not points: {one_line(error)}") from None
    points = check_stored.points(found, "the system metrics")
    if not points["metric"].cast(pl.String).str.starts_with(SYSTEM).all():
        raise ValueError(f"a system metric does not begin with {SYSTEM!r}")
    return {"system": points.rows()}


def _tables() -> dict[str, tuple[str, ...]]:
    """The columns of each table."""
    return {**{table: tuple(columns) for table, columns in CAPTURED.items()}, "system": tuple(POINTS)}


def _system_rows(points: Mapping[str, pl.DataFrame]) -> list[tuple[Any, ...]]:
    parts = [part.cast({"metric": pl.String}) for name, part in points.items() if is_system(name)]
    return pl.concat(parts).rows() if parts else []
