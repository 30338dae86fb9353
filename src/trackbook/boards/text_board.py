"""A board as text, for terminals and other hosts that do not show widgets."""

from __future__ import annotations

from typing import Final

from ..metrics import logged
from ..text import aligned, shorten_name
from .frame_source import FrameSource

MOST_RUNS: Final = 4  # the newest
MOST_METRICS: Final = 30
_WIDEST: Final = 24  # characters of a name


def text_board(project: str, source: FrameSource) -> str:
    """Return a table of runs with state, steps, and the last value of each metric."""
    headers = list(source.picture.runs.values())
    shown = headers[-MOST_RUNS:]
    summaries = {run["id"]: source.store.summary(run["id"]) for run in shown}
    metrics = list(logged(source.picture.metrics))
    title = f"trackbook board of {project!r}"
    table = [
        ["", *(shorten_name(run["name"], _WIDEST) for run in shown)],
        ["state", *(run["state"] for run in shown)],
        ["steps", *(str(run["done"]) for run in shown)],
    ]
    for name in metrics[:MOST_METRICS]:
        found = [summaries[run["id"]].get(name) for run in shown]
        table.append([shorten_name(name, _WIDEST), *("" if one is None else f"{one.last:.5g}" for one in found)])
    if not shown:
        return f"{title}: no runs yet"
    left_out = [
        *([f"{len(headers) - len(shown)} earlier runs"] if len(headers) > len(shown) else []),
        *([f"{len(metrics) - MOST_METRICS} more metrics"] if len(metrics) > MOST_METRICS else []),
    ]
    return "\n".join([title, *aligned(table), *([f"and {' and '.join(left_out)}"] if left_out else [])])
