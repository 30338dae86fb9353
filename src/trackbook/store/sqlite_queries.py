"""SQL statements that read and write a project file. Every function works within the caller's transaction."""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from . import chunk_codec, upload_marks
from .base import POINTS
from .chunk_codec import Columns
from .metric_stats import MetricStats
from .run_points import in_order, tail
from .schema import PUT_CHUNK, PUT_METRICS, RUN_TABLES

Array = NDArray[Any]
_AT_ONCE: Final = 16  # chunks read in one short transaction
_METRICS_AT_ONCE: Final = 100  # with 8 parameters each; old builds of SQLite take at most 999
_LOOKED_AT: Final = 64  # the newest chunks of a run, which are candidates for joining
_WORKERS: Final = min(4, os.cpu_count() or 1)
_OF_JOURNAL: Final = "mark >= ? and mark < ?"  # with the values of `_range`


class Ordinals(NamedTuple):
    """The generation of a run, and the ordinal of its next point: what a cursor is compared with."""

    generation: int
    next: int


class Chunk(NamedTuple):
    """A row of the table ``chunks``; `data` is None when it cannot be read."""

    first: int
    rows: int
    crc: int
    data: bytes | None


Chunks = Callable[[sqlite3.Connection, str, int], list[Chunk]]  # returns the next chunks of a run from an ordinal on


class Part(NamedTuple):
    """Points, and their encoding, to be written as a chunk."""

    columns: Columns
    data: bytes

    @property
    def rows(self) -> int:
        return len(self.columns.step)


def part(columns: Columns) -> Part:
    return Part(columns, chunk_codec.encode(columns) if len(columns.step) else b"")


def ordinals(db: sqlite3.Connection, run: str) -> Ordinals:
    row = db.execute("select generation, next from ordinals where run_id = ?", (run,)).fetchone()
    return Ordinals(*row) if row else Ordinals(0, 0)


def stats(db: sqlite3.Connection, run: str) -> MetricStats:
    query = "select number, name, last, min, max, count, step from metrics where run_id = ? order by number"
    rows: list[Sequence[Any]] = []
    for number, name, *numbers, count, step in db.execute(query, (run,)):
        while len(rows) < number:
            rows.append((unnamed(len(rows)), np.nan, np.nan, np.nan, 0, -1))
        # SQLite keeps NaN as null
        rows.append((name, *(np.nan if each is None else each for each in numbers), count, step))
    return MetricStats(rows)


def last_number(db: sqlite3.Connection, here: Collection[str]) -> int:
    """Return a number that is not smaller than the number of runs, including those that are only `here`."""
    last = db.execute("select coalesce(max(rowid), 0) from runs").fetchone()[0]
    return int(last) + len(_lacking(db, here))


def places(db: sqlite3.Connection, wanted: Iterable[str], here: Collection[str]) -> tuple[int, dict[str, int]]:
    """Return the number of runs, and the rows of some from 0. Runs that are only `here` follow those of the file."""
    count, last = db.execute("select count(*), coalesce(max(rowid), 0) from runs").fetchone()
    lacking = _lacking(db, here)
    found = {run: last + place for place, run in enumerate(lacking)}
    query = "select id, rowid - 1 from runs where id in (select value from json_each(?))"
    found |= dict(db.execute(query, (json.dumps([*wanted]),)))
    return count + len(lacking), {run: found[run] for run in wanted if run in found}


def _lacking(db: sqlite3.Connection, runs: Iterable[str]) -> list[str]:
    return [run for run in runs if not db.execute("select 1 from runs where id = ?", (run,)).fetchone()]


def revision(db: sqlite3.Connection) -> tuple[int, int]:
    """Return values that change with every record put or deleted."""
    largest, count = db.execute(
        "select (select coalesce(max(revision), -1) from runs), (select count(*) from runs)"
    ).fetchone()
    return largest, count


def marks(db: sqlite3.Connection, journal: str) -> dict[str, int]:
    """Return how far a journal is drained: bytes by mark."""
    return dict(db.execute(f"select mark, drained from marks where {_OF_JOURNAL}", _range(journal)).fetchall())


def clear_marks(db: sqlite3.Connection, journals: Iterable[str]) -> None:
    """Delete the marks of journals that no longer exist."""
    db.executemany(f"delete from marks where {_OF_JOURNAL}", map(_range, journals))


def _range(journal: str) -> tuple[str, str]:
    """Return where the marks of a journal begin and end: ``JOURNAL/SEGMENT``, and "0" follows "/"."""
    return f"{journal}/", f"{journal}0"


def unnamed(number: int) -> str:
    return f"unnamed metric {number}"


def put_stats(db: sqlite3.Connection, run: str, metrics: MetricStats) -> None:
    _put_metrics(db, run, metrics.changed())


def _put_metrics(db: sqlite3.Connection, run: str, rows: Sequence[tuple[int, Sequence[Any]]]) -> None:
    """Write many rows with each statement, because SQLite releases the GIL for each, and waits to get it back."""
    for start in range(0, len(rows), _METRICS_AT_ONCE):
        some = rows[start : start + _METRICS_AT_ONCE]
        fields = [field for number, row in some for field in (run, number, *row)]
        db.execute(f"{PUT_METRICS} {', '.join(['(?, ?, ?, ?, ?, ?, ?, ?)'] * len(some))}", fields)


def put_chunk(db: sqlite3.Connection, run: str, first: int, part: Part) -> None:
    step, data = part.columns.step, part.data
    low, high = int(step.min()), int(step.max())
    db.execute(PUT_CHUNK, (run, first, len(step), low, high, zlib.crc32(data), data))


def chunks(db: sqlite3.Connection, run: str, at: int, most: int = _AT_ONCE) -> list[Chunk]:
    """Return the next chunks with points from the ordinal `at` on."""
    heads = db.execute(
        "select rowid, first, rows, crc from chunks where run_id = ? and first + rows > ? and first >= "
        "coalesce((select max(first) from chunks where run_id = ? and first <= ?), 0) order by first limit ?",
        (run, at, run, at, most),
    ).fetchall()
    return [Chunk(first, rows, crc, data(db, rowid)) for rowid, first, rows, crc in heads]


def chunks_within(db: sqlite3.Connection, run: str, at: int, low: int, high: int) -> list[Chunk]:
    """Return the next chunks from the ordinal `at` on whose range of steps overlaps `low` to `high`."""
    heads = db.execute(
        "select rowid, first, rows, crc from chunks where run_id = ? and first + rows > ? and high >= ? and low <= ? "
        "order by first limit ?",
        (run, at, low, high, _AT_ONCE),
    ).fetchall()
    return [Chunk(first, rows, crc, data(db, rowid)) for rowid, first, rows, crc in heads]


def count_within(db: sqlite3.Connection, run: str, low: int, high: int) -> int:
    """Return the number of points in the chunks whose range of steps overlaps `low` to `high`."""
    query = "select coalesce(sum(rows), 0) from chunks where run_id = ? and high >= ? and low <= ?"
    return int(db.execute(query, (run, low, high)).fetchone()[0])


def inside(parts: Iterable[Columns], low: int, high: int) -> list[Columns]:
    """Return the points with steps from `low` to `high`."""
    kept = ((points, (points.step >= low) & (points.step <= high)) for points in parts)
    return [Columns(*(column[wanted] for column in points)) for points, wanted in kept if wanted.any()]


def unpack(
    chunk: Chunk, first: int, end: int, only: Sequence[int] | None = None, *, by_metric: bool = False
) -> Columns | None:
    """Return the points of a chunk with ordinals from `first` up to, and without, `end`; None when it is damaged."""
    if chunk.data is None or zlib.crc32(chunk.data) != chunk.crc:
        return None
    whole = first <= chunk.first and chunk.first + chunk.rows <= end
    try:
        points = chunk_codec.decode(chunk.data, chunk.rows, only if whole else None, by_metric=by_metric and whole)
    except ValueError:
        return None
    if not whole:
        part = slice(max(0, first - chunk.first), end - chunk.first)
        points = Columns(*(column[part] for column in points))
        if only is not None:
            wanted = np.isin(points.metric, np.array(only, np.int64))
            points = Columns(*(column[wanted] for column in points))
    return points


def read(
    get: Callable[[int], list[Chunk] | None],
    first: int,
    end: int,
    only: Sequence[int] | None,
    damaged: Callable[[Chunk], None],
    *,
    in_order: bool = False,
) -> list[Columns] | None:
    """Return the points with ordinals from `first` up to, and without, `end`.

    `get` returns the next chunks from an ordinal on. The points of each metric are in order of arrival; with `in_order` all points
    are. A damaged chunk is reported to `damaged` and left out. When a chunk cannot be read now, return None.
    """
    found: list[Columns] = []
    at = first
    while at < end:
        batch = get(at)
        if batch is None:
            return None
        batch = [chunk for chunk in batch if chunk.first < end]
        if not batch:
            break
        work = partial(unpack, first=at, end=end, only=only, by_metric=not in_order)
        for chunk, unpacked in zip(batch, _each(work, batch), strict=True):
            points = unpacked or _again(get, chunk, work)
            if points is None:
                damaged(chunk)
            elif len(points.step):
                found.append(points)
        at = batch[-1].first + batch[-1].rows
    return found


def _again(
    get: Callable[[int], list[Chunk] | None], chunk: Chunk, work: Callable[[Chunk], Columns | None]
) -> Columns | None:
    """Read a damaged chunk once more: a bit may have flipped on the way from the disk."""
    found = get(chunk.first)
    return work(found[0]) if found and found[0][:2] == chunk[:2] else None


def frames(parts: Iterable[Columns], names: Sequence[str]) -> list[pl.DataFrame]:
    """Return points as frames of the schema `POINTS`. `names` are the metrics by number."""
    names = [*names]
    categories = pl.Series("metric", names, dtype=pl.String).cast(POINTS["metric"])
    made = []
    for points in parts:
        if int(points.metric.max()) >= len(names):
            names += [unnamed(number) for number in range(len(names), int(points.metric.max()) + 1)]
            categories = pl.Series("metric", names, dtype=pl.String).cast(POINTS["metric"])
        metric = categories.gather(pl.Series(points.metric.astype(np.uint32)))
        columns = [pl.Series("step", points.step), pl.Series("value", points.value), pl.Series("time", points.time)]
        made.append(pl.DataFrame([metric, *columns], schema=POINTS))
    return made


def to_join(db: sqlite3.Connection, run: str, largest: int) -> list[tuple[int, int]]:
    """Return first ordinal and rows of the newest chunks that are best joined into one chunk of at most `largest` rows."""
    newest = "select first, rows from chunks where run_id = ? order by first desc limit ?"
    heads = db.execute(newest, (run, _LOOKED_AT)).fetchall()[::-1]
    gaps = [place for place in range(1, len(heads)) if sum(heads[place - 1]) != heads[place][0]]
    heads = heads[gaps[-1] :] if gaps else heads
    return heads[len(heads) - len(tail([rows for _, rows in heads], largest)) :]


def is_readable(part: Part) -> bool:
    """Whether decoding a part returns the same bits as its points."""
    try:
        back = chunk_codec.decode(part.data, part.rows)
    except ValueError:
        return False
    pairs = zip(part.columns, back, strict=True)
    return all(np.array_equal(one.astype(other.dtype).view(np.uint8), other.view(np.uint8)) for one, other in pairs)


def replace(db: sqlite3.Connection, run: str, generation: int, heads: Sequence[tuple[int, int]], merged: Part) -> None:
    """Replace the chunks of `heads` (first ordinal and rows) by `merged`, if they are unchanged."""
    first, last = heads[0][0], heads[-1][0]
    where = "from chunks where run_id = ? and first between ? and ?"
    found = db.execute(f"select first, rows {where} order by first", (run, first, last)).fetchall()
    if found == [*heads] and ordinals(db, run).generation == generation and is_readable(merged):
        db.execute(f"delete {where}", (run, first, last))
        put_chunk(db, run, first, merged)


def cut(db: sqlite3.Connection, run: str, step: int) -> None:
    """Delete the points after `step`. The others keep their ordinals, in a new generation."""
    generation, following = ordinals(db, run)
    db.execute("delete from chunks where run_id = ? and low > ?", (run, step))
    torn = db.execute("select first from chunks where run_id = ? and high > ? order by first", (run, step)).fetchall()
    for (first,) in torn:
        (chunk,) = chunks(db, run, first, 1)
        points = unpack(chunk, first, first + chunk.rows) or unpack(
            chunks(db, run, first, 1)[0], first, first + chunk.rows
        )
        if points is not None:
            kept = points.step <= step
            db.execute("delete from chunks where run_id = ? and first = ?", (run, first))
            put_chunk(db, run, first, part(Columns(*(column[kept] for column in points))))
    db.execute("update ordinals set generation = ? where run_id = ?", (generation + 1, run))
    recount(db, run, following)


def recount(db: sqlite3.Connection, run: str, end: int) -> None:
    """Compute the stats of the metrics again from the points."""
    counted = MetricStats((name, np.nan, np.nan, np.nan, 0, -1) for name in stats(db, run).names)
    at = 0
    while found := chunks(db, run, at):
        for chunk in found:
            points = unpack(chunk, 0, end) or unpack(chunks(db, run, chunk.first, 1)[0], 0, end)
            if points is not None:
                counted.name(unnamed(number) for number in range(len(counted.names), int(points.metric.max()) + 1))
                order = in_order(points.metric, points.step)
                counted.add(points.metric[order], points.step[order], points.value[order])
        at = found[-1].first + found[-1].rows
    db.execute("delete from metrics where run_id = ?", (run,))
    _put_metrics(db, run, counted.all())


def delete(db: sqlite3.Connection, run: str) -> None:
    for table, column in RUN_TABLES.items():
        db.execute(f"delete from {table} where {column} = ?", (run,))
    db.execute("update ordinals set generation = generation + 1, next = 0 where run_id = ?", (run,))
    clear_marks(db, [upload_marks.of_run(run)])


def _each(work: Callable[[Chunk], Columns | None], chunks: Sequence[Chunk]) -> list[Columns | None]:
    if len(chunks) > 1:
        try:
            with ThreadPoolExecutor(_WORKERS) as pool:
                return list(pool.map(work, chunks))
        except RuntimeError:  # the interpreter is shutting down, and starts no more threads
            pass
    return list(map(work, chunks))


def data(db: sqlite3.Connection, rowid: int) -> bytes | None:
    """Return the bytes of a chunk, None when the file is damaged there."""
    try:
        found = db.execute("select data from chunks where rowid = ?", (rowid,)).fetchone()[0]
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
        return None
    return found if isinstance(found, bytes) else None
