"""Altair for users: charts that carry what the board draws, and users' own charts as specifications for the board.

`charts` makes the board's own specifications and is not needed at run time; this module is, and only when a user asks. They
are the two importers of altair.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import altair as alt
from altair.utils.schemapi import SchemaValidationError

from ..metrics import short_name
from .plot import Plot, Row, Style
from .specs import DURATION_LABEL, STEP_LABEL

LARGEST_SPEC: Final = 100_000  # bytes of JSON: a chart of the board draws what was logged, and carries little itself
DATASET: Final = "points"
MIME: Final = "application/vnd.vegalite.v5+json"  # the newest that JupyterLab and VS Code render by themselves
_TITLES: Final = {"step": "step", "relative": "milliseconds since the start"}
_TIMES: Final[dict[str, dict[str, Any]]] = {
    "relative": {
        "scale": alt.Scale(type="utc", nice=False),
        "axis": alt.Axis(labelExpr=DURATION_LABEL, grid=False),
    },
    "time": {"scale": alt.Scale(nice=False), "axis": alt.Axis(grid=False)},
}
_ALONE, ON_BOARD = (480, 280), (300, 170)  # pixels
_BAR = 24
_SPACING = 60  # room for the labels of the y axis, which stands before a chart
GRID: Final = "#e8eaed"
# 1234567 -> 1.234567M and 0.00001 -> 1e-5; in between, d3 knows how many digits neighbouring ticks need.
_VALUE_LABEL: Final = (
    "abs(datum.value) >= 1e4 && abs(datum.value) < 1e15 ? format(datum.value, '.12~s')"
    " : datum.value != 0 && (abs(datum.value) < 1e-3 || abs(datum.value) >= 1e15) ? format(datum.value, '.4~e')"
    " : datum.label"
)
_NOT_NESTED: Final = ("autosize", "background", "config", "padding")
_ALTAIRS_SIZE: Final = {"continuousWidth": 300, "continuousHeight": 300}


class _Shown:
    """Shows itself with no network: Altair's own default loads Vega from a CDN. A renderer that the user chose is kept."""

    def _repr_mimebundle_(self, *args: Any, **kwds: Any) -> Any:
        if alt.renderers.active != "default":
            return super()._repr_mimebundle_(*args, **kwds)  # type: ignore[misc]
        spec = self.to_dict()  # type: ignore[attr-defined]
        bundle = {MIME: spec, "text/plain": repr(self)}
        try:
            import vl_convert
        except ImportError:
            return bundle
        return {**bundle, "image/png": vl_convert.vegalite_to_png(spec)}


class DrawnChart(_Shown, alt.Chart):
    """An `altair.Chart` of a metric as the board draws it."""


class DrawnLayers(_Shown, alt.LayerChart):
    """An `altair.LayerChart` of a metric as the board draws it."""


class DrawnBoard(_Shown, alt.VConcatChart):
    """An `altair.VConcatChart` of a whole board."""


def chart_of(plot: Plot) -> DrawnChart | DrawnLayers:
    """The chart of a metric with its data, alone."""
    chart = _chart(plot, plot.styles)
    return _sized(chart, plot, plot.metric, _ALONE)  # type: ignore[no-any-return]


def user_chart(spec: Mapping[str, Any], rows: list[Row], title: str, *, nested: bool = False) -> Any:
    """A user's chart with its data; `nested` in that of a board, which keeps the configuration of none."""
    bare = {name: value for name, value in spec.items() if not nested or name not in _NOT_NESTED}
    full = _with_rows(bare, {DATASET: _plain(rows), **spec.get("datasets", {})})
    full.pop("datasets", None)
    if "layer" in full or "mark" in full:
        full = dict(zip(("width", "height"), ON_BOARD if nested else _ALONE, strict=True)) | full
    return alt.Chart.from_dict({"title": {"text": title, "anchor": "start"}, **full})


def board_of(groups: Mapping[str, Iterable[Plot | Any]], columns: int, title: str) -> DrawnBoard:
    """All charts: one titled row of them a group. A plot is drawn, a chart is taken as it is."""
    plots = [one for charts in groups.values() for one in charts if isinstance(one, Plot)]
    styles = list({style.run["key"]: style for plot in plots for style in plot.styles}.values())
    rows = []
    for group, members in groups.items():
        charts = [
            _sized(_chart(one, styles), one, short_name(one.metric), ON_BOARD) if isinstance(one, Plot) else one
            for one in members
        ]
        heading = alt.Title(group or "metrics", anchor="start", fontSize=14, offset=8)
        rows.append(alt.concat(*charts, columns=columns, title=heading, bounds="flush", spacing=_SPACING))
    heading = alt.Title(title, anchor="start", fontSize=16, offset=12)
    return DrawnBoard(vconcat=rows, title=heading, spacing=20)


def save(chart: Any, path: str | Path) -> None:
    """Writes a chart as ``.html`` (whole: it opens without a network), ``.json``, ``.png``, ``.svg`` or ``.pdf``."""
    suffix = Path(path).suffix.lower()
    if suffix not in {".html", ".json", ".png", ".svg", ".pdf"}:
        raise ValueError(
            f"cannot save a board as {str(path)!r}: give a path that ends in .html, .json, .png, .svg or .pdf"
        )
    if suffix != ".json":
        try:
            import vl_convert  # noqa: F401  # Altair's own error does not name it for HTML
        except ImportError:
            raise ImportError(
                f"a board is saved as {suffix} by vl-convert, which is not installed: `pip install vl-convert-python`, or save "
                "it as .json"
            ) from None
    chart.save(str(path), **({"inline": True} if suffix == ".html" else {}))


def spec_of(name: str, chart: Any) -> dict[str, Any]:
    """The Vega-Lite specification of a user's chart of the dataset ``points``.

    Raises ``TypeError`` for what is no Altair chart, ``ValueError`` for one that Altair finds wrong, that would load data
    from elsewhere, or that is larger than `LARGEST_SPEC`.
    """
    if not isinstance(chart, alt.TopLevelMixin):
        kind = type(chart).__name__
        hint = "; make one of it with alt.Chart.from_dict(...)" if isinstance(chart, dict) else ""
        raise TypeError(
            f"chart {name!r} is {kind}, not an Altair chart such as alt.Chart(alt.NamedData('points')){hint}"
        )
    try:
        made: dict[str, Any] = chart.to_dict()
        size = len(json.dumps(made, allow_nan=False))
    except alt.MaxRowsError:
        raise ValueError(_too_large(name, "more than 5,000 rows")) from None
    except (SchemaValidationError, ValueError, TypeError) as error:
        raise ValueError(f"chart {name!r} cannot be drawn: {error}") from error
    if size > LARGEST_SPEC:
        raise ValueError(_too_large(name, f"{size / 1000:.0f} KB"))
    if _loads(made):
        raise ValueError(
            f"chart {name!r} loads data from a URL, and a board loads nothing: give the data themselves, such as a DataFrame"
        )
    spec = {key: value for key, value in made.items() if key not in {"$schema", "usermeta"}}
    if spec.get("data") in (None, {"name": "empty"}):  # so Altair calls what is missing
        spec["data"] = {"name": DATASET}
    spec.get("datasets", {}).pop(DATASET, None)
    _drop_altairs_size(spec)
    return spec


def _chart(plot: Plot, styles: list[Style]) -> Any:
    data = alt.InlineData(values=_plain(plot.longest if plot.bars else plot.rows))
    return _bars(plot, data, styles) if plot.bars else _lines(plot, data, styles)


def _sized(chart: Any, plot: Plot, title: str, size: tuple[int, int]) -> Any:
    height = alt.Step(_BAR) if plot.bars else size[1]
    return chart.properties(title=alt.Title(title, anchor="start"), width=size[0], height=height)


def _lines(plot: Plot, data: alt.InlineData, styles: list[Style]) -> Any:
    """A line a run, a dot for a lonely point, marks on the frame for what is not finite; only what there is."""
    marks = {row["mark"] for row in plot.rows}
    base = DrawnChart().encode(x=_x(plot), color=_color(styles))
    tooltip = ["run:N", "step:Q", "value:Q"]
    line = base.mark_line(strokeWidth=1.5, strokeJoin="round", clip=plot.clipped).encode(
        tooltip=tooltip, **_dash(styles)
    )
    if marks - {"line"}:
        line = line.transform_filter("datum.mark == 'line'")
    layers = []
    if plot.smoothing:
        layers.append(line.encode(y=_y("value", plot), opacity=alt.value(0.25)))
    layers.append(line.encode(y=_y("smooth" if plot.smoothing else "value", plot)))
    if "dot" in marks:
        dots = base.mark_circle(size=40, opacity=1, clip=plot.clipped).transform_filter("datum.mark == 'dot'")
        layers.append(dots.encode(y=_y("value", plot), tooltip=tooltip))
    odd = sorted(marks - {"line", "dot"})
    layers += [_not_finite(base, mark).encode(tooltip=[*tooltip[:2], "mark:N"]) for mark in odd]
    if len(layers) > 1:
        return DrawnLayers(layer=layers, data=data)
    return layers[0].properties(data=data)


def _bars(plot: Plot, data: alt.InlineData, styles: list[Style]) -> DrawnLayers:
    """A bar a run, the largest first, with its value beside it."""
    y = alt.Y("run:N", title=None, sort=[row["run"] for row in plot.longest], axis=alt.Axis(ticks=False, domain=False))
    base = DrawnChart().encode(x=alt.X("value:Q", title=None, axis=None), y=y)
    bars = base.mark_bar().encode(color=_color(styles, legend=False), tooltip=["run:N", "step:Q", "value:Q"])
    text = base.mark_text(align="left", dx=4).encode(text=alt.Text("value:Q", format=".4~g"))
    return DrawnLayers(layer=[bars, text], data=data)


def _not_finite(base: alt.Chart, mark: str) -> alt.Chart:
    """NaN and -inf on the lower edge of the frame, +inf on the upper."""
    shape = {"NaN": "diamond", "Infinity": "triangle-up"}.get(mark, "triangle-down")
    marks: alt.Chart = (
        base.mark_point(size=42, strokeWidth=1.25, opacity=1, shape=shape)
        .transform_filter(alt.datum.mark == mark)
        .encode(y=alt.value(0 if mark == "Infinity" else "height"))
    )
    return marks


def _x(plot: Plot) -> alt.X:
    if plot.x_axis in _TIMES and not plot.x_log:
        return alt.X("x:T", title=None, **_TIMES[plot.x_axis])
    title = _TITLES.get(plot.x_axis, plot.x_axis)
    if plot.x_log:
        axis = alt.Axis(tickCount=5, grid=False, labelExpr=_VALUE_LABEL)
        return alt.X("x:Q", title=title, scale=alt.Scale(type="log", nice=False), axis=axis)
    ticks = {"tickMinStep": 1, "labelExpr": STEP_LABEL} if plot.x_axis == "step" else {"labelExpr": _VALUE_LABEL}
    axis = alt.Axis.from_dict({**ticks, "grid": False})
    return alt.X("x:Q", title=title, scale=alt.Scale(zero=False, nice=False), axis=axis)


def _y(name: str, plot: Plot) -> alt.Y:
    window = alt.Undefined if plot.window is None else list(plot.window)
    nice = plot.window is None or not (plot.clipped or plot.y_log)
    scale = alt.Scale(type="log", domain=window) if plot.y_log else alt.Scale(zero=False, nice=nice, domain=window)
    axis = alt.Axis(tickCount=5, labelExpr=_VALUE_LABEL, domain=False, ticks=False, gridColor=GRID)
    return alt.Y(f"{name}:Q", title=None, scale=scale, axis=axis)


def _color(styles: list[Style], *, legend: bool = True) -> alt.Color:
    scale = alt.Scale(domain=[style.label for style in styles], range=[style.color for style in styles])
    return alt.Color("run:N", scale=scale, legend=_legend(styles) if legend else None)


def _dash(styles: list[Style]) -> dict[str, alt.StrokeDash]:
    """Dash patterns, where the colours have come round again."""
    if not any(style.dash for style in styles):
        return {}
    scale = alt.Scale(domain=[style.label for style in styles], range=[style.dash or [1, 0] for style in styles])
    return {"strokeDash": alt.StrokeDash("run:N", scale=scale, legend=_legend(styles))}


def _legend(styles: list[Style]) -> alt.Legend | None:
    return (
        alt.Legend(title=None, symbolType="stroke", symbolStrokeWidth=2, symbolOpacity=1) if len(styles) > 1 else None
    )


def _plain(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows as JSON has them: what is not finite is null, and its `mark` says what it was."""
    return [
        {
            name: None if isinstance(value, float) and not math.isfinite(value) else _short_number(name, value)
            for name, value in row.items()
            if name != "dash"
        }
        for row in rows
    ]


def _short_number(name: str, value: Any) -> Any:
    """As many digits as can be seen or are meant: notebooks keep them all."""
    if not isinstance(value, float):
        return value
    if name in ("time", "x"):
        value = round(value, 3)
    elif name == "smooth":
        value = float(f"{value:.9g}")
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _with_rows(node: Any, datasets: Mapping[str, Any]) -> Any:
    """A specification with the rows of its named datasets in their places."""
    if isinstance(node, list):
        return [_with_rows(item, datasets) for item in node]
    if not isinstance(node, dict):
        return node
    full = {key: _with_rows(value, datasets) for key, value in node.items()}
    data = node.get("data")
    if isinstance(data, dict) and "values" not in data and data.get("name") in datasets:
        full["data"] = {**data, "values": datasets[data["name"]]}
        del full["data"]["name"]
    return full


def _loads(node: Any) -> bool:
    if isinstance(node, list):
        return any(_loads(item) for item in node)
    if not isinstance(node, dict):
        return False
    data = node.get("data")
    own = isinstance(data, dict) and "url" in data
    return own or any(_loads(value) for key, value in node.items() if key not in ("values", "datasets"))


def _drop_altairs_size(spec: dict[str, Any]) -> None:
    """The size that Altair's default theme writes into every chart; the board has one of its own."""
    view = spec.get("config", {}).get("view")
    if isinstance(view, dict) and _ALTAIRS_SIZE.items() <= view.items():
        for name in _ALTAIRS_SIZE:
            del view[name]


def _too_large(name: str, size: str) -> str:
    return (
        f"chart {name!r} carries {size} of data of its own, and a board takes {LARGEST_SPEC // 1000} KB: draw what was "
        "logged with alt.NamedData('points'), or sample your data first"
    )
