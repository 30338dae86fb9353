"""Live lines: one line about a run under a cell that trains it, when its board is under another cell."""

from __future__ import annotations

import contextvars
import html
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ..charts.thinning import corners, thinned
from ..metrics import logged
from ..notebook import host
from ..text import elapsed, shorten_name

if TYPE_CHECKING:
    from ..frames.picture import Picture
    from ..frames.protocol import RunHeader
    from ..tracking.run_writer import RunWriter
    from .widget import Board

AFTER_SECONDS: Final = 1.0  # of a cell, before it gets a line: short cells need none
INTERVAL_SECONDS: Final = 0.5  # between two updates
MOST_LINES: Final = 3  # a cell
_POINTS: Final = 60
_LONGEST_NAME: Final = 40  # characters
_WIDTH, _HEIGHT = 96, 16  # pixels of the sparkline
_STYLE: Final = (
    "display: flex; flex-wrap: wrap; gap: 0 12px; align-items: center; font: 12px var(--jp-ui-font-family, sans-serif); "
    "color: var(--jp-ui-font-color2, inherit); font-variant-numeric: tabular-nums; padding: 2px 0"
)
# A page may have removed the board from the document while it is out of sight. The address then names its cell.
_SCROLL: Final = (
    "const board = document.querySelector('.tb-board[data-session=&quot;{session}&quot;]');"
    " if (board) {{ board.scrollIntoView({{block: 'center', behavior: 'smooth'}}); event.preventDefault(); }}"
)


@dataclass
class _Line:
    board: Board
    run: str
    id: str
    shown: str = ""


@dataclass
class _Cell:
    """The running cell, as far as lines need it."""

    name: str | None
    logged_to: Callable[[], list[RunWriter]]
    context: contextvars.Context = field(default_factory=contextvars.copy_context)
    began: float | None = None  # on the monotonic clock, when the pump saw it first
    lines: dict[str, _Line] = field(default_factory=dict)  # by run id


class LiveLines:
    """The live lines of the running cell."""

    def __init__(self, boards: Callable[[], Iterable[tuple[str, Board]]]) -> None:
        """`boards` returns the open boards, each with the name of the cell execution that made it."""
        self._boards = boards
        self._cell: _Cell | None = None
        self._number = 0

    def cell_began(self, logged_to: Callable[[], list[RunWriter]]) -> None:
        """Follow a cell. `logged_to` returns the runs of earlier cells that it has logged to."""
        self._cell = _Cell(host.current().cell(), logged_to)

    def cell_ended(self) -> None:
        """Show how the runs are at the end of the cell."""
        if self._cell is not None:
            self._update(self._cell, live=False)
        self._cell = None

    def tick(self, now: float) -> float:
        """Show lines where they are wanted, and update them. Called by the pump."""
        cell = self._cell
        if cell is None or not host.current().takes_late_outputs():
            return INTERVAL_SECONDS if cell is None else 3600.0
        cell.began = now if cell.began is None else cell.began
        if now - cell.began >= AFTER_SECONDS and len(cell.lines) < MOST_LINES:
            for run in cell.logged_to():
                board = self._board_of(run.id, cell.name)
                if board is not None:
                    cell.context.run(self.show, board, run.id)
        cell.context.run(self._update, cell)
        return INTERVAL_SECONDS

    def show(self, board: Board, run_id: str) -> None:
        """Show the line of a run under the running cell, once."""
        cell = self._cell or _Cell(None, list)
        if run_id in cell.lines:
            return
        self._number += 1
        line = _Line(board, run_id, f"trackbook-line-{board.source.id}-{self._number}")
        cell.lines[run_id] = line
        self._publish(line, again=False)

    def _board_of(self, run_id: str, cell: str | None) -> Board | None:
        """Return the board of a run if it is under another cell."""
        found = [
            (made_by, board)
            for made_by, board in self._boards()
            if run_id in board.source.run_ids and board.is_displayed
        ]
        if not found or any(made_by == cell for made_by, _ in found):
            return None
        return found[-1][1]

    def _update(self, cell: _Cell, *, live: bool = True) -> None:
        for line in cell.lines.values():
            self._publish(line, again=True, live=live)

    def _publish(self, line: _Line, *, again: bool, live: bool = True) -> None:
        with line.board.publisher.lock:
            text, page = line_of(line.board.source.picture, line.run, line.board, live=live)
        if page != line.shown:
            line.shown = page
            host.current().show_data({"text/html": page, "text/plain": text}, {}, line.id, again=again)


def line_of(picture: Picture, run_id: str, board: Board, *, live: bool = True) -> tuple[str, str]:
    """Return the line of a run as text and as HTML: name, sparkline, last value, steps, rate, time left, link to the board."""
    run = picture.runs.get(run_id)
    if run is None:
        return "", ""
    metric = main_metric(picture, run)
    steps, values = _values(picture, run, metric)
    last = [f"{metric} {values[-1]:.4g}"] if values else []
    words = [shorten_name(run["name"], _LONGEST_NAME), *last, *_progress(run, live=live), *_state(run)]
    parts = [f"<span>{html.escape(word)}</span>" for word in words]
    if len(values) > 1:
        parts.insert(1, _sparkline(steps, values))
    if board.is_displayed:
        parts.append(_link(board))
    return " · ".join(words), f'<div style="{_STYLE}">{" ".join(parts)}</div>'


def main_metric(picture: Picture, run: RunHeader) -> str | None:
    """Return the metric to show of a run: the first loss, else the first."""
    names = [name for name in logged(picture.metrics) if (run["key"], picture.metrics[name]) in picture.series]
    losses = [name for name in names if "loss" in name.lower()]
    return next(iter([*losses, *names]), None)


def _values(picture: Picture, run: RunHeader, metric: str | None) -> tuple[list[float], list[float]]:
    if metric is None:
        return [], []
    points = thinned(corners(picture.series[run["key"], picture.metrics[metric]].rows), _POINTS)
    finite = [
        (float(step), float(value))
        for step, value in zip(points[0], points[2], strict=True)
        if abs(value) < float("inf")
    ]
    return [step for step, _ in finite], [value for _, value in finite]


def _state(run: RunHeader) -> list[str]:
    """Return how a run ended. Of one that is open nothing is said, because the line stays in the notebook."""
    if run["state"] == "running":
        return []
    took = "" if run["ended"] is None else f" after {elapsed(run['ended'] - run['started'])}"
    return [f"{run['state']}{took}"]


def _progress(run: RunHeader, *, live: bool) -> list[str]:
    """Return steps, and while the cell runs the rate and the time left: the line stays in the notebook."""
    done, total, rate = run["done"], run["total"], run["rate"]
    steps = f"{done:,} / {total:,} steps" if total else f"{done:,} {'step' if done == 1 else 'steps'}"
    if not live or run["state"] != "running" or not rate:
        return [steps]
    left = [f"{elapsed((total - done) / rate)} left"] if total and total > done else []
    return [steps, f"{rate:.3g}/s", *left]


def _sparkline(steps: list[float], values: list[float]) -> str:
    low, high = min(values), max(values)
    across, tall = (steps[-1] - steps[0]) or 1, (high - low) or 1
    places = " ".join(
        f"{(step - steps[0]) / across * _WIDTH:.1f},{_HEIGHT - 1 - (value - low) / tall * (_HEIGHT - 2):.1f}"
        for step, value in zip(steps, values, strict=True)
    )
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="course of the value" style="vertical-align: middle">'
        f'<polyline points="{places}" fill="none" stroke="currentColor" stroke-width="1.25"/></svg>'
    )


def _link(board: Board) -> str:
    session = html.escape(json.dumps(board.source.id)[1:-1])
    cell = "" if board.cell_id is None else f"#cell-id={html.escape(board.cell_id)}"
    return f'<a href="{cell or "#"}" onclick="{_SCROLL.format(session=session)}">board</a>'
