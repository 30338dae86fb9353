"""The rows that the board draws now, computed from the picture and the view settings.

The browser computes them in ``js/src/plot/plot-rows.ts`` and ``plot.ts``; this module is for charts in Python
(`Board.__getitem__`) and for snapshots. Tests compare both with the rows in ``tests/golden/rows``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, Final, NotRequired, TypedDict

from ..frames.picture import Picture
from ..frames.protocol import RunHeader
from ..metrics import Goal, goal_of, value_for
from .domains import Range, natural_range, y_window
from .downsample import PlacedPoint, at_pixels
from .emphasis import BestPoint, best_label, best_point, emphasized
from .outliers import range_without_outliers
from .run_styles import RunStyle, drawing_order, style_runs
from .smoothing import own_smoothing, trend_of
from .theme import Theme
from .x_axis import place_on, placed, x_axis_of

MOST_BARS: Final = 10
FINITE: Final = ("line", "dot")
EXTRA: Final = ("reference", "best")  # marks of rows that are of no run's line
REFERENCE: Final = "#8a919c"


class PlotRow(TypedDict):
    """A row of the dataset ``points``; `metric_spec` documents the fields."""

    run: str
    metric: str
    step: float
    time: float
    value: float
    smooth: float
    x: float
    mark: str
    part: int
    color: str
    dash: list[int]
    faint: NotRequired[bool]


@dataclass(frozen=True)
class DrawSettings:
    """The view settings that determine the rows."""

    x_axis: str = "step"
    smoothing: int = 0
    smoothing_kind: str = "mean"  # or "exponential"
    auto_smoothing: bool = False  # where smoothing is 0: smooth lines that are noise
    x_log: bool = False
    y_log: bool = False
    y_scales: Mapping[str, str] = field(default_factory=dict)  # of charts that differ: "linear" or "log"
    clip_outliers: str = "auto"  # or "always", "never"
    hidden: frozenset[str] = frozenset()
    colors: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)  # of `metric_spec.line`
    y_ranges: Mapping[str, Sequence[float | None]] = field(default_factory=dict)  # by chart or glob
    reference_lines: Mapping[str, Sequence[float | None]] = field(default_factory=dict)  # likewise
    best_marks: bool = False
    theme: Theme = "light"
    columns: float = 512  # the width of a chart in pixels, each of which has at most four points of a line

    def of(self, chart: str) -> DrawSettings:
        """Return the settings with the scale of a chart."""
        scale = self.y_scales.get(chart)
        return self if scale is None else replace(self, y_log=scale == "log")


@dataclass(frozen=True)
class Plot:
    """The drawing of one metric. Styles and rows are in drawing order, with the top line last."""

    metric: str  # or the name of a chart of several metrics
    x_axis: str
    x_log: bool
    y_log: bool
    smoothing: int
    bars: bool
    styles: list[RunStyle]
    rows: list[PlotRow]
    options: Mapping[str, Any]
    series: list[Any] = field(default_factory=list)  # what is drawn, by style
    goal: Goal | None = None  # which of its values are the best
    bests: Mapping[str, BestPoint] = field(default_factory=dict)  # by label
    limits: Range | None = None  # the ends of the values without outliers; None if none are left out
    y_range: Sequence[float | None] = ()  # the ends of the y axis that were asked for

    @property
    def longest(self) -> list[PlotRow]:
        """The rows drawn as bars, the largest first, at most as many as a reader can tell apart."""
        return sorted(self.rows, key=lambda row: (math.isnan(row["value"]), -row["value"]))[:MOST_BARS]

    @property
    def window(self) -> Range | None:
        """The range of the y axis; None if it follows the data."""
        return y_window(self)

    @property
    def is_clipped(self) -> bool:
        """Whether rows may be outside of `window`."""
        return self.limits is not None or any(end is not None for end in self.y_range)

    @property
    def lines(self) -> list[PlotRow]:
        """The rows of runs, without reference lines and the mark of the best value."""
        return [row for row in self.rows if row["mark"] not in EXTRA]

    @property
    def latest(self) -> dict[str, tuple[str, float]]:
        """The color and the latest value of each run that has one, by label in drawing order."""
        last = {row["run"]: row["value"] for row in self.lines}
        return {style.label: (style.color[:7], last[style.label]) for style in self.styles if style.label in last}


def plot_of(picture: Picture, metric: str, look: DrawSettings, most: int | None = None) -> Plot:
    """Return the drawing of a metric; with `most`, in about so many points a run in place of four a pixel."""
    look = look.of(metric)
    return finish(trace(picture, metric, settle_smoothing(picture, [metric], look), most), look)


def settle_smoothing(picture: Picture, metrics: Sequence[str], look: DrawSettings) -> DrawSettings:
    """Return the settings with the smoothing of a chart of `metrics`."""
    if look.smoothing or not look.auto_smoothing:
        return look
    found = [series for metric in metrics for series in _visible(picture, metric, look)[1].values()]
    return replace(look, smoothing=own_smoothing(found))


def _visible(picture: Picture, metric: str, look: DrawSettings) -> tuple[list[RunHeader], dict[int, Any]]:
    """Return the runs that a metric is drawn of, in drawing order, and their series by key."""
    number = picture.metrics[metric]
    found = {run: series for (run, of), series in picture.series.items() if of == number and len(series.rows)}
    runs = [run for run in picture.runs.values() if run["key"] in found and run["id"] not in look.hidden]
    return drawing_order(runs), {run["key"]: found[run["key"]] for run in runs}


def trace(
    picture: Picture, metric: str, look: DrawSettings, most: int | None = None, x_axis: str | None = None
) -> Plot:
    """Return the drawing of a metric without what belongs to a whole chart, which `finish` adds."""
    x_axis = x_axis or x_axis_of(picture, metric, look.x_axis)
    styles = style_runs(picture.runs.values(), look)
    runs, series = _visible(picture, metric, look)
    drawn = [styles[run["key"]] for run in runs]
    x_log, y_log = look.x_log and x_axis != "time", look.y_log
    places = [place_on(x_axis, picture, run) for run in runs]
    lines = [placed(series[run["key"]], place, most) for run, place in zip(runs, places, strict=True)]
    if x_axis != "step":  # over time and over another metric, steps and x may be in different order
        for line in lines:
            line.sort(key=itemgetter(3))
    lines = lines if most else at_pixels(lines, look.columns, log=x_log)
    bars = bool(drawn) and all(_is_single(series[style.run["key"]], style) for style in drawn)
    x_log, y_log = x_log and not bars, y_log and not bars
    rows = [
        row
        for style, line in zip(drawn, lines, strict=True)
        for row in rows_of(metric, series[style.run["key"]], line, style, look, x_log=x_log, y_log=y_log)
    ]
    goal = goal_of([pair for run in picture.runs.values() for pair in run["goals"]], metric)
    found = {style.label: best_point(series[style.run["key"]], goal) for style in drawn}
    bests = {
        style.label: BestPoint(*best, place(best[0], best[1]))
        for style, place in zip(drawn, places, strict=True)
        if (best := found[style.label]) is not None
    }
    return Plot(
        metric,
        x_axis,
        x_log=x_log,
        y_log=y_log,
        smoothing=0 if bars else look.smoothing,
        bars=bars,
        styles=drawn,
        rows=rows,
        options={} if bars else {**look.options, "smoothing": look.smoothing},
        series=[series[run["key"]] for run in runs],
        goal=goal,
        bests=bests,
    )


def finish(plot: Plot, look: DrawSettings) -> Plot:
    """Return a chart with what is set for it by its name: the range of its y axis, lines, the best value; and of many lines faint ones."""
    if plot.bars:
        return plot
    styles = emphasized(plot.styles, plot.bests, plot.goal)
    rows = plot.rows
    if any(style.faint for style in styles):
        by_run: dict[str, list[PlotRow]] = {style.label: [] for style in styles}
        for row in rows:
            by_run[row["run"]].append(row)
        rows = [{**row, "color": style.color, "faint": style.faint} for style in styles for row in by_run[style.label]]
    is_whole = natural_range(plot.metric) is not None and not plot.y_log
    limits = None if is_whole else range_without_outliers(plot.series, look.clip_outliers, log=plot.y_log)
    plot = replace(plot, styles=styles, limits=limits, y_range=value_for(look.y_ranges, plot.metric) or ())
    return replace(plot, rows=[*rows, *_extra_rows(plot, look)])


def _extra_rows(plot: Plot, look: DrawSettings) -> list[PlotRow]:
    """Return the rows of reference lines and of the mark at the best value."""
    usual: Any = {"metric": plot.metric, "step": math.nan, "time": math.nan, "part": 0, "dash": []}
    line: Any = {**usual, "run": "", "x": 0, "mark": "reference", "color": REFERENCE}
    made: list[Any] = [
        {**line, "value": value, "smooth": value}
        for value in value_for(look.reference_lines, plot.metric) or ()
        if value is not None and (value > 0 or not plot.y_log)
    ]
    label = best_label(plot.styles, plot.bests, plot.goal) if look.best_marks else None
    if label is None:
        return made
    best = plot.bests[label]
    if not math.isfinite(best.x) or (plot.x_log and best.x <= 0) or (plot.y_log and best.value <= 0):
        return made
    color = next(style.color for style in plot.styles if style.label == label)
    row: Any = {**usual, **best._asdict(), "run": label, "smooth": best.value, "mark": "best", "color": color}
    return [*made, row]


def rows_of(
    metric: str,
    series: Any,
    points: Sequence[PlacedPoint],
    style: RunStyle,
    look: DrawSettings,
    *,
    x_log: bool,
    y_log: bool,
) -> list[PlotRow]:
    """Return the rows of some points of a series, fitted to logarithmic axes.

    There, points without an x are left out, and values without a logarithm become marks. These end the line as NaN does, but not
    where the smoothed line is positive, nor in a bucket or pixel column that has positive values, too.
    """
    trend = trend_of(series, look.smoothing, look.smoothing_kind)
    lonely = int(series.rows["count"].sum()) == 1
    rows: list[PlotRow] = [
        {
            "run": style.label,
            "metric": metric,
            "step": step,
            "time": time,
            "value": value,
            "smooth": trend(step) if trend else value,
            "x": x,
            "mark": _mark(value, lonely=lonely),
            "part": 0,
            "color": style.color,
            "dash": style.dash,
        }
        for step, time, value, x, _ in points
    ]
    gaps = [not math.isfinite(row["value"]) for row in rows]
    if y_log:
        for i, (row, (*_, bridged)) in enumerate(zip(rows, points, strict=True)):
            if row["mark"] not in FINITE:
                continue
            if not row["value"] > 0:
                row["mark"] = "below"
                gaps[i] = not (row["smooth"] > 0 or bridged)
            elif not row["smooth"] > 0:
                row["smooth"] = math.nan
    if x_log:
        gaps = [gap for row, gap in zip(rows, gaps, strict=True) if row["x"] > 0]
        rows = [row for row in rows if row["x"] > 0]
    _divide(rows, gaps)
    return rows


def _divide(rows: Sequence[PlotRow], gaps: Sequence[bool]) -> None:
    """Number the sections of a line between its gaps, and mark a section of one row as a dot, because its line would be invisible."""
    if not any(gaps):
        return
    sections: dict[int, list[PlotRow]] = {}
    part = 0
    for row, gap in zip(rows, gaps, strict=True):
        part += gap
        row["part"] = part
        if row["mark"] in FINITE:
            sections.setdefault(part, []).append(row)
    for section in sections.values():
        if len(section) == 1:
            section[0]["mark"] = "dot"


def _is_single(series: Any, style: RunStyle) -> bool:
    return series.width == 1 and len(series.rows) == 1 and style.run["state"] != "running"


def _mark(value: float, *, lonely: bool) -> str:
    if math.isfinite(value):
        return "dot" if lonely else "line"
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
