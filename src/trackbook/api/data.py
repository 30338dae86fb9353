"""Runs on their way out and in: tables, Parquet, SQL."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..tracking.run import Run
from .projects import get_run
from .run import existing, home

if TYPE_CHECKING:
    import polars as pl


def export(
    project: str | None,
    path: str | os.PathLike[str],
    runs: str | Sequence[str] | None = None,
    format: str = "parquet",
) -> Path:
    """Writes a project, or some of its runs (ids or names), as a table; returns where.

    Parquet carries all that is known of the runs: config, and where they were captured the code of cells, the text that they
    displayed and printed, and the environment, secrets masked as they were when it was recorded. CSV and JSONL have points
    only. `trackbook.board` shows a Parquet export as it is.

    Parameters
    ----------
    project
        The project's name; None: that of the current or last run.
    path
        ``format="parquet"``: a folder, which becomes a Hive-partitioned dataset that Polars, DuckDB, pandas, pyarrow and Spark
        read as it is, or one file when it ends in ``.parquet``. A former export of ours is replaced.
    runs
        Which ones, by default all.
    format
        ``"parquet"``, ``"csv"`` or ``"jsonl"``: one row a point with ``project, run_id, run, group, metric, step, value, time``
        (seconds UTC), sorted by run, metric and step.

    Raises
    ------
    ValueError
        For a format, project or run that does not exist, and when something else is at `path`.
    OSError
        When it cannot be written; nothing is left at `path` then.
    """
    from ..data.parquet import export as write

    source = existing(project)
    source.refresh()
    names = [runs] if isinstance(runs, str) else runs
    chosen = source.runs() if names is None else [source.find(name) for name in names]
    return write(path, source.name, chosen, source.store, format)


def import_parquet(path: str | os.PathLike[str], project: str | None = None) -> list[Run]:
    """Takes in the runs of a Parquet file or folder, and gives them back.

    Exports of ours give back equal runs, in the project that they name unless `project` says another. Other people's tables
    come in when they have columns ``metric``, ``step`` and ``value``, or ``step`` and a column of numbers for each metric. A run
    that is there already is passed over when it is the same.

    Raises ``FileNotFoundError``, and ``ValueError`` for a file that cannot be read, lacks a column, or holds a run that is
    there already and differs.
    """
    from ..data.parquet import import_parquet as read

    found = read(path, lambda name: home(project or name).store)
    return [get_run(record.id, project or name or home(None).name) for name, record in found]


def sql(query: str, project: str | None = None) -> pl.DataFrame:
    """The answer to a query in Polars' SQL over the tables ``points``, ``runs``, ``system``, ``console`` and ``cells``.

    ``tb.sql("select run, min(value) from points where metric = 'val/loss' group by run")``. Of a condition on runs and metrics
    only what it names is read. Names with dots or slashes take double quotes, text single ones.

    Raises ``ValueError`` for a query that cannot be understood, and for a project, table, column or metric that does not
    exist.
    """
    from ..data.sql import sql as answer

    source = existing(project)
    source.refresh()
    return answer(query, source.name, source.runs(), source.store)
