"""The tables of a project file, and the migrations of files of earlier versions."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ..types import CAPTURED, RunRecord
from . import check_stored

if TYPE_CHECKING:
    from pathlib import Path
    from sqlite3 import Connection

_TABLES: Final = """
create table meta (key text primary key, value text not null) strict;
create table runs (
    id text primary key, name text not null, started real not null, state text not null, "group" text, tags text not null,
    notes text, config text not null, summary text not null, step_by text not null, ended real, done integer,
    total integer, error text, defined text not null default '{}'
) strict;
-- survives its run, so that a cursor of a deleted run does not match a later run with the same id
create table ordinals (run_id text primary key, generation integer not null, next integer not null) strict;
create table metrics (
    run_id text not null, number integer not null, name text not null,
    last real, min real, max real, count integer not null, step integer not null, primary key (run_id, number)
) strict;
create table chunks (
    run_id text not null, first integer not null, rows integer not null, low integer not null, high integer not null,
    crc integer not null, data blob not null, primary key (run_id, first)
) strict;
create table marks (mark text primary key, drained integer not null) strict;
"""
_CAPTURED: Final = """
create table cells (
    run_id text not null, number integer not null, cell text, count integer, source text, started real not null, ended real,
    state text not null, error text, output text, metrics text, points integer, dirty text,
    primary key (run_id, number)
) strict;
create table console (
    run_id text not null, line integer not null, stream text not null, text text not null, time real not null, cell integer,
    primary key (run_id, line)
) strict;
create table facts (run_id text not null, name text not null, value text not null, primary key (run_id, name)) strict;
"""
# `revision` grows with every change of a record, so that readers can ask for changed records only
_REVISION: Final = "alter table runs add column revision integer not null default 0"
# For look-ups of runs and of summaries of metrics without reading those of all runs
_INDEXES: Final = """
create index runs_by_name on runs (name);
create index runs_by_start on runs (started);
create index runs_by_state on runs (state);
create index runs_by_revision on runs (revision);
create index metrics_by_name on metrics (name, last);
"""
_WRITERS: Final = """
create table writers (
    run_id text primary key, host text not null, system text not null, pid integer not null, born text not null,
    seen real not null
) strict;
"""
_GOALS: Final = "alter table runs add column goals text not null default '{}'"
# Where runs are uploaded to, and what the targets had when they answered last; survives its run, which is deleted there, too
_UPLOADS: Final = """
create table uploads (
    run_id text not null, target text not null, include text not null, generation integer not null, ordinal integer not null,
    revision integer not null, primary key (run_id, target)
) strict;
"""
_ALERTS: Final = """
create table alerts (
    run_id text not null, number integer not null, time real not null, level text not null, title text not null, text text not null,
    step integer, times integer not null, webhook text, primary key (run_id, number)
) strict;
"""
_MEDIA: Final = """
create table media (
    run_id text not null, number integer not null, metric text not null, step integer not null, time real not null,
    item integer not null, kind text not null, file text, size integer not null, mime text not null, caption text,
    about text not null, primary key (run_id, number)
) strict;
"""
_FILES: Final = """
create table files (
    run_id text not null, path text not null, digest text not null, size integer not null, time real not null,
    primary key (run_id, path)
) strict;
create table artifacts (
    run_id text not null, artifact text not null, name text not null, version integer not null, type text not null,
    digest text not null, size integer not null, files integer not null, created real not null, run text, aliases text not null,
    metadata text not null, description text, manifest text not null, primary key (run_id, artifact)
) strict;
create table artifact_links (
    run_id text not null, link text not null, role text not null, artifact text not null, digest text not null, time real not null,
    primary key (run_id, link)
) strict;
"""
TABLES: Final = f"{_TABLES}{_CAPTURED}{_REVISION};{_WRITERS}{_INDEXES}{_GOALS};{_UPLOADS}{_ALERTS}{_MEDIA}{_FILES}"


def _add_defined(db: Connection) -> None:
    db.execute("alter table runs add column defined text not null default '{}'")


def _add_captured(db: Connection) -> None:
    for statement in _CAPTURED.split(";"):
        db.execute(statement)


def _add_writers_and_indexes(db: Connection) -> None:
    for statement in (_REVISION, *_WRITERS.split(";"), *_INDEXES.split(";")):
        db.execute(statement)


def _add_goals(db: Connection) -> None:
    db.execute(_GOALS)


def _add_uploads(db: Connection) -> None:
    db.execute(_UPLOADS)


def _add_alerts(db: Connection) -> None:
    db.execute(_ALERTS)


def _add_media(db: Connection) -> None:
    db.execute(_MEDIA)


def _add_files(db: Connection) -> None:
    for statement in _FILES.split(";"):
        db.execute(statement)


# Each migrates a file from the version before: the first one to version 2. A test compares the tables of a migrated file with
# those of a new one.
MIGRATIONS: Final[list[Callable[[Connection], None]]] = [
    _add_defined,
    _add_captured,
    _add_writers_and_indexes,
    _add_goals,
    _add_uploads,
    _add_alerts,
    _add_media,
    _add_files,
]

# The tables with data of a run, which are deleted, copied and salvaged, each with its column of run ids.
RUN_TABLES: Final = {
    "runs": "id",
    **dict.fromkeys(("metrics", "chunks", "writers"), "run_id"),
    **dict.fromkeys(CAPTURED, "run_id"),
}

TIMES: Final = {"started", "ended", "time", "created"}  # seconds; JSON of SQLite before 3.43 would round them


def _key(columns: Mapping[str, str]) -> str:
    return next(iter(columns))


def _in_json(column: str) -> str:
    return f"iif({column} is null, null, printf('%!.17g', {column}))" if column in TIMES else column


RUN_FIELDS: Final = [field.name for field in dataclasses.fields(RunRecord)]
RUN_COLUMNS: Final = ", ".join(f'"{name}"' for name in RUN_FIELDS)
NEWEST: Final = "where rowid in (select rowid from runs order by started desc, rowid desc limit ?) order by rowid"
PUT_RUN: Final = (
    f"insert into runs ({RUN_COLUMNS}, revision) values ({', '.join('?' * len(RUN_FIELDS))}, "
    "(select coalesce(max(revision), 0) + 1 from runs)) on conflict (id) do update set "
    + ", ".join(f'"{name}" = excluded."{name}"' for name in [*RUN_FIELDS, "revision"])
)
PUT_WRITER: Final = "insert or replace into writers (run_id, host, system, pid, born, seen) values (?, ?, ?, ?, ?, ?)"
PUT_METRICS: Final = "insert or replace into metrics (run_id, number, name, last, min, max, count, step) values"
PUT_ORDINALS: Final = "insert or replace into ordinals (run_id, generation, next) values (?, ?, ?)"
PUT_CHUNK: Final = "insert into chunks (run_id, first, rows, low, high, crc, data) values (?, ?, ?, ?, ?, ?, ?)"
PUT_CAPTURED: Final = {
    table: f"insert or replace into {table} (run_id, {', '.join(columns)}) values (?{', ?' * len(columns)})"
    for table, columns in CAPTURED.items()
}
_BEFORE_ALL, _AFTER_ALL = "-9e999", "x''"  # SQLite orders numbers before texts, and these before blobs
# All rows as one JSON text: the thread would wait for the GIL with each row, 10 s for 25,000 rows while a cell computes.
GET_CAPTURED: Final = {
    table: f"select json_group_array(json_array({', '.join(map(_in_json, columns))})) from "
    f"(select * from {table} where run_id = ? and {_key(columns)} > coalesce(?, {_BEFORE_ALL}) "
    f"and {_key(columns)} <= coalesce(?, {_AFTER_ALL}) order by {_key(columns)})"
    for table, columns in CAPTURED.items()
}
DROP_CAPTURED: Final = {
    table: f"delete from {table} where run_id = ? and {_key(columns)} >= ? and {_key(columns)} < ?"
    for table, columns in CAPTURED.items()
}
_DECODER: Final = json.JSONDecoder()
_BAD_RECORD: Final = (TypeError, ValueError, RecursionError)


class NewerFile(Exception):  # noqa: N818  # an error neither of the file nor of the user
    """The file has a later version than this Trackbook knows."""


def current() -> int:
    """Return the version of the files that this Trackbook writes."""
    return len(MIGRATIONS) + 1


def prepare(db: Connection, project: str) -> None:
    """Create the tables of a new file, or migrate those of an earlier version. Raises `NewerFile`."""
    if file_version(db) == current():
        return
    db.execute("begin immediate")
    try:
        found = file_version(db)  # read again: another process may just have migrated the file
        if found == 0:
            for statement in TABLES.split(";"):
                db.execute(statement)
            _note(db, {"project": project})
        for migrate in MIGRATIONS[found - 1 :] if found else ():
            migrate(db)
        _note(db, {"schema_version": str(current()), "trackbook": _trackbook()})
        db.execute("commit")
    except BaseException:
        db.execute("rollback")
        raise


def project(db: Connection) -> str | None:
    row = db.execute("select value from meta where key = 'project'").fetchone()
    return str(row[0]) if row else None


def source(db: Connection) -> str:
    """Return the id of this file as a source of uploads, empty before it has one."""
    row = db.execute("select value from meta where key = 'source'").fetchone()
    return str(row[0]) if row else ""


def to_row(run: RunRecord) -> list[Any]:
    return [
        json.dumps(getattr(run, name)) if name in check_stored.JSON_FIELDS else getattr(run, name)
        for name in RUN_FIELDS
    ]


def to_records(rows: Sequence[Sequence[Any]], damaged: Callable[[str, Exception], None]) -> list[RunRecord]:
    """Return the records of rows. One that is `damaged` is told by its run's id, and hides no other."""
    try:
        return _columns_to_records(rows) if rows else []  # in half the time
    except _BAD_RECORD:
        found = []
    for row in rows:
        try:
            found.append(_to_record(row))
        except _BAD_RECORD as error:
            damaged(str(row[0]), error)
    return found


def bad_record(path: Path, run_id: str, error: Exception) -> str:
    """Return a sentence about a record that is damaged."""
    return f"{path} is damaged: the record of run {run_id!r} cannot be read: {error}"


def _to_record(row: Sequence[Any]) -> RunRecord:
    fields = dict(zip(RUN_FIELDS, row, strict=True))
    return check_stored.record(fields | {name: json.loads(fields[name]) for name in check_stored.JSON_FIELDS})


def _columns_to_records(rows: Sequence[Sequence[Any]]) -> list[RunRecord]:
    columns: dict[str, Sequence[Any]] = dict(zip(RUN_FIELDS, zip(*rows, strict=True), strict=True))
    for name in check_stored.JSON_FIELDS:
        columns[name] = [{} if text == "{}" else _parsed(text) for text in columns[name]]  # most of thousands of runs
    return check_stored.records(columns)


def _parsed(text: str) -> Any:
    value, end = _DECODER.raw_decode(text)
    return value if end == len(text) else json.loads(text)


def file_version(db: Connection) -> int:
    """Return the version of the file, 0 when it is new. Raises `NewerFile`."""
    if not db.execute("select 1 from sqlite_schema where name = 'meta'").fetchone():
        return 0
    meta = dict(db.execute("select key, value from meta where key in ('schema_version', 'trackbook')"))
    found = int(meta.get("schema_version", 0))
    if found > current():
        raise NewerFile(
            f"was written by Trackbook {meta.get('trackbook', 'of a later version')}, whose files (version {found}) this one "
            f"({_trackbook()}, which knows files up to version {current()}) cannot use: upgrade it with "
            "`pip install --upgrade trackbook`. The file is left as it is"
        )
    return found


def _trackbook() -> str:
    """Return the version of Trackbook."""
    from importlib.metadata import version  # brings the package `email` along, which readers do without

    return version("trackbook")


def _note(db: Connection, meta: Mapping[str, str]) -> None:
    db.executemany("insert or replace into meta (key, value) values (?, ?)", meta.items())
