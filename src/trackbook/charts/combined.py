"""Several metrics in one chart: each metric of a run is drawn like a run of its own. ``js/src/plot/combined.ts`` is the twin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ..metrics import glob_matches, is_system
from .plot import Plot, PlotRow, RunStyle
from .theme import Theme, theme

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
        return replace(style, run=run, label=label, color=color, dash=dash)

    styles: list[RunStyle] = []
    rows: list[PlotRow] = []
    for part, plot in enumerate(plots):
        drawn = {style.label: own(style, part) for style in plot.styles}
        styles += drawn.values()
        for row in plot.rows:
            style = drawn[row["run"]]
            rows.append({**row, "run": style.label, "color": style.color, "dash": style.dash})
    limits = [plot.limits for plot in plots]
    joint = None if None in limits else (min(low for low, _ in limits), max(high for _, high in limits))  # type: ignore[misc]
    return replace(plots[0], metric=name, limits=joint, bars=all(plot.bars for plot in plots), styles=styles, rows=rows)
