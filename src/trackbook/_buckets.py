"""Series bounded by pixels: points gathered in buckets of a power of two of steps, aligned at 0 (M4).

Aligned buckets never shift as a run grows, so nothing flickers, and they merge exactly: a bucket keeps its first, last,
smallest and largest point, which draw the same pixels as all of its points do (Jugel et al., M4, VLDB 2014), and count,
mean and sum of squares (Chan et al., 1979) for what smooths or averages.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._protocol import BUCKET_COLUMNS, NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY

POINTS_LIMIT = 1024  # as many bytes as a quarter of as many buckets: worth keeping every point of a short series
BUCKETS_LIMIT = 512  # two to four buckets a pixel column of a chart in the grid, one in a full-width chart

ROW = np.dtype([(name, "i8" if name == "bucket" else "f8") for name in BUCKET_COLUMNS])

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]
Rows = NDArray[np.void]


class Buckets:
    """One series. ``rows`` is sorted by bucket; ``changed`` has the buckets touched since `settle`."""

    def __init__(self) -> None:
        self.width = 1
        self.rows: Rows = np.empty(0, ROW)
        self._changed: Steps = np.empty(0, np.int64)

    def add(self, steps: Steps, times: Floats, values: Floats) -> None:
        """Takes in points of any order; their steps are new to the series."""
        if len(steps) == 0:
            return
        if np.any(steps[1:] < steps[:-1]):
            order = np.argsort(steps, kind="stable")
            steps, times, values = steps[order], times[order], values[order]
        occupied = _distinct(steps // self.width)
        while len(occupied) > self._limit:
            self._double()
            occupied = _distinct(occupied >> 1)
        fresh = _gather(steps, times, values, self.width)
        self._changed = np.union1d(self._changed, occupied)
        start = np.searchsorted(self.rows["bucket"], occupied[0])
        self.rows = np.concatenate([self.rows[:start], _merge(np.concatenate([self.rows[start:], fresh]))])
        while len(self.rows) > self._limit:
            self._double()

    def changed(self) -> Rows:
        """The rows touched since the last `settle`, each complete."""
        return self.rows[np.isin(self.rows["bucket"], self._changed, assume_unique=True)]

    def settle(self) -> None:
        self._changed = np.empty(0, np.int64)

    @property
    def _limit(self) -> int:
        return POINTS_LIMIT if self.width == 1 else BUCKETS_LIMIT

    def _double(self) -> None:
        self.width *= 2
        self.rows = _double(self.rows)
        self._changed = _distinct(self._changed >> 1)


def _double(rows: Rows) -> Rows:
    halved = rows.copy()
    halved["bucket"] >>= 1
    return _merge(halved)


def _gather(steps: Steps, times: Floats, values: Floats, width: int) -> Rows:
    """The rows of points that are sorted by step."""
    if width == 1:
        return _of_points(steps, times, values)
    bucket = steps // width
    starts, sizes = _groups(bucket)
    rows = np.empty(len(starts), ROW)
    rows["bucket"] = bucket[starts]
    # one bucket at a time: there are few, and each is one sweep over memory
    for row, start, end in zip(rows, starts.tolist(), (starts + sizes).tolist(), strict=True):
        _fill(row, steps[start:end], times[start:end], values[start:end])
    return rows


def _of_points(steps: Steps, times: Floats, values: Floats) -> Rows:
    """A row for each point."""
    rows = np.empty(len(steps), ROW)
    finite = np.isfinite(values)
    rows["bucket"] = steps
    rows["count"], rows["mean"], rows["m2"], rows["mask"] = finite, np.where(finite, values, np.nan), 0.0, _mask(values)
    for name in ("first", "last"):
        rows[name + "_step"], rows[name + "_time"], rows[name] = steps, times, values
    for name in ("min", "max"):
        for column, source in ((name + "_step", steps), (name + "_time", times), (name, values)):
            rows[column] = np.where(finite, source, np.nan)
    return rows


def _fill(row: Any, steps: Steps, times: Floats, values: Floats) -> None:
    """What a bucket says of its points, which are sorted by step."""
    for name, at in (("first", 0), ("last", -1)):
        row[name + "_step"], row[name + "_time"], row[name] = steps[at], times[at], values[at]
    row["mask"] = 0
    with np.errstate(all="ignore"):  # sums of huge values overflow to infinity, as float arithmetic does
        total = values.sum()
        if not math.isfinite(total):
            row["mask"] = np.bitwise_or.reduce(_mask(values))
            finite = np.isfinite(values)
            steps, times, values = steps[finite], times[finite], values[finite]
            total = values.sum()
        row["count"] = len(values)
        mean = total / len(values) if len(values) else np.nan
        apart = values - mean
        row["mean"], row["m2"] = mean, apart.dot(apart)
    extremes = (("min", int(values.argmin())), ("max", int(values.argmax()))) if len(values) else ()
    for name, at in extremes:
        row[name + "_step"], row[name + "_time"], row[name] = steps[at], times[at], values[at]
    if not len(values):
        for name in ("min", "max"):
            row[name + "_step"], row[name + "_time"], row[name] = np.nan, np.nan, np.nan


def _mask(values: Floats) -> Steps:
    kinds = ((NAN, np.isnan), (POSITIVE_INFINITY, np.isposinf), (NEGATIVE_INFINITY, np.isneginf))
    mask: Steps = np.zeros(len(values), np.int64)
    for bit, is_kind in kinds:
        mask[is_kind(values)] = bit
    return mask


def _merge(rows: Rows) -> Rows:
    """Rows of which several may share a bucket -> one row a bucket, sorted."""
    rows = rows[np.argsort(rows["bucket"], kind="stable")]
    starts, sizes = _groups(rows["bucket"])
    if len(starts) == len(rows):
        return rows
    merged = rows[starts]
    for name, order in (
        ("first", np.lexsort((rows["first_step"], rows["bucket"]))),
        ("last", np.lexsort((-rows["last_step"], rows["bucket"]))),
        ("min", np.lexsort((rows["min_step"], rows["min"], rows["bucket"]))),
        ("max", np.lexsort((rows["max_step"], -rows["max"], rows["bucket"]))),
    ):
        best = rows[order[starts]]
        for column in (name + "_step", name + "_time", name):
            merged[column] = best[column]
    with np.errstate(all="ignore"):
        weighted = np.where(rows["count"] > 0, rows["count"] * rows["mean"], 0.0)
        merged["count"] = np.add.reduceat(rows["count"], starts)
        merged["mean"] = np.add.reduceat(weighted, starts) / merged["count"]
        apart = rows["mean"] - np.repeat(merged["mean"], sizes)
        spread = np.where(rows["count"] > 0, rows["m2"] + rows["count"] * apart**2, 0.0)
        merged["m2"] = np.add.reduceat(spread, starts)
    merged["mask"] = np.bitwise_or.reduceat(rows["mask"].astype(np.int64), starts)
    return merged


def _distinct(keys: Steps) -> Steps:
    return keys[np.r_[len(keys) > 0, keys[1:] != keys[:-1]]] if len(keys) else keys


def _groups(keys: Steps) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Start and size of each run of equal keys."""
    starts = np.flatnonzero(np.r_[len(keys) > 0, keys[1:] != keys[:-1]])
    return starts, np.diff(np.r_[starts, len(keys)])
