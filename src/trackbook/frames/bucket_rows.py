"""Make and merge the rows of buckets (M4). Each function takes the rows of many series at once, sorted by series."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..store.metric_stats import groups
from .protocol import BUCKET_COLUMNS, NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY
from .ragged_array import Ids, sizes

# `changed` is since the last `settle`. Every field has eight bytes, so that rows can be viewed as a matrix.
ROW = np.dtype([(name, "i8" if name == "bucket" else "f8") for name in BUCKET_COLUMNS] + [("changed", "i8")])
POINT = np.dtype([("step", "i8"), ("time", "f8"), ("value", "f8"), ("changed", "i8")])
CORNERS = {
    name: slice(BUCKET_COLUMNS.index(f"{name}_step"), BUCKET_COLUMNS.index(name) + 1)
    for name in ("first", "min", "max", "last")
}

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]
Rows = NDArray[np.void]
Taken = tuple[Ids, Rows]  # the series of each row, and the rows


def gather(series: Ids, steps: Steps, times: Floats, values: Floats, shift: Steps) -> Taken:
    """Return the buckets of points sorted by series and step. The bucket of each point is ``2 ** shift`` steps wide."""
    bucket = steps >> shift
    starts = groups(series, bucket)
    counts = sizes(starts, len(series))
    rows = np.empty(len(starts), ROW)
    rows["bucket"], rows["changed"] = bucket[starts], 1
    finite = np.isfinite(values)
    if finite.all():
        rows["count"], rows["mask"] = counts, 0
        low = high = clean = values
    else:
        rows["count"] = np.add.reduceat(finite.astype(np.int64), starts)
        rows["mask"] = np.bitwise_or.reduceat(_mask(values), starts)
        low, high, clean = (np.where(finite, values, instead) for instead in (np.inf, -np.inf, 0.0))
    rows["not_finite"] = counts - rows["count"]
    least = np.minimum.reduceat(low, starts)
    rows["not_positive"] = np.add.reduceat((low <= 0).astype(np.int64), starts) if (least <= 0).any() else 0
    with np.errstate(all="ignore"):  # sums of huge values overflow to infinity, as float arithmetic does
        rows["mean"] = mean = np.add.reduceat(clean, starts) / rows["count"]
        apart = np.where(finite, clean - np.repeat(mean, counts), 0.0)
        rows["m2"] = np.add.reduceat(apart * apart, starts)
    for name, at in (
        ("first", starts),
        ("last", starts + counts - 1),
        ("min", _place(low, least, starts, counts)),
        ("max", _place(high, np.maximum.reduceat(high, starts), starts, counts)),
    ):
        rows[name + "_step"], rows[name + "_time"], rows[name] = steps[at], times[at], values[at]
    _blank(rows)
    return series[starts], rows


def of_points(points: Rows) -> Rows:
    """Return a bucket for each point."""
    rows = np.empty(len(points), ROW)
    value, finite = points["value"], np.isfinite(points["value"])
    rows["bucket"], rows["count"], rows["mean"], rows["m2"] = points["step"], finite, value, 0.0
    rows["mask"], rows["not_positive"], rows["not_finite"] = _mask(value), finite & (value <= 0), ~finite
    rows["changed"] = points["changed"]
    for name in CORNERS:
        rows[name + "_step"], rows[name + "_time"], rows[name] = points["step"], points["time"], value
    _blank(rows)
    return rows


def merged(series: Ids, rows: Rows, more: Steps) -> Taken:
    """Merge rows into buckets ``2 ** more`` times as wide, `more` by row."""
    bucket = rows["bucket"] >> more
    starts = groups(series, bucket)
    if len(starts) == len(rows):
        rows["bucket"] = bucket
        return series, rows
    spans = sizes(starts, len(rows))
    found = np.empty(len(starts), ROW)
    count = rows["count"]
    found["bucket"] = bucket[starts]
    found["count"] = total = np.add.reduceat(count, starts)
    for name in ("not_positive", "not_finite"):
        found[name] = np.add.reduceat(rows[name], starts)
    found["mask"] = np.bitwise_or.reduceat(rows["mask"].astype(np.int64), starts)
    found["changed"] = np.bitwise_or.reduceat(rows["changed"], starts)
    low, high = rows["min"], rows["max"]
    mean, m2 = rows["mean"], rows["m2"]
    if not count.all():
        full = count > 0
        low, high = np.where(full, low, np.inf), np.where(full, high, -np.inf)
        mean, m2 = np.where(full, mean, 0.0), np.where(full, m2, 0.0)
    with np.errstate(all="ignore"):
        found["mean"] = whole = np.add.reduceat(count * mean, starts) / total
        apart = mean - np.repeat(whole, spans)
        found["m2"] = np.add.reduceat(m2 + np.where(count > 0, count * apart * apart, 0.0), starts)
    into, source = (table.view(np.float64).reshape(len(table), -1) for table in (found, rows))
    for name, at in (
        ("first", starts),
        ("min", _place(low, np.minimum.reduceat(low, starts), starts, spans)),
        ("max", _place(high, np.maximum.reduceat(high, starts), starts, spans)),
        ("last", starts + spans - 1),
    ):
        into[:, CORNERS[name]] = source[at, CORNERS[name]]
    _blank(found)
    return series[starts], found


def joined(series: Ids, rows: Rows) -> Taken:
    """Merge sorted rows, of which at most two neighbours share a series and bucket, into one row for each bucket."""
    bucket = rows["bucket"]
    same = (series[1:] == series[:-1]) & (bucket[1:] == bucket[:-1])
    if not same.any():
        return series, rows
    kept = np.concatenate([[True], ~same])
    into = np.flatnonzero(same)
    one, other = rows[into], rows[into + 1]
    rows = rows[kept]
    rows[np.cumsum(kept)[into] - 1] = _join(one, other)
    return series[kept], rows


def _join(one: Rows, other: Rows) -> Rows:
    """Merge pairs of buckets. Of equal extremes the one with the smaller step is kept."""
    result = one.copy()
    into, source = (rows.view(np.float64).reshape(len(rows), -1) for rows in (result, other))
    n, m = one["count"], other["count"]

    def beats(name: str, sign: float) -> NDArray[np.bool_]:
        ours, theirs = sign * one[name], sign * other[name]
        nearer = other[name + "_step"] < one[name + "_step"]
        better: NDArray[np.bool_] = (m > 0) & ((n == 0) | (theirs < ours) | ((theirs == ours) & nearer))
        return better

    with np.errstate(all="ignore"):
        for name, better in (
            ("first", other["first_step"] < one["first_step"]),
            ("min", beats("min", 1.0)),
            ("max", beats("max", -1.0)),
            ("last", other["last_step"] > one["last_step"]),
        ):
            into[better, CORNERS[name]] = source[better, CORNERS[name]]
        apart, share = other["mean"] - one["mean"], m / (n + m)
        both = (n > 0) & (m > 0)
        result["mean"] = np.where(both, one["mean"] + apart * share, np.where(n > 0, one["mean"], other["mean"]))
        result["m2"] = one["m2"] + other["m2"] + np.where(both, apart * apart * n * share, 0.0)
    result["count"] = n + m
    for name in ("not_positive", "not_finite"):
        result[name] += other[name]
    result["mask"] = one["mask"].astype(np.int64) | other["mask"].astype(np.int64)
    result["changed"] |= other["changed"]
    return result


def points(steps: Steps, times: Floats, values: Floats) -> Rows:
    """Return points as rows."""
    rows = np.empty(len(steps), POINT)
    rows["step"], rows["time"], rows["value"] = steps, times, values
    return rows


def _blank(rows: Rows) -> None:
    """Set mean and extremes to NaN where no value is finite."""
    empty = rows["count"] == 0
    if empty.any():
        rows["mean"][empty] = np.nan
        for name in ("min", "max"):
            for column in (name + "_step", name + "_time", name):
                rows[column][empty] = np.nan


def _place(values: Floats, extremes: Floats, starts: NDArray[np.intp], counts: Steps) -> NDArray[np.intp]:
    """Return the index of each group's first extreme."""
    hits = np.flatnonzero(values == np.repeat(extremes, counts))
    places: NDArray[np.intp] = hits[np.searchsorted(hits, starts)]
    return places


def _mask(values: Floats) -> Steps:
    kinds = ((NAN, np.isnan), (POSITIVE_INFINITY, np.isposinf), (NEGATIVE_INFINITY, np.isneginf))
    mask: Steps = np.zeros(len(values), np.int64)
    for bit, is_kind in kinds:
        mask[is_kind(values)] = bit
    return mask
