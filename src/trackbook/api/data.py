"""`export`, `import_from`, `import_parquet` and `sql`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..settings import user_path
from ..store.polars_import import import_polars
from ..tracking.run import Run
from .projects import existing, get_run, home
from .terminal_words import shown_progress

if TYPE_CHECKING:
    import polars as pl

    from ..imports.importing import ImportProgress


def export(
    project: str | None,
    path: str | os.PathLike[str],
    runs: str | Sequence[str] | None = None,
    format: str = "parquet",
    *,
    media: bool = False,
    files: bool = False,
) -> Path:
    """Write a project, or some of its runs, as a table; return the path written.

    Parquet keeps everything recorded of the runs: config and, if captured, code, console, outputs and environment, with secrets
    masked as recorded. Other formats have only points. `trackbook.board` can show a Parquet export directly.

    Parameters
    ----------
    project
        The project's name, by default that of the current or last run.
    path
        ``format="parquet"``: one file when it ends in ``.parquet``, else a folder, which becomes a Hive-partitioned dataset that
        Polars, DuckDB, pandas, pyarrow and Spark can read. An earlier export of Trackbook is replaced.
    runs
        Ids or names, by default all runs.
    format
        ``"parquet"``, or another format by its usual suffix, such as ``"csv"`` or ``"jsonl"``: one row a point with ``project, run_id,
        run, group, metric, step, value, time`` (seconds UTC), sorted by run, metric and step.

    media
        Whether the files of images, tables and other media are copied, too: into the folder ``PATH.media`` beside a Parquet export, from
        which `import_parquet` takes them.
    files
        Whether the files that the runs saved are copied, too, and the versions of artifacts that they made and used: into the folder
        ``PATH.artifacts``, from which `import_parquet` takes them.

    Raises
    ------
    ValueError
        For a format (the error lists all), project or run that does not exist, and when something other than an export is at `path`.
    OSError
        When writing fails; an earlier export at `path` stays.
    """
    source = existing(project)
    from ..data.export import export as write

    source.refresh()
    names = [runs] if isinstance(runs, str) else runs
    chosen = source.runs() if names is None else [source.find(name) for name in names]
    return write(path, source.name, chosen, source.store, format, media=media, files=files)


def import_from(
    source: str | os.PathLike[str],
    kind: str | None = None,
    project: str | None = None,
    *,
    progress: Callable[[ImportProgress], None] | None = None,
) -> list[Run]:
    """Import the runs of another tracker from its files, and return them.

    Runs have the ids, names, points, times, configs, tags, summaries and media that they have there. An import is repeated safely: runs that are
    there are skipped, runs that have grown get the rest, and one that was interrupted goes on. Of a damaged source all that is whole is
    imported; warnings say what is missing, and what is left out.

    Parameters
    ----------
    source
        A file or folder: offline runs of wandb or SwanLab, a SQLite file of Trackio, MLflow's ``mlruns`` or ``mlflow.db``, TensorBoard's
        event files, Aim's ``.aim``, CSV or Parquet.
    kind
        ``"wandb"``, ``"swanlab"``, ``"trackio"``, ``"mlflow"``, ``"tensorboard"``, ``"aim"``, ``"csv"`` or ``"parquet"``; by default what
        `source` is.
    project
        The project to put the runs into, by default the one that they name.
    progress
        Called again and again with ``run, number, runs, points, fraction, media``. By default a terminal shows a line.

    Raises
    ------
    FileNotFoundError
        When there is no such source.
    ValueError
        For a source that is of no kind or cannot be read, and for a run that exists already and comes from elsewhere.
    OSError
        When the points cannot be written.
    """
    path = user_path(str(source).removeprefix("sqlite:///"))
    import_polars()
    from ..imports.importing import import_source
    from ..imports.kinds import is_parquet

    if kind == "parquet" or (kind is None and is_parquet(path)):
        return import_parquet(path, project)
    with shown_progress(path) if progress is None else contextlib.nullcontext(progress) as told:
        found = import_source(path, kind, lambda name: home(project or name).store, told)
    return [get_run(record.id, project or name or home(None).name) for name, record in found]


def import_parquet(path: str | os.PathLike[str], project: str | None = None) -> list[Run]:
    """Import the runs of the Parquet file or folder at `path`, and return them.

    Exports of Trackbook become equal runs, in `project` or else in the project that they name, with the media in the folder ``PATH.media``. Other tables are accepted
    with columns ``metric``, ``step`` and ``value``, or with ``step`` and a column of numbers for each metric. A run that exists
    already and is equal is skipped.

    Raises ``FileNotFoundError``, and ``ValueError`` for a file that cannot be read, lacks a column, or contains a run that exists
    already and differs.
    """
    import_polars()
    from ..data.importing import import_parquet as read

    found = read(path, lambda name: home(project or name).store)
    return [get_run(record.id, project or name or home(None).name) for name, record in found]


def sql(query: str, project: str | None = None) -> pl.DataFrame:
    """Return the result of a `query` in Polars' SQL over the tables ``points``, ``runs``, ``system``, ``console`` and ``cells`` of `project`.

    ``tb.sql("select run, min(value) from points where metric = 'val/loss' group by run")``. Only the runs and metrics that the query's
    conditions select are read. Names with dots or slashes take double quotes, texts single quotes.

    Raises ``ValueError`` for a query that is not valid, and for a project, table, column or metric that does not exist.
    """
    source = existing(project)
    from ..data.sql import sql as answer

    source.refresh()
    return answer(query, source.name, source.runs(), source.store)
