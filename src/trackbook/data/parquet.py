"""Parquet files of Trackbook, written and read back as equal runs.

A file contains a table with the columns `LONG`, sorted by run id, metric and step. Its key-value metadata hold the runs' records as
JSON under ``trackbook``, and their captured data (cells, console, environment, system metrics) under ``trackbook.captured`` as JSON,
compressed by zlib, in base64. Separate files for them would be read as points.
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
_LEVEL: Final = 1  # of zstd: 15 % faster than the default 3, and 1.3 % larger
_SMALLEST_BOUND: Final = 1 << 26  # values that any file may claim to hold
_LARGEST_RATIO: Final = 64  # values a byte that it may claim beyond that; tables of constants reach 60
_ARROW: Final = "ARROW:schema"

DAMAGED: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)  # raised by Polars for a damaged file

Tables = dict[str, list[tuple[Any, ...]]]  # captured rows by table


def write_parquet(path: Path, project: str, runs: Sequence[RunRecord], store: Store) -> Tally:
    """Write runs of one project as one Parquet file, and return the tally of its points. Raises ``OSError`` when writing fails.

    Large metrics get separate row groups, so that readers can skip metrics: Polars ends a row group at the end of a large batch. The
    store is read before Polars starts to write, because Polars asks for batches on its own few threads: a thread that waits there for
    a store whose holder waits for Polars would wait forever (tried).
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
    """Return the table of points of a file, without columns for Hive keys in its path.

    Raises ``ValueError`` for a file that claims to hold more than its size allows: a few bytes can stand for any number of rows.
    """
    table = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    rows, columns, size = table.select(pl.len()).collect().item(), len(table.collect_schema()), path.stat().st_size
    most = max(_SMALLEST_BOUND, _LARGEST_RATIO * size)
    if rows * columns > most:
        raise ValueError(
            f"cannot read {path}: its {size:,} bytes claim to hold {rows:,} rows of {columns} columns; more than {most:,} values are "
            "not believed of a file of this size"
        )
    return table


@functools.cache
def _arrow_schema() -> str:
    """Return the Arrow schema with plain strings, which readers then see although the file is written from categories."""
    file = io.BytesIO()
    pl.DataFrame(schema=LONG).write_parquet(file)
    file.seek(0)
    return pl.read_parquet_metadata(file)[_ARROW]


def metadata(path: Path) -> dict[str, Any] | None:
    """Return the metadata of an export of Trackbook, None for any other file."""
    try:
        text = pl.read_parquet_metadata(path).get(KEY)
    except (*DAMAGED, OSError, ValueError):
        return None
    about = None if text is None else check_stored.json_value(text)
    return about if isinstance(about, dict) and "runs" in about else None


def read_records(path: Path, about: dict[str, Any]) -> list[tuple[RunRecord, list[str]]]:
    """Return the records of an export's runs, each with the names of its metrics. Raises ``ValueError``."""
    version, runs = about.get("version"), about["runs"]
    if not (isinstance(version, int) and isinstance(runs, list)):
        raise ValueError(f"cannot read {path}: its list of runs is damaged")  # noqa: TRY004  the file is damaged
    if version > FORMAT_VERSION:
        raise ValueError(f"{path} was written by a newer Trackbook (format {version}); upgrade this one")
    if not check_stored.is_name(about.get("project")):
        raise ValueError(f"cannot read {path}: its project is {one_line(repr(about.get('project')))}, not a name")
    found = []
    for run in runs:
        if not isinstance(run, dict) or not check_stored.is_object(run.get("metrics")):
            raise ValueError(f"cannot read {path}: the entry of a run is damaged")
        try:
            found.append((check_stored.record(run.get("record")), list(run["metrics"])))
        except ValueError as error:
            raise ValueError(f"cannot read {path}: {error}") from None
    return found


def read_points(path: Path, run_id: str, metrics: Sequence[str]) -> pl.DataFrame:
    """Return the points of one run, in the order of `metrics`, which the store's summary then has again.

    Raises ``ValueError`` when they cannot be read.
    """
    try:
        points = scan_points(path).filter(pl.col("run_id") == run_id).select(*POINTS).cast(POINTS).collect()
        points = check_stored.points(points, f"cannot read run {run_id!r} in {path}")
    except DAMAGED as error:
        raise ValueError(f"cannot read the points of run {run_id!r} in {path}: {str(error).splitlines()[0]}") from None
    parts = points.partition_by("metric", as_dict=True)
    ordered = [parts.pop((name,)) for name in metrics if (name,) in parts]
    return pl.concat([*ordered, *parts.values()]) if ordered or parts else points


def read_captured(path: Path, run_id: str) -> Tables:
    """Return the captured rows of one run, by table. Raises ``ValueError`` when they are damaged."""
    text = pl.read_parquet_metadata(path).get(CAPTURED_KEY)
    try:
        return {} if text is None else unpack_captured(text, run_id)
    except ValueError as error:
        raise ValueError(f"cannot read {path}: {error}") from None


def pack_captured(store: Store, runs: Mapping[str, Mapping[str, pl.DataFrame]]) -> str | None:
    """Return the captured rows and system metrics of `runs`, whose points are given by metric, as text; None when there are none.

    The text holds tables by run id and name, each with its columns, which may differ between versions.
    """
    tables: dict[str, dict[str, Any]] = {}
    for run_id, points in runs.items():
        for table, columns in _tables().items():
            rows = _system_rows(points) if table == "system" else store.captured(run_id, table)
            if rows:
                tables.setdefault(run_id, {})[table] = {"columns": columns, "rows": rows}
    return base64.b64encode(check_stored.compress(json.dumps(tables).encode())).decode() if tables else None


def unpack_captured(text: str, run_id: str) -> Tables:
    """Return the rows of one run in a text of `pack_captured`, with the columns of this version. Raises ``ValueError``."""
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
    """Return the columns of each table."""
    return {**{table: tuple(columns) for table, columns in CAPTURED.items()}, "system": tuple(POINTS)}


def _system_rows(points: Mapping[str, pl.DataFrame]) -> list[tuple[Any, ...]]:
    parts = [part.cast({"metric": pl.String}) for name, part in points.items() if is_system(name)]
    return pl.concat(parts).rows() if parts else []
