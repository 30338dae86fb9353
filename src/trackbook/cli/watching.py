"""``trackbook watch``: a run in the terminal, live until it ends."""

from __future__ import annotations

import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from . import finding
from .exit_codes import NotFoundError
from .options import AnyRun, Dir, Json, Project, examples
from .output import json_text, moment, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..tracking.project import Project as StoredProject
    from ..types import MetricSummary, RunRecord

_RECOVER_SECONDS: Final = 5.0  # between two checks whether the run's process lives
_RATE_SECONDS: Final = 30.0  # over which the rate is taken
_NARROW: Final = 80  # columns, below which smallest and largest value are left out
_LEAST_CURVE: Final = 8


def add_to(app: typer.Typer) -> None:
    """Add ``watch``."""
    app.command("watch", epilog=examples("trackbook watch", "trackbook watch brisk-otter-12 --every 5"))(watch)


def watch(
    run: AnyRun = None,
    project: Project = None,
    every: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="Between two refreshes.")] = 1.0,
    dir: Dir = None,
    as_json: Json = False,
) -> None:
    """Follow a run in the terminal until it ends.

    Shows the latest values with their curves, the rate, and the time left where the number of steps is known. Elsewhere than in a
    terminal it prints a line for each change; with --json each is an object.
    """
    source, record = finding.find_run(run, project, dir)
    watched = WatchedRun(source, record)
    if as_json or not sys.stdout.isatty():
        _print_changes(watched, every, as_json)
    else:
        _show(watched, every)


@dataclass(frozen=True)
class Sight:
    """What is seen of a run at one moment."""

    record: RunRecord
    metrics: dict[str, MetricSummary]
    steps: int  # done
    rate: float | None  # steps a second
    elapsed: float  # seconds

    @property
    def left(self) -> float | None:
        """The seconds that are left, None where nobody can tell."""
        total = self.record.total
        if self.record.state != "running" or not self.rate or total is None:
            return None
        return max(total - self.steps, 0) / self.rate


class WatchedRun:
    """A run of which points and state are read again and again."""

    def __init__(self, project: StoredProject, record: RunRecord) -> None:
        from ..data.sparklines import Sparklines

        self.project = project
        self.curves = Sparklines(project.store, record.id)
        self._record = record
        self._progress: deque[tuple[float, int]] = deque()
        self._recovered = time.monotonic()

    def look(self) -> Sight:
        """Return how the run stands now. Raises `NotFoundError` once it was deleted."""
        from ..metrics import logged

        if time.monotonic() - self._recovered > _RECOVER_SECONDS:
            self._recovered = time.monotonic()
            self.project.recover()
        store = self.project.store
        record = store.run(self._record.id)
        if record is None:
            raise NotFoundError(f"run {self._record.name!r} was deleted")
        self._record = record
        self.curves.pull()
        metrics = logged(store.summary(record.id))
        steps = record.done if record.done is not None else max((one.step + 1 for one in metrics.values()), default=0)
        end = time.time() if record.ended is None else record.ended
        elapsed = max(end - record.started, 0.0)
        return Sight(record, metrics, steps, self._rate(steps, record, elapsed), elapsed)

    def _rate(self, steps: int, record: RunRecord, elapsed: float) -> float | None:
        """Return the steps a second of the last while; of a run that has ended, of all of it."""
        if record.state != "running":
            return steps / elapsed if elapsed else None
        now = time.monotonic()
        if not self._progress or self._progress[-1][1] != steps:  # the time when new ones came
            self._progress.append((now, steps))
        while len(self._progress) > 2 and now - self._progress[1][0] > _RATE_SECONDS:
            self._progress.popleft()
        (begin, first), (end, last) = self._progress[0], self._progress[-1]
        return (last - first) / (end - begin) if end > begin else None


def _print_changes(watched: WatchedRun, every: float, as_json: bool) -> None:
    before: tuple[Any, ...] | None = None
    while True:
        sight = watched.look()
        seen = (sight.record.state, sight.steps, *sight.metrics.values())
        if repr(seen) != repr(before):  # NaN equals itself
            before = seen
            say(json_text(_as_json(watched, sight)) if as_json else _line(sight))
        if sight.record.state != "running":
            return
        time.sleep(every)


def _as_json(watched: WatchedRun, sight: Sight) -> dict[str, Any]:
    return {
        "project": watched.project.name,
        "id": sight.record.id,
        "name": sight.record.name,
        "state": sight.record.state,
        "started": moment(sight.record.started),
        "elapsed": sight.elapsed,
        "steps": sight.steps,
        "total": sight.record.total,
        "rate": sight.rate,
        "left": sight.left,
        "metrics": {name: one.last for name, one in sight.metrics.items()},
    }


def _line(sight: Sight) -> str:
    values = "  ".join(f"{name} {one.last:.5g}" for name, one in sight.metrics.items())
    return f"{sight.record.state}  step {sight.steps}  {values}".rstrip()


def _show(watched: WatchedRun, every: float) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console()
    size = console.size
    sight = watched.look()
    with Live(view(watched, sight, *size), console=console, auto_refresh=False, transient=False) as live:
        while sight.record.state == "running":
            time.sleep(every)
            sight = watched.look()
            if size != console.size:  # the terminal has broken the lines in other places
                console.clear()
                size = console.size
            live.update(view(watched, sight, *size), refresh=True)


def view(watched: WatchedRun, sight: Sight, columns: int, lines: int) -> RenderableType:
    """Return a run as it is shown in a terminal of this size: a line of progress, and a row for each metric that fits."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from ..text import duration, shorten_name, visible

    record = sight.record
    facts = [
        visible(f"{record.name} of {watched.project.name}"),
        record.state,
        duration(sight.elapsed),
        f"step {sight.steps:,}" + (f" of {record.total:,}" if record.total else ""),
        *([f"{sight.rate:.3g} steps/s"] if sight.rate else []),
        *([f"{duration(sight.left)} left"] if sight.left is not None else []),
    ]
    head = "  ".join(fact.replace(" ", "\N{NO-BREAK SPACE}") for fact in facts)  # lines break between facts
    parts: list[RenderableType] = [Text(head, overflow="fold")]
    if record.error:
        parts.append(Text(visible(record.error), style="red", overflow="ellipsis", no_wrap=True))
    room = max(lines - 5 - len(head) // max(columns, 1), 1)
    shown = dict(list(sight.metrics.items())[:room])
    if not shown:
        return Group(*parts, Text("no metrics yet", style="dim"))
    name_width = max(len("metric"), min(max(map(len, shown)), columns // 3))
    numbers = ["last"] if columns < _NARROW else ["last", "min", "max"]
    cells = {name: [f"{getattr(one, key):.5g}" for key in numbers] for name, one in shown.items()}
    taken = sum(max(len(key), *(len(row[at]) for row in cells.values())) + 2 for at, key in enumerate(numbers))
    width = max(columns - name_width - taken - 2, _LEAST_CURVE)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("metric", no_wrap=True, width=name_width, overflow="ellipsis")
    for key in numbers:
        table.add_column(key, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, style="cyan", overflow="crop")
    for name, row in cells.items():
        table.add_row(Text(shorten_name(visible(name), name_width)), *row, watched.curves.line(name, width))
    more = len(sight.metrics) - len(shown)
    return Group(*parts, table, *([Text(f"and {more} more metrics", style="dim")] if more else []))
