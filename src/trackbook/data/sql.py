"""SQL over a project, in Polars' dialect. Only points of the runs and metrics that a query's conditions select are read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

import polars as pl
from polars.io.plugins import register_io_source

from ..metrics import SYSTEM, is_system
from ..store.base import FIELDS, Store
from ..store.bulk_reads import no_summary
from ..text import did_you_mean, listed, one_line
from ..types import RunRecord
from ..user_warnings import warn
from .dataframes import CELLS, CONSOLE, LONG, console, executions, runs_table

_RUN: Final = {"project": pl.String(), "run_id": pl.String(), "run": pl.String()}
_CAPTURED: Final = {
    "system": pl.Schema(_RUN | {name: LONG[name] for name in ("metric", "step", "value", "time")}),
    "console": pl.Schema(_RUN | dict(CONSOLE)),
    "cells": pl.Schema(_RUN | dict(CELLS)),
}
TABLES: Final = ("points", "runs", *_CAPTURED)
_KEYS: Final = ("project", "run_id", "run", "group", "metric")  # columns of `points` that are known without reading it
_LABELS: Final = ("project", "run_id", "run", "group")  # the keys that are equal for all points of a run
_KNOWN: Final = ("run_id", "metric", "count")  # of a metric, before its points are read
_NO_METRICS: Final = pl.DataFrame(schema={"run_id": pl.String(), "place": pl.UInt32(), "metric": pl.String()})
_ROWS_AT_ONCE: Final = 1 << 20
_READS = re.compile(r"\s*(\(|select|with|from|values|explain|show)\b|\s*\(", re.IGNORECASE)
_CHANGING: Final = re.compile(r"col\(.*\)\.dynamic_pred: [0-9a-f-]+\(\)")
_EXAMPLE = "select * from points"
_QUOTES = """text takes single quotes ('train/loss'), names such as "group" and "config.lr" double ones"""


def sql(query: str, project: str, runs: Sequence[RunRecord], store: Store) -> pl.DataFrame:
    """Return the result of a query in Polars' SQL. See `trackbook.sql`.

    There are five tables. All except ``runs`` have the columns ``project``, ``run_id`` and ``run`` (the name):

    * ``points``: also ``"group"`` (the run's), ``metric`` (text), ``step`` (int64), ``value`` and ``time`` (float64, seconds
      UTC). Only the runs and metrics that the query's conditions select are read from the store;
    * ``runs``: the result of `trackbook.runs`, with columns such as ``"config.lr"`` and ``"summary.train/loss"``;
    * ``system``: ``metric``, ``step``, ``value``, ``time`` of the system metrics, which are not in ``points``;
    * ``console``: ``line``, ``stream``, ``text``, ``time``, ``cell`` (a ``number`` of ``cells``);
    * ``cells``: the result of `trackbook.Run.cells`, with ``started`` and ``ended`` in seconds UTC.

    Raises ``ValueError`` for a query that is not valid, and for a table, column or metric that does not exist;
    ``TypeError`` when `query` is not a string.
    """
    if not isinstance(query, str):
        raise TypeError(f"sql() takes a query such as {_EXAMPLE!r}, not {query!r}")
    if not _READS.match(re.sub(r"--[^\n]*|/\*.*?\*/", " ", query, flags=re.DOTALL)):
        raise ValueError(f"sql() only reads, and {one_line(query)!r} does not begin like {_EXAMPLE!r}")
    points = _Points(project, runs if _mentions(query, "points") else (), store)
    listed = runs if _mentions(query, "runs") else ()
    frames = {
        "points": points.table(),
        "runs": runs_table(listed, store).lazy(),
        **{name: _captured(name, project, runs if _mentions(query, name) else (), store).lazy() for name in _CAPTURED},
    }
    answer = None
    while answer is None or points.is_short:
        points.read()
        try:
            answer = pl.SQLContext(frames).execute(query).collect()
        except pl.exceptions.PolarsError as error:
            if points.error is not None:
                raise points.error from None
            if not points.is_short:
                _explain(query, error, frames, points.metrics)
    for notice in store.notices:
        warn(notice)
    return answer


def _mentions(query: str, table: str) -> bool:
    return table in query.lower()


def _captured(table: str, project: str, runs: Sequence[RunRecord], store: Store) -> pl.DataFrame:
    """Return one table of `_CAPTURED`, for all `runs`."""
    if table == "system":
        return _system(project, runs, store)
    read = {"console": console, "cells": executions}[table]
    parts = [pl.DataFrame(schema=_CAPTURED[table])]
    for run in runs:
        labels = [
            pl.lit(text, pl.String).alias(name) for name, text in zip(_RUN, (project, run.id, run.name), strict=True)
        ]
        parts.append(read(store, run.id).with_columns(*labels).select(*_CAPTURED[table]))
    return pl.concat(parts)


def _system(project: str, runs: Sequence[RunRecord], store: Store) -> pl.DataFrame:
    """Return the points of all system metrics, by run, metric and step, read for all runs at once."""
    names = [name for name in store.metric_names() if is_system(name)] if runs else []
    labels = pl.DataFrame([(project, run.id, run.name) for run in runs], _RUN, orient="row")
    held = (
        store.summary_table([run.id for run in runs], ("run_id", "metric"), names)
        if names
        else no_summary(("run_id", "metric"))
    )
    by_run = labels.join(held.group_by("run_id").agg("metric"), on="run_id", maintain_order="left")
    points = store.read_many(dict(zip(by_run["run_id"], by_run["metric"].to_list(), strict=True)))
    table = points.with_columns(pl.col("metric").cast(pl.String).str.strip_prefix(SYSTEM)).sort("run", "metric", "step")
    named = (by_run[name].gather(table["run"]) for name in _RUN)
    return table.drop("run").with_columns(*named).select(*_CAPTURED["system"])


class _Points:
    """The table `points` of one query.

    Polars executes the query on the points read so far, and passes its conditions, which tell first the metrics and then the points
    that are missing. These are read, and the query is executed again. To read inside Polars would be simpler, but Polars asks on its
    own few threads: when they wait for a store whose holder waits for Polars, all wait forever (tried with Polars 1.32 and 1.42).
    """

    def __init__(self, project: str, runs: Sequence[RunRecord], store: Store) -> None:
        self.missing = _NO_METRICS  # metrics that the query needs, but `_points` lacks
        self.error: BaseException | None = None  # the exception raised inside Polars, which only quotes it
        self._project = project
        self._store = store
        rows = [(project, run.id, run.name, run.group, place) for place, run in enumerate(runs)]
        self._labels = pl.DataFrame(rows, {name: LONG[name] for name in _LABELS} | {"place": pl.UInt32()}, orient="row")
        self.metrics = [name for name in store.metric_names() if not is_system(name)] if runs else []
        self._asked: set[str] = set()  # the metrics that the query may need
        self._listed: set[str] = set()  # the metrics that `_catalog` has
        self._catalog = self._labels.join(no_summary(_KNOWN), on="run_id")
        self._fields: set[str] = set()  # the fields that the query needs
        self._read: set[str] = set()  # the fields that `_points` has
        self._has = _NO_METRICS  # the metrics that `_points` has
        self._points: list[pl.DataFrame] = []

    @property
    def is_short(self) -> bool:
        """Whether the query needs metrics, points or fields that were not read."""
        return len(self.missing) > 0 or not self._fields <= self._read or not self._asked <= self._listed

    def table(self) -> pl.LazyFrame:
        return register_io_source(self._scan, schema=LONG)

    def read(self) -> None:
        """Read the missing metrics and points of all runs at once."""
        if not self._asked <= self._listed:
            self._listed |= self._asked
            chosen = None if len(self._listed) == len(self.metrics) else self._listed
            counts = self._store.summary_table(self._labels["run_id"].to_list(), _KNOWN, chosen)
            counts = counts.filter(~pl.col("metric").str.starts_with(SYSTEM))
            self._catalog = self._labels.join(counts, on="run_id", how="inner", maintain_order="left_right")
        if not self._fields <= self._read:  # another part of the query needs more fields: read all points again
            self.missing, self._has, self._points = pl.concat([self._has, self.missing]), _NO_METRICS, []
        self._read = set(self._fields)
        by_run = self.missing.unique(maintain_order=True).group_by("run_id", "place", maintain_order=True).agg("metric")
        wanted = dict(zip(by_run["run_id"], by_run["metric"].to_list(), strict=True))
        if wanted:
            points = self._store.read_many(wanted, self._read)
            self._points.append(points.with_columns(by_run["place"].gather(points["run"]).alias("run")))
        self._has, self.missing = pl.concat([self._has, self.missing]), _NO_METRICS

    def _scan(
        self, columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        """Yield the points read of runs and metrics that `predicate` admits, and note the missing ones."""
        predicate = None if predicate is None else _fixed(predicate)
        try:
            names = self._left(pl.DataFrame({"metric": self.metrics}, {"metric": pl.String}), predicate, ["metric"])
            self._asked |= set(names["metric"])
            wanted = self._left(self._catalog, predicate, _KEYS)
        except BaseException as error:
            self.error = error
            raise
        # at least one column, because a frame without columns has no rows
        columns = list(LONG) if columns is None else columns or ["step"]
        yield pl.DataFrame(schema=LONG).select(columns)
        used = {*columns, *(() if predicate is None else predicate.meta.root_names())}
        if predicate is None and rows is not None:
            wanted = wanted.filter(pl.col("count").cum_sum() - pl.col("count") < rows)
        lacks = wanted.select(_NO_METRICS.columns).join(self._has, on=["run_id", "metric"], how="anti")
        self._fields |= used.intersection(FIELDS)
        if not self._asked <= self._listed:
            return
        if len(lacks) or (len(wanted) and not self._fields <= self._read):
            self.missing = pl.concat([self.missing, lacks])
            return
        labels = [name for name in LONG if name in used and name in _LABELS]
        room = None if predicate is not None else rows
        for points in self._points:
            for part in points.iter_slices(_ROWS_AT_ONCE):
                named = (self._labels[name].gather(part["run"]) for name in labels)
                frame = part.drop("run").with_columns(pl.col("metric").cast(pl.String), *named)
                frame = (frame if predicate is None else frame.filter(predicate)).select(columns)
                yield frame if room is None else frame.head(room)
                room = None if room is None else max(0, room - len(frame))

    def _left(self, table: pl.DataFrame, predicate: pl.Expr | None, keys: Sequence[str]) -> pl.DataFrame:
        """Return the rows of a table of `keys` for which `predicate` may be true."""
        condition = None if predicate is None else self._implied(predicate, keys)
        return table if condition is None else table.filter(condition)

    def _implied(self, expr: pl.Expr, keys: Sequence[str]) -> pl.Expr | None:
        """Return a condition that uses only `keys` and is implied by `expr`; None if there is none."""
        parts = expr.meta.pop()
        if len(parts) == 2:
            right, left = parts
            both = [condition for part in parts if (condition := self._implied(part, keys)) is not None]
            if expr.meta.eq(left & right):
                return pl.all_horizontal(both) if both else None
            if expr.meta.eq(left | right):
                return pl.any_horizontal(both) if len(both) == 2 else None
            if left.meta.is_column() or right.meta.is_column():
                self._check_names(expr, left, right)
        return expr if set(expr.meta.root_names()) <= set(keys) else None

    def _check_names(self, expr: pl.Expr, left: pl.Expr, right: pl.Expr) -> None:
        """Raise ``ValueError`` when `expr` compares ``metric`` with a name that does not exist."""
        literal = left if right.meta.is_column() else right
        if expr.meta.root_names() != ["metric"] or not literal.meta.is_literal():
            return
        if not (expr.meta.eq(left == right) or str(expr).startswith('col("metric").is_in(')):
            return
        for name in pl.select(literal).to_series().to_list():
            # the literal of `in` is a list or several names, depending on the version of Polars
            for one in name if isinstance(name, list) else [name]:
                self._check_name(one)

    def _check_name(self, name: Any) -> None:
        if name is not None and name not in self.metrics:
            known = f"it has {listed(self.metrics)}" if self.metrics else "nothing was logged in it"
            meant = did_you_mean(name, self.metrics, known)
            raise ValueError(f"project {self._project!r} has no metric {name!r}; {meant}")


def _fixed(expr: pl.Expr) -> pl.Expr | None:
    """Return a condition without bounds that change as a query goes on; None if nothing is left.

    Polars 1.39 to 1.43 passes those of ``order by ... limit`` to its sources, and cannot evaluate them there. They only save work.
    """
    if _CHANGING.fullmatch(str(expr)):
        return None
    parts = expr.meta.pop()
    if len(parts) != 2 or not expr.meta.eq(parts[1] & parts[0]):
        return expr
    left, right = _fixed(parts[1]), _fixed(parts[0])
    return left & right if left is not None and right is not None else right if left is None else left


def _explain(query: str, error: Exception, frames: dict[str, pl.LazyFrame], metrics: Sequence[str]) -> NoReturn:
    said = str(error).strip().partition("\n")[0]
    table = re.search(r"relation '(.+?)' was not found", said)
    column = re.search(r"(?:unable to find column \"(.+?)\"|no column named '(.+?)')", said)
    if table:
        raise ValueError(
            f"there is no table {table[1]!r}; {did_you_mean(table[1], TABLES, f'there are {listed(TABLES)}')}"
        ) from None
    if column:
        name = column[1] or column[2]
        if name in metrics:
            raise ValueError(
                f"{name!r} is a metric, not a column; write it in single quotes: metric = '{name}'"
            ) from None
        mentioned = [frames[one] for one in TABLES if _mentions(query, one)]
        known = list(dict.fromkeys(other for frame in mentioned for other in frame.collect_schema()))
        raise ValueError(
            f"there is no column {name!r}; {did_you_mean(name, known, f'there are {listed(known)}')}"
        ) from None
    raise ValueError(f"cannot answer {one_line(query)!r}: {said}; {_QUOTES}") from None
