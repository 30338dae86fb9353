"""Points as a wide table. Polars' own pivot takes time that grows with the square of the metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[Any]
_SPARSE: Final = 4  # numbers that a step may span for each point, where steps are looked up rather than sorted


def wide_points(points: pl.DataFrame, metrics: Iterable[str]) -> pl.DataFrame:
    """Return one row for each step and one column for each metric. A metric named ``step`` is renamed ``step (metric)``."""
    columns = dict.fromkeys(metrics, "")
    for name in columns:
        column = name
        while column == "step" or (column != name and column in columns):
            column += " (metric)"
        columns[name] = column
    place, row, value, steps = _placed(points, {name: place for place, name in enumerate(columns)})
    figures = np.full((len(columns), len(steps)), np.nan)
    figures[place, row] = value
    known = np.zeros(figures.shape, np.bool_)
    known[place, row] = True
    nothing = pl.Series(dtype=pl.Float64).extend_constant(None, len(steps))
    made = [pl.Series("step", steps)]
    for name, values, has in zip(columns.values(), figures, known, strict=True):
        series = pl.Series(name, values)
        made.append(series if has.all() else series.zip_with(pl.Series(has), nothing))
    return pl.DataFrame(made)


def _placed(points: pl.DataFrame, places: Mapping[str, int]) -> tuple[Array, Array, Array, Array]:
    """Return the places of points' metrics, the rows of their steps, their values, and the steps by row; by numbers, not by names."""
    codes, distinct = points["metric"].to_physical().to_numpy(), points["metric"].unique()
    known = distinct.to_physical().to_numpy()
    by_code = np.full(int(known.max(initial=0)) + 1, -1)
    by_code[known] = [places.get(name, -1) for name in distinct.cast(pl.String)]
    place, step, value = by_code[codes], points["step"].to_numpy(), points["value"].to_numpy()
    if (wanted := place >= 0).sum() < len(place):
        place, step, value = place[wanted], step[wanted], value[wanted]
    low, high = (int(step.min()), int(step.max())) if len(step) else (0, 0)
    if high - low > _SPARSE * len(step):
        steps, row = np.unique(step, return_inverse=True)
        return place, row, value, steps
    there = np.zeros(high - low + 1, np.bool_)
    there[step - low] = True
    return place, (np.cumsum(there) - 1)[step - low], value, np.flatnonzero(there) + low
