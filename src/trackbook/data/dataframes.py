"""Points, runs, cells and console lines as Polars tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import polars as pl

from ..metrics import SYSTEM, is_system, logged
from ..store.base import POINTS, Store
from ..store.bulk_reads import no_summary
from ..store.check_stored import FIRST_TIME, LAST_TIME
from ..store.wide_points import wide_points
from ..text import did_you_mean, listed
from ..types import CAPTURED, RunRecord
from .run_rows import metric_names, of_one_type

# The tidy long table of exports and SQL. `group` is the run's; `time` is seconds UTC.
LONG: Final = pl.Schema(
    dict.fromkeys(("project", "run_id", "run", "group", "metric"), pl.String())
    | {"step": pl.Int64(), "value": pl.Float64(), "time": pl.Float64()}
)
# The same with categories instead of strings, from which a file is written a third faster.
SERIES: Final = pl.Schema({name: pl.Categorical() if dtype == pl.String else dtype for name, dtype in LONG.items()})
_TYPES: Final = {"integer": pl.Int64(), "real": pl.Float64(), "text": pl.String()}
_CAPTURED: Final = {
    table: pl.Schema({name: _TYPES[declared.split()[0]] for name, declared in columns.items()})
    for table, columns in CAPTURED.items()
}
CELLS: Final = pl.Schema(_CAPTURED["cells"] | {"metrics": pl.List(pl.String())})
CONSOLE: Final = _CAPTURED["console"]
_TOGETHER = 100_000  # points of small metrics in one frame, about a row group


def by_metric(store: Store, run_id: str, metrics: Sequence[str] | None = None) -> dict[str, pl.DataFrame]:
    """Return the points of a run by metric, steps ascending: of all metrics, including system metrics, or of `metrics`."""
    parts = store.read(run_id, metrics).partition_by("metric", as_dict=True)
    return {str(name): part if part["step"].is_sorted() else part.sort("step") for (name,), part in parts.items()}


def series(points: dict[str, pl.DataFrame], project: str, run: RunRecord) -> Iterator[pl.DataFrame]:
    """Yield the logged points of a run as frames of the schema `SERIES`, sorted by metric and step.

    `points` is a result of `by_metric`, and is emptied. Each metric is in one frame; small metrics share frames of at most `_TOGETHER`
    points.
    """
    labels = [
        pl.lit(text, pl.String).cast(pl.Categorical).alias(name)
        for name, text in {"project": project, "run_id": run.id, "run": run.name, "group": run.group}.items()
    ]
    nothing = pl.DataFrame(schema=POINTS)
    pack: list[pl.DataFrame] = []
    size = 0
    for name in [*sorted(logged(points)), None]:
        part = nothing if name is None else points.pop(name)
        if pack and (name is None or size + len(part) > _TOGETHER):
            yield pl.concat(pack).select(*labels, "metric", "step", "value", "time")
            pack, size = [], 0
        pack.append(part)
        size += len(part)


class Tally:
    """The number of points, and sums of hashes of their columns, to compare two sets of points in any order."""

    def __init__(self) -> None:
        self.rows = 0
        self.sums: dict[str, int] = {}

    def watch(self, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Yield `frames`, counting each."""
        for frame in frames:
            self.add(frame.lazy())
            yield frame

    def add(self, table: pl.LazyFrame) -> None:
        """Count the points of a table that has some of the columns step, value and time."""
        names = [name for name in ("step", "value", "time") if name in table.collect_schema()]
        low = [(pl.col(name).hash(1) & 0xFFFF_FFFF).sum() for name in names]
        rows, *sums = table.select(pl.len(), *low).collect().row(0)
        self.rows += rows
        for name, more in zip(names, sums, strict=True):
            self.sums[name] = self.sums.get(name, 0) + int(more)

    def agrees(self, found: Tally) -> bool:
        """Whether `found` has the same points, in the columns that it has."""
        return self.rows == found.rows and all(self.sums.get(name, 0) == more for name, more in found.sums.items())


def history(store: Store, run_id: str, run_name: str, metrics: str | Sequence[str] | None, wide: bool) -> pl.DataFrame:
    """See `trackbook.Run.history`."""
    known = store.summary(run_id)
    chosen = (
        [name for name in known if not is_system(name)]
        if metrics is None
        else [metrics]
        if isinstance(metrics, str)
        else list(metrics)
    )
    for name in chosen:
        if name not in known:
            ours = sorted(known, key=is_system)
            meant = did_you_mean(name, ours, f"it has {listed(ours)}" if ours else "nothing was logged in it")
            raise ValueError(f"run {run_name!r} has no metric {name!r}; {meant}")
    asked = None if chosen == list(known) else chosen
    if wide:
        return wide_points(store.read(run_id, asked), chosen)
    parts = by_metric(store, run_id, asked)
    nothing = pl.DataFrame(schema=POINTS)
    # metrics that appeared after `known` was read are not in the result
    points = pl.concat([nothing, *(parts[name] for name in dict.fromkeys(chosen) if name in parts)])
    return points.select(pl.col("metric").cast(pl.String), "step", "value", "time")


def system(store: Store, run_id: str) -> pl.DataFrame:
    """Return the system metrics: ``metric``, ``step``, ``value``, ``time`` (seconds UTC), each metric's points in order."""
    names = [name for name in store.summary(run_id) if is_system(name)]
    points = history(store, run_id, run_id, names, wide=False)
    return points.with_columns(pl.col("metric").str.strip_prefix(SYSTEM))


def as_time(seconds: pl.Expr) -> pl.Expr:
    """Return seconds UTC as a column of times; null for seconds out of range, as in a damaged file."""
    known = seconds.is_between(FIRST_TIME, LAST_TIME)
    return pl.when(known).then(seconds * 1e6).cast(pl.Int64).cast(pl.Datetime("us", "UTC"))


def runs_table(runs: Sequence[RunRecord], store: Store) -> pl.DataFrame:
    """Return one row for each run. See `trackbook.runs`."""
    writers = store.writers()
    texts = ("id", "name", "group", "state", "notes")
    frame = pl.DataFrame(
        {name: [getattr(run, name) for run in runs] for name in texts}
        | {"tags": _lists([run.tags for run in runs])}
        | {name: [getattr(run, name) for run in runs] for name in ("started", "ended")}
        | {"seen": [writers[run.id].seen if run.id in writers else None for run in runs]},
        schema=dict.fromkeys(texts, pl.String)
        | {"tags": pl.List(pl.String)}
        | dict.fromkeys(("started", "ended", "seen"), pl.Float64),
    )
    counts, last = _last_values([run.id for run in runs], store)
    configs = [run.config for run in runs]
    names = dict.fromkeys(name for config in configs for name in config)
    figures = [_series(f"config.{name}", [config.get(name) for config in configs]) for name in names]
    set_by_user = dict.fromkeys(name for run in runs for name in run.summary)
    for name in dict.fromkeys([*last.columns, *set_by_user]):
        values = last[name] if name in last.columns else pl.Series(name, [None] * len(runs), dtype=pl.Float64)
        if name in set_by_user:
            pairs = zip(runs, values.to_list(), strict=True)
            values = _series(name, [run.summary.get(name, value) for run, value in pairs])
        figures.append(values.alias(f"summary.{name}"))
    duration = (pl.col("ended") - pl.col("started")).alias("duration")
    times = as_time(pl.col("started", "ended", "seen"))
    return frame.select(
        "id", "name", "group", "state", "tags", "notes", times, duration, counts.alias("points"), *figures
    )


def _lists(texts: Sequence[tuple[str, ...]]) -> pl.Series:
    """Return a column of lists. Polars takes 2 us for each, and few differ."""
    places = {each: place for place, each in enumerate(dict.fromkeys(texts))}
    distinct = pl.Series([list(each) for each in places], dtype=pl.List(pl.String))
    return distinct.gather([places[each] for each in texts])


def _last_values(ids: Sequence[str], store: Store) -> tuple[pl.Series, pl.DataFrame]:
    """Return the number of points of each run, and a table of last values with one row for each run and a column for each metric."""
    order = pl.DataFrame({"run_id": ids}, schema={"run_id": pl.String})
    known = ("run_id", "metric", "last", "count")
    table = store.summary_table(ids, known) if ids else no_summary(known)
    table = table.filter(~pl.col("metric").str.starts_with(SYSTEM))
    sums = table.group_by("run_id").agg(pl.col("count").sum())
    counts = order.join(sums, on="run_id", how="left", maintain_order="left")
    names = table["metric"].unique(maintain_order=True)
    # pivoted by number, because a metric may be named like a column of the table
    numbered = table.select(
        "run_id", "last", pl.col("metric").replace_strict(names, range(len(names)), return_dtype=pl.UInt32)
    )
    wide = numbered.pivot(on="metric", index="run_id", values="last")
    wide = order.join(wide, on="run_id", how="left", maintain_order="left").drop("run_id")
    return counts["count"].fill_null(0), wide.rename({column: names[int(column)] for column in wide.columns})


def cells_table(store: Store, run_id: str) -> pl.DataFrame:
    """See `trackbook.Run.cells`."""
    return executions(store, run_id).with_columns(as_time(pl.col("started", "ended")))


def console(store: Store, run_id: str) -> pl.DataFrame:
    """Return one row for each console line, with the columns `CONSOLE`. See `trackbook.Run.console`."""
    return pl.DataFrame(store.captured(run_id, "console"), schema=CONSOLE, orient="row")


def executions(store: Store, run_id: str) -> pl.DataFrame:
    """Return one row for each execution of a cell, with the columns `CELLS`; times are seconds UTC."""
    table = pl.DataFrame(store.captured(run_id, "cells"), schema=_CAPTURED["cells"], orient="row")
    metrics = [metric_names(text) for text in table["metrics"]]
    return table.with_columns(pl.Series("metrics", metrics, dtype=CELLS["metrics"]))


def differing(table: pl.DataFrame, ids: Sequence[str]) -> pl.DataFrame:
    """Return the runs `ids` of a `runs_table`, in this order, with id, name and the columns in which they differ."""
    chosen = pl.DataFrame({"id": ids}).join(table, on="id", how="left", maintain_order="left")
    return chosen.select("id", *(name for name in table.columns[1:] if name == "name" or chosen[name].n_unique() > 1))


def _series(name: str, values: Sequence[Any]) -> pl.Series:
    """Return a column of config values, in one type."""
    return pl.Series(name, of_one_type(values), strict=False)
