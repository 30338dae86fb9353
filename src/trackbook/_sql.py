"""SQL over a project: Polars' dialect, on tables that read no more than a query asks for."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NoReturn

import polars as pl
from polars.io.plugins import register_io_source

from ._errors import warn
from ._tables import LONG, or_nearest, runs_table
from ._types import RunRecord
from .store._interface import Store

_RUN: Final = {"project": pl.String(), "run_id": pl.String(), "run": pl.String()}
_TABLES_TO_COME: Final = {
    "system": pl.Schema(_RUN | {"metric": pl.String(), "value": pl.Float64(), "time": pl.Float64()}),
    "console": pl.Schema(_RUN | {"line": pl.Int64(), "stream": pl.String(), "text": pl.String(), "time": pl.Float64()}),
    "cells": pl.Schema(
        _RUN
        | {"cell": pl.String(), "count": pl.Int64(), "source": pl.String(), "state": pl.String()}
        | {"started": pl.Float64(), "ended": pl.Float64()}
    ),
}
TABLES: Final = ("points", "runs", *_TABLES_TO_COME)
_KEYS: Final = ("project", "run_id", "run", "group", "metric")  # columns of `points` that are known without reading any
_READS = re.compile(r"\s*(\(|select|with|from|values|explain|show)\b|\s*\(", re.IGNORECASE)
_EXAMPLE = "select * from points"
_QUOTES = """text takes single quotes ('train/loss'), names such as "group" and "config.lr" double ones"""

Batches = Callable[[pl.Expr | None], Iterator[pl.DataFrame]]


def sql(query: str, project: str, runs: Sequence[RunRecord], store: Store) -> pl.DataFrame:
    """The answer to a query in Polars' SQL. See `trackbook.sql`.

    Tables, each with the columns ``project``, ``run_id`` and ``run`` (the name) but for ``runs``:

    * ``points``: also ``"group"`` (the run's), ``metric`` (text), ``step`` (int64), ``value`` and ``time`` (float64, seconds
      UTC). Of a condition on runs and metrics only what it names is read from the store;
    * ``runs``: as `trackbook.runs` gives it, with columns such as ``"config.lr"`` and ``"summary.train/loss"``;
    * ``system``: ``metric``, ``value``, ``time``; ``console``: ``line``, ``stream``, ``text``, ``time``; ``cells``: ``cell``,
      ``count``, ``source``, ``state``, ``started``, ``ended``: what is captured beside the metrics.

    Raises ``ValueError`` for a query that cannot be understood, and for a table, column or metric that does not exist;
    ``TypeError`` when `query` is no text.
    """
    if not isinstance(query, str):
        raise TypeError(f"sql() takes a query such as {_EXAMPLE!r}, not {query!r}")
    if not _READS.match(re.sub(r"--[^\n]*|/\*.*?\*/", " ", query, flags=re.DOTALL)):
        raise ValueError(f"sql() only reads, and {_shortened(query)!r} begins otherwise than {_EXAMPLE!r}")
    points = _Points(project, runs, store)
    table = functools.cache(lambda: runs_table(runs, [store.summary(run.id) for run in runs]))
    frames = {
        "points": _source(lambda: LONG, points.batches),
        "runs": _source(lambda: table().schema, lambda _: iter([table()])),
        **{name: pl.LazyFrame(schema=schema) for name, schema in _TABLES_TO_COME.items()},
    }
    try:
        answer = pl.SQLContext(frames).execute(query).collect()
    except pl.exceptions.PolarsError as error:
        if points.error is not None:
            raise points.error from None
        _explain(query, error, frames, points)
    for notice in store.notices:
        warn(notice)
    return answer


def _source(schema: Callable[[], pl.Schema], batches: Batches) -> pl.LazyFrame:
    """A table whose schema and rows are made when a query needs them."""

    def scan(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        for batch in batches(predicate):
            frame = batch if predicate is None else batch.filter(predicate)
            frame = (frame if columns is None else frame.select(columns)).head(len(frame) if rows is None else rows)
            yield frame
            if rows is not None:
                rows -= len(frame)
                if rows <= 0:
                    return

    return register_io_source(scan, schema=schema)


class _Points:
    """The table `points` of one query."""

    def __init__(self, project: str, runs: Sequence[RunRecord], store: Store) -> None:
        self.error: BaseException | None = None  # what Polars quotes in an error of its own
        self._project = project
        self._runs = runs
        self._store = store

    @functools.cached_property
    def catalog(self) -> pl.DataFrame:
        """A row for each metric of each run."""
        rows = [
            (self._project, run.id, run.name, run.group, metric)
            for run in self._runs
            for metric in self._store.summary(run.id)
        ]
        return pl.DataFrame(rows, schema={name: LONG[name] for name in _KEYS}, orient="row")

    @functools.cached_property
    def metrics(self) -> list[str]:
        return self.catalog["metric"].unique(maintain_order=True).to_list()

    def batches(self, predicate: pl.Expr | None) -> Iterator[pl.DataFrame]:
        """The points of each run, of those runs and metrics that `predicate` leaves."""
        try:
            about_keys = None if predicate is None else self._implied(predicate)
            wanted = self.catalog if about_keys is None else self.catalog.filter(about_keys)
            some = False
            for part in wanted.partition_by("run_id", maintain_order=True):
                some = True
                yield self._read(part)
            if not some:
                yield pl.DataFrame(schema=LONG)
        except BaseException as error:
            self.error = error
            raise

    def _read(self, part: pl.DataFrame) -> pl.DataFrame:
        run_id = part["run_id"][0]
        labels = [pl.lit(part[name][0], pl.String).alias(name) for name in _KEYS[:4]]
        points = self._store.read(run_id, part["metric"].to_list())
        return points.select(*labels, pl.col("metric").cast(pl.String), "step", "value", "time")

    def _implied(self, expr: pl.Expr) -> pl.Expr | None:
        """A condition on the keys alone that holds wherever `expr` does; None when nothing can be said."""
        parts = expr.meta.pop()
        if len(parts) == 2:
            right, left = parts
            both = [condition for condition in map(self._implied, parts) if condition is not None]
            if expr.meta.eq(left & right):
                return pl.all_horizontal(both) if both else None
            if expr.meta.eq(left | right):
                return pl.any_horizontal(both) if len(both) == 2 else None
            if left.meta.is_column() or right.meta.is_column():
                self._check_names(expr, left, right)
        return expr if set(expr.meta.root_names()) <= set(_KEYS) else None

    def _check_names(self, expr: pl.Expr, left: pl.Expr, right: pl.Expr) -> None:
        """Raises ``ValueError`` when `expr` compares ``metric`` with the name of none."""
        literal = left if right.meta.is_column() else right
        if expr.meta.root_names() != ["metric"] or not literal.meta.is_literal():
            return
        if not (expr.meta.eq(left == right) or str(expr).startswith('col("metric").is_in(')):
            return
        for name in pl.select(literal).to_series().explode().drop_nulls():
            if name not in self.metrics:
                meant = or_nearest(name, self.metrics) or "nothing was logged in it"
                raise ValueError(f"project {self._project!r} has no metric {name!r}; {meant}")


def _explain(query: str, error: Exception, frames: dict[str, pl.LazyFrame], points: _Points) -> NoReturn:
    said = str(error).strip().partition("\n")[0]
    table = re.search(r"relation '(.+?)' was not found", said)
    column = re.search(r"(?:unable to find column \"(.+?)\"|no column named '(.+?)')", said)
    if table:
        raise ValueError(f"there is no table {table[1]!r}; {or_nearest(table[1], TABLES)}") from None
    if column:
        name = column[1] or column[2]
        if name in points.metrics:
            raise ValueError(
                f"{name!r} is a metric, not a column; write it in single quotes: metric = '{name}'"
            ) from None
        mentioned = [frames[one] for one in TABLES if re.search(rf"\b{one}\b", query, re.IGNORECASE)]
        known = [other for frame in mentioned for other in frame.collect_schema()]
        raise ValueError(f"there is no column {name!r}; {or_nearest(name, dict.fromkeys(known))}") from None
    raise ValueError(f"cannot answer {_shortened(query)!r}: {said}; {_QUOTES}") from None


def _shortened(text: Any) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= 80 else line[:77] + "..."
