"""Smoothing, as in ``js/src/plot/smoothing.ts``, with sums in the same order, so that results are equal."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ..frames.bucket_rows import Floats

Trend = Callable[[float], float]  # the smoothed value at a step


def trend_of(series: Any, amount: int, kind: str) -> Trend | None:
    """Return the smoothed values of a whole series as a function of the step; None if smoothing is off.

    `kind` is ``mean`` or ``exponential``.
    """
    rows = series.rows
    if not amount or not len(rows):
        return None
    places = rows["first_step"] if series.width == 1 else (rows["first_step"] + rows["last_step"]) / 2
    values = rows["first"] if series.width == 1 else rows["mean"]
    return _interpolated(places, KINDS[kind](values, rows["count"], amount))


def exponential(values: Floats, weights: Floats, n: int) -> Floats:
    """Return the exponential average: each row has n / (n + 1) times the weight of the next, so that their mean age is n rows."""
    mean, weight = 0.0, 0.0
    means = np.full(len(values), np.nan)
    for row, (value, count) in enumerate(zip(values.tolist(), weights.tolist(), strict=True)):
        weight *= n / (n + 1)
        if count > 0:
            weight += count
            mean += (value - mean) * count / weight
        if weight:
            means[row] = mean
    return means


def mean(values: Floats, weights: Floats, n: int) -> Floats:
    """Return the centred moving average over 2n + 1 rows, each weighted by its number of finite values.

    The window is cut off at the ends, and rows of weight 0 are ignored. Sums are in the same order as in the browser.
    """
    mean, weight = np.zeros(len(values)), np.zeros(len(values))
    with np.errstate(all="ignore"):
        for shift in range(-n, n + 1):
            to = slice(max(0, -shift), max(0, len(values) - max(0, shift)))
            of = slice(max(0, shift), max(0, len(values) + min(0, shift)))
            counts = weights[of] > 0
            weight[to] += np.where(counts, weights[of], 0)
            step = (values[of] - mean[to]) * weights[of] / weight[to]
            mean[to] += np.where(counts, step, 0)
    return np.where(weight > 0, mean, np.nan)


KINDS: Final = {"mean": mean, "exponential": exponential}


def _interpolated(places: Floats, values: Floats) -> Trend:
    """Interpolate linearly between the places; beyond them the value is constant."""

    def at(place: float) -> float:
        row = max(0, int(np.searchsorted(places, place, side="right")) - 1)
        after = min(row + 1, len(places) - 1)
        here, there = float(values[row]), float(values[after])
        along = (place - float(places[row])) / (float(places[after] - places[row]) or 1)
        share = min(1.0, max(0.0, along))
        return here if share == 0 or not math.isfinite(there) else here + (there - here) * share

    return at
