"""Tab completion of ``%track`` and ``%%track``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..api.process import process
from ..api.projects import home
from ..settings import data_dir
from ..store.paths import project_names
from ..types import ENDED, STOPS
from .commands import COMMANDS, parser
from .parser import Parser, cell_parser
from .watch import watching

_NAMES_RUNS = ("show", "export", "delete", "compare", "diff")


def complete(_: Any, event: Any) -> list[str]:
    """Return completions for IPython: of each candidate the part from the start of ``event.symbol`` on."""
    line = event.text_until_cursor.lstrip()
    before = line.split()
    word = "" if line[-1:].isspace() else before.pop()
    cut = len(word) - len(event.symbol)  # IPython's word begins after a `=` or a quote, ours before
    return [candidate[cut:] for candidate in _candidates(before, word) if candidate.startswith(word)]


def _candidates(before: list[str], word: str) -> Iterable[str]:
    """Return candidates for the last word, after the words `before`."""
    last = before[-1] if before else ""
    if last == "--project":
        return project_names(data_dir())
    if last == "--stop":
        return STOPS
    if last == "--run":
        return _runs(before)
    if before[:1] == ["%%track"]:
        return _metrics() if last == "->" else _options(cell_parser(), word)
    if len(before) == 1:
        return [*COMMANDS, "--help"]
    command = before[1] if len(before) > 1 else ""
    if command not in COMMANDS:
        return []
    if word.startswith("-"):
        return _options(parser(command), word)
    if command == "export" and len(before) == 2 and "." in word:
        return _export_paths(word)
    if command in _NAMES_RUNS:
        return _runs(before)
    return {"finish": ENDED, "unwatch": watching.names}.get(command, ())


def _options(of: Parser, word: str) -> list[str]:
    return [option for option in of.options if option.startswith("--")] if word.startswith("-") else []


def _export_paths(word: str) -> list[str]:
    """Return the path with the suffix of each export format."""
    from ..data.export import FORMATS

    return [word[: word.rindex(".")] + suffix for known in FORMATS.values() for suffix in known.suffixes]


def _runs(before: list[str]) -> list[str]:
    """Return the names of runs in the project of the line, or ids of runs whose names have several words."""
    project = before[before.index("--project") + 1] if "--project" in before[:-1] else None
    if project is not None and project not in project_names(data_dir()):
        return []
    try:
        runs = home(project).store.runs()
    except OSError:  # the command itself will report it
        return []
    return list(dict.fromkeys(run.id if run.name.split() != [run.name] else run.name for run in reversed(runs)))


def _metrics() -> list[str]:
    """Return the metrics of the current or last run."""
    run = process().current_run() or process().last_run
    return list(run.summary) if run is not None else []
