"""The look of a board's charts outside of the board: snapshots in notebooks, `Board.save`, charts as Altair charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

import numpy as np

from ..text import shorten
from .theme import config, theme

FONT: Final = "sans-serif"  # in files; on boards it is the notebook's
GAP: Final = 10  # pixels between two latest values
CHARACTER: Final = 6.5  # pixels of a digit at 11 px
MOST_LATEST: Final = 3  # runs with their latest value beside the title
BESIDE_LATEST: Final = -11  # offset of a title on the line of the latest values, which are above the plot
ABOVE: Final = 10  # of a title above a plot without latest values
LEFT: Final = 40  # pixels from the plot to the title, which begins above the labels of the y axis

_TEXT: Final = theme()["light"]["text"]
_LABEL: Final = theme()["light"]["label"]
TITLE: Final = {
    "anchor": "start",
    "color": _TEXT,
    "fontSize": 12,
    "fontWeight": 600,
    "subtitleColor": _TEXT,
    "subtitleFontSize": 12,
    "subtitlePadding": 6,
}
BESIDE: Final = {"frame": "group", "dx": -LEFT, "offset": BESIDE_LATEST}  # the place of a title beside latest values
ALONE: Final[dict[str, Any]] = {  # of a single chart
    **config("light"),
    "background": theme()["light"]["background"],  # dark on white whatever the page's theme
    "font": FONT,
    "title": TITLE,
    "legend": {
        "orient": "top",
        "labelColor": _TEXT,
        "labelFontSize": 12,
        "symbolType": "stroke",
        "columns": 6,
        "labelLimit": 260,
    },
    "style": {"latest": {"align": "right", "baseline": "bottom", "fontSize": 11}},
}
ALONE["axis"] = ALONE["axis"] | {"titleColor": _LABEL, "titleFontSize": 11, "titleFontWeight": "normal"}
CONFIG: Final[dict[str, Any]] = {**ALONE, "title": TITLE | BESIDE}  # of a whole board
_SEPARATORS: Final = str.maketrans("\n\r\u2028\u2029", " " * 4)
_OF_OBJECTS: Final = frozenset(
    "constructor hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf __proto__ "
    "__defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__".split()
)


def title(text: str, group: str | None = None) -> dict[str, Any]:
    """Return the title of a chart, all of a row on one line. With `group` the line above it has the group; empty leaves it free."""
    if group is None:
        return {"text": text}
    return {"text": group or "\u200b", "subtitle": text, "fontSize": 13}


def latest(values: Sequence[tuple[str, float]], width: int) -> list[dict[str, Any]]:
    """Return the layers with the latest values of runs, right above a chart, each in its run's `color`, the last one outermost."""
    shown = [(color, latest_text(value)) for color, value in values[-MOST_LATEST:]] or [(_LABEL, "-")]
    rights = accumulate((len(text) * CHARACTER + GAP for _, text in reversed(shown)), initial=0.0)
    return [beside(text, width - right, color) for (color, text), right in zip(reversed(shown), rights, strict=False)]


def beside(text: str, right: float, color: str = _LABEL) -> dict[str, Any]:
    """Return a layer with a text right above a chart, which ends at `right`."""
    return {
        "transform": [{"aggregate": [{"op": "count", "as": "points"}], "groupby": []}],  # one row
        "mark": {"type": "text", "style": "latest", "text": text, "clip": False},
        "encoding": {"x": {"value": right}, "y": {"value": -10}, "color": {"value": color}},
    }


def latest_text(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    return shorten(f"{value:.4g}", 12)


def share_digits(values: Sequence[Any]) -> bool:
    """Whether all values of some arrays share their first five digits, so that only offsets tell ticks apart."""
    finite = np.concatenate([np.asarray(each, np.float64) for each in values] or [np.empty(0)])
    finite = finite[np.isfinite(finite)]
    return bool(len(finite) and 0 < np.ptp(finite) < 1e-5 * np.abs(finite).max())


def literal(name: str) -> str:
    """Return a name as Vega shows it.

    Vega takes a text that is called like a property of JavaScript's objects for that property, and stops with "Operator not defined". A
    space of no width makes it another text. The titles of tooltips become parts of expressions, which no line separator may be in.
    """
    name = name.translate(_SEPARATORS)
    return f"{name}\N{ZERO WIDTH SPACE}" if name in _OF_OBJECTS else name
