"""The range of the y axis without outliers, as in ``js/src/plot/outliers.ts``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from ..frames.bucket_rows import Floats

TAILS: Final = 0.02  # share of the values at either end that may be outliers
OUTLIER_DISTANCE: Final = 0.25  # of the span between the tails; values farther out are outliers
FLAT: Final = 0.1  # of the axis: if outliers compress the other data into less, they are left out


def range_without_outliers(series: Iterable[Any], clip: str, *, log: bool) -> tuple[float, float] | None:
    """Return the ends of the values without outliers; None if no value is to be left out.

    If `clip` is ``auto``, outliers are left out only if they compress all other values into a tenth of the axis, and if no latest
    value of a run is among them.
    """
    if clip == "never" or (log and clip == "auto"):  # a logarithmic axis has room for both
        return None
    low, high, least, most = math.inf, -math.inf, math.inf, -math.inf
    latest: list[float] = []
    every: list[Floats] = []
    for values, last in map(_finite_values, series):
        own = values[values > 0] if log else values
        if not len(own):
            continue
        scaled = np.log(own) if log else own
        every.append(own)
        first, tail, head, end = (
            float(scaled[math.floor(share * (len(scaled) - 1) + 0.5)]) for share in (0, TAILS, 1 - TAILS, 1)
        )
        reach = (head - tail) * OUTLIER_DISTANCE
        low, high = min(low, max(first, tail - reach)), max(high, min(end, head + reach))
        least, most = min(least, first), max(most, end)
        latest.append(last)
    if not low < high or (low <= least and high >= most):
        return None
    pressed = high - low < (most - least) * FLAT
    if clip == "auto" and not (pressed and all(low <= value <= high for value in latest)):
        return None
    kept = np.concatenate(every)
    scaled = np.log(kept) if log else kept
    kept = kept[(scaled >= low) & (scaled <= high)]
    return float(kept.min()), float(kept.max())


def _finite_values(series: Any) -> tuple[Floats, float]:
    """Return the finite values that a series can draw, sorted, and its last finite value."""
    rows = series.rows
    names = ("first",) if series.width == 1 else ("first", "min", "max", "last")
    values = np.concatenate([rows[name] for name in names])
    ends = rows[names[-1]]
    ends = ends[np.isfinite(ends)]
    return np.sort(values[np.isfinite(values)]), float(ends[-1]) if len(ends) else math.nan
