"""The best value of a chart, and which of many lines are drawn strong, as in ``js/src/plot/emphasis.ts``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..metrics import Goal

if TYPE_CHECKING:
    from .run_styles import RunStyle

MOST_STRONG: Final = 20  # lines of a chart; of more all but two are faint


class BestPoint(NamedTuple):
    step: float
    time: float
    value: float
    x: float


def best_point(series: Any, goal: Goal | None) -> tuple[float, float, float] | None:
    """Return step, time and value of the smallest or largest finite value of a series; None without a goal or a value."""
    if goal is None:
        return None
    name = "first" if series.width == 1 else goal
    values = np.where(np.isfinite(series.rows[name]), series.rows[name], np.nan)
    if np.isnan(values).all():
        return None
    row = series.rows[int(np.nanargmin(values) if goal == "min" else np.nanargmax(values))]
    return float(row[f"{name}_step"]), float(row[f"{name}_time"]), float(row[name])


def best_label(styles: Sequence[RunStyle], bests: Mapping[str, BestPoint], goal: Goal | None) -> str | None:
    """Return the label of the run with the best value, the first of equal ones; None if there is none."""
    found: str | None = None
    for style in styles:
        if style.label in bests and goal is not None:
            value, best = bests[style.label].value, math.nan if found is None else bests[found].value
            if math.isnan(best) or (value < best if goal == "min" else value > best):
                found = style.label
    return found


def emphasized(styles: Sequence[RunStyle], bests: Mapping[str, BestPoint], goal: Goal | None) -> list[RunStyle]:
    """Return the styles in drawing order: of many lines the others faint, then the best run's, then the current one's, the last one."""
    if len(styles) <= MOST_STRONG:
        return list(styles)
    current = styles[-1]
    label = best_label(styles, bests, goal)
    best = next((style for style in styles if style.label == label), current)
    faint = [
        replace(style, color=style.color[:7] + _opacity(len(styles)), faint=True)
        for style in styles
        if style is not best and style is not current
    ]
    return [*faint, *([] if best is current else [best]), current]


def _opacity(lines: int) -> str:
    """Return the opacity of faint lines as two hexadecimal digits: the more there are, the less each may cover."""
    return f"{math.floor(255 * max(0.14, min(0.5, 2.4 / math.sqrt(lines))) + 0.5):02x}"
