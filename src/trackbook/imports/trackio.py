"""Trackio's projects: a SQLite file each."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from .intake import Intake, flat
from .media_values import of_trackio
from .source import Damaged, Kind, SourceRun, digest, found
from .sqlite_files import columns, reading, rows, tables
from .times import seconds

_NOT_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}  # as Trackio writes them
_OF_RECORD: Final = frozenset({"_Username", "_Created", "_Group"})  # in a config
_SUFFIXES: Final = (".db", ".sqlite", ".sqlite3")


def _is_project(path: Path) -> bool:
    there = tables(path)
    return {"run_name", "step", "timestamp", "metrics"} <= there.get("metrics", set())


def _files(path: Path) -> Iterator[Path]:
    named = found(path, lambda name: name.endswith(_SUFFIXES)) if path.is_dir() else [path]
    return (file for file in named if _is_project(file))


def _runs(path: Path) -> Iterator[SourceRun]:
    for file in _files(path):
        with reading(file) as db:
            key = "run_id" if "run_id" in columns(db, "metrics") else "run_name"  # as before version 0.20
            there = [table for table in ("metrics", "system_metrics", "configs", "alerts") if key in columns(db, table)]
            parts = [
                f"select {key} as run, run_name, id, {'config' if table == 'configs' else 'null'} as config from {table}"  # noqa: S608
                for table in there
            ]
            query = (
                f"select run, max(run_name), count(*), sum(id), max(config) from ({' union all '.join(parts)}) "  # noqa: S608
                "group by run order by min(id)"
            )
            listed = list(rows(db, query))
        for run, name, count, *more in listed:
            run_id = str(run) if key == "run_id" else digest(file.stem, str(run))
            stamp = digest(repr((count, *more)))
            yield SourceRun(run_id, file, file.stem, stamp, count, partial(_tell, file, key, run, name))


def _tell(file: Path, key: str, run: str, name: str, intake: Intake) -> None:
    with reading(file) as db:
        intake.set(name=name, state="finished", step_by="run")
        if "configs" in tables(file):
            _tell_config(db, key, run, intake)
        done = _tell_metrics(db, key, run, file.parent / "media", intake)
        if key in columns(db, "alerts"):
            query = f"select title, text, level, timestamp, step from alerts where {key} = ? order by timestamp, id"  # noqa: S608
            for title, text, level, time, step in rows(db, query, run):
                intake.alert(title, text or "", level, seconds(time), step)
        if key in columns(db, "system_metrics"):
            query = f"select timestamp, metrics from system_metrics where {key} = ? order by timestamp, id"  # noqa: S608
            for number, (time, text) in enumerate(rows(db, query, run), 1):
                intake.at(done + number)
                for metric, value in _values(text, intake):
                    intake.system(metric, value, seconds(time))


def _tell_metrics(db: Any, key: str, run: str, media: Path, intake: Intake) -> int:
    """Tell what was logged, and return the number of rows."""
    done = 0
    query = f"select timestamp, step, metrics from metrics where {key} = ? order by timestamp, id"  # noqa: S608
    for time, step, text in rows(db, query, run):
        done += 1
        intake.at(done)
        if not isinstance(step, int):
            intake.lose(f"a row has no whole number as its step: {step!r}")
            continue
        at, numbers = seconds(time), []
        for metric, value in _values(text, intake):
            if isinstance(value, dict) and "_type" in value:
                intake.media(metric, step, at, partial(of_trackio, value, media))
            else:
                numbers.append((metric, value))
        intake.values(numbers, step, at)
    return done


def _tell_config(db: Any, key: str, run: str, intake: Intake) -> None:
    for text, created in rows(db, f"select config, created_at from configs where {key} = ?", run):  # noqa: S608
        config = _loaded(text, intake)
        intake.set(
            config={name: _finite(value) for name, value in config.items() if name not in _OF_RECORD},
            group=config.get("_Group"),
            started=seconds(config.get("_Created") or created) or None,
        )
        if config.get("_Username"):
            intake.more["user"] = str(config["_Username"])


def _values(text: str, intake: Intake) -> Iterator[tuple[str, Any]]:
    for metric, value in flat(_loaded(text, intake)):
        yield metric, _finite(value)


def _finite(value: Any) -> Any:
    return _NOT_FINITE.get(value, value) if isinstance(value, str) else value


def _loaded(text: str, intake: Intake) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError, TypeError):
        intake.lose("a row is not JSON")
        return {}
    return found if isinstance(found, dict) else {}


def _holds(path: Path) -> bool:
    try:
        return any(True for _ in _files(path))
    except Damaged:
        return False


KIND: Final = Kind("trackio", "projects of Trackio", _holds, _runs)
