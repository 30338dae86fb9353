"""All points of a chart as a Parquet file, and how many of them lie outside of a range."""

from __future__ import annotations

import io
from collections.abc import Iterable

import polars as pl

Line = tuple[str, str, pl.DataFrame]  # a run's label, a metric, and its points as a store reads them


def as_parquet(lines: Iterable[Line]) -> bytes:
    """Return a Parquet file of the columns run, metric, step, time (UTC) and value, by line and step."""
    frames = [
        points.sort("step").select(
            run=pl.lit(label),
            metric=pl.lit(metric),
            step="step",
            time=pl.from_epoch((pl.col("time") * 1e6).round().cast(pl.Int64), time_unit="us").dt.replace_time_zone(
                "UTC"
            ),
            value="value",
        )
        for label, metric, points in lines
    ]
    file = io.BytesIO()
    pl.concat(frames).write_parquet(file)
    return file.getvalue()


def count_outside(points: pl.DataFrame, low: float, high: float) -> int:
    """Return how many finite values are below `low` or above `high`."""
    value = pl.col("value")
    return int(points.select((value.is_finite() & ((value < low) | (value > high))).sum()).item())
