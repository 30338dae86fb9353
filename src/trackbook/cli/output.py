"""Output of commands: tables for people, JSON for programs."""

from __future__ import annotations

import io
import json
import math
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import accumulate
from time import time
from typing import Any, Final, Literal

import typer

from ..text import ago, shorten_name, visible

_WIDEST: Final = 10_000  # of a table that no terminal shows: nothing is cut


def say(text: str = "", *, err: bool = False) -> None:
    """Print text for people. What a name or a note may hold cannot move the terminal's cursor."""
    typer.echo(visible(text), err=err)


def print_json(content: Any) -> None:
    """Print JSON. Numbers that are not finite are the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``, as in JSON Lines exports."""
    typer.echo(json_text(content, indent=2))


def json_text(content: Any, indent: int | None = None) -> str:
    """Return JSON as `print_json` prints it."""
    return json.dumps(_plain(content), indent=indent, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def moment(seconds: float | None) -> str | None:
    """Return seconds UTC as an ISO 8601 time, for JSON."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None, least: int | None = None
) -> None:
    """Print a table. In a terminal it fits the width, and the names in its first column are cut in their middle; elsewhere nothing is cut.

    With `least` the terminal shows as many of the first columns as fit whole, at least so many, and a line tells of the others.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    found = [list(row) for row in rows]
    left_out: Sequence[str] = ()
    terminal = Console(file=sys.stdout) if sys.stdout.isatty() else None
    width = _WIDEST if terminal is None else terminal.width
    widths = _widths([list(columns), *found])
    if least is not None and terminal is not None and _fitting(widths, width) < len(columns):
        widths[0] = min(widths[0], width // 2)
        shown = max(least, _fitting(widths, width))
        columns, widths, left_out = columns[:shown], widths[:shown], columns[shown:]
        found = [row[:shown] for row in found]
    widths = _narrowed(widths, width)
    for place, cells in enumerate(list(zip(*found, strict=True)) or [()] * len(columns)):
        justify: Literal["left", "right"] = "right" if cells and all(map(_is_numeric, cells)) else "left"
        header = Text(visible(columns[place]))
        table.add_column(header, justify=justify, overflow="ellipsis", no_wrap=True, width=widths[place])
    for name, *others in found:
        table.add_row(Text(_cut(_cell(name), widths[0])), *(Text(_cell(value)) for value in others))
    titles = [] if title is None else [Text(_cut(visible(title), width), style="table.title")]
    if terminal is not None:
        terminal.print(*titles, table, sep="\n")
        if left_out:
            say(f"not shown in {width} columns: {', '.join(left_out)}")
        return
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as captured:
        console.print(*titles, table, sep="\n")
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def terminal_width() -> int | None:
    """Return how many characters a line of the terminal has; None where the output is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _cell(value: Any) -> str:
    return visible(" ".join(number(value).split()))


def _widths(rows: Sequence[Sequence[Any]]) -> list[int]:
    from rich.cells import cell_len

    return [max(cell_len(_cell(value)) for value in column) for column in zip(*rows, strict=True)]


def _fitting(widths: Sequence[int], width: int) -> int:
    """Return how many of the first columns fit whole, two apart."""
    return sum(end - 2 <= width for end in accumulate(each + 2 for each in widths))


def _narrowed(widths: Sequence[int], width: int) -> list[int]:
    """Return the widths of columns that fit, two apart: the widest are narrowed, so that short ones stay whole."""
    room = max(len(widths), width - 2 * (len(widths) - 1))
    most = max(widths, default=0)
    while most > 1 and sum(min(each, most) for each in widths) > room:
        most -= 1
    return [min(each, most) for each in widths]


def _cut(name: str, width: int) -> str:
    from rich.cells import cell_len

    most = width
    while cell_len(short := shorten_name(name, most)) > width:
        most -= 1
    return short


def _is_numeric(cell: Any) -> bool:
    return cell is None or isinstance(cell, int | float)


def number(value: Any) -> str:
    """Return a value in a few characters."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, datetime):
        return ago(time() - value.timestamp())
    return str(value)


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner on stderr in a terminal while something takes its time. What it gives changes the text beside it."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(f"{what} ...") as status:
        yield lambda text: status.update(escape(text))


def size(count: int) -> str:
    """Return a number of bytes."""
    value, units = float(count), ["B", "KB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if value >= 10 or units[0] == "B" else f"{value:.1f} {units[0]}"
