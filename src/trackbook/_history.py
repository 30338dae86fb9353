"""A run's points as the tables that users get."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

import polars as pl

from .store._interface import Store


def history(store: Store, run_id: str, run_name: str, metrics: str | Sequence[str] | None, wide: bool) -> pl.DataFrame:
    """See `trackbook.Run.history`."""
    known = list(store.summary(run_id))
    chosen = known if metrics is None else [metrics] if isinstance(metrics, str) else list(metrics)
    for name in chosen:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 3) or known[:5]
            raise ValueError(
                f"run {run_name!r} has no metric {name!r}; "
                + (f"did you mean {' or '.join(map(repr, near))}?" if near else "nothing was logged in it")
            )
    position = {name: place for place, name in enumerate(dict.fromkeys(chosen))}
    points = store.read(run_id, None if metrics is None else chosen).with_columns(pl.col("metric").cast(pl.String))
    order = pl.col("metric").replace_strict(position, return_dtype=pl.UInt32)
    long = points.sort(order, "step").select("metric", "step", "value", "time")
    return _wide(long, position) if wide else long


def _wide(long: pl.DataFrame, metrics: Collection[str]) -> pl.DataFrame:
    table = long.select("step").unique().sort("step")
    for name in metrics:
        column = name
        while column == "step" or (column != name and column in metrics):
            column += " (metric)"
        values = long.filter(pl.col("metric") == name).select("step", pl.col("value").alias(column))
        table = table.join(values, on="step", how="left", maintain_order="left")
    return table
