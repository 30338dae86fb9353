"""The range of the y axis, as in ``js/src/plot/domains.ts``."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ..metrics import is_system

if TYPE_CHECKING:
    from .plot import Plot, PlotRow

Range = tuple[float, float]

ON_AXIS: Final = ("line", "dot", "reference")
FAINT_TAILS: Final = 0.1  # share of a faint line's values at either end that the axis may leave out
AIR: Final = 0.05  # of the axis, above and below


def natural_range(metric: str) -> Range | None:
    """Return the range that the y axis of a system metric always includes: percents 0 to 100, sizes from 0."""
    if not is_system(metric):
        return None
    if metric.endswith("%"):
        return 0.0, 100.0
    return (0.0, 0.0) if re.search(r"\b[KMGT]?B(/s)?$", metric, re.ASCII) else None


def y_window(plot: Plot) -> Range | None:
    """Return the range of the y axis; None if it follows the data."""
    values = _values(plot)
    usual = _usual(plot, values)
    low, high = (None if end is None or (plot.y_log and end <= 0) else end for end in plot.y_range or (None, None))
    if (low is None and high is None) or not values:
        return usual
    first, last = usual or (min(values), max(values))
    ends = first if low is None else low, last if high is None else high
    return ends if ends[0] < ends[1] else usual


def padded(low: float, high: float, *, log: bool) -> Range:
    """Return a range with some space on both sides."""
    scale, unscale = (math.log, math.exp) if log else (float, float)
    bottom, top = scale(low), scale(high)
    air = ((top - bottom) or (1 if log else abs(top)) or 1) * AIR
    return unscale(bottom - air), unscale(top + air)


def _values(plot: Plot) -> list[float]:
    """Return the finite values that the axis shows. Of smoothed lines these are the smoothed values and most of those as logged."""
    seen = [row for row in plot.rows if row["mark"] in ON_AXIS]
    values = [value for row in seen for value in _shown(plot, row)]
    if plot.smoothing:
        logged = sorted(row["value"] for row in seen if row["mark"] == "line")
        values += [
            logged[math.floor(share * (len(logged) - 1) + 0.5)] for share in (FAINT_TAILS, 1 - FAINT_TAILS) if logged
        ]
    return [value for value in values if math.isfinite(value)]


def _shown(plot: Plot, row: PlotRow) -> tuple[float, ...]:
    return (row["smooth"],) if plot.smoothing and row["mark"] == "line" else (row["value"], row["smooth"])


def _usual(plot: Plot, values: Sequence[float]) -> Range | None:
    """Return the range of the axis where no other is asked for."""
    if not values:
        return None
    natural = natural_range(plot.metric)
    if natural is not None and not plot.y_log:
        return _with_natural((min(values), max(values)), natural)
    low, high = plot.limits or (-math.inf, math.inf)
    inside = [value for value in values if low <= value <= high]
    is_clipped = 0 < len(inside) < len(values)
    if plot.limits is not None and is_clipped and not plot.smoothing:
        return padded(*plot.limits, log=plot.y_log)
    inside = inside or list(values)
    low, high = min(inside), max(inside)
    has_lines = any(row["mark"] == "line" for row in plot.rows)
    if not plot.y_log and not is_clipped and not plot.smoothing and low < high and has_lines:
        return None
    return padded(low, high, log=plot.y_log)


def _with_natural(own: Range, natural: Range) -> Range:
    """Add space only at an end that the data exceed."""
    bottom, top = min(own[0], natural[0]), max(own[1], natural[1])
    air = ((top - bottom) or 1) * AIR
    return bottom - air if bottom < natural[0] else bottom, top + air if top > natural[1] else top
