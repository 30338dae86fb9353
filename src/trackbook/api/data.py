"""`export`, `import_parquet` and `sql`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..store.polars_import import import_polars
from ..tracking.run import Run
from .projects import existing, get_run, home

if TYPE_CHECKING:
    import polars as pl


def export(
    project: str | None,
    path: str | os.PathLike[str],
    runs: str | Sequence[str] | None = None,
    format: str = "parquet",
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
    return write(path, source.name, chosen, source.store, format)


def import_parquet(path: str | os.PathLike[str], project: str | None = None) -> list[Run]:
    """Import the runs of the Parquet file or folder at `path`, and return them.

    Exports of Trackbook become equal runs, in `project` or else in the project that they name. Other tables are accepted
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
