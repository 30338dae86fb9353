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
from .downsample import PlacedPoint
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
    if most:
        points = list(zip(*(column.tolist() for column in thinned(corners(series.rows), most)), strict=True))
    else:
        points = _points(series)
    return [(step, time, value, x) for step, time, value in points if math.isfinite(x := place(step, time))]


def _points(series: Any) -> list[Point]:
    rows = series.rows
    if series.width == 1:
        return list(zip(*(rows[name].tolist() for name in ("first_step", "first_time", "first")), strict=True))
    points: list[Point] = []
    for row in (dict(zip(rows.dtype.names, values, strict=True)) for values in rows.tolist()):
        for point in _corners(row):
            if not points or points[-1][0] != point[0] or not _same(points[-1][2], point[2]):
                points.append(point)
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
