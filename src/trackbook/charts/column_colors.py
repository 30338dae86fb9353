"""Colors of runs by a column: one for each of few values, or along a ramp from the smallest number to the largest.

The twin of ``js/src/runs/color-by.ts``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from .theme import theme

_FEW: Final = 5  # different numbers that have a color each
_LOG_RATIO: Final = 100  # between the largest and the smallest number, from which on the ramp is of magnitudes


def column_colors(values: Mapping[str, Any], look: str = "light") -> dict[str, str]:
    """Return colors by run, ``#rrggbb``, for the values of a column by run; a run without a value is grey."""
    colors = theme()[look]
    known = {_key(value): value for value in values.values() if _is_colored(value)}
    distinct = sorted(known, key=lambda key: _order(known[key]))
    numbers = [known[key] for key in distinct]
    if len(distinct) > _FEW and all(_is_number(value) for value in numbers):
        low, high = numbers[0], numbers[-1]
        is_log = low > 0 and high / low >= _LOG_RATIO
        ends = [math.log10(low), math.log10(high)] if is_log else [low, high]

        def color(value: Any) -> str:
            place = math.log10(value) if is_log else value
            return ramp_color((place - ends[0]) / (ends[1] - ends[0]), colors["ramp"])

    else:
        line: list[str] = colors["line"]
        places = {key: place for place, key in enumerate(distinct)}

        def color(value: Any) -> str:
            return line[places[_key(value)] % len(line)]

    return {run: color(value) if _is_colored(value) else colors["faded"]["line"] for run, value in values.items()}


def ramp_color(share: float, ramp: list[str]) -> str:
    """Return the color of a value's place in its range, from 0 to 1."""
    at = min(1.0, max(0.0, share)) * (len(ramp) - 1)
    start = min(len(ramp) - 2, int(at))
    ends = [[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in ramp[start : start + 2]]
    mixed = [math.floor(a + (b - a) * (at - start) + 0.5) for a, b in zip(*ends, strict=True)]
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_colored(value: Any) -> bool:
    return value not in (None, "") and not (isinstance(value, float) and not math.isfinite(value))


def _key(value: Any) -> Any:
    return (isinstance(value, bool), value)  # True is not 1


def _order(value: Any) -> tuple[bool, float, list[tuple[bool, int, str]]]:
    """Sort naturally: numbers before texts, and "run 2" before "run 10"."""
    if _is_number(value):
        return False, value, []
    text = str(value).casefold() if not isinstance(value, bool) else str(value).lower()
    parts = re.findall(r"\d+|\D+", text)
    return True, 0.0, [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
