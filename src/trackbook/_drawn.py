"""What the board draws now, as rows: the picture seen through the view's state.

The browser draws by ``js/src/rows.ts``, ``plot.ts``, ``smoothing.ts`` and ``palette.ts``; this is for who asks in Python
(`Board.__getitem__`). ``tests/golden/rows`` holds both to the same rows.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypedDict

import numpy as np

from ._buckets import Floats, Rows
from ._buckets import _double as coarser
from ._defined import axis_of, glob_matches
from ._frames import Picture
from ._protocol import NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY, RunHeader

Theme = Literal["light", "dark"]
Range = tuple[float, float]

MOST_BARS: Final = 10
_HIDDEN: Final = ((NAN, math.nan), (POSITIVE_INFINITY, math.inf), (NEGATIVE_INFINITY, -math.inf))


class Row(TypedDict):
    """A row of the dataset ``points``; `charts` says what each field is."""

    run: str
    metric: str
    step: float
    time: float
    value: float
    smooth: float
    x: float
    mark: str
    color: str
    dash: list[int]


@dataclass(frozen=True)
class Style:
    """A run as a chart draws it; ``label`` is its name, made unique on the board."""

    run: RunHeader
    label: str
    color: str
    dash: list[int]


@dataclass(frozen=True)
class Look:
    """How one looks at the board: the traits of `View` that decide what is drawn."""

    x_axis: str = "step"
    smoothing: int = 0
    smoothing_kind: str = "mean"  # or "exponential"
    hidden: frozenset[str] = frozenset()
    colors: Mapping[str, str] = field(default_factory=dict)
    theme: Theme = "light"
    columns: float = 512  # buckets a series may have; more are merged


@dataclass(frozen=True)
class Plot:
    """One metric as it is drawn. `traces` are in drawing order: the last lies on top."""

    metric: str
    x_axis: str
    smoothing: int
    bars: bool
    styles: list[Style]
    rows: list[Row]

    @property
    def longest(self) -> list[Row]:
        """The rows that are drawn as bars: the largest first, as many as can be read."""
        return sorted(self.rows, key=lambda row: (math.isnan(row["value"]), -row["value"]))[:MOST_BARS]

    @property
    def window(self) -> Range | None:
        """What the y axis spans where it does not simply follow the data: one value only, or lonely dots."""
        seen = [row for row in self.rows if math.isfinite(row["value"])]
        if not seen:
            return None
        numbers = [row[name] for row in seen for name in ("value", "smooth")]
        low, high = min(numbers), max(numbers)
        if low < high and any(row["mark"] == "line" for row in seen):
            return None
        air = ((high - low) or abs(high) or 1) * 0.05
        return low - air, high + air


def plot_of(picture: Picture, metric: str, look: Look) -> Plot:
    """What is drawn of a metric that the picture has."""
    number = picture.metrics[metric]
    x_axis = look.x_axis
    if x_axis == "step":  # what was defined holds until the board's own axis says otherwise
        defined = [pair for run in picture.runs.values() for pair in run["defined"]]
        x_axis = axis_of(defined, metric) or x_axis
    styles = style_runs(picture.runs.values(), look)
    series = {run: buckets for (run, of), buckets in picture.series.items() if of == number and len(buckets.rows)}
    shown = [styles[key].run for key in series if styles[key].run["id"] not in look.hidden]
    drawn = [styles[run["key"]] for run in drawing_order(shown)]
    traces = [
        (style, rows_of(metric, series[style.run["key"]], style, look, place_on(x_axis, picture, style.run)))
        for style in drawn
    ]
    if x_axis != "step":  # by time and by another metric, the order of steps need not be that of x
        for _, rows in traces:
            rows.sort(key=lambda row: row["x"])
    bars = bool(traces) and all(len(rows) == 1 and style.run["state"] != "running" for style, rows in traces)
    return Plot(metric, x_axis, look.smoothing, bars, drawn, [row for _, rows in traces for row in rows])


def rows_of(metric: str, series: Any, style: Style, look: Look, place: Place) -> list[Row]:
    """What is drawn of a series, by step: every point, or first, smallest, largest and last of every bucket."""
    points = _exact(series.rows, look) if series.width == 1 else _extremes(series.rows, look)
    lonely = sum(math.isfinite(value) for _, _, value, _ in points) == 1
    return [
        {
            "run": style.label,
            "metric": metric,
            "step": step,
            "time": time,
            "value": value,
            "smooth": smooth,
            "x": x,
            "mark": _mark(value, lonely=lonely),
            "color": style.color,
            "dash": style.dash,
        }
        for step, time, value, smooth in points
        if math.isfinite(x := place(step, time))
    ]


def style_runs(runs: Iterable[RunHeader], look: Look) -> dict[int, Style]:
    """How each run is drawn, by key."""
    runs = list(runs)
    names = [run["name"] for run in runs]
    lines, faded, dashes = palette()[look.theme]["line"], palette()[look.theme]["faded"]["line"], palette()["dashes"]
    styles = {}
    for run in runs:
        key, name = run["key"], run["name"]
        label = f"{name} ({run['id']})" if names.count(name) > 1 else name
        color = look.colors.get(run["id"]) or (faded if run["faded"] else lines[key % len(lines)])
        dash = [] if run["faded"] else dashes[key // len(lines) % len(dashes)]
        styles[key] = Style(run, label, color, dash)
    return styles


def drawing_order(runs: Sequence[RunHeader]) -> list[RunHeader]:
    """Faded runs behind, the current one (the newest that is running, else the newest) on top."""
    runs = sorted(runs, key=lambda run: run["key"])
    own = [run for run in runs if not run["faded"]]
    running = [run for run in own if run["state"] == "running"]
    current = next(reversed(running or own or runs), None)
    return sorted(runs, key=lambda run: (0 if run["faded"] else 2 if run is current else 1, run["key"]))


def group(name: str) -> str:
    """A metric's group: what stands before the first ``/``."""
    return name.partition("/")[0] if "/" in name else ""


def short(name: str) -> str:
    return name.partition("/")[2] or name


def members(name: str, globs: Sequence[str], metrics: Sequence[str]) -> list[str]:
    """The metrics whose rows a user's chart gets: those it asked for, else its own, else its group's, else all."""
    if globs:
        return [metric for metric in metrics if any(glob_matches(glob, metric) for glob in globs)]
    if name in metrics:
        return [name]
    return [metric for metric in metrics if group(metric) == group(name)] or list(metrics)


@functools.cache
def palette() -> Any:
    return json.loads((Path(__file__).parent / "specs" / "palette.json").read_text(encoding="utf-8"))


def smooth(values: Floats, weights: Floats, look: Look) -> Floats:
    """The smoothed values of rows, each weighted by how many finite values it stands for; as they are where it is off."""
    if look.smoothing == 0:
        return values
    return (mean if look.smoothing_kind == "mean" else exponential)(values, weights, look.smoothing)


def exponential(values: Floats, weights: Floats, n: int) -> Floats:
    """The average of all rows so far, each counting n / (n + 1) of the one behind it: on average n rows old."""
    mean, weight = 0.0, 0.0
    means = np.full(len(values), np.nan)
    for row, (value, count) in enumerate(zip(values.tolist(), weights.tolist(), strict=True)):
        weight *= n / (n + 1)
        if count > 0:
            weight += count
            mean += (value - mean) * count / weight
        if weight:
            means[row] = mean
    return means


def mean(values: Floats, weights: Floats, n: int) -> Floats:
    """The centred moving average over 2n + 1 rows, each weighted by how many finite values it stands for.

    At the ends the window is cut off; a row of weight 0 counts for nothing. The sums go in the order of the browser's.
    """
    mean, weight = np.zeros(len(values)), np.zeros(len(values))
    with np.errstate(all="ignore"):
        for shift in range(-n, n + 1):
            to = slice(max(0, -shift), max(0, len(values) - max(0, shift)))
            of = slice(max(0, shift), max(0, len(values) + min(0, shift)))
            counts = weights[of] > 0
            weight[to] += np.where(counts, weights[of], 0)
            step = (values[of] - mean[to]) * weights[of] / weight[to]
            mean[to] += np.where(counts, step, 0)
    return np.where(weight > 0, mean, np.nan)


Point = tuple[float, float, float, float]  # step, time, value, smooth


Place = Callable[[float, float], float]  # x of a step and a time; NaN: not on the axis


def place_on(x_axis: str, picture: Picture, run: RunHeader) -> Place:
    """Where on the axis the points of a run are."""
    if x_axis == "step":
        return lambda step, _: step
    if x_axis in ("relative", "time"):
        start = run["started"] if x_axis == "relative" else 0.0
        return lambda _, time: 1000 * (time - start)
    series = picture.series.get((run["key"], picture.metrics.get(x_axis, -1)))
    if series is None:
        return lambda *_: math.nan
    at = joined(series)
    return lambda step, _: at(step)


def joined(series: Any) -> Callable[[float], float]:
    """A metric's value at a step: the last one logged, or, between buckets' ends, a straight line. NaN before its first."""
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


def _mark(value: float, *, lonely: bool) -> str:
    if math.isfinite(value):
        return "dot" if lonely else "line"
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _exact(rows: Rows, look: Look) -> list[Point]:
    values = rows["first"]
    smoothed = smooth(values, np.isfinite(values).astype(float), look)
    columns = (rows["first_step"], rows["first_time"], values, smoothed)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _extremes(rows: Rows, look: Look) -> list[Point]:
    trend = _trend(rows, look) if look.smoothing else None
    while len(rows) > look.columns:
        rows = coarser(rows)
    points: list[Point] = []
    for row in rows:
        for point in _corners(row):
            step, _, value, _ = point
            if points and points[-1][0] == step and _same(points[-1][2], value):
                continue
            points.append((*point[:3], trend(step)) if trend else point)
    return points


def _corners(row: Any) -> list[Point]:
    """The points of a bucket in the order of their steps; the same point may come twice."""

    def corner(name: str) -> Point:
        step, time, value = float(row[name + "_step"]), float(row[name + "_time"]), float(row[name])
        return step, time, value, value

    between = sorted([corner("min"), corner("max")], key=lambda point: point[0]) if row["count"] > 0 else []
    points = [corner("first"), *between, corner("last")]
    hidden = [value for bit, value in _HIDDEN if int(row["mask"]) & bit and not _is_end(row, value)]
    if not row["mask"]:
        return points
    # what is neither first nor last has no place of its own: the middle of the bucket
    step = math.floor((points[0][0] + points[-1][0]) / 2)
    time = (points[0][1] + points[-1][1]) / 2
    return sorted([*points, *((step, time, value, value) for value in hidden)], key=lambda point: point[0])


def _is_end(row: Any, value: float) -> bool:
    return _same(float(row["first"]), value) or _same(float(row["last"]), value)


def _same(a: float, b: float) -> bool:
    """As JavaScript's ``Object.is``: NaN is NaN, and 0 is not -0."""
    return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))


def _trend(rows: Rows, look: Look) -> Callable[[float], float]:
    """The smoothed means as a function of the step, linear between the buckets' middles."""
    means = smooth(rows["mean"], rows["count"], look)
    middles = (rows["first_step"] + rows["last_step"]) / 2

    def at(step: float) -> float:
        row = max(0, int(np.searchsorted(middles, step, side="right")) - 1)
        after = min(row + 1, len(middles) - 1)
        here, there = float(means[row]), float(means[after])
        if not math.isfinite(there):
            return here
        along = (step - float(middles[row])) / (float(middles[after] - middles[row]) or 1)
        return here + (there - here) * min(1.0, max(0.0, along))

    return at
