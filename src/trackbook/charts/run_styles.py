"""The look of runs in charts, and their order, as in ``js/src/plot/palette.ts``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..frames.protocol import RunHeader
from .board_design import literal
from .theme import theme

if TYPE_CHECKING:
    from .plot import DrawSettings

MOST_DASHED: Final = 20  # drawn runs; the dashes of more would blur into each other


@dataclass(frozen=True)
class RunStyle:
    """The look of a run in charts; ``label`` is its name, made unique on the board."""

    run: RunHeader
    label: str
    color: str
    dash: list[int]
    faint: bool = False  # one of many lines, drawn thin and transparent
    part: str = ""  # the metric, in a chart of several


def style_runs(runs: Iterable[RunHeader], look: DrawSettings) -> dict[int, RunStyle]:
    """Return how each run is drawn, by key."""
    runs = list(runs)
    names = [run["name"] for run in runs]
    colors, dashes = theme()[look.theme], theme()["dashes"]
    lines, faded = colors["line"], colors["faded"]["line"]
    counted = [run for run in runs if run["id"] not in look.hidden] if len(runs) > MOST_DASHED else runs
    patterns = _dashes(counted, dashes, len(lines))
    styles = {}
    for run in runs:
        place, name = run["place"], run["name"]
        label = f"{name} ({run['id']})" if names.count(name) > 1 else literal(name)
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
