"""Points for small pictures: a series in as many points as a reader can tell apart, in as few digits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..frames.bucket_rows import Floats, Rows, Steps

Points = tuple[Steps, Floats, Floats]  # steps, times (seconds UTC), values


def corners(rows: Rows) -> Points:
    """Return the first, smallest, largest and last point of each bucket, or all points of a series of points, by step."""
    names = ("first", "min", "max", "last")
    steps, times, values = (
        np.concatenate([rows[name + suffix] for name in names]) for suffix in ("_step", "_time", "")
    )
    kept = np.isfinite(steps)  # a bucket without finite values has NaN for its extremes
    steps, times, values = steps[kept].astype(np.int64), times[kept], values[kept]
    _, unique = np.unique(steps, return_index=True)  # a step has one value
    return steps[unique], times[unique], values[unique]


def thinned(points: Points, most: int) -> Points:
    """Reduce points to about `most`: the ends, and the smallest, largest and non-finite values of aligned buckets.

    With so few buckets, their first and last points (as in M4) would draw a sawtooth.
    """
    steps, _, values = points
    if len(steps) <= most:
        return points
    width = 1 << max(0, (int(steps[-1] - steps[0]) // most).bit_length() - 1)
    while True:
        kept = _extremes(steps // width, values)
        if len(kept) <= max(most, 4) or steps[-1] // width == steps[0] // width:
            steps, times, values = (column[kept] for column in points)
            return steps, times, values
        width *= 2


def _extremes(bucket: Steps, values: Floats) -> Any:
    """Return the positions of both ends, of each bucket's extremes, and of one of each kind of non-finite value in each bucket."""
    starts = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])
    smallest = np.lexsort((np.where(np.isfinite(values), values, np.inf), bucket))[starts]
    largest = np.lexsort((np.where(np.isfinite(values), -values, np.inf), bucket))[starts]
    odd = []
    for kind in (np.isnan, np.isposinf, np.isneginf):
        places = np.flatnonzero(kind(values))
        odd.append(places[np.unique(bucket[places], return_index=True)[1]])
    return np.unique(np.concatenate([[0, len(values) - 1], smallest, largest, *odd]))


def rounded(values: Floats) -> list[str]:
    """Format values with at least three digits, and enough to resolve a thousandth of the range of the finite values."""
    finite = values[np.isfinite(values)]
    largest = float(np.abs(finite).max()) if len(finite) else 1.0
    with np.errstate(all="ignore"):
        ratio = largest / float(np.ptp(finite)) if len(finite) and np.ptp(finite) > 0 else 1e3
    digits = min(12, 3 + max(0, math.ceil(math.log10(ratio)))) if math.isfinite(ratio) and ratio > 0 else 6
    words = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    texts = [f"{value:.{digits}g}" for value in values.tolist()]
    return [words.get(text, text) for text in texts]
