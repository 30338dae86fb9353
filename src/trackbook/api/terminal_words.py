"""What a run says in a terminal: a line when it begins, a table when it ends. Nothing where no terminal shows it."""

from __future__ import annotations

import contextlib
import math
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import forks, settings
from ..metrics import logged
from ..notebook import host
from ..text import aligned, duration, shorten, shorten_name, visible
from ..tracking.alert_rows import AlertRow
from ..tracking.run import Run, writer_of
from ..tracking.run_writer import RunWriter
from .process import process

if TYPE_CHECKING:
    from ..imports.importing import ImportProgress

_MOST_METRICS: Final = 10
_WIDEST_NAME: Final = 30  # characters
_SHORTEST_NAME: Final = 8
_NARROWEST_CURVE, _WIDEST_CURVE = 8, 40
_SILENT_SECONDS: Final = 1.0  # of an import, before its first line
_LINE_SECONDS: Final = 0.5  # between two of its lines
_MOST_POINTS: Final = 2_000_000  # of a run, to be read again for its curves when it ends: 0.4 s of processor time


def can_speak() -> bool:
    """Whether stderr is a terminal, and this is a program of its own, neither a notebook nor a child process."""
    stream = getattr(sys.stderr, "rich_proxied_file", sys.stderr)  # which rich before 15 puts there without `isatty`
    try:
        in_terminal = stream is not None and stream.isatty()
    except (AttributeError, ValueError):  # a user's own stream, or a closed one
        return False
    is_child = forks.is_fork() or forks.is_of_multiprocessing()
    return in_terminal and not host.current().is_notebook and not settings.is_quiet() and not is_child


def speak_of(run: Run) -> None:
    """Say that a run has begun, and have its alerts and its end told."""
    writer = writer_of(run)
    if writer.paths is None or writer.journal_only:  # nothing of it is kept, or nothing can be read here
        return
    folder = writer.paths.folder
    elsewhere = "" if folder == settings.data_dir() else f" --dir {shlex.quote(str(folder))}"
    _write(
        f"trackbook: run {run.name} of {run.project}; watch it: trackbook show {shlex.quote(run.project)}{elsewhere}"
    )
    in_line = False

    def look(writer: RunWriter) -> None:
        nonlocal in_line
        in_line = here.console.is_in_line(writer.id)

    def tell(writer: RunWriter) -> None:
        if can_speak():
            _write("\n".join(ending(writer, _columns())), in_line=in_line)

    def tell_alert(row: AlertRow, _: object) -> None:
        if can_speak():
            words = " ".join(f"trackbook: {row.level}: {row.title}{': ' * bool(row.text)}{row.text}".split())
            _write(shorten(words, _columns()), in_line=here.console.is_in_line(writer.id))

    here = process()
    writer.alerts.on_new.append(tell_alert)
    writer.before_end.append(here.captures.guarded("console", look))  # first of all, while the console is recorded
    writer.on_end.append(tell)


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError, AttributeError):
        return 80


def ending(writer: RunWriter, columns: int, curves: bool | None = None) -> list[str]:
    """Return the lines of a run's end, none longer than `columns`: state, duration, and the figures of each metric."""
    record = writer.record
    figures = logged(writer.store.summary(writer.id))
    points = sum(one.count for one in figures.values())
    took = duration((record.ended or record.started) - record.started)
    end = f" of {writer.project}: {writer.state} after {took}, "
    end += "" if writer.at_risk is None else f"{min(writer.at_risk, points):,} of "
    end += f"{points:,} point{'s' * (points != 1)}" + " NOT on disk" * (writer.at_risk is not None)
    begin = "trackbook: run "
    lines = [begin + shorten_name(writer.name, max(columns - len(begin) - len(end), _SHORTEST_NAME)) + end]
    shown = dict(list(figures.items())[:_MOST_METRICS])
    rows = [["metric", "last", "min", "max"]]
    for name, one in shown.items():
        numbers = (one.last, one.min, one.max)
        rows.append(
            [shorten_name(name, _WIDEST_NAME), *("nan" if math.isnan(value) else f"{value:.5g}" for value in numbers)]
        )
    table = aligned(rows) if shown else []
    width = min(columns - max(map(len, table), default=0) - 5, _WIDEST_CURVE)
    drawn = _shows_bars() if curves is None else curves
    if table and drawn and width >= _NARROWEST_CURVE and points <= _MOST_POINTS:
        from ..data.sparklines import Sparklines

        sparklines = Sparklines(writer.store, writer.id)
        sparklines.pull()
        table = [line + "  " + sparklines.line(name, width) for line, name in zip(table, ["", *shown], strict=True)]
    lines += [f"  {line.rstrip()}" for line in table]
    lines += [f"  and {len(figures) - len(shown)} more metrics"] if len(figures) > len(shown) else []
    return [shorten(" ".join(line.splitlines()), columns) for line in lines]


def _shows_bars() -> bool:
    streams = (sys.stderr, sys.__stderr__)  # what rich puts in place of the first does not tell its encoding
    encoding = next((found for stream in streams if (found := getattr(stream, "encoding", None))), "")
    return str(encoding).lower().replace("-", "") == "utf8"


def _write(text: str, *, in_line: bool = False) -> None:
    """Write lines to the terminal: above the bars of tqdm and rich, and below a line that the program has begun."""
    text = visible(text)
    tqdm = getattr(sys.modules.get("tqdm"), "tqdm", None)
    if tqdm is not None and getattr(tqdm, "_instances", None):
        tqdm.write(text, file=sys.stderr)
        return
    has_bars = hasattr(sys.stderr, "rich_proxied_file")  # of rich, which puts what is written above them
    sys.stderr.write("\n" * (in_line and not has_bars) + f"{text}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def shown_progress(path: Path) -> Iterator[Callable[[ImportProgress], None] | None]:
    """Give a function that shows how far an import is, in one line of the terminal or the notebook; None where neither is."""
    if not (can_speak() or (host.current().is_notebook and not settings.is_quiet())):
        yield None
        return
    due, shown = time.monotonic() + _SILENT_SECONDS, ""

    def show(progress: ImportProgress) -> None:
        nonlocal due, shown
        if time.monotonic() >= due:
            due = time.monotonic() + _LINE_SECONDS
            _overwrite(progress_line(path, progress), shown)
            shown = progress_line(path, progress)

    try:
        yield show
    finally:
        if shown:
            _overwrite("", shown)


def progress_line(path: Path, progress: ImportProgress) -> str:
    """Return a line that says how far an import is."""
    runs = f"run {progress.number:,} of {progress.runs:,}"
    name = shorten_name(visible(path.name), _WIDEST_NAME)
    media = f", {progress.media:,} media" if progress.media else ""
    return f"trackbook: importing {name}: {runs}, {progress.fraction:.0%}, {progress.points:,} points{media}"


def _overwrite(line: str, shown: str) -> None:
    sys.stderr.write(f"\r{line.ljust(len(shown))}" + "\r" * (not line))
    sys.stderr.flush()
