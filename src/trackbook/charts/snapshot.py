"""The saved picture of a board: one Vega-Lite chart, small enough for a notebook, however long the runs.

Metric and run names occur in it as values and titles, never as field names or expressions.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from ..frames.bucket_rows import Floats, Rows, Steps
from ..frames.picture import Picture
from ..frames.protocol import RunHeader
from ..metrics import group_of, logged
from ..text import elapsed, one_line
from .metric_spec import Layer, bar, line
from .plot import DrawSettings, axes_only, style_runs
from .theme import config, theme

MOST_BYTES: Final = 90_000
MOST_CHARTS: Final = 24  # eight rows of three, as more would hardly be read
MOST_POINTS: Final = 100  # of a series: the extremes of fifty buckets of five pixels
FEWEST_POINTS: Final = 24
MOST_ROWS: Final = 4_500  # of about 16 bytes each
MOST_RUNS: Final = 20
LONGEST_ERROR: Final = 160  # characters
NAMED: Final = 6  # charts left out that are named
WIDTH, HEIGHT = 270, 150  # pixels of a chart
LONGEST_TITLE: Final = 80  # characters; a chart shows about 45
EVERY_OBJECTS: Final = frozenset(
    "constructor hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf".split()
)


XAxis = Literal["step", "relative", "time"]
Points = tuple[Steps, Floats, Floats]  # steps, times (seconds UTC), values


@dataclass(frozen=True)
class _View:
    """The view settings that the saved picture follows."""

    axis: XAxis
    colors: Mapping[str, str]
    options: Mapping[str, Any]  # of `line`


@dataclass(frozen=True)
class Snapshot:
    """The saved form of a board: a Vega-Lite chart, and a description as text."""

    spec: dict[str, Any]
    text: str


def make_snapshot(
    picture: Picture,
    *,
    x_axis: str = "step",
    hidden: Collection[str] = (),
    colors: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Snapshot | None:
    """Return the snapshot of `picture` without the `hidden` runs (ids); None if there is nothing to draw.

    If `x_axis` is a metric, the x axis is the step.
    """
    axis: XAxis = x_axis if x_axis in ("relative", "time") else "step"  # type: ignore[assignment]
    view = _View(axis, colors or {}, {**(options or {}), "smoothing": 0})
    runs = [run for run in picture.runs.values() if run["id"] not in hidden]
    drawn_runs = sorted(runs, key=lambda run: (run["faded"], -run["key"]))[:MOST_RUNS]
    drawn_runs.sort(key=lambda run: (not run["faded"], run["key"]))  # faded runs are behind the others
    series = {
        (run["key"], metric): rows
        for run in drawn_runs
        for metric in picture.metrics.values()
        if (buckets := picture.series.get((run["key"], metric))) is not None and len(rows := buckets.rows)
    }
    axes = axes_only(picture)
    charted = [name for name in logged(picture.metrics) if name not in axes]
    metrics = [name for name in grouped(charted) if any(key[1] == picture.metrics[name] for key in series)]
    drawn = metrics[: max(1, min(MOST_CHARTS, MOST_ROWS // (FEWEST_POINTS * max(1, len(drawn_runs)))))]
    if not drawn:
        return None
    left_out = _left_out(metrics[len(drawn) :], len(runs) - len(drawn_runs))
    wanted = {picture.metrics[name] for name in drawn}
    shown = {key: rows for key, rows in series.items() if key[1] in wanted}
    most = min(MOST_POINTS, MOST_ROWS // len(shown))
    head = _head(picture.project, drawn_runs, left_out)
    while True:
        points = {key: thinned(corners(rows), most) for key, rows in shown.items()}
        charts = [(name, {key[0]: p for key, p in points.items() if key[1] == picture.metrics[name]}) for name in drawn]
        spec = _spec(head, charts, drawn_runs, view)
        if len(json.dumps(spec)) <= MOST_BYTES or most <= 2:
            return Snapshot(spec, _text(picture.project, drawn, drawn_runs, left_out))
        most = most * 3 // 4


def grouped(metrics: Iterable[str]) -> list[str]:
    """Sort metrics as a board does: by group, the default group first."""
    groups: dict[str, list[str]] = {"": []}
    for name in metrics:
        groups.setdefault(group_of(name), []).append(name)
    return [name for members in groups.values() for name in members]


# --- points -----------------------------------------------------------------------------------------------------------


def corners(rows: Rows) -> Points:
    """Return the first, smallest, largest and last point of each bucket, or all points of a series of points, by step."""
    names = ("first", "min", "max", "last")
    steps, times, values = (
        np.concatenate([rows[name + suffix] for name in names]) for suffix in ("_step", "_time", "")
    )
    kept = np.isfinite(steps)  # a bucket without finite values has NaN for its extremes
    steps, times, values = steps[kept].astype(np.int64), times[kept], values[kept]
    _, unique = np.unique(steps, return_index=True)  # a step has one value
    return steps[unique], times[unique], values[unique]


def thinned(points: Points, most: int) -> Points:
    """Reduce points to about `most`: the ends, and the smallest, largest and non-finite values of aligned buckets.

    With so few buckets, their first and last points (as in M4) would draw a sawtooth.
    """
    steps, _, values = points
    if len(steps) <= most:
        return points
    width = 1 << max(0, (int(steps[-1] - steps[0]) // most).bit_length() - 1)
    while True:
        kept = _extremes(steps // width, values)
        if len(kept) <= max(most, 4) or steps[-1] // width == steps[0] // width:
            steps, times, values = (column[kept] for column in points)
            return steps, times, values
        width *= 2


def _extremes(bucket: Steps, values: Floats) -> Any:
    """Return the positions of both ends, of each bucket's extremes, and of one of each kind of non-finite value in each bucket."""
    starts = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])
    smallest = np.lexsort((np.where(np.isfinite(values), values, np.inf), bucket))[starts]
    largest = np.lexsort((np.where(np.isfinite(values), -values, np.inf), bucket))[starts]
    odd = []
    for kind in (np.isnan, np.isposinf, np.isneginf):
        places = np.flatnonzero(kind(values))
        odd.append(places[np.unique(bucket[places], return_index=True)[1]])
    return np.unique(np.concatenate([[0, len(values) - 1], smallest, largest, *odd]))


def _rounded(values: Floats) -> list[str]:
    """Format values with at least three digits, and enough to resolve a thousandth of the range of the finite values."""
    finite = values[np.isfinite(values)]
    largest = float(np.abs(finite).max()) if len(finite) else 1.0
    with np.errstate(all="ignore"):
        ratio = largest / float(np.ptp(finite)) if len(finite) and np.ptp(finite) > 0 else 1e3
    digits = min(12, 3 + max(0, math.ceil(math.log10(ratio)))) if math.isfinite(ratio) and ratio > 0 else 6
    words = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    texts = [f"{value:.{digits}g}" for value in values.tolist()]
    return [words.get(text, text) for text in texts]


# --- the chart --------------------------------------------------------------------------------------------------------


def _spec(
    head: dict[str, Any],
    charts: list[tuple[str, dict[int, Points]]],
    runs: list[RunHeader],
    view: _View,
) -> dict[str, Any]:
    axis = view.axis
    started = {run["key"]: run["started"] for run in runs}
    lines = ["m,r,x,value"]
    for number, (_, traces) in enumerate(charts):
        for key, (steps, times, values) in traces.items():
            x = steps if axis == "step" else np.rint(1000 * (times - (started[key] if axis == "relative" else 0.0)))
            order = np.argsort(x, kind="stable")
            places = x[order].astype(np.int64).tolist()
            lines += [f"{number},{key},{at},{y}" for at, y in zip(places, _rounded(values[order]), strict=True)]
    styles = style_runs(runs, DrawSettings(colors=view.colors)).values()
    colors = {style.label: style.color for style in styles}
    names = [{"r": style.run["key"], "run": style.label} for style in styles]
    parse = dict.fromkeys(("m", "r", "x", "value"), "number")
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        **head,
        "data": {"values": "\n".join(lines), "format": {"type": "csv", "parse": parse}},
        "transform": [
            {"lookup": "r", "from": {"data": {"values": names}, "key": "r", "fields": ["run"]}},
            *_marks(),
        ],
        "concat": [_chart(number, name, traces, view, colors) for number, (name, traces) in enumerate(charts)],
        "columns": 3 if len(charts) > 4 or len(charts) == 3 else 2,
        "bounds": "flush",  # align charts by their frames, regardless of labels
        "spacing": {"row": 58, "column": 58},
        "background": theme()["light"]["background"],  # dark on white whatever the page's theme
        "padding": {"left": 12, "right": 16, "top": 12, "bottom": 12},
        "config": _config(),
    }


def _marks() -> list[dict[str, Any]]:
    """Return the transforms that compute the mark of each row."""
    odd = "isNaN(datum.value) ? 'NaN' : datum.value > 0 ? 'Infinity' : '-Infinity'"
    return [
        {"calculate": "isFinite(datum.value) ? 1 : 0", "as": "finite"},
        {
            "window": [
                {"op": "lag", "field": "finite", "as": "before"},
                {"op": "lead", "field": "finite", "as": "after"},
            ],
            "groupby": ["m", "r"],
        },
        {"calculate": "1 - datum.finite", "as": "gap"},
        {"window": [{"op": "sum", "field": "gap", "as": "part"}], "groupby": ["m", "r"]},
        {"calculate": f"!datum.finite ? {odd} : datum.before || datum.after ? 'line' : 'dot'", "as": "mark"},
    ]


def _chart(
    number: int,
    name: str,
    traces: dict[int, Points],
    view: _View,
    colors: dict[str, str],
) -> dict[str, Any]:
    own = f"c{number}"
    chart = {
        "name": own,
        "title": _title(name),
        "width": WIDTH,
        "height": HEIGHT,
        "transform": [{"filter": f"datum.m == {number}"}],
    }
    if all(len(values) == 1 for _, _, values in traces.values()):
        return chart | bar(None, colors=colors, width=WIDTH)
    layers: list[Layer] = ["line"]
    layers += ["dots"] if any(_has_lonely(values) for _, _, values in traces.values()) else []
    layers += ["not finite"] if any(not np.isfinite(values).all() for _, _, values in traces.values()) else []
    window = _window(traces)
    spec = line(
        view.axis,
        None,
        colors=colors,
        layers=layers,
        y_window=window,
        clipped=window is not None,
        options=view.options,
        scales=f"{own}_",
    )
    spec["layer"].append(_tooltips(number, view.axis))
    return chart | spec


def _has_lonely(values: Floats) -> bool:
    """Whether a finite value has no finite neighbour."""
    finite = np.concatenate([[False], np.isfinite(values), [False]])
    return bool((finite[1:-1] & ~finite[:-2] & ~finite[2:]).any())


def _tooltips(number: int, axis: XAxis) -> dict[str, Any]:
    """Return a layer of invisible points, with tooltips and zooming."""
    kind, title = ("quantitative", "step") if axis == "step" else ("temporal", "time")
    tooltip = [
        {"field": "run", "type": "nominal"},
        {"field": "x", "type": kind, "title": title},
        {"field": "value", "type": "quantitative"},
    ]
    return {
        "mark": {"type": "point", "filled": True, "opacity": 0, "size": 80},
        "transform": [{"filter": "datum.finite"}],
        "encoding": {"y": {"field": "value", "type": "quantitative"}, "tooltip": tooltip},
        "params": [{"name": f"zoom_{number}", "select": "interval", "bind": "scales"}],
    }


def _window(traces: dict[int, Points]) -> tuple[float, float] | None:
    """Return the range of the y axis if all values are equal, with space around them, as on the board; else None."""
    values = np.concatenate([values for _, _, values in traces.values()])
    values = values[np.isfinite(values)]
    if not len(values) or values.min() < values.max():
        return None
    value = float(values[0])
    space = 0.05 * (abs(value) or 1)
    return value - space, value + space


def _title(name: str) -> str:
    """Return the title of a chart: its metric, shortened in the middle if it is too long.

    Vega looks titles up in an object, so a name of a property that every object has would break the chart.
    """
    if len(name) > LONGEST_TITLE:
        name = f"{name[: LONGEST_TITLE // 2]}…{name[1 - LONGEST_TITLE // 2 :]}"
    return f"{name}\u200b" if name in EVERY_OBJECTS else name


def _config() -> dict[str, Any]:
    text = theme()["light"]["text"]
    return {
        **config("light"),
        "font": "sans-serif",
        "title": {"anchor": "start", "color": text, "fontSize": 12, "fontWeight": 600, "limit": WIDTH},
        "legend": {"orient": "top", "labelColor": text, "labelFontSize": 12, "symbolType": "stroke", "columns": 6},
    }


# --- texts ------------------------------------------------------------------------------------------------------------


def _head(project: str, runs: list[RunHeader], left_out: str) -> dict[str, Any]:
    lines = [_summary(runs)]
    lines += [
        one_line(f"{run['name']}: {run['error']}", LONGEST_ERROR)
        for run in runs
        if run["state"] == "failed" and run["error"]
    ][:1]
    lines += [left_out] if left_out else []
    return {
        "description": f"Trackbook board of {project}: {lines[0]}",
        "title": {
            "text": project,
            "subtitle": lines,
            "fontSize": 14,
            "subtitleColor": theme()["light"]["label"],
            "limit": 900,
            "offset": 14,
        },
    }


def _summary(runs: list[RunHeader]) -> str:
    if len(runs) == 1:
        (run,) = runs
        took = "" if run["ended"] is None else f" · {elapsed(run['ended'] - run['started'])}"
        return f"{run['name']} · {run['state']}{took} · {run['done']:,} {'step' if run['done'] == 1 else 'steps'}"
    states: dict[str, int] = {}
    for run in runs:
        states[run["state"]] = states.get(run["state"], 0) + 1
    return f"{len(runs)} runs: {', '.join(f'{count} {state}' for state, count in states.items())}"


def _left_out(metrics: list[str], runs: int) -> str:
    """Return a sentence about runs and charts that are not in the picture, empty if all are."""
    parts = []
    if runs:
        parts.append(f"the {runs} oldest runs" if runs > 1 else "the oldest run")
    if metrics:
        more = f" and {len(metrics) - NAMED} more" if len(metrics) > NAMED else ""
        charts = "1 chart" if len(metrics) == 1 else f"{len(metrics)} charts"
        parts.append(f"{charts} ({', '.join(metrics[:NAMED])}{more})")
    return f"Not in this picture: {' and '.join(parts)}" if parts else ""


def _text(project: str, metrics: list[str], runs: list[RunHeader], left_out: str) -> str:
    lines = [
        f"Trackbook board of {project}: {_summary(runs)}",
        f"charts: {', '.join(metrics)}",
        *([left_out] if left_out else []),
        f"trackbook.board({project!r}) shows it live again",
    ]
    return "\n".join(lines)
