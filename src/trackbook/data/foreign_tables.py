"""Import of Parquet tables of other tools, long or wide, as runs."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl

from ..store import check_stored
from ..store.base import POINTS
from ..types import RunRecord
from ..user_warnings import warn
from .dataframes import LONG
from .parquet import DAMAGED, scan_points

# Names of columns in other tools; the first that exists is used. wandb's history has `_step` and `_timestamp`.
COLUMN_NAMES = {
    "project": ("project",),
    "run_id": ("run_id",),
    "run": ("run", "run_name"),
    "group": ("group",),
    "step": ("step", "_step", "global_step"),
    "time": ("time", "timestamp", "_timestamp", "wall_time"),
}
_TEXTS = ("project", "run_id", "run", "group")
_WANTED = (
    "columns 'metric', 'step' and 'value' (a row a point), or 'step' and a column of numbers a metric (a row a step)"
)


@dataclasses.dataclass(frozen=True)
class Arrival:
    """A run read from a file, before it is in a store."""

    origin: Path
    project: str | None
    run: RunRecord
    points: Callable[[], pl.DataFrame]  # of the schema `POINTS`, in the order to append them
    timed: bool = True  # false when the file has no times, and its modification time is used
    captured: Callable[[], dict[str, list[tuple[Any, ...]]]] = dict  # rows by table of `CAPTURED`


def adopt(root: Path, files: Sequence[Path]) -> list[Arrival]:
    """Return the runs of Parquet files that Trackbook did not write; `root` is one file, or the folder of all.

    Runs differ in the columns ``project``, ``run_id`` and ``run`` (or Hive keys of these names in the path); without
    them each file is a run named after it. A run without an id gets an id computed from its name and points, the same each time.

    Raises ``ValueError`` when a file cannot be read, lacks a column, or has a column that does not hold steps, values or names.
    """
    tables = []
    for file in files:
        try:
            tables.append(_long(file, _read(file, root)))
        except DAMAGED as error:
            raise ValueError(f"cannot read {file} as a Parquet table of points: {_first_line(error)}") from None
    if not tables:
        return []
    table = pl.concat(tables)
    if not len(table):
        raise ValueError(f"{root} holds no points")
    return [_arrival(root, part) for part in table.partition_by("project", "run_id", "run", maintain_order=True)]


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]


def _read(file: Path, root: Path) -> pl.DataFrame:
    table = scan_points(file).collect()
    for part in file.relative_to(root).parent.parts:
        name, is_key, text = part.partition("=")
        if is_key and name not in table.columns:
            value = None if text == "__HIVE_DEFAULT_PARTITION__" else unquote(text)
            table = table.with_columns(pl.lit(value, pl.String).alias(name))
    return table


def _long(file: Path, table: pl.DataFrame) -> pl.DataFrame:
    """Return a table with the columns `LONG` and ``timed``."""
    table = table.drop("__index_level_0__", strict=False)  # pandas' row numbers
    called = {
        known: next((name for name in names if name in table.columns), None) for known, names in COLUMN_NAMES.items()
    }
    is_long = "metric" in table.columns
    lacks = [name for name in ("step", "value") if called.get(name) is None and name not in table.columns]
    if (is_long and lacks) or called["step"] is None:
        shown = ", ".join(map(repr, table.columns[:20])) or "nothing"
        raise ValueError(
            f"{file} has no column {' and no column '.join(map(repr, lacks if is_long else ['step']))}; a table of points "
            f"has {_WANTED}; this one has {shown}"
        )
    modified = file.stat().st_mtime
    known: list[pl.Expr | pl.Series] = [
        (pl.lit(None) if called[name] is None else pl.col(str(called[name]))).cast(pl.String).alias(name)
        for name in _TEXTS
    ]
    if called["run_id"] is None and called["run"] is None:
        known[2] = pl.lit(file.stem).alias("run")
    known.append(_steps(file, table[str(called["step"])]))
    times = None if called["time"] is None else _times(file, table[str(called["time"])])
    known += [
        pl.lit(modified).alias("time") if times is None else times.fill_null(modified).alias("time"),
        pl.lit(times is not None and not times.has_nulls()).alias("timed"),
    ]
    if is_long:
        _numeric(file, table["value"])
        points = table.select(*known, pl.col("metric").cast(pl.String), pl.col("value").cast(pl.Float64))
    else:
        points = _unpivoted(file, table, known, [name for name in called.values() if name is not None])
    points = points.drop_nulls("value").select(*LONG, "timed")
    if points["metric"].null_count() or (points["metric"] == "").any():
        raise ValueError(f"{file}: column 'metric' holds an empty name; give each metric one")
    return points


def _unpivoted(file: Path, table: pl.DataFrame, known: list[pl.Expr | pl.Series], used: list[str]) -> pl.DataFrame:
    rest = [name for name in table.columns if name not in used]
    metrics = [name for name in rest if _is_numeric(table.schema[name])]
    if not metrics:
        raise ValueError(f"{file} has steps, and no column of numbers beside them; a table of points has {_WANTED}")
    if len(metrics) < len(rest):
        left = ", ".join(repr(name) for name in rest if name not in metrics)
        warn(f"{file}: columns that are not numbers are left out: {left}")
    index = table.select(*known)
    parts = [
        index.with_columns(pl.lit(name).alias("metric"), table[name].cast(pl.Float64).alias("value"))
        for name in metrics
    ]
    return pl.concat(parts)


def _is_numeric(dtype: pl.DataType) -> bool:
    return dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)


def _numeric(file: Path, column: pl.Series) -> None:
    if not _is_numeric(column.dtype):
        raise ValueError(f"{file}: column {column.name!r} is {column.dtype}, not numbers; convert it first")


def _steps(file: Path, column: pl.Series) -> pl.Series:
    _numeric(file, column)
    steps = column.cast(pl.Int64, strict=False)
    wrong = column.filter(steps.is_null() | (steps < 0) | (steps.cast(column.dtype, strict=False) != column))
    if len(wrong) or column.dtype == pl.Boolean:
        raise ValueError(
            f"{file}: column {column.name!r} holds {wrong[0] if len(wrong) else 'bools'!r}; steps are whole numbers from 0"
        )
    return steps.alias("step")


def _times(file: Path, column: pl.Series) -> pl.Series:
    """Return seconds UTC. Dates without a time zone are taken to be UTC."""
    if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
        return column.cast(pl.Datetime("us")).dt.timestamp("us") / 1e6
    _numeric(file, column)
    return column.cast(pl.Float64)


def _arrival(origin: Path, table: pl.DataFrame) -> Arrival:
    project, run_id, run, _group = table.select(_TEXTS).row(0)
    order = table["metric"].unique(maintain_order=True)
    place = pl.col("metric").replace_strict(order, pl.int_range(len(order), eager=True), return_dtype=pl.UInt32)
    points = table.unique(["metric", "step"], keep="first", maintain_order=True).sort(place, "step")
    name = run or run_id or origin.stem
    if len(points) < len(table):
        warn(f"{origin}: run {name!r} has several points of one metric at one step; the first of them stays")
    times = points["time"].filter(points["time"].is_finite())
    record = RunRecord(
        id=run_id or _made_id(f"{project}\0{name}", points),
        name=name,
        started=float(times.min() or 0.0),  # type: ignore[arg-type]  # of floats it is one
        state="finished",
        group=next(iter(table["group"].drop_nulls()), None),
        ended=float(times.max() or 0.0),  # type: ignore[arg-type]
    )
    result = check_stored.points(points.select(*POINTS).cast(POINTS), f"cannot read {origin}")
    return Arrival(origin, project, record, lambda: result, timed=bool(points["timed"].all()))


def _made_id(name: str, points: pl.DataFrame) -> str:
    """Return an id of 40 bits, computed from name and points."""
    digest = hashlib.sha256(name.encode())
    for metric, count in points.group_by("metric", maintain_order=True).len().iter_rows():
        digest.update(f"\0{metric}\0{count}".encode())
    for column in ("step", "value"):
        digest.update(points[column].to_numpy().tobytes())
    return digest.hexdigest()[:10]
