"""The Vega-Lite chart of what the board draws of a metric: alone, in the chart of a whole board, in a snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from . import metric_spec
from .board_design import ABOVE, beside, latest, latest_text, literal, share_digits
from .metric_spec import LAYERS, MOST_NAMED, Layer, Spec
from .plot import Plot
from .run_styles import RunStyle
from .user_spec import plain

AXIS_TITLES: Final = {"step": "step", "relative": "time since the start", "time": None}
DASH_SIGNS: Final[dict[tuple[int, ...], str]] = {(): "—", (5, 3): "- -", (2, 3): "···", (8, 3, 2, 3): "- ·"}
_LIVE: Final = ("line", "dot", "reference", "best")  # marks that have layers of their own


def single(plot: Plot, data: Spec | None, *, width: int) -> Spec:
    """Return a chart that stands alone, with a legend of its runs and their latest values."""
    colors = {style.label: style.color for style in plot.styles}
    if plot.bars:
        return metric_spec.bar(data, colors=colors, width=width)
    dashes = {style.label: style.dash for style in plot.styles}
    if len(plot.styles) == 1:
        spec = _lines(plot, data, colors=colors, dashes=dashes)
        spec["layer"] += latest(list(plot.latest.values()), width)
        return spec
    last = plot.latest
    values = [latest_text(last[style.label][1]) if style.label in last else "-" for style in plot.styles]
    return _lines(plot, data, colors=colors, dashes=dashes, values=values)


def nested(plot: Plot, data: Spec | None, name: str, heading: Mapping[str, Any], *, width: int) -> Spec:
    """Return a chart of a board, with the latest values, or what its dashes mean, beside its title."""
    if plot.bars:
        return metric_spec.bar(data, colors={}, width=width, by_row=True) | {"title": {**heading, "offset": ABOVE}}
    spec = _lines(plot, data, colors={}, by_row=True, scales=f"{name}_")
    key = _parts_key(plot)
    spec["layer"] += [beside(key, width)] if key else latest(list(plot.latest.values()), width)
    return spec | {"title": dict(heading)}


def _parts_key(plot: Plot) -> str:
    """Return what the dashes of a chart of several metrics mean; empty where none differ."""
    parts = dict.fromkeys((style.part, tuple(style.dash)) for style in plot.styles if style.part)
    if len({dash for _, dash in parts}) < 2:
        return ""
    named = [f"{DASH_SIGNS.get(dash, '')} {part}" for part, dash in parts]
    return "   ".join(named)


def legend_styles(plots: Sequence[Plot]) -> list[RunStyle]:
    """Return the styles that the legend of a board explains: of all runs, the oldest first, or of the metrics that a lone run has in one chart."""
    every = [style for plot in reversed(plots) for style in plot.styles]
    runs = {style.run["id"]: replace(style, label=style.label.removesuffix(f" · {style.part}")) for style in every}
    if len(runs) == 1:
        runs = {style.label: style for style in every if style.part}
    order = sorted(runs.values(), key=lambda style: (not style.run["faded"], style.run["started"], style.run["key"]))
    styles = order[-MOST_NAMED:]
    return [replace(style, color=style.color[:7], faint=False) for style in styles]


def legend(styles: Sequence[RunStyle]) -> Spec:
    """Return the layer with the legend of a board, for its first chart."""
    return metric_spec.legend_layer({style.label: style.color for style in styles})


def _lines(plot: Plot, data: Spec | None, **look: Any) -> Spec:
    """Return the line chart, with only the layers that have rows."""
    marks = {row["mark"] for row in plot.rows}
    layers: list[Layer] = ["reference"] if "reference" in marks else []
    layers += ["raw", "line"] if plot.smoothing else ["line"]
    layers += ["dots"] if "dot" in marks else []
    layers += ["best"] if "best" in marks else []
    layers += ["not finite"] if marks.difference(_LIVE) else []
    x_axis: Any = plot.x_axis if plot.x_axis in AXIS_TITLES else "metric"
    spec = metric_spec.line(
        x_axis,
        data,
        **look,
        layers=layers,
        x_log=plot.x_log,
        y_log=plot.y_log,
        y_window=plot.window,
        clipped=plot.is_clipped,
        options=plot.options,
        offsets=share_digits([[row["value"] for row in plot.lines]]),
        has_faint=any(style.faint for style in plot.styles),
    )
    spec["encoding"]["x"]["title"] = AXIS_TITLES.get(plot.x_axis, literal(plot.x_axis))
    if data is None:  # that of the enclosing chart has the lines only
        for layer, name in zip(spec["layer"], [name for name in LAYERS if name in layers], strict=False):
            if name in ("reference", "best"):
                layer["data"] = {"values": plain(row for row in plot.rows if row["mark"] == name)}
    return spec
