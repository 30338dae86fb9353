"""The x axes of charts, and where points are on them, as in ``js/src/plot/x-axis.ts``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Final

import numpy as np

from ..frames.picture import Picture
from ..frames.protocol import NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY, RunHeader
from ..metrics import axis_of, is_system
from .downsample import PlacedPoint, is_bridged
from .thinning import corners, thinned

_HIDDEN: Final = ((NAN, math.nan), (POSITIVE_INFINITY, math.inf), (NEGATIVE_INFINITY, -math.inf))

Point = tuple[float, float, float]  # step, time, value
Place = Callable[[float, float], float]  # returns x from a step and a time; NaN is not on the axis


def axes_only(picture: Picture) -> set[str]:
    """Return the metrics defined as x axes of others, which have no charts of their own."""
    used = {metric: x_axis_of(picture, metric, "step") for metric in picture.metrics if not is_system(metric)}
    return {x for metric, x in used.items() if x != metric} - {"step", "relative", "time"}


def x_axis_of(picture: Picture, metric: str, chosen: str) -> str:
    """Return the x axis of a metric: the board's `chosen` one, or, if that is the step, the one defined for the metric.

    System metrics are drawn over time, because their steps have no meaning.
    """
    if is_system(metric):
        return "time" if chosen == "time" else "relative"
    if chosen != "step":
        return chosen
    defined = [pair for run in picture.runs.values() for pair in run["defined"]]
    return axis_of(defined, metric) or chosen


def place_on(x_axis: str, picture: Picture, run: RunHeader) -> Place:
    """Return the function from step and time of a run's points to their x."""
    if x_axis == "step":
        return lambda step, _: step
    if x_axis in ("relative", "time"):
        start = run["started"] if x_axis == "relative" else 0.0
        return lambda _, time: 1000 * (time - start)
    series = picture.series.get((run["key"], picture.metrics.get(x_axis, -1)))
    if series is None:
        return lambda *_: math.nan
    at = join_of(series)
    return lambda step, _: at(step)


def join_of(series: Any) -> Callable[[float], float]:
    """Return a metric's value as a function of the step: the last logged value, interpolated between the ends of buckets.

    It is NaN before the first step.
    """
    exact, rows = series.width == 1, series.rows
    ends = ("first",) if exact else ("first", "last")
    steps = np.ravel(np.column_stack([rows[end + "_step"] for end in ends]))
    values = np.ravel(np.column_stack([rows[end] for end in ends]))
    steps, values = steps[np.isfinite(values)], values[np.isfinite(values)]

    def at(step: float) -> float:
        row = int(np.searchsorted(steps, step, side="right")) - 1
        if row < 0:
            return math.nan
        if exact or row == len(steps) - 1 or steps[row + 1] == steps[row]:
            return float(values[row])
        share = float((step - steps[row]) / (steps[row + 1] - steps[row]))
        return float(values[row] + (values[row + 1] - values[row]) * share)

    return at


def placed(series: Any, place: Place, most: int | None = None) -> list[PlacedPoint]:
    """Return all points, or the first, smallest, largest and last point of each bucket, by step, if they have an x.

    With `most`, return about so many of them.
    """
    points = _few_points(series.rows, most) if most else _points(series)
    return [
        (step, time, value, x, bridged)
        for step, time, value, bridged in points
        if math.isfinite(x := place(step, time))
    ]


def _few_points(rows: Any, most: int) -> list[tuple[float, float, float, bool]]:
    """Return about `most` points, of which those are bridged that have a positive value up to the next point on either side."""
    points = corners(rows)
    steps = points[0]
    tops = rows["max"][np.searchsorted(rows["first_step"], steps, side="right") - 1]
    kept = thinned(points, most)
    at = np.searchsorted(steps, kept[0])
    sides = zip(np.r_[0, at[:-1] + 1], np.r_[at[1:], len(steps)], strict=True)
    largest = [float(np.fmax.reduce(tops[start:end])) for start, end in sides]
    return [
        (step, time, value, is_bridged(value, top))
        for step, time, value, top in zip(*(column.tolist() for column in kept), largest, strict=True)
    ]


def _points(series: Any) -> list[tuple[float, float, float, bool]]:
    """Return step, time and value of the points, and whether they are bridged."""
    rows = series.rows
    if series.width == 1:
        columns = (rows[name].tolist() for name in ("first_step", "first_time", "first"))
        return [(*point, False) for point in zip(*columns, strict=True)]
    points: list[tuple[float, float, float, bool]] = []
    for row in (dict(zip(rows.dtype.names, values, strict=True)) for values in rows.tolist()):
        for step, time, value in _corners(row):
            if not points or points[-1][0] != step or not _same(points[-1][2], value):
                points.append((step, time, value, is_bridged(value, row["max"])))
    return points


def _corners(row: Mapping[str, float]) -> list[Point]:
    """Return the points of a bucket in the order of their steps, possibly with duplicates."""

    def corner(name: str) -> Point:
        return row[name + "_step"], row[name + "_time"], row[name]

    between = sorted([corner("min"), corner("max")], key=itemgetter(0)) if row["count"] > 0 else []
    points = [corner("first"), *between, corner("last")]
    mask = int(row["mask"])
    if not mask:
        return points
    # non-finite values that are neither first nor last have no known step: use the middle of the bucket
    step, time = math.floor((points[0][0] + points[-1][0]) / 2), (points[0][1] + points[-1][1]) / 2
    ends = (row["first"], row["last"])
    hidden = [value for bit, value in _HIDDEN if mask & bit and not any(_same(end, value) for end in ends)]
    return sorted([*points, *((step, time, value) for value in hidden)], key=itemgetter(0))


def _same(a: float, b: float) -> bool:
    """Compare like JavaScript's ``Object.is``: NaN equals NaN, and 0 differs from -0."""
    return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
