"""The store of a project in a SQLite file, which any number of processes share. Buffers hold what is not yet in the file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from .. import filesystem
from ..types import Cursor, MetricSummary, RunRecord, Writer
from . import bulk_reads, record_queries, schema
from . import sqlite_queries as queries
from .base import FIELDS, NO_MARKS, POINTS, Names, OwnFiles
from .captured_buffer import CapturedBuffer
from .chunk_codec import LARGEST, Columns
from .metric_stats import MetricStats
from .paths import FILES, SUFFIX
from .record_buffer import RecordBuffer
from .run_buffer import RunBuffer, Written
from .run_points import within
from .sqlite_file import ProjectFile
from .sqlite_queries import Chunk, Chunks, Ordinals, Part

if TYPE_CHECKING:
    from sqlite3 import Connection

    from numpy.typing import NDArray

_MERGED_AT: Final = 8  # chunks that are joined into one
_MOST_FILES: Final = 3  # files that one flush may replace, when the disk damages each
_PATIENCE: Final = 5  # flushes that `close` tries while the file is busy


class SqliteStore(OwnFiles):
    """The store of one project file. Runs written by other processes are read from the file at each call."""

    def __init__(self, path: Path, project: str) -> None:
        self.path, self.project = path, project
        self.files_folder: Path | None = path.with_name(path.name.removesuffix(SUFFIX) + FILES)
        self._file = ProjectFile(path, project)
        self._lock = threading.RLock()
        self._age = 0
        self._records = RecordBuffer()
        self._buffers: dict[str, RunBuffer] = {}
        self._flushes: dict[str, int] = {}  # by run, since its chunks were last joined
        self._captured = CapturedBuffer()
        self._cleared: set[str] = set()
        self._garbage: dict[tuple[str, int], str] = {}

    @property
    def notices(self) -> list[str]:
        with self._lock:
            return [*self._file.problems.values(), *self._garbage.values()]

    @property
    def failures(self) -> list[str]:
        with self._lock:
            return [said for what in ("write", "read") if (said := self._file.problems.get(what))]

    def put_run(self, run: RunRecord) -> None:
        with self._lock:
            self._records.put(run)

    def runs(self) -> list[RunRecord]:
        return self._select("order by rowid", (), lambda _: True)

    def run(self, run_id: str) -> RunRecord | None:
        with self._lock:
            found = self._records.get(run_id)
            return found or next(iter(self._select("where id = ?", (run_id,), lambda run: run.id == run_id)), None)

    def revision(self) -> Hashable:
        with self._lock:
            return self._file.ask(queries.revision, (-1, 0)), self._records.changes

    def changed_runs(self, since: Any) -> list[RunRecord]:
        return self._select("where revision > ? order by rowid", since[0][:1], lambda _: True)

    def latest(self, most: int) -> list[RunRecord]:
        return self._select(schema.NEWEST, (most,), lambda _: True)[-most:]

    def running(self) -> list[RunRecord]:
        return self._select("where state = ? order by rowid", ("running",), lambda run: run.state == "running")

    def named(self, name: str) -> list[RunRecord]:
        return self._select("where name = ? order by rowid", (name,), lambda run: run.name == name)

    def _select(self, rows: str, given: tuple[Any, ...], wanted: Callable[[RunRecord], bool]) -> list[RunRecord]:
        query = f"select {schema.RUN_COLUMNS} from runs {rows}"
        with self._lock:
            found: list[Any] = self._file.ask(lambda db: db.execute(query, given).fetchall(), [])
            return self._records.over(schema.to_records(found, self._note_bad_record), wanted)

    def next_number(self) -> int:
        with self._lock:
            return 1 + self._file.read(partial(queries.last_number, here=[*self._records]), len(self._records))

    def places(self, runs: Collection[str] = ()) -> tuple[int, dict[str, int]]:
        with self._lock:
            find = partial(queries.places, wanted=runs, here=[*self._records])
            return self._file.ask(find, (len(self._records), dict[str, int]()))

    def sign(self, run_id: str, writer: Writer) -> None:
        with self._lock:
            self._records.sign(run_id, writer)

    def writers(self) -> dict[str, Writer]:
        with self._lock:
            return self._file.ask(record_queries.writers, dict[str, Writer]()) | self._records.writers

    def append(self, run_id: str, points: pl.DataFrame, marks: Mapping[str, int] = NO_MARKS) -> list[str]:
        with self._lock:
            buffer = self._buffers.get(run_id) or self._take_up(run_id)
            return buffer.append(points, marks)

    def marks(self, journal: str) -> dict[str, int]:
        with self._lock:
            found: dict[str, int] = self._file.ask(partial(queries.marks, journal=journal), {})
            pending = [item for buffer in self._buffers.values() for item in buffer.marks.items()]
            return found | {mark: drained for mark, drained in pending if mark.startswith(f"{journal}/")}

    def clear_marks(self, journal: str) -> None:
        with self._lock:
            self._cleared.add(journal)

    def cut(self, run_id: str, step: int) -> None:
        with self._lock:
            self._demand(run_id, lambda db: queries.cut(db, run_id, step), f"cut run {run_id!r} back to step {step}")

    def delete(self, run_id: str) -> None:
        with self._lock:
            if self._records.get(run_id) or run_id in self._buffers or not filesystem.is_missing(self.path):
                self._demand(run_id, lambda db: queries.delete(db, run_id), f"delete run {run_id!r}")
            self._records.forget(run_id)
            self._captured.forget(run_id)

    def read(self, run_id: str, metrics: Sequence[str] | None = None, whole: bool = False) -> pl.DataFrame:
        with self._lock:
            found = self._since(run_id, Cursor(), None if metrics is None else frozenset(metrics))[0]
            if whole and (damage := [said for (run, _), said in self._garbage.items() if run == run_id]):
                raise OSError(" ".join(damage))
            return found

    def since(self, run_id: str, cursor: Cursor, most: int | None = None) -> tuple[pl.DataFrame, Cursor]:
        with self._lock:
            try:
                return self._since(run_id, cursor, most=most)
            except OSError:
                return pl.DataFrame(schema=POINTS), cursor

    def window(
        self, run_id: str, metrics: Sequence[str], first: int, last: int, most: int | None = None
    ) -> pl.DataFrame | None:
        with self._lock:
            return self._window(run_id, metrics, first, last, most)

    def summary(self, run_id: str) -> dict[str, MetricSummary]:
        with self._lock:
            if (buffer := self._buffers.get(run_id)) is not None:
                return buffer.points.stats.summary()
            return self._file.ask(lambda db: record_queries.summary(db, run_id), dict[str, MetricSummary]())

    def metric_names(self) -> list[str]:
        with self._lock:
            here = [name for each in self._buffers.values() for name in each.points.stats.summary()]
            return sorted({*self._file.ask(bulk_reads.metric_names, list[str]()), *here})

    def summary_table(self, runs: Names = None, columns: Sequence[str] = (), metrics: Names = None) -> pl.DataFrame:
        with self._lock:
            ask = partial(bulk_reads.summary, runs=runs, columns=columns, metrics=metrics)
            found = self._file.ask(ask, bulk_reads.no_summary(columns))
            here = {run: each.points.stats for run, each in self._buffers.items() if runs is None or run in runs}
        return bulk_reads.with_newest(found, here, metrics)

    def read_many(self, wanted: Mapping[str, Collection[str]], fields: Collection[str] = FIELDS) -> pl.DataFrame:
        with self._lock:
            places = {run: place for place, run in enumerate(wanted)}
            parts = [bulk_reads.empty(fields)]
            for run in self._buffers.keys() & places.keys():
                labelled = self.read(run, [*wanted[run]]).with_columns(pl.lit(places[run], pl.UInt32).alias("run"))
                parts.append(labelled.select(parts[0].columns))
            there = {run: metrics for run, metrics in wanted.items() if run not in self._buffers}
            parts += bulk_reads.read(self._file.ask, there, places, fields, self._note_garbage)
        return bulk_reads.sorted_by_run(parts)

    def put_captured(self, run_id: str, table: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._lock:
            self._captured.put((run_id, table), rows)

    def drop_captured(self, run_id: str, table: str, first: Any, end: Any) -> None:
        with self._lock:
            self._captured.drop((run_id, table), first, end)

    def captured(self, run_id: str, table: str, after: Any = None, until: Any = None) -> list[tuple[Any, ...]]:
        with self._lock:
            query = partial(record_queries.captured, run=run_id, table=table, after=after, until=until)
            return self._captured.over((run_id, table), self._file.ask(query, []), after, until)

    def reopened(self) -> AbstractContextManager[SqliteStore]:
        return closing(SqliteStore(self.path, self.project))

    def flush(self) -> bool:
        with self._lock:
            self._file.is_other()
            wrote, files = False, 0
            while files <= _MOST_FILES:
                self._meet_new_file()
                parts = [(buffer, buffer.part()) for buffer in self._buffers.values() if buffer.is_ahead]
                if not parts and not self._records.unsaved and not self._cleared and not self._captured:
                    if self._records.heartbeat_due:
                        self._write([])  # a failure becomes a notice, and leaves nothing unsaved
                    self._look(idle=not wrote)
                    return True
                wrote = self._write(parts)
                if not wrote and self._age == self._file.age:
                    break
                files += not wrote
            return False

    def close(self) -> None:
        with self._lock:
            for _ in range(_PATIENCE):
                if self.flush() or not self._file.is_busy:
                    break
            self._file.close()

    def _write(self, parts: Sequence[tuple[RunBuffer, Part]]) -> bool:
        """Write all changed records and rows, and the next part of each run's points, in one transaction."""
        records: list[RunRecord] = []
        done: list[Written] = []
        cleared = set(self._cleared)

        def work(db: Connection) -> None:
            records[:], done[:] = self._records.write(db), []  # replaced, because `work` may be called twice
            self._captured.write(db)
            done.extend(buffer.write(db, part) for buffer, part in parts)
            queries.clear_marks(db, cleared)

        if not self._file.write(work):
            return False
        ended = self._records.written(records)
        self._captured.clear()
        self._cleared -= cleared
        for (buffer, _), written in zip(parts, done, strict=True):
            buffer.written(written)
            flushes = self._flushes[buffer.run_id] = self._flushes.get(buffer.run_id, 0) + 1
            if flushes >= _MERGED_AT:
                self._merge(buffer.run_id, _MERGED_AT)
        for run in ended:
            self._let_go(run)
        return True

    def _let_go(self, run_id: str) -> None:
        """Drop the buffer of a run that has ended and is in the file: another process may resume the run."""
        buffer = self._buffers.get(run_id)
        if buffer is not None:
            if buffer.pending:
                self._records.unsaved.add(run_id)  # until the rest is written
                return
            del self._buffers[run_id]
            self._merge(run_id, 2)
        self._records.forget(run_id)
        self._flushes.pop(run_id, None)

    def _look(self, *, idle: bool) -> None:
        for buffer in self._buffers.values():
            self._file.read(buffer.look, False)
        if idle:
            self._file.rest()

    def _meet_new_file(self) -> None:
        """After the file was replaced or removed, prepare to write everything in memory into the new one."""
        if self._age != self._file.age:
            self._age = self._file.age
            self._records.begin_anew()
            for buffer in self._buffers.values():
                buffer.begin_anew()

    def _demand(self, run_id: str, work: Any, what: str) -> None:
        if run_id in self._buffers and not self.flush():
            raise OSError(f"Cannot {what}: {' '.join(self.notices) or f'{self.path} is busy'}")
        self._file.demand(work, what)
        self._buffers.pop(run_id, None)
        self._flushes.pop(run_id, None)

    def _take_up(self, run_id: str) -> RunBuffer:
        found = self._file.read(lambda db: (queries.ordinals(db, run_id), queries.stats(db, run_id)), None)
        if found is None and filesystem.is_missing(self.path):
            found = Ordinals(0, 0), MetricStats()
        ordinals, stats = found or (None, MetricStats())
        buffer = self._buffers[run_id] = RunBuffer(run_id, ordinals, stats, partial(self._steps, run_id))
        return buffer

    def _steps(self, run_id: str, number: int, end: int) -> NDArray[Any]:
        """Return the steps of a metric in the file, up to the ordinal `end`."""
        found = self._columns(run_id, 0, end, [number])
        if found is None:
            self._buffers[run_id].unsure()
            found = []
        return np.concatenate([np.empty(0, np.int64), *(points.step for points in found)])

    def _since(
        self, run_id: str, cursor: Cursor, metrics: frozenset[str] | None = None, most: int | None = None
    ) -> tuple[pl.DataFrame, Cursor]:
        """Return points of all metrics or of some, and the cursor after them. Raises ``OSError`` when the file cannot be read now."""
        buffer = self._buffers.get(run_id)
        if buffer is not None:
            start = cursor.ordinal if cursor.generation == buffer.generation else 0
            (first, end), names = buffer.in_file(start), buffer.points.stats.names
            newest, after = buffer.points.since(start), Cursor(buffer.generation, buffer.points.end)
            if metrics is not None:
                newest = newest.filter(pl.col("metric").cast(pl.String).is_in(list(metrics)))
            if first >= end:
                return newest, after
        else:
            newest = pl.DataFrame(schema=POINTS)
            found = self._file.ask(lambda db: (queries.ordinals(db, run_id), queries.stats(db, run_id).names), None)
            if found is None or tuple(found[0]) == cursor:
                return newest, cursor
            ordinals, names = found
            start = cursor.ordinal if cursor.generation == ordinals.generation else 0
            end = ordinals.next if most is None else min(ordinals.next, start + most)
            first, after = start, Cursor(ordinals.generation, end)
        only = None if metrics is None else [number for number, name in enumerate(names) if name in metrics]
        columns = self._columns(run_id, first, end, only) if only != [] and first < end else []
        if columns is None:
            raise OSError(f"Cannot read {self.path}: {' '.join(self.notices) or 'it is busy'}")
        return pl.concat([*queries.frames(columns, names), newest], rechunk=False), after

    def _window(
        self, run_id: str, metrics: Sequence[str], low: int, high: int, most: int | None
    ) -> pl.DataFrame | None:
        buffer = self._buffers.get(run_id)
        if buffer is not None:
            (_, end), names = buffer.in_file(0), buffer.points.stats.names
            newest = buffer.points.since(buffer.points.first)
            newest = newest.filter(pl.col("metric").cast(pl.String).is_in(list(metrics)))
        else:
            found = self._file.read(lambda db: (queries.ordinals(db, run_id), queries.stats(db, run_id).names), None)
            if found is None:
                return None
            end, names, newest = found[0].next, found[1], pl.DataFrame(schema=POINTS)
        if end and most is not None:
            there = self._file.read(lambda db: queries.count_within(db, run_id, low, high), None)
            if there is None or there > most:
                return None
        only = [number for number, name in enumerate(names) if name in set(metrics)]
        columns = self._columns(run_id, 0, end, only, partial(queries.chunks_within, low=low, high=high))
        if columns is None:
            return None
        parts = queries.inside(columns, low, high)
        return pl.concat([*queries.frames(parts, names), within(newest, low, high)], rechunk=False)

    def _columns(
        self,
        run: str,
        first: int,
        end: int,
        only: Sequence[int] | None,
        chunks: Chunks = queries.chunks,
        *,
        in_order: bool = False,
    ) -> list[Columns] | None:
        def get(at: int) -> list[Chunk] | None:
            return self._file.read(lambda db: chunks(db, run, at), None)

        return queries.read(get, first, end, only, partial(self._note_garbage, run), in_order=in_order)

    def _note_garbage(self, run_id: str, chunk: Chunk) -> None:
        self._garbage[run_id, chunk.first] = (
            f"{self.path} is damaged: rows {chunk.first} to {chunk.first + chunk.rows - 1} of run {run_id!r} cannot be read and "
            "are left out. Everything else is there, and nothing is removed from the file."
        )

    def _merge(self, run_id: str, least: int) -> None:
        """Join the newest chunks of a run, if they are at least so many and no other process was faster.

        Reading, encoding and replacing are separate transactions, so that nobody waits for the encoding.
        """
        self._flushes.pop(run_id, None)
        heads: list[tuple[int, int]] = self._file.read(lambda db: queries.to_join(db, run_id, LARGEST), [])
        if len(heads) < least:
            return
        first, end = heads[0][0], sum(heads[-1])
        generation = self._file.read(lambda db: queries.ordinals(db, run_id).generation, None)
        parts = self._columns(run_id, first, end, None, in_order=True)
        if parts is None or generation is None or sum(len(points.step) for points in parts) != end - first:
            return
        merged = queries.part(Columns(*(np.concatenate(columns) for columns in zip(*parts, strict=True))))
        self._file.write(lambda db: queries.replace(db, run_id, generation, heads, merged))

    def _note_bad_record(self, run_id: str, error: Exception) -> None:
        self._garbage[run_id, -1] = schema.bad_record(self.path, run_id, error)
