"""Several metrics in one chart: each metric of a run is drawn like a run of its own. ``js/src/plot/combined.ts`` is the twin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ..frames.picture import Picture
from ..metrics import glob_matches, is_system
from .emphasis import BestPoint
from .plot import DrawSettings, Plot, PlotRow, finish, plot_of, settle_smoothing, trace
from .run_styles import RunStyle, drawing_order
from .theme import Theme, theme
from .x_axis import x_axis_of

SPLITS: Final = frozenset({"train", "training", "val", "valid", "validation", "dev", "eval", "test"})
DASHES: Final[list[list[int]]] = [[], [5, 3], [2, 3], [8, 3, 2, 3]]


def combine_metrics(
    metrics: Sequence[str], combined: Mapping[str, Iterable[str]], *, splits: bool
) -> tuple[list[str], dict[str, list[str]]]:
    """Put the metrics of combined charts in the place of the first of them.

    Returns the names of all charts, and the metrics of each combined one. `splits` combines those that differ only in
    ``train``, ``val`` and the like.
    """
    members: dict[str, list[str]] = {}
    for name, globs in combined.items():
        own = list(dict.fromkeys(metric for glob in globs for metric in metrics if glob_matches(glob, metric)))
        if own:
            members[name] = own
    chart_of = {metric: name for name, own in members.items() for metric in own}
    if splits:
        found: dict[str, list[str]] = {}
        for metric in metrics:
            if metric not in chart_of and (rest := _split_of(metric)):
                found.setdefault(rest, []).append(metric)
        pairs = {name: own for name, own in found.items() if len(own) > 1 and name not in {*members, *metrics}}
        members |= pairs
        chart_of |= {metric: name for name, own in pairs.items() for metric in own}
    return list(dict.fromkeys(chart_of.get(metric, metric) for metric in metrics)), members


def _split_of(metric: str) -> str:
    """Return the name of a split's metric without the split; empty of others."""
    group, slash, rest = metric.partition("/")
    return rest if slash and group.lower() in SPLITS and not is_system(metric) else ""


def part_names(metrics: Sequence[str]) -> list[str]:
    """Return the shortest names that tell metrics apart: ``train`` and ``val`` of ``train/loss`` and ``val/loss``."""
    parts = [metric.split("/")[::-1] for metric in metrics]
    same = 0
    while all(same < len(part) - 1 and part[same] == parts[0][same] for part in parts):
        same += 1
    end = "/" + "/".join(parts[0][:same][::-1])
    return [metric.removesuffix(end) for metric in metrics] if same else list(metrics)


def chart_of(picture: Picture, name: str, metrics: Sequence[str], look: DrawSettings, most: int | None = None) -> Plot:
    """Return the drawing of a chart of one metric or several. `most` is as in `plot_of`."""
    if list(metrics) == [name]:
        return plot_of(picture, name, look, most)
    axes = {x_axis_of(picture, metric, look.x_axis) for metric in metrics}
    x_axis = axes.pop() if len(axes) == 1 else "step"
    look = look.of(name)
    settled = settle_smoothing(picture, metrics, look)
    return finish(join(name, [trace(picture, metric, settled, most, x_axis) for metric in metrics], look.theme), look)


def join(name: str, plots: Sequence[Plot], look: Theme = "light") -> Plot:
    """Return the plots of several metrics as one: metrics differ in their dashes, and those of a lone run in color."""
    names = part_names([plot.metric for plot in plots])
    alone = len({style.run["id"] for plot in plots for style in plot.styles}) == 1
    lines = theme()[look]["line"]

    def own(style: RunStyle, part: int) -> RunStyle:
        color = lines[(style.run["key"] + part) % len(lines)] if alone and part else style.color
        label = names[part] if alone else f"{style.label} · {names[part]}"
        run: Any = {**style.run, "key": style.run["key"] * len(plots) + part}
        dash = [] if alone else DASHES[part % len(DASHES)]
        return replace(style, run=run, label=label, color=color, dash=dash, part=names[part])

    found: list[tuple[RunStyle, Any, list[PlotRow]]] = []
    bests: dict[str, BestPoint] = {}
    for part, plot in enumerate(plots):
        rows: dict[str, list[PlotRow]] = {style.label: [] for style in plot.styles}
        for row in plot.rows:
            rows[row["run"]].append(row)
        for style, series in zip(plot.styles, plot.series, strict=True):
            mine = own(style, part)
            look_of: Any = {"run": mine.label, "color": mine.color, "dash": mine.dash}
            found.append((mine, series, [{**row, **look_of} for row in rows[style.label]]))
            if style.label in plot.bests:
                bests[mine.label] = plot.bests[style.label]
    order = {run["key"]: place for place, run in enumerate(drawing_order([style.run for style, *_ in found]))}
    found.sort(key=lambda each: order[each[0].run["key"]])
    goals = {plot.goal for plot in plots}
    goal = goals.pop() if len(goals) == 1 else None
    return replace(
        plots[0],
        metric=name,
        bars=all(plot.bars for plot in plots),
        styles=[style for style, *_ in found],
        series=[series for _, series, _ in found],
        rows=[row for *_, rows in found for row in rows],
        goal=goal,
        bests=bests if goal else {},
    )
