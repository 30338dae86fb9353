"""The Vega-Lite specifications that the front end bundles: ``python -m trackbook.charts.bundled_specs`` writes them to ``vega_lite/``.

The chart of one metric, and the meaning of each field, are in `metric_spec`; the charts of compared runs are here.
"""

from __future__ import annotations

import json
from pathlib import Path

from .metric_spec import NAMED, Spec, XAxis, bar, by_run, line, number, value_label, x_encoding, y_encoding
from .theme import FOLDER, config


def scatter() -> Spec:
    """Return a chart with a dot for each run at ``x`` and ``y``: numbers, logarithms (``x_log``), or indices of names (``x_names``)."""
    places = {
        axis: {
            **number(axis),
            "title": None,
            "scale": {"zero": False, "nice": True, "padding": 6},
            "axis": _compared_axis(axis),
        }
        for axis in ("x", "y")
    }
    styles = {
        "color": by_run(None, None)[0],
        "size": {"condition": {"test": "datum.drawn", "value": 70}, "value": 36},
        "opacity": {"condition": {"test": "datum.drawn", "value": 1}, "value": 0.6},
    }
    params = [{"name": f"{axis}_{what}", "value": None} for axis in ("x", "y") for what in ("names", "log")]
    return {"data": NAMED, "mark": {"type": "circle", "clip": False}, "encoding": places | styles, "params": params}


def _compared_axis(axis: str) -> Spec:
    names, log = f"{axis}_names", f"{axis}_log"
    return {
        "grid": True,
        "tickCount": 4,
        "labelLimit": 100,
        "labelOverlap": True,
        "tickMinStep": {"expr": f"{names} || {log} ? 1 : 0"},
        "labelExpr": f"{names} ? ({names}[datum.value] || '') : {log} ? format(pow(10, datum.value), '.3~g')"
        f" : {value_label(axis, 'false')}",
    }


def parallel() -> Spec:
    """Return a chart with a line for each run through its positions ``at`` (0 to 1) on each ``axis``, with ticks as texts."""
    name = "slice(datum.label, indexof(datum.label, '.') + 1)"  # config.lr
    letters = "max(6, floor(width / (7 * length(domain('x')))))"  # that fit; the end of a nested key tells it apart
    axis = {
        "orient": "top",
        "domain": False,
        "ticks": False,
        "labelAngle": 0,
        "labelLimit": 110,
        "labelOverlap": False,
        "labelFlush": False,
        "labelPadding": 12,
        "labelExpr": f"length({name}) > {letters} ? '…' + slice({name}, 1 - {letters}) : {name}",
    }
    x = {
        "field": "axis",
        "type": "nominal",
        "title": None,
        "sort": {"field": "index", "op": "min"},  # not the order in which axes have come
        "scale": {"type": "point", "padding": 0.35},
        "axis": axis,
    }
    y = {**number("at"), "title": None, "axis": None, "scale": {"domain": [0, 1]}}
    lines = {
        "y": y,
        "detail": {"field": "run", "type": "nominal"},
        "color": by_run(None, None)[0],
        "order": number("index"),
        "opacity": {"condition": {"test": "datum.drawn", "value": 1}, "value": 0.3},
    }
    ticks = {
        "transform": [{"filter": "datum.mark == 'tick'"}],
        "encoding": {"y": y, "text": {"field": "text", "type": "nominal"}},
    }
    beside = {"type": "text", "align": "left", "baseline": "middle", "dx": 5, "fontSize": 11}
    return {
        "data": NAMED,
        "encoding": {"x": x},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 1, "opacity": 0.5, "color": "#8b93a1"},
                "transform": [{"aggregate": [{"op": "min", "field": "index", "as": "index"}], "groupby": ["axis"]}],
            },
            {
                "mark": {"type": "line", "strokeWidth": 1.5, "strokeJoin": "round"},
                "transform": [{"filter": "datum.mark == 'line'"}],
                "encoding": lines,
            },
            {"mark": {**beside, "stroke": {"expr": "ground"}, "strokeWidth": 4}, **ticks},
            {"mark": beside, **ticks},
        ],
        "params": [{"name": "ground", "value": "white"}],
    }


def specs() -> dict[str, Spec]:
    """Return the specifications that the front end bundles, by file name.

    The axes of the line chart are separate, and inserted by the front end.
    """
    live = line()
    axes: tuple[XAxis, ...] = ("step", "relative", "time", "metric")
    x: dict[str, Spec] = {axis: x_encoding(axis) for axis in axes}
    log_x = {f"{axis}-log": x_encoding(axis, log=True) for axis in axes if axis != "time"}
    y = {"linear": y_encoding(), "log": y_encoding(log=True)}
    del live["encoding"]["x"], live["encoding"]["y"]
    return {
        "line": {"spec": live, "x": {**x, **log_x}, "y": y},
        "bar": bar(),
        "scatter": scatter(),
        "parallel": parallel(),
        "config": {"light": config("light"), "dark": config("dark")},
    }


def write(folder: Path = FOLDER) -> None:
    """Write the bundled specifications into a folder."""
    for name, spec in specs().items():
        text = json.dumps(spec, indent=2, sort_keys=True, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
