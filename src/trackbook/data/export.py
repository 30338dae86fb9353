"""Export of runs as one tidy long table, in any of `FORMATS`.

The Parquet export of a project is a folder with one file for each run: ``project_key=digits/run_key=k3x9p2aa/points.parquet``. Every
file system and reader takes the keys for text. They differ from the columns ``project`` and ``run_id``, which hold the true names,
because pyarrow (and so pandas) refuses a folder whose partition keys are also columns, and Polars reads a key such as ``007`` as a
number.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import polars as pl

from ..artifacts import exchange
from ..filesystem import replacing
from ..settings import user_path
from ..store import media_files
from ..store.base import Store
from ..store.paths import partition_key
from ..text import one_line
from ..types import RunRecord
from ..user_warnings import warn
from .dataframes import LONG, SERIES, Tally, by_metric, series
from .parquet import metadata, scan_points, write_parquet

_FILE: Final = "points.parquet"

Write = Callable[[Path, str, Sequence[RunRecord], Store], Tally]


class Format(NamedTuple):
    """A file format for tables of points."""

    suffixes: tuple[str, ...]
    write: Write  # writes runs of a project to a new file
    scan: Callable[[Path], pl.LazyFrame]  # reads the table of a file back, to check it
    is_export: Callable[[Path], bool]  # whether a file is an earlier export, which may be replaced


class _Whole:
    """A store whose reads raise when a part is damaged, because an incomplete export must not replace an earlier one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, run_id: str, metrics: Sequence[str] | None = None) -> pl.DataFrame:
        return self._store.read(run_id, metrics, True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def export_run(path: str | os.PathLike[str], project: str, run: RunRecord, store: Store) -> None:
    """Write one run as one Parquet file, with its captured data. See `trackbook.Run.to_parquet`.

    Columns: ``project``, ``run_id``, ``run``, ``group`` (the run's), ``metric`` (str), ``step`` (int64), ``value`` and
    ``time`` (float64; seconds UTC, exact, where a timestamp column would round). Rows are sorted by metric and step. The file appears
    complete or not at all.

    Raises ``ValueError`` when `path` is a folder, or a file that is not an export of Trackbook; ``OSError`` when writing fails.
    """
    _write_file(_resolve(path), "parquet", project, [run], store)


def export(
    path: str | os.PathLike[str],
    project: str,
    runs: Sequence[RunRecord],
    store: Store,
    format: str = "parquet",
    *,
    media: bool = False,
    files: bool = False,
) -> Path:
    """Write runs of one project, sorted by id, as a table with the columns of `export_run`; return the path written.

    `format` names one of `FORMATS`. With `media` the files of media go into the folder ``PATH.media``, with `files` those that
    the runs saved, made and used into ``PATH.artifacts``. A Parquet export is a folder with one file for each run, which Polars, DuckDB, pandas, pyarrow and
    Spark can read, unless `path` ends in ``.parquet``. An earlier export at `path` is replaced, in a folder only that of the project.

    Raises ``ValueError`` for an unknown format, and when something other than an export is at `path`; ``OSError`` when writing fails.
    """
    if format not in FORMATS:
        raise ValueError(f"export(format={format!r}): choose one of {', '.join(map(repr, FORMATS))}")
    if (media or files) and format != "parquet":
        what = "media" if media else "files"
        raise ValueError(
            f"export({what}=True) writes {what} beside Parquet, whose metadata say which they are, not beside {format}"
        )
    target = _resolve(path)
    chosen = sorted({run.id: run for run in runs}.values(), key=lambda run: run.id)
    if media:
        _write_media(target, chosen, store)
    if files and (
        missing := exchange.write(exchange.folder_beside(target), project, [run.id for run in chosen], store)
    ):
        warn(f"{missing:,} kept files are not there, and left out of {target}")
    if format == "parquet" and target.suffix.lower() not in FORMATS["parquet"].suffixes:
        return _write_folder(target, project, chosen, store)
    _write_file(target, format, project, chosen, store)
    return target


def format_of(path: Path) -> str | None:
    """Return the name of the format with the suffix of `path`: Parquet without a suffix, None for an unknown one."""
    suffix = path.suffix.lower()
    return next((name for name, known in FORMATS.items() if not suffix or suffix in known.suffixes), None)


def _resolve(path: str | os.PathLike[str]) -> Path:
    """Return the target of a symbolic link, so that the link stays."""
    return Path(os.path.realpath(user_path(path)))


def _write_media(target: Path, runs: Sequence[RunRecord], store: Store) -> None:
    """Copy the media files of `runs` into the folder beside an export, to those that are there. Warns of files that are missing."""
    names = {name for run in runs for name in media_files.names_of_run(store, run.id)}
    if names and store.files_folder is not None:
        missing = media_files.copy(names, store.files_folder, media_files.folder_beside(target))
        if missing:
            warn(f"{missing:,} of {len(names):,} media files are not there, and left out of {target}")


def _write_file(target: Path, format: str, project: str, runs: Sequence[RunRecord], store: Store) -> None:
    _check_file(target, format)
    with replacing(target, target) as temporary:
        _write_checked(temporary, format, project, runs, _source(store, target))
    _warn_of(store)


def _source(store: Store, former: Path) -> Store:
    return cast("Store", _Whole(store)) if former.exists() else store


def _write_checked(path: Path, format: str, project: str, runs: Sequence[RunRecord], store: Store) -> None:
    """Write a file and read it back. Raises ``OSError`` when it does not contain all points."""
    written, found = FORMATS[format].write(path, project, runs, store), Tally()
    try:
        found.add(FORMATS[format].scan(path))
    except pl.exceptions.PolarsError as error:
        raise OSError(f"the file written to {path.parent} cannot be read back: {one_line(error)}") from None
    if not written.agrees(found):
        raise OSError(f"{written.rows:,} points were written to {path.parent}, but {found.rows:,} or others read back")


def _write_folder(target: Path, project: str, runs: Sequence[RunRecord], store: Store) -> Path:
    part = target / f"project_key={partition_key(project)}"
    _check_folder(target, part)
    target.mkdir(parents=True, exist_ok=True)
    with replacing(part, target) as temporary:  # beside the folder, in which readers would find it
        temporary.mkdir()
        for run in runs:
            folder = temporary / f"run_key={partition_key(run.id)}"
            folder.mkdir()
            _write_checked(folder / _FILE, "parquet", project, [run], _source(store, part))
    _warn_of(store)
    return target


def _warn_of(store: Store) -> None:
    for notice in store.notices:
        warn(notice)


# --- earlier exports, which may be replaced ---------------------------------------------------------------------------


def _check_file(target: Path, format: str) -> None:
    if target.is_dir():
        raise ValueError(f"{target} is a folder; name a file in it, such as {target / f'run.{format}'}")
    if target.exists() and target.stat().st_size and not FORMATS[format].is_export(target):
        raise ValueError(f"{target} exists and is not an export of Trackbook; remove it, or choose another name")


def _check_folder(target: Path, part: Path) -> None:
    if target.exists() and not target.is_dir():
        raise ValueError(
            f"{target} is a file, and a project goes into a folder; name a folder, or a file that ends in .parquet"
        )
    for path in target.rglob("*") if target.exists() else ():
        if not path.is_dir() and not (
            re.fullmatch(r"project_key=[^/]+/run_key=[^/]+/" + _FILE, path.relative_to(target).as_posix())
            and (part not in path.parents or _is_parquet_export(path))
        ):
            raise ValueError(
                f"{target} holds {path.relative_to(target)}, which is not an export of Trackbook; choose an empty or new "
                "folder, or remove it"
            )


def _is_parquet_export(path: Path) -> bool:
    return metadata(path) is not None


def _is_csv_export(path: Path) -> bool:
    return _first_line(path) == ",".join(LONG).encode()


def _is_jsonl_export(path: Path) -> bool:
    try:
        row = json.loads(_first_line(path))
    except ValueError:
        return False
    return isinstance(row, dict) and list(row) == list(LONG)


def _first_line(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.readline(100_000).strip()


# --- formats ----------------------------------------------------------------------------------------------------------


def _frames(project: str, runs: Sequence[RunRecord], store: Store) -> Iterator[pl.DataFrame]:
    """Yield the table in frames of the schema `SERIES`."""
    for run in runs:
        yield from series(by_metric(store, run.id), project, run)


def _write_csv(path: Path, project: str, runs: Sequence[RunRecord], store: Store) -> Tally:
    tally = Tally()
    with path.open("wb") as file:
        pl.DataFrame(schema=LONG).write_csv(file)
        for frame in tally.watch(_frames(project, runs, store)):
            frame.write_csv(file, include_header=False)
    return tally


def _scan_csv(path: Path) -> pl.LazyFrame:
    return pl.scan_csv(path, schema=LONG, glob=False)


def _write_jsonl(path: Path, project: str, runs: Sequence[RunRecord], store: Store) -> Tally:
    tally = Tally()
    with path.open("wb") as file:
        for frame in tally.watch(_frames(project, runs, store)):
            frame.select(_json_line()).write_csv(file, include_header=False, quote_style="never")
    return tally


def _scan_jsonl(path: Path) -> pl.LazyFrame:
    """Return the column of steps only, since values may be strings (see `_json_line`)."""
    step = pl.Struct({"step": LONG["step"]})
    if not path.stat().st_size:
        return pl.LazyFrame(schema={"step": LONG["step"]})
    lines = pl.scan_csv(path, has_header=False, new_columns=["line"], separator="\x1f", quote_char=None, glob=False)
    return lines.select(pl.col("line").str.json_decode(step).struct.field("step"))


def _json_line() -> pl.Expr:
    """Return a row as JSON. Numbers that are not finite are the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``, as in protobuf."""
    line = pl.struct(pl.all()).struct.json_encode()
    for name in ("value", "time"):
        number = pl.col(name)
        spelled = (
            pl.when(number.is_nan())
            .then(pl.lit("NaN"))
            .otherwise(pl.when(number > 0).then(pl.lit("Infinity")).otherwise(pl.lit("-Infinity")))
        )
        # quotes inside a name are escaped, so this text occurs only at the field itself
        quoted = line.str.replace(f'"{name}":null', pl.format('"{}":"{}"', pl.lit(name), spelled), literal=True)
        line = pl.when(number.is_finite()).then(line).otherwise(quoted)
    return line


def _write_arrow(path: Path, project: str, runs: Sequence[RunRecord], store: Store) -> Tally:
    """Write an Arrow IPC file with plain strings. The store is read before Polars starts to write, as in `write_parquet`."""
    tally = Tally()
    table = pl.concat([pl.DataFrame(schema=SERIES), *tally.watch(_frames(project, runs, store))])
    try:
        table.lazy().cast(LONG).sink_ipc(path, compression="zstd", compat_level=pl.CompatLevel.oldest())
    except pl.exceptions.PolarsError as error:
        raise OSError(f"cannot write {path.parent}: {error}") from None
    return tally


def _is_arrow_export(path: Path) -> bool:
    try:
        return pl.read_ipc_schema(path) == dict(LONG)
    except (pl.exceptions.PolarsError, OSError):
        return False


# All formats, for `trackbook.export`, ``%track export`` and completion.
FORMATS: Final[dict[str, Format]] = {
    "parquet": Format((".parquet", ".pq"), write_parquet, scan_points, _is_parquet_export),
    "csv": Format((".csv",), _write_csv, _scan_csv, _is_csv_export),
    "jsonl": Format((".jsonl",), _write_jsonl, _scan_jsonl, _is_jsonl_export),
    "arrow": Format((".arrow", ".feather"), _write_arrow, pl.scan_ipc, _is_arrow_export),
}
