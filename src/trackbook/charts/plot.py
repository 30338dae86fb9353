"""The rows that the board draws now, computed from the picture and the view settings.

The browser computes them in ``js/src/plot/plot-rows.ts``, ``plot.ts``, ``smoothing.ts`` and ``palette.ts``; this module is for charts
in Python (`Board.__getitem__`). Tests compare both with the rows in ``tests/golden/rows``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, Final, TypedDict

import numpy as np

from ..frames.picture import Picture
from ..frames.protocol import NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY, RunHeader
from ..metrics import axis_of, is_system
from .downsample import PlacedPoint, at_pixels
from .outliers import range_without_outliers
from .smoothing import own_smoothing, trend_of
from .theme import Theme, theme

Range = tuple[float, float]

MOST_BARS: Final = 10
MOST_DASHED: Final = 20  # runs of a board; the dashes of more would blur into each other
FINITE: Final = ("line", "dot")
FAINT_TAILS: Final = 0.1  # share of a faint line's values at either end that the axis may leave out
AIR: Final = 0.05  # of the y axis, above and below
_HIDDEN: Final = ((NAN, math.nan), (POSITIVE_INFINITY, math.inf), (NEGATIVE_INFINITY, -math.inf))


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


@dataclass(frozen=True)
class RunStyle:
    """The look of a run in charts; ``label`` is its name, made unique on the board."""

    run: RunHeader
    label: str
    color: str
    dash: list[int]


@dataclass(frozen=True)
class DrawSettings:
    """The view settings that determine the rows."""

    x_axis: str = "step"
    smoothing: int = 0
    smoothing_kind: str = "mean"  # or "exponential"
    auto_smoothing: bool = False  # where smoothing is 0: smooth lines that are noise
    x_log: bool = False
    y_log: bool = False
    clip_outliers: str = "auto"  # or "always", "never"
    hidden: frozenset[str] = frozenset()
    colors: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)  # of `metric_spec.line`
    theme: Theme = "light"
    columns: float = 512  # the width of a chart in pixels, each of which has at most four points of a line


@dataclass(frozen=True)
class Plot:
    """The drawing of one metric. Styles and rows are in drawing order, with the top line last."""

    metric: str
    x_axis: str
    x_log: bool
    y_log: bool
    smoothing: int
    limits: Range | None  # the range of the y axis without outliers; None if none are left out
    bars: bool
    styles: list[RunStyle]
    rows: list[PlotRow]
    options: Mapping[str, Any]

    def _shown(self, row: PlotRow) -> tuple[float, ...]:
        """The values of a row that the y axis shows: of smoothed lines not those of the faint line behind."""
        return (row["smooth"],) if self.smoothing and row["mark"] == "line" else (row["value"], row["smooth"])

    @property
    def longest(self) -> list[PlotRow]:
        """The rows drawn as bars, the largest first, at most as many as a reader can tell apart."""
        return sorted(self.rows, key=lambda row: (math.isnan(row["value"]), -row["value"]))[:MOST_BARS]

    @property
    def window(self) -> Range | None:
        """The range of the y axis; None if it follows the data."""
        seen = [row for row in self.rows if row["mark"] in FINITE]
        values = [n for row in seen for n in self._shown(row) if math.isfinite(n)]
        if self.smoothing and values:
            logged = sorted(row["value"] for row in seen)
            values += [logged[math.floor(share * (len(logged) - 1) + 0.5)] for share in (FAINT_TAILS, 1 - FAINT_TAILS)]
        if not values:
            return None
        low, high = self.limits or (-math.inf, math.inf)
        inside = [value for value in values if low <= value <= high] or values
        scale, unscale = (math.log, math.exp) if self.y_log else (float, float)
        bottom, top = scale(min(inside)), scale(max(inside))
        all_seen = len(inside) == len(values)
        if (
            not self.y_log
            and not self.smoothing
            and all_seen
            and bottom < top
            and any(row["mark"] == "line" for row in seen)
        ):
            return None
        air = ((top - bottom) or (1 if self.y_log else abs(top)) or 1) * AIR
        return unscale(bottom - air), unscale(top + air)


def plot_of(picture: Picture, metric: str, look: DrawSettings) -> Plot:
    """Return the drawing of a metric."""
    number = picture.metrics[metric]
    x_axis = x_axis_of(picture, metric, look.x_axis)
    styles = style_runs(picture.runs.values(), look)
    series = {run: buckets for (run, of), buckets in picture.series.items() if of == number and len(buckets.rows)}
    shown = [styles[key].run for key in series if styles[key].run["id"] not in look.hidden]
    drawn = [styles[run["key"]] for run in drawing_order(shown)]
    x_log = look.x_log and x_axis != "time"
    lines = [placed(series[style.run["key"]], place_on(x_axis, picture, style.run)) for style in drawn]
    if x_axis != "step":  # over time and over another metric, steps and x may be in different order
        for line in lines:
            line.sort(key=itemgetter(3))
    lines = at_pixels(lines, look.columns, log=x_log)
    own = [series[style.run["key"]] for style in drawn]
    if not look.smoothing and look.auto_smoothing:
        look = replace(look, smoothing=own_smoothing(own))
    rows = [
        row
        for style, line in zip(drawn, lines, strict=True)
        for row in rows_of(metric, series[style.run["key"]], line, style, look)
    ]
    if drawn and all(_is_single(series[style.run["key"]], style) for style in drawn):
        return Plot(metric, x_axis, False, False, 0, None, True, drawn, rows, {})
    rows = on_logarithms(rows, x=x_log, y=look.y_log)
    limits = range_without_outliers(own, look.clip_outliers, log=look.y_log)
    return Plot(
        metric,
        x_axis,
        x_log,
        look.y_log,
        look.smoothing,
        limits,
        False,
        drawn,
        rows,
        {**look.options, "smoothing": look.smoothing},
    )


def axes_only(picture: Picture) -> set[str]:
    """Return the metrics defined as x axes of others, which have no charts of their own."""
    used = {metric: x_axis_of(picture, metric, "step") for metric in picture.metrics if not is_system(metric)}
    return {x for metric, x in used.items() if x != metric} - {"step", "relative", "time"}


def x_axis_of(picture: Picture, metric: str, chosen: str) -> str:
    """Return the x axis of a metric: the board's `chosen` one, or, if that is the step, the one defined for the metric.

    System metrics are drawn over time, because their steps have no meaning.
    """
    if is_system(metric):
        return "time" if chosen == "time" else "relative"
    if chosen != "step":
        return chosen
    defined = [pair for run in picture.runs.values() for pair in run["defined"]]
    return axis_of(defined, metric) or chosen


def rows_of(
    metric: str, series: Any, points: Iterable[PlacedPoint], style: RunStyle, look: DrawSettings
) -> list[PlotRow]:
    """Return the rows of some points of a series."""
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
        for step, time, value, x in points
    ]
    _divide(rows)
    return rows


def _divide(rows: list[PlotRow]) -> None:
    """Number the sections of finite rows, and mark a section of one row as a dot, because its line would be invisible."""
    gaps = [True, *(not math.isfinite(row["value"]) for row in rows), True]
    if not any(gaps[1:-1]):
        return
    part = 0
    for before, row, gap, after in zip(gaps, rows, gaps[1:], gaps[2:], strict=False):
        if gap:
            part += 1
        elif before and after:
            row["mark"] = "dot"
        row["part"] = part


def on_logarithms(rows: list[PlotRow], *, x: bool, y: bool) -> list[PlotRow]:
    """Adapt rows to logarithmic axes: values without a logarithm become marks, points without an x are dropped."""
    kept = [row for row in rows if not x or row["x"] > 0]
    for row in kept if y else ():
        if row["mark"] in FINITE and not row["value"] > 0:
            row["mark"] = "below"
        elif row["mark"] in FINITE and not row["smooth"] > 0:
            row["smooth"] = math.nan
    return kept


def style_runs(runs: Iterable[RunHeader], look: DrawSettings) -> dict[int, RunStyle]:
    """Return how each run is drawn, by key."""
    runs = list(runs)
    names = [run["name"] for run in runs]
    colors, dashes = theme()[look.theme], theme()["dashes"]
    lines, faded = colors["line"], colors["faded"]["line"]
    patterns = _dashes(runs, dashes, len(lines))
    styles = {}
    for run in runs:
        place, name = run["place"], run["name"]
        label = f"{name} ({run['id']})" if names.count(name) > 1 else name
        color = look.colors.get(run["id"]) or (faded if run["faded"] else lines[place % len(lines)])
        dash = [] if run["id"] in look.colors else patterns.get(run["key"], [])
        styles[run["key"]] = RunStyle(run, label, color, dash)
    return styles


def _dashes(runs: Sequence[RunHeader], dashes: Sequence[Any], colors: int) -> dict[int, Any]:
    """Return dash patterns by key that tell runs of the same color apart, unless there are too many runs."""
    found: dict[int, Any] = {}
    alike = [0] * colors
    own = [run for run in runs if not run["faded"]] if len(runs) <= MOST_DASHED else []
    for run in sorted(own, key=lambda run: run["place"]):
        hue = run["place"] % colors
        found[run["key"]] = dashes[alike[hue] % len(dashes)]
        alike[hue] += 1
    return found


def drawing_order(runs: Sequence[RunHeader]) -> list[RunHeader]:
    """Sort runs for drawing: faded ones first, the current one (the newest running, else the newest) last, on top."""
    runs = sorted(runs, key=lambda run: (run["started"], run["key"]))
    own = [run for run in runs if not run["faded"]]
    running = [run for run in own if run["state"] == "running"]
    current = next(reversed(running or own or runs), None)
    return sorted(runs, key=lambda run: (0 if run["faded"] else 2 if run is current else 1, run["key"]))


Point = tuple[float, float, float]  # step, time, value
Place = Callable[[float, float], float]  # returns x from a step and a time; NaN is not on the axis


def place_on(x_axis: str, picture: Picture, run: RunHeader) -> Place:
    """Return the function from step and time of a run's points to their x."""
    if x_axis == "step":
        return lambda step, _: step
    if x_axis in ("relative", "time"):
        start = run["started"] if x_axis == "relative" else 0.0
        return lambda _, time: 1000 * (time - start)
    series = picture.series.get((run["key"], picture.metrics.get(x_axis, -1)))
    if series is None:
        return lambda *_: math.nan
    at = join_of(series)
    return lambda step, _: at(step)


def join_of(series: Any) -> Callable[[float], float]:
    """Return a metric's value as a function of the step: the last logged value, interpolated between the ends of buckets.

    It is NaN before the first step.
    """
    exact, rows = series.width == 1, series.rows
    ends = ("first",) if exact else ("first", "last")
    steps = np.ravel(np.column_stack([rows[end + "_step"] for end in ends]))
    values = np.ravel(np.column_stack([rows[end] for end in ends]))
    steps, values = steps[np.isfinite(values)], values[np.isfinite(values)]

    def at(step: float) -> float:
        row = int(np.searchsorted(steps, step, side="right")) - 1
        if row < 0:
            return math.nan
        if exact or row == len(steps) - 1 or steps[row + 1] == steps[row]:
            return float(values[row])
        share = float((step - steps[row]) / (steps[row + 1] - steps[row]))
        return float(values[row] + (values[row + 1] - values[row]) * share)

    return at


def _is_single(series: Any, style: RunStyle) -> bool:
    return series.width == 1 and len(series.rows) == 1 and style.run["state"] != "running"


def _mark(value: float, *, lonely: bool) -> str:
    if math.isfinite(value):
        return "dot" if lonely else "line"
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def placed(series: Any, place: Place) -> list[PlacedPoint]:
    """Return all points, or the first, smallest, largest and last point of each bucket, by step, if they have an x."""
    return [(step, time, value, x) for step, time, value in _points(series) if math.isfinite(x := place(step, time))]


def _points(series: Any) -> list[Point]:
    rows = series.rows
    if series.width == 1:
        return list(zip(*(rows[name].tolist() for name in ("first_step", "first_time", "first")), strict=True))
    points: list[Point] = []
    for row in (dict(zip(rows.dtype.names, values, strict=True)) for values in rows.tolist()):
        for point in _corners(row):
            if not points or points[-1][0] != point[0] or not _same(points[-1][2], point[2]):
                points.append(point)
    return points


def _corners(row: Mapping[str, float]) -> list[Point]:
    """Return the points of a bucket in the order of their steps, possibly with duplicates."""

    def corner(name: str) -> Point:
        return row[name + "_step"], row[name + "_time"], row[name]

    between = sorted([corner("min"), corner("max")], key=itemgetter(0)) if row["count"] > 0 else []
    points = [corner("first"), *between, corner("last")]
    mask = int(row["mask"])
    if not mask:
        return points
    # non-finite values that are neither first nor last have no known step: use the middle of the bucket
    step, time = math.floor((points[0][0] + points[-1][0]) / 2), (points[0][1] + points[-1][1]) / 2
    ends = (row["first"], row["last"])
    hidden = [value for bit, value in _HIDDEN if mask & bit and not any(_same(end, value) for end in ends)]
    return sorted([*points, *((step, time, value) for value in hidden)], key=itemgetter(0))


def _same(a: float, b: float) -> bool:
    """Compare like JavaScript's ``Object.is``: NaN equals NaN, and 0 differs from -0."""
    return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
