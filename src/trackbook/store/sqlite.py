"""One SQLite file per project: the durable truth, with the points of this process's runs hot in memory.

The only importer of `sqlite3`.
"""

from __future__ import annotations

import dataclasses
import io
import json
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from .._types import ENDED, Cursor, MetricSummary, RunRecord
from ._interface import NO_MARKS, POINTS
from .memory import MemoryStore

SCHEMA_VERSION = 1
_BUSY_SECONDS = 10.0

_SCHEMA = """
create table if not exists meta (key text primary key, value text not null) strict;
create table if not exists runs (
    id text primary key, name text not null, started real not null, state text not null, "group" text, tags text not null,
    notes text, config text not null, summary text not null, step_by text not null, ended real, done integer,
    total integer, error text
) strict;
create table if not exists metrics (
    run_id text not null, position integer not null, name text not null,
    last real, min real, max real, count integer not null, step integer not null, primary key (run_id, name)
) strict;
create table if not exists chunks (
    run_id text not null, first integer not null, rows integer not null, generation integer not null, data blob not null,
    primary key (run_id, first)
) strict;
create table if not exists generations (run_id text primary key, generation integer not null) strict;
create table if not exists marks (mark text primary key, drained integer not null) strict;
"""
_RUN_FIELDS = [field.name for field in dataclasses.fields(RunRecord)]
_JSON_FIELDS = {"tags", "config", "summary"}
_COLUMNS = ", ".join(f'"{name}"' for name in _RUN_FIELDS)
_PUT_RUN = (
    f"insert into runs ({_COLUMNS}) values ({', '.join('?' * len(_RUN_FIELDS))}) on conflict (id) do update set "
    + ", ".join(f'"{name}" = excluded."{name}"' for name in _RUN_FIELDS)
)

T = TypeVar("T")


class SqliteStore:
    """The store of one project file. Runs that other processes write are read from the file at each call."""

    def __init__(self, path: Path, project: str) -> None:
        self.path = path
        self.project = project
        self._hot = MemoryStore()
        self._saved: dict[str, int] = {}  # per run of this process: the points that are in the file
        self._unsaved_runs: set[str] = set()
        self._marks: dict[str, int] = {}
        self._cleared: set[str] = set()
        self._generations: dict[str, int] = {}
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.RLock()
        self._problems: dict[str, str] = {}  # a notice for each of reading and writing that fails

    @property
    def notices(self) -> list[str]:
        return list(self._problems.values())

    def put_run(self, run: RunRecord) -> None:
        with self._lock:
            self._hot.put_run(run)
            self._unsaved_runs.add(run.id)

    def runs(self) -> list[RunRecord]:
        with self._lock:
            rows: list[Any] = self._read(
                lambda db: db.execute(f"select {_COLUMNS} from runs order by rowid").fetchall(), []
            )
            merged = {run.id: run for run in map(_record, rows)}
            merged.update((run.id, run) for run in self._hot.runs())
            return sorted(merged.values(), key=lambda run: run.started)

    def run(self, run_id: str) -> RunRecord | None:
        with self._lock:
            hot = self._hot.run(run_id)
            if hot is not None:
                return hot
            query = f"select {_COLUMNS} from runs where id = ?"
            row = self._read(lambda db: db.execute(query, (run_id,)).fetchone(), None)
        return None if row is None else _record(row)

    def append(self, run_id: str, points: pl.DataFrame, marks: Mapping[str, int] = NO_MARKS) -> list[str]:
        with self._lock:
            self._marks.update(marks)
            if run_id not in self._saved:
                earlier = self._points_on_disk(run_id, Cursor())
                self._hot.append(run_id, earlier)
                self._saved[run_id] = len(earlier)
                self._generations[run_id] = self._generation(run_id)
            return self._hot.append(run_id, points)

    def marks(self, journal: str) -> dict[str, int]:
        with self._lock:
            rows: list[Any] = self._read(
                lambda db: db.execute(
                    "select mark, drained from marks where mark >= ?1 || '/' and mark < ?1 || '0'", (journal,)
                ).fetchall(),
                [],
            )
        return dict(rows)

    def clear_marks(self, journal: str) -> None:
        with self._lock:
            self._cleared.add(journal)

    def cut(self, run_id: str, step: int) -> None:
        with self._lock:
            kept = self.read(run_id).filter(pl.col("step") <= step)
            self._empty(run_id, "delete from chunks where run_id = ?1; delete from metrics where run_id = ?1")
            self.append(run_id, kept)
            self.flush()

    def delete(self, run_id: str) -> None:
        with self._lock:
            self._empty(run_id, "delete from chunks where run_id = ?1; delete from metrics where run_id = ?1; delete from runs where id = ?1")
            self._hot.forget(run_id)
            self._unsaved_runs.discard(run_id)

    def _empty(self, run_id: str, statements: str) -> None:
        with self._open() as db:
            db.execute("begin immediate")
            for statement in statements.split(";"):
                db.execute(statement, (run_id,))
            db.execute(
                "insert into generations values (?, 1) on conflict (run_id) do update set generation = generation + 1", (run_id,)
            )
        record = self._hot.run(run_id)
        self._hot.forget(run_id)
        if record is not None:
            self._hot.put_run(record)
        self._saved.pop(run_id, None)

    def _generation(self, run_id: str) -> int:
        query = "select generation from generations where run_id = ?"
        row: Any = self._read(lambda db: db.execute(query, (run_id,)).fetchone(), None)
        return int(row[0]) if row else 0

    def read(self, run_id: str, metrics: Sequence[str] | None = None) -> pl.DataFrame:
        with self._lock:
            if run_id in self._saved:
                return self._hot.read(run_id, metrics)
            points = self._points_on_disk(run_id, Cursor())
        return points if metrics is None else points.filter(pl.col("metric").cast(pl.String).is_in(list(metrics)))

    def since(self, run_id: str, cursor: Cursor) -> tuple[pl.DataFrame, Cursor]:
        with self._lock:
            if run_id in self._saved:
                generation = self._generations[run_id]
                start = cursor.ordinal if generation == cursor.generation else 0
                points, (_, ordinal) = self._hot.since(run_id, Cursor(0, start))
                return points, Cursor(generation, ordinal)
            generation = self._generation(run_id)
            start = cursor.ordinal if generation == cursor.generation else 0
            points = self._points_on_disk(run_id, Cursor(0, start))
            return points, Cursor(generation, start + len(points))

    def summary(self, run_id: str) -> dict[str, MetricSummary]:
        with self._lock:
            if run_id in self._saved:
                return self._hot.summary(run_id)
            rows: list[Any] = self._read(
                lambda db: db.execute(
                    "select name, last, min, max, count, step from metrics where run_id = ? order by position",
                    (run_id,),
                ).fetchall(),
                [],
            )
        return {
            name: MetricSummary(_from_null(last), _from_null(low), _from_null(high), count, step)
            for name, last, low, high, count, step in rows
        }

    def flush(self) -> bool:
        with self._lock:
            fresh = {run: self._hot.since(run, Cursor(0, saved))[0] for run, saved in self._saved.items()}
            fresh = {run: points for run, points in fresh.items() if len(points)}
            if not fresh and not self._unsaved_runs and not self._marks and not self._cleared:
                return True
            runs = [run for run in self._hot.runs() if run.id in self._unsaved_runs]
            try:
                with self._open() as db:
                    db.execute("begin immediate")
                    db.executemany(_PUT_RUN, map(_row, runs))
                    for run_id, points in fresh.items():
                        self._write(db, run_id, points)
                    db.executemany("insert or replace into marks values (?, ?)", self._marks.items())
                    for journal in self._cleared:
                        db.execute("delete from marks where mark >= ?1 || '/' and mark < ?1 || '0'", (journal,))
            except (sqlite3.Error, OSError) as error:
                self._problems["write"] = (
                    f"Cannot write {self.path} ({error}). Nothing is lost while this process lives: "
                    "points stay in memory, and writing goes on as soon as it can."
                )
                return False
            self._problems.pop("write", None)
            self._marks.clear()
            self._cleared.clear()
            self._unsaved_runs.clear()
            for run_id, points in fresh.items():
                self._saved[run_id] += len(points)
            for run in runs:
                if run.state in ENDED:  # the file has it all, and another process may resume it
                    self._hot.forget(run.id)
                    self._saved.pop(run.id, None)
            return True

    def close(self) -> None:
        self.flush()
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _write(self, db: sqlite3.Connection, run: str, points: pl.DataFrame) -> None:
        buffer = io.BytesIO()
        points.write_ipc(buffer, compression="zstd")
        db.execute(
            "insert into chunks (run_id, first, rows, generation, data) "
            "values (?1, coalesce((select first + rows from chunks where run_id = ?1 order by first desc limit 1), 0), ?2, 0, ?3)",
            (run, len(points), buffer.getvalue()),
        )
        db.executemany(
            "insert or replace into metrics (run_id, position, name, last, min, max, count, step) values (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (run, position, name, *dataclasses.astuple(figures))
                for position, (name, figures) in enumerate(self._hot.summary(run).items())
            ),
        )

    def _points_on_disk(self, run: str, cursor: Cursor) -> pl.DataFrame:
        rows: list[Any] = self._read(
            lambda db: db.execute(
                "select first, data from chunks where run_id = ? and first + rows > ? order by first",
                (run, cursor.ordinal),
            ).fetchall(),
            [],
        )
        frames = [pl.read_ipc(io.BytesIO(data)).slice(max(0, cursor.ordinal - first)) for first, data in rows]
        return pl.concat(frames) if frames else pl.DataFrame(schema=POINTS)

    def _read(self, query: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        """The answer of the file, or `nothing` where there is no file yet or it cannot be read."""
        try:
            if self._connection is None and not self.path.exists():
                return nothing
            answer = query(self._open())
        except (sqlite3.Error, OSError) as error:
            self._problems["read"] = f"Cannot read {self.path} ({error}). What is in it is left as it is."
            return nothing
        self._problems.pop("read", None)
        return answer

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                db.execute("pragma journal_mode = wal")
                db.execute("pragma synchronous = normal")
                db.executescript(_SCHEMA)
                db.executemany(
                    "insert or ignore into meta (key, value) values (?, ?)",
                    [("schema_version", str(SCHEMA_VERSION)), ("project", self.project)],
                )
            except sqlite3.Error:
                db.close()
                raise
            self._connection = db
        return self._connection


def project_name(path: Path) -> str | None:
    """The name of the project that a file holds, None when it is not a project file."""
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        try:
            row = db.execute("select value from meta where key = 'project'").fetchone()
        finally:
            db.close()
    except sqlite3.Error:
        return None
    return str(row[0]) if row else None


def _row(run: RunRecord) -> list[Any]:
    return [json.dumps(getattr(run, name)) if name in _JSON_FIELDS else getattr(run, name) for name in _RUN_FIELDS]


def _record(row: Sequence[Any]) -> RunRecord:
    fields = {
        name: json.loads(value) if name in _JSON_FIELDS else value for name, value in zip(_RUN_FIELDS, row, strict=True)
    }
    return RunRecord(**{**fields, "tags": tuple(fields["tags"])})


def _from_null(figure: float | None) -> float:
    """SQLite keeps NaN as null."""
    return float("nan") if figure is None else figure
