"""Altair for users: the board's charts with their data, and specifications of users' own charts for the board.

The only importer of Altair, which takes 1.5 s, so this module is imported when a user asks for a chart.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import altair as alt
from altair.utils.schemapi import SchemaValidationError

from ..metrics import short_name
from .board_design import ALONE, BESIDE, literal
from .html_page import page
from .plot import Plot, PlotRow
from .plot_spec import legend, legend_styles, nested, single
from .run_styles import RunStyle
from .user_spec import DATASET, plain, with_rows

LARGEST_SPEC: Final = 100_000  # bytes of JSON; a board's chart draws logged points, and needs little data of its own
MIME: Final = "application/vnd.vegalite.v5+json"  # the newest version that JupyterLab and VS Code render themselves
_ALONE, ON_BOARD = (480, 280), (300, 170)  # pixels
_BAR = 24
_SPACING = 60  # pixels between charts, for the labels of the y axis
_PADDING = 16  # pixels around a board
_PNG_SCALE = 2  # pixels of a saved picture for each one of the page
_ALTAIRS_SIZE: Final = {"continuousWidth": 300, "continuousHeight": 300}


class _Shown:
    """Has the board's look, and is displayed without a network, where Altair's default renderer loads Vega from a CDN.

    The user's configuration takes precedence over the board's look, and a renderer that the user chose is kept.
    """

    def to_dict(self, *args: Any, context: dict[str, Any] | None = None, **kwds: Any) -> dict[str, Any]:
        spec: dict[str, Any] = super().to_dict(*args, context=context, **kwds)  # type: ignore[misc]
        if context is None or context.get("top_level", True):
            spec["config"] = _merged(ALONE, spec.get("config", {}))
        return spec

    def _repr_mimebundle_(self, *args: Any, **kwds: Any) -> Any:
        if alt.renderers.active != "default":
            return super()._repr_mimebundle_(*args, **kwds)  # type: ignore[misc]
        spec = self.to_dict()
        bundle = {MIME: spec, "text/plain": repr(self)}
        try:
            import vl_convert
        except ImportError:
            return bundle
        return {**bundle, "image/png": vl_convert.vegalite_to_png(spec)}


def _merged(config: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return `config` with entries replaced by those of `own`."""
    both = {
        name: _merged(config[name], own[name]) for name in config.keys() & own.keys() if isinstance(own[name], dict)
    }
    return {**config, **own, **both}


class DrawnChart(_Shown, alt.Chart):
    """An `altair.Chart` of a metric as the board draws it."""


class DrawnLayers(_Shown, alt.LayerChart):
    """An `altair.LayerChart` of a metric as the board draws it, whose layers are charts, as `interactive` needs them."""

    @classmethod
    def from_dict(cls, *args: Any, **kwds: Any) -> DrawnLayers:
        made: Any = super().from_dict(*args, **kwds)
        made.layer = [alt.Chart(**layer._kwds) for layer in made.layer]  # noqa: SLF001  # their only form that is not JSON
        return made  # type: ignore[no-any-return]


class DrawnBoard(_Shown, alt.VConcatChart):
    """An `altair.VConcatChart` of a whole board."""


_Drawn = TypeVar("_Drawn", DrawnChart, DrawnLayers)


def chart_of(plot: Plot) -> DrawnChart | DrawnLayers:
    """Return the chart of one metric with its data; with a single layer, as a plain chart."""
    width, height = _ALONE
    spec = _with_tooltips(single(plot, _data(plot), width=width))
    spec |= {"title": {"text": literal(plot.metric), "anchor": "start"}, "width": width}
    spec["height"] = {"step": _BAR} if plot.bars else height
    if len(spec["layer"]) > 1:
        return _made(DrawnLayers, spec)
    (layer,) = spec.pop("layer")
    shared, own = spec["encoding"], layer["encoding"]
    encoding = shared | own | {"y": {**shared["y"], **own["y"]}}
    return _made(DrawnChart, spec | layer | {"encoding": encoding})


def user_chart(spec: Mapping[str, Any], rows: list[PlotRow], title: str, *, on_board: bool = False) -> Any:
    """Return a user's chart with its data; without its configuration if it is nested in the chart of a board."""
    return alt.Chart.from_dict(with_rows(spec, rows, title, ON_BOARD if on_board else _ALONE, nested=on_board))


def board_of(groups: Mapping[str, Iterable[Plot | Any]], columns: int, title: str) -> DrawnBoard:
    """Return all charts, with a titled row for each group. Plots are drawn; users' charts are used unchanged."""
    plots = [one for charts in groups.values() for one in charts if isinstance(one, Plot)]
    runs = legend_styles(plots)
    rows, numbers = [], itertools.count()
    for group, members in groups.items():
        charts = [
            _nested(one, next(numbers), runs if one is plots[0] else ()) if isinstance(one, Plot) else one
            for one in members
        ]
        heading = alt.Title(literal(group.removeprefix("@") or "metrics"), anchor="start", fontSize=14, offset=8)
        rows.append(alt.concat(*charts, columns=columns, title=heading, bounds="flush", spacing=_SPACING))
    heading = alt.Title(literal(title), anchor="start", fontSize=16, offset=12)
    return DrawnBoard(vconcat=rows, title=heading, spacing=20, padding=_PADDING)


def _nested(plot: Plot, number: int, runs: Sequence[RunStyle]) -> DrawnLayers:
    """Return the chart of a metric on a board, with the legend of `runs`."""
    width, height = ON_BOARD
    heading = {"text": literal(short_name(plot.metric)), "anchor": "start", **BESIDE}
    spec = _with_tooltips(nested(plot, _data(plot), f"chart_{number}", heading, width=width))
    spec |= {"name": f"chart_{number}", "width": width, "height": {"step": _BAR} if plot.bars else height}
    if len(runs) > 1:
        spec["layer"].append(legend(runs))
    return _made(DrawnLayers, spec)


def _made(kind: type[_Drawn], spec: dict[str, Any]) -> _Drawn:
    """Return the chart of a specification. Altair would read each row against its schema, which takes a millisecond a row."""
    chart: Any = kind.from_dict(spec | {"data": {"values": []}})
    chart.data = alt.InlineData(values=spec["data"]["values"])
    return chart  # type: ignore[no-any-return]


def _data(plot: Plot) -> dict[str, Any]:
    return {"values": plain(plot.longest if plot.bars else plot.rows)}


def save(chart: Any, path: str | Path) -> None:
    """Write a chart as ``.html`` (which opens without a network), ``.json``, ``.png``, ``.svg`` or ``.pdf``."""
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
    if suffix == ".html":
        Path(path).write_text(page(chart.to_dict()), encoding="utf-8")
    else:
        chart.save(str(path), scale_factor=_PNG_SCALE if suffix == ".png" else 1)


def spec_of(name: str, chart: Any) -> dict[str, Any]:
    """Return the Vega-Lite specification of a user's chart of the dataset ``points``.

    Raises ``TypeError`` for anything but an Altair chart, ``ValueError`` for a chart that Altair finds invalid, that loads data
    from a URL, or that is larger than `LARGEST_SPEC`.
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
    if spec.get("data") in (None, {"name": "empty"}):  # Altair's name for missing data
        spec["data"] = {"name": DATASET}
    spec.get("datasets", {}).pop(DATASET, None)
    _drop_altairs_size(spec)
    _unstack(spec)
    return spec


def _unstack(node: Any) -> None:
    """Draw areas and bars of runs over each other: stacked, their sum would be read as a value. A `stack` that is given stays."""
    for part in node if isinstance(node, list) else [node] if isinstance(node, dict) else ():
        encoding = part.get("encoding", {})
        for axis in ("x", "y"):
            channel = encoding.get(axis)
            if isinstance(channel, dict) and channel.get("field") in ("value", "smooth") and "aggregate" not in channel:
                channel.setdefault("stack", None)
        for inner in ("layer", "hconcat", "vconcat", "concat", "spec"):
            _unstack(part.get(inner))


def _with_tooltips(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the chart with tooltips on the marks of its rows."""
    for layer in spec["layer"]:
        mark = layer["mark"]
        if mark["type"] not in ("text", "rule"):
            layer["encoding"]["tooltip"] = _tooltip("mark" if "shape" in mark else "value")
    return spec


def _tooltip(last: str) -> list[dict[str, str]]:
    kinds = {"run": "nominal", "step": "quantitative", "value": "quantitative", "mark": "nominal"}
    return [{"field": name, "type": kinds[name]} for name in ("run", "step", last)]


def _loads(node: Any) -> bool:
    if isinstance(node, list):
        return any(_loads(item) for item in node)
    if not isinstance(node, dict):
        return False
    data = node.get("data")
    own = isinstance(data, dict) and "url" in data
    return own or any(_loads(value) for key, value in node.items() if key not in ("values", "datasets"))


def _drop_altairs_size(spec: dict[str, Any]) -> None:
    """Drop the size that Altair's default theme writes into every chart; the board sets its own."""
    view = spec.get("config", {}).get("view")
    if isinstance(view, dict) and _ALTAIRS_SIZE.items() <= view.items():
        for name in _ALTAIRS_SIZE:
            del view[name]


def _too_large(name: str, size: str) -> str:
    return (
        f"chart {name!r} carries {size} of data of its own, and a board takes {LARGEST_SPEC // 1000} KB: draw what was "
        "logged with alt.NamedData('points'), or sample your data first"
    )
