"""Smoothing, as in ``js/src/plot/smoothing.ts``, with sums in the same order, so that results are equal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from ..frames.bucket_rows import Floats

LEAST_ROWS: Final = 64  # as in ``js/src/plot/noise.ts``, which says what the numbers are
NOISY: Final = 0.25
OWN_SMOOTHING: Final = 8
TAILS: Final = 0.02
NORMAL_MEDIAN: Final = 0.6745
SECOND_DIFFERENCE: Final = math.sqrt(6) * NORMAL_MEDIAN

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


def own_smoothing(series: Sequence[Any]) -> int:
    """Return by how many rows to each side lines are smoothed by themselves: some where most of them are noise, else 0."""
    shares = sorted(_share_of_noise(each) for each in series)
    return OWN_SMOOTHING if shares and shares[len(shares) // 2] >= NOISY else 0


def _share_of_noise(series: Any) -> float:
    """Return the thickness of a line's noise as a share of the range of its values, without outliers."""
    rows = series.rows
    if len(rows) < LEAST_ROWS:
        return 0.0
    if series.width == 1:
        values = rows["first"][np.isfinite(rows["first"])]
        bends = np.abs(values[2:] - 2 * values[1:-1] + values[:-2])
        return 4 * _quantile(bends, 0.5) / SECOND_DIFFERENCE / _range_within(values)
    full = rows[rows["count"] > 1]
    thickness = _quantile(full["max"] - full["min"], 0.5)
    ends = np.concatenate([full["min"], full["max"]])
    return max(thickness, 4 * _noise_between(full[:-1], full[1:])) / _range_within(ends)


def _noise_between(before: Any, after: Any) -> float:
    """Return the noise's standard deviation by the jumps between buckets, less the line through their means."""
    with np.errstate(invalid="ignore"):  # of values that are not finite
        n = (before["count"] + after["count"]) / 2
        jumps = np.abs(after["first"] - before["last"] - (after["mean"] - before["mean"]) / n)
    sizes = jumps / np.sqrt(2 * ((1 - n**-2.0) ** 2 + (n - 1) * n**-4.0)) / NORMAL_MEDIAN
    sizes = sizes[np.isfinite(sizes)]
    return _quantile(sizes, 0.5) if len(sizes) else 0.0


def _range_within(values: Floats) -> float:
    return (_quantile(values, 1 - TAILS) - _quantile(values, TAILS)) or math.inf


def _quantile(values: Floats, share: float) -> float:
    """Return a quantile, at one of the values; NaN of none."""
    return float(np.sort(values)[math.floor(share * (len(values) - 1) + 0.5)]) if len(values) else math.nan


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
