"""Runs as files: one tidy long table in Parquet, CSV or JSONL, and the way back from Parquet.

A Parquet file of ours holds a table of the columns `LONG`, sorted by run id, metric and step, and the runs themselves, as
JSON, under the key ``trackbook`` of its key-value metadata. What was captured beside them (cells, console, environment,
system metrics) is under ``trackbook.captured``, as `_enclosed` packs it: other files beside the points would be read as
points. A whole project is a folder of such files, one a run: ``project_key=digits/run_key=k3x9p2aa/points.parquet``. The
keys are names that every file system and every reader takes as text; they differ from the columns ``project`` and ``run_id``, which hold the true names, because pyarrow (and so pandas)
refuses a folder whose partition keys are columns as well, and Polars reads a key such as ``007`` as a number.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import io
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

import polars as pl
from polars.io.plugins import register_io_source

from ..errors import warn
from ..store.base import POINTS, Store
from ..types import SYSTEM, RunRecord, logged
from .dataframes import LONG, by_metric, series
from .enclosed import disclosed, enclose
from .foreign import Arrival, adopt

Format = Literal["parquet", "csv", "jsonl"]
FORMAT_VERSION = 2  # 2: the record has `defined`
KEY = "trackbook"
CAPTURED_KEY = "trackbook.captured"
_FILE = "points.parquet"
_LEVEL = 1  # of zstd: 15 % faster than its usual 3, and 1.3 % larger
# Dictionaries that are ready cost nothing to make: writing is a third faster than from strings.
_WRITTEN = pl.Schema({name: pl.Categorical() if dtype == pl.String else dtype for name, dtype in LONG.items()})
_ARROW = "ARROW:schema"
_ROWS_AT_ONCE = 1_000_000  # given to a store
_PLAIN = re.compile(r"(?=.*[g-z])[a-z0-9](?:[a-z0-9_-]{0,58}[a-z0-9])?")  # never a number or a date, in any base
_NOT_TEXT = re.compile(r"nan|inf|infinity|null|none|true|false|con|prn|aux|nul|com\d|lpt\d")  # or a device of Windows


def export_run(path: str | os.PathLike[str], project: str, run: RunRecord, store: Store) -> None:
    """Writes one run as one Parquet file, with what was captured of it. See `trackbook.Run.to_parquet`.

    Columns: ``project``, ``run_id``, ``run``, ``group`` (the run's), ``metric`` (str), ``step`` (int64), ``value`` and
    ``time`` (float64; seconds UTC, exact, where a timestamp column would round). Sorted by metric and step; large metrics
    have row groups of their own, with statistics. The file appears whole or not at all.

    Raises ``ValueError`` when `path` is a folder, or a file that is no export of Trackbook's; ``OSError`` when it cannot be
    written.
    """
    target = _target(path)
    _check_file(target, "parquet")
    with _whole(target, target) as temporary:
        _sink(temporary, project, [run], store)


def export(
    path: str | os.PathLike[str], project: str, runs: Sequence[RunRecord], store: Store, format: str = "parquet"
) -> Path:
    """Writes runs of one project as a table of the columns that `export_run` describes; returns what was written.

    ``parquet``: a folder with one file a run, under ``project_key=.../run_key=.../``, as Polars, DuckDB, pandas, pyarrow
    and Spark read it; or, when `path` ends in ``.parquet``, one file. ``csv`` (``NaN``, ``inf`` and ``-inf`` as such) and
    ``jsonl`` (what is not finite as the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``, as protobuf does): one file.
    Runs are sorted by id. A former export of ours at `path` is replaced, in a folder that of the same project only.

    Raises ``ValueError`` for a format that does not exist, and when there is something else at `path`; ``OSError`` when it
    cannot be written.
    """
    if format not in get_args(Format):
        raise ValueError(f"export(format={format!r}): choose one of {', '.join(map(repr, get_args(Format)))}")
    target = _target(path)
    chosen = sorted({run.id: run for run in runs}.values(), key=lambda run: run.id)
    if format == "parquet" and target.suffix.lower() not in (".parquet", ".pq"):
        return _export_folder(target, project, chosen, store)
    _check_file(target, format)
    with _whole(target, target) as temporary:
        if format == "parquet":
            _sink(temporary, project, chosen, store)
        else:
            _write_text(temporary, project, chosen, store, _csv if format == "csv" else _jsonl)
    return target


def _target(path: str | os.PathLike[str]) -> Path:
    """Where to write: behind a symbolic link, which stays."""
    return Path(os.path.realpath(Path(path).expanduser()))


@contextlib.contextmanager
def _whole(target: Path, beside: Path) -> Iterator[Path]:
    """A name beside `beside` to write a file or fill a folder at, which then takes the place of `target`, or is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside.parent / f".trackbook-{secrets.token_hex(8)}"
    former = temporary.with_suffix(".former")
    try:
        yield temporary
        if target.is_dir():  # a folder with files in it cannot be replaced in one step
            target.replace(former)
        try:
            temporary.replace(target)
        except OSError:
            if former.exists():
                former.replace(target)
            raise
    finally:
        for left in (temporary, former):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def _sink(path: Path, project: str, runs: Sequence[RunRecord], store: Store) -> None:
    """Large series one by one: Polars ends a row group where a large batch ends, so that readers can pass over metrics.

    The store is read before Polars begins. Polars takes the batches on threads of its own, of which it has few, and one that
    waited there for a store that another thread holds, which itself waits for Polars, would wait for ever (tried).
    """
    points = {run.id: by_metric(store, run.id) for run in runs}
    about = {
        "version": FORMAT_VERSION,
        "project": project,
        "runs": [
            {
                "record": dataclasses.asdict(run),
                "metrics": {
                    name: dataclasses.asdict(figures) for name, figures in logged(store.summary(run.id)).items()
                },
            }
            for run in runs
        ],
    }

    enclosed = enclose(store, points)
    more = {} if enclosed is None else {CAPTURED_KEY: enclosed}

    def batches(*_: Any) -> Iterator[pl.DataFrame]:
        for run in runs:
            yield from series(points.pop(run.id), project, run)

    try:
        register_io_source(batches, schema=_WRITTEN).sink_parquet(
            path,
            compression="zstd",
            compression_level=_LEVEL,
            statistics=True,
            metadata={KEY: json.dumps(about), **more, _ARROW: _arrow_schema()},
        )
    except pl.exceptions.PolarsError as error:
        raise OSError(f"cannot write {path.parent}: {error}") from None
    _warn_of(store)


@functools.cache
def _arrow_schema() -> str:
    """That of plain strings, so that `_WRITTEN` changes the way of writing only."""
    file = io.BytesIO()
    pl.DataFrame(schema=LONG).write_parquet(file)
    file.seek(0)
    return pl.read_parquet_metadata(file)[_ARROW]


def _write_text(
    path: Path, project: str, runs: Sequence[RunRecord], store: Store, put: Callable[[BinaryIO, pl.DataFrame], None]
) -> None:
    with path.open("wb") as file:
        if put is _csv:
            pl.DataFrame(schema=LONG).write_csv(file)
        for run in runs:
            for frame in series(by_metric(store, run.id), project, run):
                put(file, frame)
    _warn_of(store)


def _csv(file: BinaryIO, frame: pl.DataFrame) -> None:
    frame.write_csv(file, include_header=False)


def _jsonl(file: BinaryIO, frame: pl.DataFrame) -> None:
    line = pl.struct(pl.all()).struct.json_encode()
    for name in ("value", "time"):
        number = pl.col(name)
        said = (
            pl.when(number.is_nan())
            .then(pl.lit("NaN"))
            .otherwise(pl.when(number > 0).then(pl.lit("Infinity")).otherwise(pl.lit("-Infinity")))
        )
        # quotes inside a name are escaped, so these letters are nowhere but at the field itself
        spelled = line.str.replace(f'"{name}":null', pl.format('"{}":"{}"', pl.lit(name), said), literal=True)
        line = pl.when(number.is_finite()).then(line).otherwise(spelled)
    frame.select(line).write_csv(file, include_header=False, quote_style="never")


def _warn_of(store: Store) -> None:
    for notice in store.notices:
        warn(notice)


# --- what may be overwritten -----------------------------------------------------------------------------------------


def _check_file(target: Path, format: str) -> None:
    if target.is_dir():
        raise ValueError(f"{target} is a folder; name a file in it, such as {target / f'run.{format}'}")
    if not target.exists() or target.stat().st_size == 0:
        return
    if format == "parquet":
        ours = metadata(target) is not None
    else:
        with target.open("rb") as file:
            start = file.readline(100_000).strip()
        ours = start == ",".join(LONG).encode() if format == "csv" else _fields(start) == list(LONG)
    if not ours:
        raise ValueError(f"{target} exists and is no export of Trackbook's; remove it, or choose another name")


def _fields(line: bytes) -> list[str]:
    try:
        row = json.loads(line)
    except ValueError:
        return []
    return list(row) if isinstance(row, dict) else []


def _export_folder(target: Path, project: str, runs: Sequence[RunRecord], store: Store) -> Path:
    if target.exists() and not target.is_dir():
        raise ValueError(
            f"{target} is a file, and a project goes into a folder; name a folder, or a file that ends in .parquet"
        )
    part = target / f"project_key={partition_key(project)}"
    for path in target.rglob("*") if target.exists() else ():
        if not path.is_dir() and not (
            re.fullmatch(r"project_key=[^/]+/run_key=[^/]+/" + _FILE, path.relative_to(target).as_posix())
            and (part not in path.parents or metadata(path) is not None)
        ):
            raise ValueError(
                f"{target} holds {path.relative_to(target)}, which is no export of Trackbook's; choose an empty or new "
                "folder, or remove it"
            )
    target.mkdir(parents=True, exist_ok=True)
    with _whole(part, target) as temporary:  # not in the folder, where readers would find it
        temporary.mkdir()
        for run in runs:
            folder = temporary / f"run_key={partition_key(run.id)}"
            folder.mkdir()
            _sink(folder / _FILE, project, [run], store)
    return target


def partition_key(text: str) -> str:
    """`text` where no file system changes it and no reader takes it for a number; else a readable part and a hash."""
    if _PLAIN.fullmatch(text) and not _NOT_TEXT.fullmatch(text):
        return text
    readable = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40]
    return f"{readable}~{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def metadata(path: Path) -> dict[str, Any] | None:
    """What an export of ours says of its runs; None for any other file."""
    try:
        text = pl.read_parquet_metadata(path).get(KEY)
        about = None if text is None else json.loads(text)
    except (pl.exceptions.PolarsError, OSError, ValueError):
        return None
    return about if isinstance(about, dict) and "runs" in about else None


# --- the way back ----------------------------------------------------------------------------------------------------


def import_parquet(
    path: str | os.PathLike[str], store_of: Callable[[str | None], Store]
) -> list[tuple[str | None, RunRecord]]:
    """Takes the runs of a Parquet file, or of all those in a folder, into stores; returns project and record of each.

    `store_of` gives the store for the name of a project, None where a file names none. Exports of ours give back equal
    runs. Anybody else's tables come in when they have columns ``metric``, ``step`` and ``value``, or ``step`` and a column of
    numbers a metric. A run that is there already is passed over when it is the same.

    Raises ``FileNotFoundError``, and ``ValueError`` for a file that cannot be read or lacks a column, or whose run is there
    already and differs. Nothing is imported then, but for the runs before one whose points turn out to be damaged.
    """
    coming = _arrivals(Path(path).expanduser())
    fresh = [one for one in coming if not _is_there(store_of(one.project), one)]
    stores = {id(store): store for store in (store_of(one.project) for one in fresh)}
    for one in fresh:
        store = store_of(one.project)
        if _is_there(store, one):  # it comes twice
            continue
        points, beside = one.points(), one.captured()
        store.put_run(one.run)
        system = pl.DataFrame(beside.pop("system", []), schema=POINTS, orient="row")
        for table, rows in beside.items():
            store.put_captured(one.run.id, table, rows)
        points = pl.concat([points, system])
        for part in points.iter_slices(_ROWS_AT_ONCE):
            store.append(one.run.id, part)
    for store in stores.values():
        store.flush()
        _warn_of(store)
    return [(one.project, one.run) for one in coming]


def _arrivals(path: Path) -> list[Arrival]:
    if not path.exists():
        raise FileNotFoundError(f"there is no {path} to import")
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise ValueError(f"{path} holds no *.parquet file; name a Parquet file, or a folder of them")
    ours: list[Arrival] = []
    others: list[Path] = []
    for file in files:
        about = metadata(file)
        if about is None:
            others.append(file)
        else:
            ours += _ours(file, about)
    return ours + adopt(path, others)


def _ours(file: Path, about: dict[str, Any]) -> Iterator[Arrival]:
    if about["version"] > FORMAT_VERSION:
        raise ValueError(f"{file} was written by a newer Trackbook (format {about['version']}); upgrade this one")
    for run in about["runs"]:
        record = RunRecord(**{**run["record"], "tags": tuple(run["record"]["tags"])})
        points = functools.partial(_points, file, record.id, list(run["metrics"]))
        beside = functools.partial(_beside, file, record.id)
        yield Arrival(file, about["project"], record, points, captured=beside)


def _points(file: Path, run_id: str, metrics: list[str]) -> pl.DataFrame:
    """Metrics in order of first appearance, so that the store's summary has them in that order again."""
    table = pl.scan_parquet(file, glob=False, hive_partitioning=False)
    try:
        points = table.filter(pl.col("run_id") == run_id).select(*POINTS).cast(POINTS).collect()
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"cannot read the points of run {run_id!r} in {file}: {str(error).splitlines()[0]}") from None
    parts = points.partition_by("metric", as_dict=True)
    ordered = [parts.pop((name,)) for name in metrics if (name,) in parts]
    return pl.concat([*ordered, *parts.values()]) if ordered or parts else points


def _beside(file: Path, run_id: str) -> dict[str, list[tuple[Any, ...]]]:
    text = pl.read_parquet_metadata(file).get(CAPTURED_KEY)
    try:
        return {} if text is None else disclosed(text, run_id)
    except ValueError as error:
        raise ValueError(f"cannot read {file}: {error}") from None


def _is_there(store: Store, one: Arrival) -> bool:
    """Whether the store has this very run. Raises ``ValueError`` when it has another one of its id."""
    known = store.run(one.run.id)
    if known is None:
        return False
    came = one.run
    if came.state == "running":  # it was exported while open, and nobody here goes on with it
        came = dataclasses.replace(came, state=known.state, ended=known.ended, error=known.error)
    if not one.timed:
        came = dataclasses.replace(came, started=known.started, ended=known.ended)
    differs = [
        field.name
        for field in dataclasses.fields(RunRecord)
        if not _same(*(getattr(r, field.name) for r in (came, known)))
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


def _same(one: Any, other: Any) -> bool:
    """As JSON, where NaN is NaN."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
