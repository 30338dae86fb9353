"""The saved picture of a board: one Vega-Lite chart, small enough for a notebook, however long the runs.

Metric and run names occur in it as values and titles, never as field names or expressions.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from ..frames.bucket_rows import Floats
from ..frames.picture import Picture
from ..frames.protocol import RunHeader
from ..metrics import group_of, logged, short_name
from ..text import elapsed, one_line
from .board_design import ABOVE, CONFIG, latest, literal, share_digits, title
from .metric_spec import Layer, bar, line
from .outliers import range_without_outliers
from .plot import AIR, DrawSettings, Range, axes_only, style_runs
from .smoothing import own_smoothing, trend_of
from .theme import theme
from .thinning import Points, corners, rounded, thinned

MOST_BYTES: Final = 90_000
MOST_CHARTS: Final = 24  # eight rows of three, as more would hardly be read
MOST_POINTS: Final = 100  # of a series: the extremes of fifty buckets of five pixels
FEWEST_POINTS: Final = 24
MOST_ROWS: Final = 4_500  # of about 16 bytes each
MOST_RUNS: Final = 20
LONGEST_ERROR: Final = 160  # characters
NAMED: Final = 6  # charts left out that are named
WIDTH, HEIGHT = 270, 150  # pixels of a chart
AXIS_TITLES: Final = {"step": "step", "relative": "time since the start", "time": None}
LONGEST_TITLE: Final = 80  # characters; a chart shows about 45
EVERY_OBJECTS: Final = frozenset(
    "constructor hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf".split()
)


XAxis = Literal["step", "relative", "time"]


@dataclass(frozen=True)
class _View:
    """The view settings that the saved picture follows."""

    axis: XAxis
    look: DrawSettings
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
    look: DrawSettings | None = None,
) -> Snapshot | None:
    """Return the snapshot of `picture` without the `hidden` runs (ids); None if there is nothing to draw.

    If `x_axis` is a metric, the x axis is the step. `look` are the board's settings: scales, smoothing and outliers.
    """
    axis: XAxis = x_axis if x_axis in ("relative", "time") else "step"  # type: ignore[assignment]
    view = _View(axis, replace(look or DrawSettings(clip_outliers="never"), colors=colors or {}), dict(options or {}))
    runs = [run for run in picture.runs.values() if run["id"] not in hidden]
    drawn_runs = sorted(runs, key=lambda run: (run["faded"], -run["key"]))[:MOST_RUNS]
    drawn_runs.sort(key=lambda run: (not run["faded"], run["key"]))  # faded runs are behind the others
    series = {
        (run["key"], metric): rows
        for run in drawn_runs
        for metric in picture.metrics.values()
        if (found := picture.series.get((run["key"], metric))) is not None and len(rows := found.rows)
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
    buckets = {
        name: {run: picture.series[run, metric] for run, metric in shown if metric == picture.metrics[name]}
        for name in drawn
    }
    most = min(MOST_POINTS, MOST_ROWS // len(shown))
    head = _head(picture.project, drawn_runs, left_out)
    while True:
        points = {key: thinned(corners(rows), most) for key, rows in shown.items()}
        charts = [(name, {key[0]: p for key, p in points.items() if key[1] == picture.metrics[name]}) for name in drawn]
        spec = _spec(head, charts, drawn_runs, view, buckets)
        if len(json.dumps(spec)) <= MOST_BYTES or most <= 2:
            return Snapshot(spec, _text(picture.project, drawn, drawn_runs, left_out))
        most = most * 3 // 4


def grouped(metrics: Iterable[str]) -> list[str]:
    """Sort metrics as a board does: by group, the default group first."""
    groups: dict[str, list[str]] = {"": []}
    for name in metrics:
        groups.setdefault(group_of(name), []).append(name)
    return [name for members in groups.values() for name in members]


# --- the chart --------------------------------------------------------------------------------------------------------


def _spec(
    head: dict[str, Any],
    charts: list[tuple[str, dict[int, Points]]],
    runs: list[RunHeader],
    view: _View,
    series: Mapping[str, Mapping[int, Any]],
) -> dict[str, Any]:
    axis = view.axis
    started = {run["key"]: run["started"] for run in runs}
    amounts = {name: _smoothing(own.values(), view.look) for name, own in series.items()}
    fields = ["m", "r", "x", "value", *(["smooth"] if any(amounts.values()) else [])]
    lines = [",".join(fields)]
    for number, (name, traces) in enumerate(charts):
        for key, (steps, times, values) in traces.items():
            x = steps if axis == "step" else np.rint(1000 * (times - (started[key] if axis == "relative" else 0.0)))
            order = np.argsort(x, kind="stable")
            places = x[order].astype(np.int64).tolist()
            columns = [rounded(values[order])]
            if len(fields) > 4:
                trend = trend_of(series[name][key], amounts[name], view.look.smoothing_kind)
                smooth = values[order] if trend is None else np.array([trend(step) for step in steps[order].tolist()])
                columns.append(rounded(smooth) if trend else [""] * len(places))
            lines += [",".join([f"{number},{key},{at}", *rest]) for at, *rest in zip(places, *columns, strict=True)]
    styles = style_runs(runs, view.look).values()
    colors = {literal(style.label): style.color for style in styles}
    names = [{"r": style.run["key"], "run": literal(style.label)} for style in styles]
    parse = dict.fromkeys(fields, "number")
    inks = {style.run["key"]: style.color for style in styles}
    groups = groups_of(name for name, _ in charts)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        **head,
        "data": {"values": "\n".join(lines), "format": {"type": "csv", "parse": parse}},
        "transform": [
            {"lookup": "r", "from": {"data": {"values": names}, "key": "r", "fields": ["run"]}},
            *_marks(log=view.look.y_log),
        ],
        "concat": [
            _chart(
                number,
                traces,
                view,
                colors=colors,
                smoothing=amounts[name],
                series=list(series[name].values()),
                inks=inks,
                heading=title(_title(short_name(name) if groups else name), groups.get(name, "") if groups else None),
            )
            for number, (name, traces) in enumerate(charts)
        ],
        "columns": 3 if len(charts) > 4 or len(charts) == 3 else 2,
        "bounds": "flush",  # align charts by their frames, regardless of labels
        "spacing": {"row": 80 if groups else 56, "column": 62},
        "background": CONFIG["background"],
        "padding": {"left": 12, "right": 16, "top": 12, "bottom": 12},
        "config": CONFIG,
    }


def _marks(*, log: bool) -> list[dict[str, Any]]:
    """Return the transforms that compute the mark of each row."""
    odd = "isNaN(datum.value) ? 'NaN' : datum.value > 0 ? 'Infinity' : '-Infinity'"
    finite = "isFinite(datum.value)"
    if log:
        odd, finite = f"isFinite(datum.value) ? 'below' : {odd}", "isFinite(datum.value) && datum.value > 0"
    return [
        {"calculate": f"{finite} ? 1 : 0", "as": "finite"},
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
    traces: dict[int, Points],
    view: _View,
    *,
    colors: dict[str, str],
    smoothing: int,
    series: list[Any],
    inks: Mapping[int, str],
    heading: dict[str, Any],
) -> dict[str, Any]:
    own = f"c{number}"
    chart = {
        "name": own,
        "title": heading,
        "width": WIDTH,
        "height": HEIGHT,
        "transform": [{"filter": f"datum.m == {number}"}],
    }
    if all(len(values) == 1 for _, _, values in traces.values()):
        return chart | bar(None, colors=colors, width=WIDTH) | {"title": {**heading, "offset": ABOVE}}
    log = view.look.y_log
    layers: list[Layer] = ["raw", "line"] if smoothing else ["line"]
    layers += ["dots"] if any(_has_lonely(values) for _, _, values in traces.values()) else []
    marked = any(not (np.isfinite(values) & ((values > 0) | (not log))).all() for _, _, values in traces.values())
    layers += ["not finite"] if marked else []
    limits = range_without_outliers(series, view.look.clip_outliers, log=log)
    window = _window(traces, limits, log=log)
    spec = line(
        view.axis,
        None,
        colors=colors,
        layers=layers,
        y_log=log,
        y_window=window,
        clipped=window is not None,
        options={**view.options, "smoothing": smoothing},
        scales=f"{own}_",
        offsets=share_digits([values for _, _, values in traces.values()]),
    )
    spec["encoding"]["x"]["title"] = AXIS_TITLES[view.axis]
    ends = [(inks[key], values[np.isfinite(values)][-1:].tolist()) for key, (_, _, values) in traces.items()]
    spec["layer"] += [_tooltips(number, view.axis), *latest([(ink, end[0]) for ink, end in ends if end], WIDTH)]
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


def _window(traces: dict[int, Points], limits: Range | None, *, log: bool) -> Range | None:
    """Return the range of the y axis, as on the board: without outliers, and with space around values that are all equal; else None."""
    values = np.concatenate([values for _, _, values in traces.values()])
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    if limits is not None:
        inside = values[(values >= limits[0]) & (values <= limits[1])]
        values = inside if len(inside) else values
    if not len(values) or (limits is None and values.min() < values.max()):
        return None
    scale, unscale = (math.log, math.exp) if log else (float, float)
    low, high = scale(float(values.min())), scale(float(values.max()))
    space = AIR * ((high - low) or (1 if log else abs(high)) or 1)
    return unscale(low - space), unscale(high + space)


def _smoothing(series: Collection[Any], look: DrawSettings) -> int:
    return look.smoothing or (own_smoothing(list(series)) if look.auto_smoothing else 0)


def groups_of(metrics: Iterable[str]) -> dict[str, str]:
    """Return the group of each metric that is the first of its group; empty when all are in the default group."""
    found: dict[str, str] = {}
    for name in metrics:
        if group_of(name) and group_of(name) not in found.values():
            found[name] = group_of(name)
    return found


def _title(name: str) -> str:
    """Return the title of a chart: its metric, shortened in the middle if it is too long.

    Vega looks titles up in an object, so a name of a property that every object has would break the chart.
    """
    if len(name) > LONGEST_TITLE:
        name = f"{name[: LONGEST_TITLE // 2]}…{name[1 - LONGEST_TITLE // 2 :]}"
    return f"{name}\u200b" if name in EVERY_OBJECTS else name


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
            "text": literal(project),
            "subtitle": lines,
            "fontSize": 14,
            "frame": "bounds",
            "dx": 0,
            "subtitlePadding": 3,
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
