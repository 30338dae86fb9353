"""Import of Parquet files into a store: exports of Trackbook, and other tables of points."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from ..artifacts import exchange
from ..metrics import SYSTEM
from ..settings import user_path
from ..store import media_files
from ..store.base import POINTS, Store
from ..store.transfer import put_whole
from ..types import RunRecord
from ..user_warnings import warn
from .foreign_tables import Arrival, adopt
from .parquet import metadata, read_captured, read_points, read_records


def import_parquet(
    path: str | os.PathLike[str], store_of: Callable[[str | None], Store]
) -> list[tuple[str | None, RunRecord]]:
    """Import the runs of a Parquet file, or of all files in a folder, into stores; return project and record of each.

    `store_of` returns the store of a project by name; the name is None when a file names no project. Exports of Trackbook become
    equal runs. Other tables are accepted with columns ``metric``, ``step`` and ``value``, or ``step`` and a column of numbers for each
    metric. A run that the store has already is skipped if it is equal.

    Raises ``FileNotFoundError``, and ``ValueError`` for a file that cannot be read or lacks a column, or whose run is in the store
    already and differs; then nothing is imported. Raises ``OSError`` when a run cannot be written or read back completely; then the
    runs before it are imported.
    """
    _try_in_another_process(user_path(path))
    arrivals = read_all(user_path(path))
    fresh = [one for one in arrivals if not _is_known(store_of(one.project), one)]
    for one in fresh:
        store = store_of(one.project)
        if _is_known(store, one):  # the same run in two files
            continue
        captured = one.captured()
        system = pl.DataFrame(captured.pop("system", []), schema=POINTS, orient="row")
        put_whole(store, one.run, pl.concat([one.points(), system]), captured)
    for one in arrivals:  # also of runs that are there: an earlier import may have been interrupted
        _take_media(user_path(path), store_of(one.project), one)
    _take_files(user_path(path), [(store_of(one.project), one) for one in arrivals])
    for store in {id(store): store for store in (store_of(one.project) for one in fresh)}.values():
        for notice in store.notices:
            warn(notice)
    return [(one.project, one.run) for one in arrivals]


def _take_media(path: Path, store: Store, one: Arrival) -> None:
    """Copy the media files of a run from the folder beside the export, if there is one."""
    beside = media_files.folder_beside(path)
    if store.files_folder is not None and beside.is_dir():
        media_files.copy(media_files.names_of_rows(one.captured().get("media", ())), beside, store.files_folder)


def _take_files(path: Path, arrivals: Sequence[tuple[Store, Arrival]]) -> None:
    """Copy the kept files of runs from the folder beside the export, if there is one."""
    beside = exchange.folder_beside(path)
    for store in {id(store): store for store, _ in arrivals}.values():
        for notice in exchange.take(beside, store, [one.captured() for home, one in arrivals if home is store]):
            warn(notice)


def read_all(path: Path) -> list[Arrival]:
    """Read and check all of a file or folder before anything is written: a damaged run must not leave others behind."""
    arrivals = _arrivals(path)
    for one in arrivals:
        one.points(), one.captured()
    return arrivals


_TRIAL: Final = """
import json, pathlib, sys
sys.path[:] = json.loads(sys.argv[2])
from trackbook.data.importing import read_all
read_all(pathlib.Path(sys.argv[1]))
"""


def _try_in_another_process(path: Path) -> None:
    """Raise ``ValueError`` for a file that ends the process that reads it.

    Polars asks for as much memory as some damaged files claim to need, such as 2 EB, and that aborts the process; other damage raises
    here as well as there.
    """
    if not Path(sys.executable or "").name.lower().startswith(("python", "pypy")):  # a program that embeds Python
        return
    command = [sys.executable, "-c", _TRIAL, str(path.absolute()), json.dumps(sys.path)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603  ourselves
    except OSError:  # no more processes: it is read without a trial
        return
    if done.returncode not in (0, 1):  # 1: an exception
        said = re.search(r"^memory allocation of \d+ bytes failed", done.stderr.decode(errors="replace"), re.MULTILINE)
        raise ValueError(
            f"cannot read {path}: it is damaged, and reading it ends the process ({said[0] if said else f'code {done.returncode}'})"
        )


def _arrivals(path: Path) -> list[Arrival]:
    if not path.exists():
        raise FileNotFoundError(f"there is no {path} to import")
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise ValueError(f"{path} holds no *.parquet file; name a Parquet file, or a folder of them")
    exports: list[Arrival] = []
    others: list[Path] = []
    for file in files:
        about = metadata(file)
        if about is None:
            others.append(file)
        else:
            exports += _exported(file, about)
    return exports + adopt(path, others)


def _exported(file: Path, about: dict[str, Any]) -> Iterator[Arrival]:
    for record, metrics in read_records(file, about):
        points = functools.partial(read_points, file, record.id, metrics)
        captured = functools.partial(read_captured, file, record.id)
        yield Arrival(file, about["project"], record, points, captured=captured)


def _is_known(store: Store, one: Arrival) -> bool:
    """Whether the store has an equal run. Raises ``ValueError`` when it has another run with the id."""
    known = store.run(one.run.id)
    if known is None:
        return False
    came = one.run
    if came.state == "running":  # it was exported while it was open
        came = dataclasses.replace(came, state=known.state, ended=known.ended, error=known.error)
    if not one.timed:
        came = dataclasses.replace(came, started=known.started, ended=known.ended)
    differs = [
        field.name
        for field in dataclasses.fields(RunRecord)
        if not _same_json(getattr(came, field.name), getattr(known, field.name))
    ]
    columns = [name for name in POINTS if one.timed or name != "time"]
    tables = [
        points.select(columns).cast({"metric": pl.String}).filter(~pl.col("metric").str.starts_with(SYSTEM))
        for points in (one.points(), store.read(came.id))
    ]
    if not tables[0].sort("metric", "step").equals(tables[1].sort("metric", "step")):
        differs.append("points")
    if differs:
        raise ValueError(
            f"there is a run {came.id!r} ({known.name!r}) already, and that of {one.origin} differs in "
            f"{', '.join(differs)}; delete the one that is there, or import into another project: import_parquet(..., project=...)"
        )
    return True


def _same_json(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON, where NaN equals NaN."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
