"""Reads of many runs at once: summaries and points, by a few statements into one frame, however many the runs."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from . import sqlite_queries as queries
from .base import FIELDS, POINTS
from .chunk_codec import Columns, decode, decode_many
from .metric_stats import MetricStats

SUMMARY: Final = pl.Schema(
    {"run_id": pl.String(), "metric": pl.String()}
    | dict.fromkeys(("last", "min", "max"), pl.Float64())
    | dict.fromkeys(("count", "step"), pl.Int64())
)
RUNS_AT_ONCE: Final = 256  # read in one short transaction
_NAMED: Final = 400  # runs, or metrics, that a statement names: old builds of SQLite take 999 parameters
_CHUNKS_AT_ONCE: Final = 64  # decoded together; more do not fit into the processor's cache
_ROWS_AT_ONCE: Final = 500  # fetched together: Python makes their objects anew where those of the last ones were
_NUMBERS: Final = ("last", "min", "max")


class Found(NamedTuple):
    """The result of one transaction: chunks, each with its run; and for each run the names of metrics by number."""

    chunks: list[tuple[str, queries.Chunk]]
    names: dict[str, dict[int, str]]


def summary(
    db: sqlite3.Connection,
    runs: Collection[str] | None,
    columns: Sequence[str],
    metrics: Collection[str] | None = None,
) -> pl.DataFrame:
    """Return `columns` of the metrics of some runs or of all, those of one run in order of first appearance."""
    columns = columns or [*SUMMARY]
    where, given, after = ["count > 0"], list[str](), list[pl.Expr]()
    for name, column, wanted in (("run_id", "run_id", runs), ("metric", "name", metrics)):
        if wanted is not None and len(wanted) > _NAMED:
            after.append(pl.col(name).is_in([*wanted]))
        elif wanted is not None:
            where.append(f"{column} in ({_marks(wanted)})")
            given += wanted
    fetched = [*dict.fromkeys([*columns, *(condition.meta.output_name() for condition in after)])]
    chosen = ", ".join("name" if name == "metric" else name for name in fetched)
    rows = db.execute(f"select {chosen} from metrics where {' and '.join(where)} order by run_id, number", given)
    parts = [no_summary(fetched)]
    while some := rows.fetchmany(_ROWS_AT_ONCE):
        values = zip(fetched, zip(*some, strict=True), strict=True)
        parts.append(pl.DataFrame([pl.Series(name, each, SUMMARY[name]) for name, each in values]))
    # SQLite keeps NaN as null
    known = [pl.col(name).fill_null(float("nan")) if name in _NUMBERS else pl.col(name) for name in columns]
    return pl.concat(parts).filter(pl.all_horizontal(pl.lit(value=True), *after)).select(known)


def metric_names(db: sqlite3.Connection) -> list[str]:
    """Return the names of all metrics that have points, by leaps through the index of names."""
    leaps = "select min(name) from metrics union all select (select min(name) from metrics where name > one) from names where one is not null"
    has_points = "exists (select 1 from metrics where name = one and count > 0)"
    return [
        name
        for (name,) in db.execute(f"with recursive names (one) as ({leaps}) select one from names where {has_points}")
    ]


def no_summary(columns: Sequence[str] = ()) -> pl.DataFrame:
    """Return a summary table without rows."""
    return pl.DataFrame(schema=SUMMARY).select(columns or [*SUMMARY])


def with_newest(
    frame: pl.DataFrame, here: Mapping[str, MetricStats], metrics: Collection[str] | None = None
) -> pl.DataFrame:
    """Return `frame`, read from the file, with the rows of runs in `here` replaced by their newer stats in memory."""
    if not here:
        return frame
    rows = [
        (run, metric, each.last, each.min, each.max, each.count, each.step)
        for run, stats in here.items()
        for metric, each in stats.summary().items()
        if metrics is None or metric in metrics
    ]
    newest = pl.DataFrame(rows, SUMMARY, orient="row").select(frame.columns)
    return pl.concat([frame.filter(~pl.col("run_id").is_in([*here])), newest])


def find(db: sqlite3.Connection, wanted: Mapping[str, Collection[str]]) -> Found:
    """Return the chunks of runs that have some of the `wanted` metrics, by run, and the numbers of these metrics."""
    asked = json.dumps(sorted({name.encode().hex().upper() for metrics in wanted.values() for name in metrics}))
    names: dict[str, dict[int, str]] = {}
    query = (  # by a name's hex digits: JSON would end a name at a zero byte. So the index of names, which has all runs, is not used
        f"select run_id, number, name from metrics where run_id in ({_marks(wanted)}) "
        "and hex(name) in (select value from json_each(?)) and count > 0"
    )
    for run, number, name in db.execute(query, (*wanted, asked)).fetchall():
        if name in wanted[run]:
            names.setdefault(run, {})[number] = name
    heads = f"from chunks where run_id in ({_marks(names)}) order by run_id, first"
    runs = tuple(names)
    try:
        rows = db.execute(f"select run_id, first, rows, crc, data {heads}", runs).fetchall()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
        found = db.execute(f"select run_id, first, rows, crc, rowid {heads}", runs).fetchall()
        rows = [
            (*row, queries.data(db, rowid)) for *row, rowid in found
        ]  # one by one, to skip those that cannot be read
    return Found([(run, queries.Chunk(*chunk)) for run, *chunk in rows], names)


def read(
    ask: Callable[[Callable[[sqlite3.Connection], Found | None], None], Found | None],
    wanted: Mapping[str, Collection[str]],
    places: Mapping[str, int],
    fields: Collection[str],
    damaged: Callable[[str, queries.Chunk], None],
) -> Iterator[pl.DataFrame]:
    """Yield the points of the `wanted` metrics by run, as `points` returns them; `ask` reads hundreds of runs in one transaction."""
    runs = [*wanted]
    for start in range(0, len(runs), RUNS_AT_ONCE):
        some = {run: wanted[run] for run in runs[start : start + RUNS_AT_ONCE]}
        if (found := ask(partial(find, wanted=some), None)) is not None:
            yield points(found, places, fields, damaged)


def points(
    found: Found, places: Mapping[str, int], fields: Collection[str], damaged: Callable[[str, queries.Chunk], None]
) -> pl.DataFrame:
    """Return the points of `found` as a frame of ``run`` (its value in `places`), ``metric``, and `fields`."""
    whole = []
    parts: list[tuple[str, Columns]] = []
    for run, chunk in found.chunks:
        if isinstance(chunk.data, bytes) and zlib.crc32(chunk.data) == chunk.crc:
            whole.append((run, chunk))
        else:
            damaged(run, chunk)
    for start in range(0, len(whole), _CHUNKS_AT_ONCE):
        some = whole[start : start + _CHUNKS_AT_ONCE]
        decoded = _decode(some, [[*found.names[run]] for run, _ in some], fields, damaged)
        pairs = zip(some, decoded, strict=True)
        parts += [(run, columns) for (run, _), columns in pairs if columns and len(columns.metric)]
    return _frame(parts, found.names, places, fields) if parts else empty(fields)


def _marks(given: Collection[str]) -> str:
    return ", ".join("?" * len(given))


def _decode(
    chunks: Sequence[tuple[str, queries.Chunk]],
    only: Sequence[Sequence[int]],
    fields: Collection[str],
    damaged: Callable[[str, queries.Chunk], None],
) -> list[Columns | None]:
    data = [chunk.data or b"" for _, chunk in chunks]
    try:
        return [*decode_many(data, [chunk.rows for _, chunk in chunks], only, fields)]
    except ValueError:
        pass
    decoded: list[Columns | None] = []
    for (run, chunk), numbers in zip(chunks, only, strict=True):
        try:
            decoded.append(decode(chunk.data or b"", chunk.rows, numbers, by_metric=True))
        except ValueError:
            damaged(run, chunk)
            decoded.append(None)
    return decoded


def _frame(
    parts: Sequence[tuple[str, Columns]],
    names: Mapping[str, Mapping[int, str]],
    places: Mapping[str, int],
    fields: Collection[str],
) -> pl.DataFrame:
    codes: dict[str, int] = {}
    coded = []
    for run, columns in parts:
        by_number = np.zeros(max(names[run]) + 1, np.uint32)
        for number, name in names[run].items():
            by_number[number] = codes.setdefault(name, len(codes))
        coded.append(by_number[columns.metric])
    sizes = [len(columns.metric) for _, columns in parts]
    place = np.repeat(np.array([places[run] for run, _ in parts], np.uint32), sizes)
    metric = pl.Series("metric", [*codes], dtype=pl.String).cast(POINTS["metric"])
    return pl.DataFrame(
        [
            pl.Series("run", place),
            metric.gather(pl.Series(np.concatenate(coded))),
            *(
                pl.Series(name, np.concatenate([getattr(columns, name) for _, columns in parts]))
                for name in FIELDS
                if name in fields
            ),
        ]
    )


def sorted_by_run(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return frames of points as one, those of each run in their order."""
    points = pl.concat(parts)
    return points if points["run"].is_sorted() else points.sort("run", maintain_order=True)


def empty(fields: Collection[str]) -> pl.DataFrame:
    """Return a frame without points."""
    return pl.DataFrame(
        schema={"run": pl.UInt32()}
        | {name: POINTS[name] for name in ("metric", *FIELDS) if name in ("metric", *fields)}
    )
