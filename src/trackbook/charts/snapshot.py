"""The saved picture of a board: one Vega-Lite chart, small enough for a notebook, however long the runs.

Metric and run names occur in it as values and titles, never as field names or expressions.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import numpy as np

from ..frames.picture import Picture
from ..frames.protocol import RunHeader
from ..metrics import group_of, logged, short_name
from ..text import elapsed, one_line
from .board_design import ABOVE, CONFIG, literal, title
from .combined import chart_of
from .plot import DrawSettings, Plot, PlotRow, plot_of
from .plot_spec import AXIS_TITLES, legend, legend_styles, nested
from .run_styles import RunStyle
from .snapshot_images import ImageBox, image_chart
from .theme import theme
from .thinning import rounded
from .user_spec import may_load, used_only, with_rows
from .x_axis import axes_only

MOST_BYTES: Final = 90_000
MOST_CHARTS: Final = 24  # eight rows of three, as more would hardly be read
MOST_POINTS: Final = 540  # of a series: the extremes of a bucket a pixel
FEWEST_POINTS: Final = 24
FEWEST: Final = 2  # points, where names take nearly all of the room
MOST_ROWS: Final = 4_500  # of about 16 bytes each
MOST_RUNS: Final = 20
LONGEST_ERROR: Final = 160  # characters
NAMED: Final = 6  # charts left out that are named
WIDTH, HEIGHT = 270, 150  # pixels of a chart
GAP: Final = 62  # pixels between columns
MARGIN: Final = 70  # pixels beside the columns: padding, and the labels of the first axis
AROUND: Final = 120  # pixels of a notebook's window beside its outputs, without a side bar
LONGEST_TITLE: Final = 80  # characters; a chart shows about 45


@dataclass(frozen=True)
class Chart:
    """A chart of a board: of one metric, of several, or with a specification of the user's."""

    name: str
    metrics: Sequence[str]
    group: str = ""
    spec: Mapping[str, Any] | None = None
    about: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # further fields of a user's rows, by label


@dataclass(frozen=True)
class Snapshot:
    """The saved form of a board: a Vega-Lite chart, and a description as text."""

    spec: dict[str, Any]
    text: str


def make_snapshot(
    picture: Picture,
    look: DrawSettings | None = None,
    charts: Sequence[Chart] | None = None,
    images: Sequence[ImageBox] = (),
) -> Snapshot | None:
    """Return the snapshot of `picture`, drawn by the board's settings; None if there is nothing to draw.

    `charts` are those of the board, in its order; by default one for each metric, by group. `images` follow them.
    """
    look = look or DrawSettings(clip_outliers="never")
    runs = [run for run in picture.runs.values() if run["id"] not in look.hidden]
    drawn_runs = sorted(runs, key=lambda run: (run["faded"], -run["started"], -run["key"]))[:MOST_RUNS]
    drawn_runs.sort(key=lambda run: (not run["faded"], run["started"], run["key"]))  # faded runs are behind the others
    look = replace(look, hidden=frozenset(picture.runs.keys() - {run["id"] for run in drawn_runs}))
    lines = _lines_by_metric(picture, {run["key"] for run in drawn_runs})
    known = usual_charts(picture) if charts is None else charts
    wanted = [chart for chart in known if any(lines.get(metric) for metric in chart.metrics)]
    local = [chart for chart in wanted if not may_load(chart.spec)]
    drawn = local[: max(1, min(MOST_CHARTS, MOST_ROWS // (FEWEST_POINTS * max(1, len(drawn_runs)))))]
    most = min(MOST_POINTS, MOST_ROWS // max(1, sum(lines[metric] for chart in drawn for metric in chart.metrics)))
    while drawn or images:
        left_out = _left_out([chart.name for chart in wanted if chart not in drawn], len(runs) - len(drawn_runs))
        head = _head(picture.project, drawn_runs, left_out)
        spec = _spec(head, [(chart, _plots(picture, chart, look, most)) for chart in drawn], images)
        users = [chart for chart in drawn if chart.spec is not None]
        if not drawn or len(json.dumps(spec)) <= MOST_BYTES or (most <= FEWEST and not users):
            names = [*(chart.name for chart in drawn), *(box.name for box in images)]
            return Snapshot(spec, _text(picture.project, names, drawn_runs, left_out))
        if users and most < FEWEST_POINTS:  # a user's chart may carry data of its own
            largest = max(users, key=lambda chart: len(json.dumps(chart.spec)))
            drawn = [chart for chart in drawn if chart is not largest]
        else:
            most = most * 3 // 4
    return None


def usual_charts(picture: Picture) -> list[Chart]:
    """Return a chart for each metric, by group, the default group first, as on a board that nobody has arranged."""
    axes = axes_only(picture)
    names = grouped(name for name in logged(picture.metrics) if name not in axes)
    return [Chart(name, [name], group_of(name)) for name in names]


def grouped(metrics: Iterable[str]) -> list[str]:
    """Sort metrics as a board does: by group, the default group first."""
    groups: dict[str, list[str]] = {"": []}
    for name in metrics:
        groups.setdefault(group_of(name), []).append(name)
    return [name for members in groups.values() for name in members]


def _lines_by_metric(picture: Picture, runs: Collection[int]) -> dict[str, int]:
    """Return how many runs have points of each metric."""
    counts = Counter(metric for (run, metric), series in picture.series.items() if run in runs and len(series.rows))
    return {name: counts[number] for name, number in picture.metrics.items()}


# --- the chart --------------------------------------------------------------------------------------------------------


def _plots(picture: Picture, chart: Chart, look: DrawSettings, most: int) -> list[Plot]:
    """Return what a chart draws, with about `most` points of each line; of a user's chart the plot of each metric."""
    if chart.spec is None:
        return [chart_of(picture, chart.name, chart.metrics, look, most)]
    return [plot_of(picture, metric, look, most) for metric in chart.metrics]


def _spec(
    head: dict[str, Any],
    charts: Sequence[tuple[Chart, list[Plot]]],
    images: Sequence[ImageBox],
) -> dict[str, Any]:
    own = [(number, plots[0]) for number, (chart, plots) in enumerate(charts) if chart.spec is None]
    fields = ["m", "r", "x", "value", *(["smooth"] if any(plot.smoothing for _, plot in own) else [])]
    styles: dict[str, tuple[int, RunStyle]] = {}
    lines = [line for number, plot in own for line in _lines(number, plot, styles, is_smooth="smooth" in fields)]
    names = [
        {"r": number, "run": style.label, "color": style.color, **_more(style)} for number, style in styles.values()
    ]
    runs = legend_styles([plot for _, plot in own])
    headings = _headings(charts)
    made = []
    for number, ((chart, plots), heading) in enumerate(zip(charts, headings, strict=True)):
        first = own and number == own[0][0]
        made.append(
            _chart(number, plots[0], heading, runs if first else [])
            if chart.spec is None
            else _user_chart(chart, plots, heading)
        )
    made += _image_charts(images, {chart.group for chart, _ in charts})
    lookup = {"data": {"values": names}, "key": "r", "fields": ["run", "color", "dash", "faint"]}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        **head,
        "data": {
            "values": "\n".join([",".join(fields), *lines]),
            "format": {"type": "csv", "parse": dict.fromkeys(fields, "number")},
        },
        "transform": [{"lookup": "r", "from": lookup}, *_marks([number for number, plot in own if plot.y_log])],
        "concat": made,
        "columns": {"signal": _columns(3 if len(made) > 4 or len(made) == 3 else 2)},
        "bounds": "flush",  # align charts by their frames, regardless of labels
        "spacing": {"row": 80 if images or any("subtitle" in heading for heading in headings) else 56, "column": GAP},
        "background": CONFIG["background"],
        "padding": {"left": 12, "right": 16, "top": 12, "bottom": 12},
        "config": CONFIG,
    }


def _columns(most: int) -> str:
    """Return the expression for the columns that fit into the window; `most` where there is none, as for the PNG."""
    fit = f"floor((windowSize()[0] - {AROUND + MARGIN - GAP}) / {WIDTH + GAP})"
    return f"windowSize()[0] > 0 ? clamp({fit}, 1, {most}) : {most}"


def _more(style: RunStyle) -> dict[str, Any]:
    return ({"dash": style.dash} if style.dash else {}) | ({"faint": True} if style.faint else {})


def _lines(number: int, plot: Plot, styles: dict[str, tuple[int, RunStyle]], *, is_smooth: bool) -> Iterator[str]:
    """Yield the rows of a chart as CSV, and number the styles of its lines."""
    by_run: dict[str, list[PlotRow]] = {style.label: [] for style in plot.styles}
    for row in plot.longest if plot.bars else plot.lines:
        by_run[row["run"]].append(row)
    exact = plot.x_axis in AXIS_TITLES
    for style in plot.styles:
        key = json.dumps([style.label, style.color, style.dash])
        line, _ = styles.setdefault(key, (len(styles), style))
        rows = by_run[style.label]
        x, value, smooth = (np.array([row[name] for row in rows]) for name in ("x", "value", "smooth"))
        places = [str(int(place)) for place in np.rint(x)] if exact else rounded(x)
        columns = [places, rounded(value)]
        if is_smooth:
            columns.append(rounded(smooth) if plot.smoothing else [""] * len(rows))
        for cells in zip(*columns, strict=True):
            yield f"{number},{line},{','.join(cells)}"


def _marks(logarithmic: Sequence[int]) -> list[dict[str, Any]]:
    """Return the transforms that compute the mark of each row. Charts of these numbers have logarithmic axes."""
    odd = "isNaN(datum.value) ? 'NaN' : datum.value > 0 ? 'Infinity' : '-Infinity'"
    finite = "isFinite(datum.value)"
    if logarithmic:
        odd = f"isFinite(datum.value) ? 'below' : {odd}"
        finite = f"isFinite(datum.value) && (datum.value > 0 || indexof({[*logarithmic]}, datum.m) < 0)"
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


def _chart(number: int, plot: Plot, heading: dict[str, Any], runs: Sequence[RunStyle]) -> dict[str, Any]:
    """Return the chart of a plot, whose rows are those of its number, with the legend of `runs`."""
    own = f"c{number}"
    spec = nested(plot, None, own, heading, width=WIDTH)
    spec |= {"name": own, "width": WIDTH, "height": HEIGHT, "transform": [{"filter": f"datum.m == {number}"}]}
    if not plot.bars:
        spec["layer"].append(_tooltips(number, plot.x_axis))
    if len(runs) > 1:
        spec["layer"].append(legend(runs))
    return spec


def _user_chart(chart: Chart, plots: Sequence[Plot], heading: dict[str, Any]) -> dict[str, Any]:
    rows: list[Any] = [{**row, **chart.about.get(row["run"], {})} for plot in plots for row in plot.lines]
    spec = chart.spec or {}
    made = with_rows(spec, used_only(spec, rows), chart.name, (WIDTH, HEIGHT), nested=True)
    return made | {"title": {**heading, "offset": ABOVE}}


def _image_charts(boxes: Sequence[ImageBox], named: Collection[str]) -> list[dict[str, Any]]:
    """Return the charts of images, by group; the group is above its first one, unless it is `named` above a chart."""
    places = {box.name: box for box in boxes}
    made, known = [], {*named}
    for name in grouped(places):
        group = group_of(name)
        heading = title(f"{_short(short_name(name))} · {places[name].about}", "" if group in known else literal(group))
        known.add(group)
        made.append(image_chart(places[name], heading | {"offset": ABOVE}, WIDTH, HEIGHT))
    return made


def _headings(charts: Sequence[tuple[Chart, list[Plot]]]) -> list[dict[str, Any]]:
    """Return the titles of the charts. Where there are groups, the group is above its first chart."""
    grouped_at = {chart.group: number for number, (chart, _) in reversed(list(enumerate(charts)))}
    if not any(grouped_at):
        return [title(_short(chart.name)) for chart, _ in charts]
    return [
        title(
            _short(short_name(chart.name)),
            literal(chart.group.removeprefix("@")) if grouped_at[chart.group] == number else "",
        )
        for number, (chart, _) in enumerate(charts)
    ]


def _tooltips(number: int, axis: str) -> dict[str, Any]:
    """Return a layer of invisible points, with tooltips and zooming."""
    kind, name = ("temporal", "time") if axis in ("relative", "time") else ("quantitative", literal(axis))
    tooltip = [
        {"field": "run", "type": "nominal"},
        {"field": "x", "type": kind, "title": name},
        {"field": "value", "type": "quantitative"},
    ]
    return {
        "mark": {"type": "point", "filled": True, "opacity": 0, "size": 80},
        "transform": [{"filter": "datum.finite"}],
        "encoding": {"y": {"field": "value", "type": "quantitative"}, "tooltip": tooltip},
        "params": [{"name": f"zoom_{number}", "select": "interval", "bind": "scales"}],
    }


def _short(name: str) -> str:
    """Return the title of a chart, shortened in the middle if it is too long."""
    if len(name) > LONGEST_TITLE:
        name = f"{name[: LONGEST_TITLE // 2]}…{name[1 - LONGEST_TITLE // 2 :]}"
    return literal(name)


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
    is_open = any(run["state"] == "running" for run in runs)
    moment = f" · as of {datetime.now():%Y-%m-%d %H:%M}" if is_open else ""  # noqa: DTZ005  # the clock of who looks at it
    if len(runs) == 1:
        (run,) = runs
        took = "" if run["ended"] is None else f" · {elapsed(run['ended'] - run['started'])}"
        steps = "step" if run["done"] == 1 else "steps"
        return f"{run['name']} · {run['state']}{took} · {run['done']:,} {steps}{moment}"
    states: dict[str, int] = {}
    for run in runs:
        states[run["state"]] = states.get(run["state"], 0) + 1
    return f"{len(runs)} runs: {', '.join(f'{count} {state}' for state, count in states.items())}{moment}"


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
