"""Fewer points for the same pixels (M4), as in ``js/src/plot/downsample.ts``."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

PlacedPoint = tuple[float, float, float, float, bool]
"""Step, time, value, x, and whether it is `bridged`."""


def is_bridged(value: float, largest: float) -> bool:
    """Whether a line on a logarithmic axis passes through a point: it is not positive, but others of its bucket or pixel column are."""
    return value <= 0 < largest


def at_pixels(lines: Sequence[list[PlacedPoint]], columns: float, *, log: bool) -> list[list[PlacedPoint]]:
    """Reduce lines sorted by x to points that draw the same pixels on a chart of `columns` pixels."""

    def scale(x: float) -> float:
        return (math.log(x) if x > 0 else -math.inf) if log else x

    on_axis = [x for line in lines for *_, x, _ in line if scale(x) > -math.inf]
    if not on_axis:
        return list(lines)
    start, end = scale(min(on_axis)), scale(max(on_axis))
    return [
        line
        if len(line) <= 4 * columns or not end > start
        else _per_column(line, columns / (end - start), start, scale)
        for line in lines
    ]


def _per_column(
    line: list[PlacedPoint], pixels: float, start: float, scale: Callable[[float], float]
) -> list[PlacedPoint]:
    """Return the first, smallest, largest and last point of each pixel column (M4), and one of each kind of non-finite value."""

    def column(point: PlacedPoint) -> float:
        at = (scale(point[3]) - start) * pixels
        return math.floor(at) if math.isfinite(at) else at

    kept: list[PlacedPoint] = []
    for _, group in itertools.groupby(line, column):
        points = list(group)
        numbers = [i for i, point in enumerate(points) if math.isfinite(point[2])]
        chosen = {0, len(points) - 1}
        if numbers:
            chosen |= {min(numbers, key=lambda i: points[i][2]), max(numbers, key=lambda i: points[i][2])}
        kinds = {str(point[2]): i for i, point in reversed(list(enumerate(points))) if not math.isfinite(point[2])}
        few = range(len(points)) if len(points) <= 4 else sorted(chosen | set(kinds.values()))
        largest = max((points[i][2] for i in numbers), default=0.0)
        kept += [(*points[i][:4], points[i][4] or is_bridged(points[i][2], largest)) for i in few]
    return kept
