"""The commands of ``%track``, each of which works on runs in one line."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from ..api.boards import board
from ..api.compare import compare, diff
from ..api.data import export, import_from
from ..api.process import process
from ..api.projects import delete_run, get_run, home, runs
from ..api.run import finish
from ..notebook import host
from ..settings import data_dir, user_path
from ..store.documents import document
from ..store.paths import project_names
from ..text import did_you_mean
from ..tracking.run import Run, writer_of
from ..types import ENDED
from .parser import Parser, add_run_options, start_run
from .targets import split_words, unquoted
from .watch import watching

if TYPE_CHECKING:
    from ..tracking.project import Project


# --- the commands; the first line of each docstring is its help -------------------------------------------------------


def show(given: Namespace) -> Any:
    """Show a board: of these runs, of the current or last run's project, or of a Parquet export by its path."""
    if given.project is None and given.runs and _is_path(given.runs[0]):
        return board(user_path(given.runs[0]), given.runs[1:] or None)
    return board(given.project, given.runs or None)


def _is_path(word: str) -> bool:
    """Whether a word is a path: it exists, or looks like one, and no run has this name."""
    return not _is_run(word, None) and (bool(re.search(r"[/\\]|\.(parquet|pq)$", word)) or Path(word).exists())


def _is_run(word: str, project: str | None) -> bool:
    return any(word in (run.id, run.name) for run in home(project).store.runs())


def list_runs(given: Namespace) -> Any:
    """List the runs of a project, or all projects where there is none yet."""
    if given.project is None and not given.projects and (process().last_project or home(None).exists):
        return runs()
    if given.project is not None:
        return runs(given.project)
    folder = data_dir()
    say("\n".join(project_names(folder)) or f"there are no projects in {folder} yet")
    return None


def begin_run(given: Namespace) -> None:
    """Start a run; tb.log() and %track watch write to it."""
    given.name = given.name or given.named
    start_run(given, tags=given.tag, notes=given.notes)


def end_run(given: Namespace) -> None:
    """End the current run, as finished or in another state."""
    if process().current_run() is None:
        raise ValueError("no run is open")
    finish(given.state)


def watch(given: Namespace) -> None:
    """Log these variables of the notebook after each cell, to the run that is open at that time."""
    if given.names:
        watching.add(given.names)
    run = process().current_run()
    names = ", ".join(watching.names) or "nothing"
    say(f"watching {names}" + ("" if run or not watching.names else "; logged once a run is open"))


def unwatch(given: Namespace) -> None:
    """Stop logging these variables, or all."""
    watching.remove(given.names or watching.names)


def export_project(given: Namespace) -> None:
    """Write a project, or some of its runs, to a file or folder; the path's suffix chooses the format."""
    from ..data.export import FORMATS, format_of

    project = _home(given.project)
    if given.path and _is_run(given.path, given.project):
        raise ValueError(f"{given.path!r} is a run; the path comes first: %track export PATH {given.path}")
    path = user_path(given.path or re.sub(r"[^\w.-]+", "-", project.name) + ".parquet")
    chosen = format_of(path)
    if chosen is None:
        known = ", ".join(suffix for one in FORMATS.values() for suffix in one.suffixes)
        raise ValueError(f"{path} ends in {path.suffix}; a table can be written to {known}, or to a folder")
    say(str(export(project.name, path, given.runs or None, chosen)))


def import_runs(given: Namespace) -> None:
    """Import the runs of a Parquet file or folder."""
    for run in import_from(given.path, None, given.project):
        say(f"{run.project}: {run.name}")


def compare_runs(given: Namespace) -> Any:
    """Show a board of these runs with their configs and results side by side."""
    return compare(given.runs, given.project)


def diff_runs(given: Namespace) -> Any:
    """Show what differs between two runs: config, environment, code, results and curves."""
    return diff(given.first, given.second, given.project)


def tag(given: Namespace) -> None:
    """Add tags to a run."""
    run = _run(given)
    run.tags = [*run.tags, *given.tags]
    say(f"{run.name}: {', '.join(run.tags)}")


def note(given: Namespace) -> None:
    """Set the note of a run."""
    _run(given).notes = " ".join(given.words)


def rename(given: Namespace) -> None:
    """Rename a run."""
    _run(given).name = given.name


def delete(given: Namespace) -> None:
    """Delete a run and its points for good, after a question."""
    delete_run(given.run, given.project, force=given.force)


def status(_: Namespace) -> None:
    """Show the open run, the file of its points, and the watched variables."""
    run = process().current_run() or process().last_run
    if run is None:
        lines = ["no run yet: %track init, a cell headed by %%track, or tb.init() begins one"]
    else:
        lines = [f"run {run.name} of {run.project}: {run.state}"]
        metrics = [f"{name} {value:g}" for name, value in run.summary.items() if isinstance(value, float)]
        lines += [f"metrics: {', '.join(metrics)}"] if metrics else []
    project = process().last_project
    if project is not None:
        lines += [f"file: {project.store.path}", *project.store.notices]
    lines += _notebook_lines(run) if run is not None else []
    lines += [f"watching: {', '.join(watching.names)}"] if watching.names else []
    say("\n".join(lines))


def _notebook_lines(run: Run) -> list[str]:
    """Return lines about the notebook of a run and its dirty cells; none when its cells were not captured."""
    known = document(writer_of(run).store, run.id, "notebook") or {}
    lines = [f"notebook: {known['path']}"] if known.get("path") else []
    return [*lines, f"dirty: {'; '.join(known['dirty'])}"] if known.get("dirty") else lines


def say(text: str) -> None:
    """Print the answer to a command."""
    print(text)  # noqa: T201


def _home(project: str | None) -> Project:
    found = home(project)
    if not found.exists:
        raise ValueError(f"there is no project {found.name!r} in {found.store.path.parent}; {found.neighbours()}")
    return found


def _run(given: Namespace) -> Run:
    return get_run(given.run, given.project)


COMMANDS: dict[str, Callable[[Namespace], Any]] = {
    "show": show,
    "ls": list_runs,
    "init": begin_run,
    "finish": end_run,
    "watch": watch,
    "unwatch": unwatch,
    "export": export_project,
    "import": import_runs,
    "compare": compare_runs,
    "diff": diff_runs,
    "tag": tag,
    "note": note,
    "rename": rename,
    "delete": delete,
    "status": status,
}


_TEXT: dict[str, Any] = {"type": unquoted}
_PROJECT = ("--project", {"help": "another project than the current or last run's", **_TEXT})
_RUN = ("--run", {"help": "id or name; by default the current or last run", **_TEXT})
_RUNS = ("runs", {"nargs": "*", "metavar": "RUN", "help": "ids or names", **_TEXT})
_NAMES = ("names", {"nargs": "*", "metavar": "NAME"})
_ARGUMENTS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "show": [
        _PROJECT,
        ("runs", {"nargs": "*", "metavar": "RUN", "help": "ids or names; first a PATH, if from there", **_TEXT}),
    ],
    "ls": [_PROJECT, ("--projects", {"action": "store_true", "help": "list the projects"})],
    "init": [
        ("named", {"nargs": "?", "metavar": "NAME", "help": "what to call the run", **_TEXT}),
        ("--tag", {"action": "append", "help": "a tag of the run", **_TEXT}),
        ("--notes", {"help": "what it is about", **_TEXT}),
    ],
    "finish": [("state", {"nargs": "?", "choices": ENDED, "metavar": "STATE", "help": ", ".join(ENDED)})],
    "watch": [_NAMES],
    "unwatch": [_NAMES],
    "export": [_PROJECT, ("path", {"nargs": "?", "metavar": "PATH", **_TEXT}), _RUNS],
    "import": [_PROJECT, ("path", {"metavar": "PATH", **_TEXT})],
    "compare": [_PROJECT, ("runs", {"nargs": "+", "metavar": "RUN", "help": "ids or names, two or more", **_TEXT})],
    "diff": [
        _PROJECT,
        ("first", {"metavar": "RUN", "help": "id or name", **_TEXT}),
        ("second", {"metavar": "RUN", "help": "of the run to compare it with", **_TEXT}),
    ],
    "tag": [_PROJECT, _RUN, ("tags", {"nargs": "+", "metavar": "TAG", **_TEXT})],
    "note": [_PROJECT, _RUN, ("words", {"nargs": "+", "metavar": "TEXT", **_TEXT})],
    "rename": [_PROJECT, _RUN, ("name", {"metavar": "NAME", **_TEXT})],
    "delete": [
        _PROJECT,
        ("run", {"metavar": "RUN", "help": "id or name", **_TEXT}),
        ("--force", {"action": "store_true", "help": "do not ask"}),
    ],
    "status": [],
}


def parser(command: str) -> Parser:
    """Return the parser of a command's arguments."""
    made = Parser(f"%track {command}", (COMMANDS[command].__doc__ or "").strip())
    for name, settings in _ARGUMENTS[command]:
        made.add_argument(name, **settings)
    if command == "init":
        add_run_options(made, "flag")
    return made


def overview() -> str:
    """Return the help of ``%track``."""
    width = max(map(len, COMMANDS))
    lines = [f"  %track {name:<{width}}  {(call.__doc__ or '').splitlines()[0]}" for name, call in COMMANDS.items()]
    first = f"  %track {'':<{width}}  The board of the current or last run."
    last = "%track COMMAND --help says more; %%track --help tells how to track a cell."
    return "\n".join([first, *lines, "", last])


def run_line(line: str) -> Any:
    """Run a ``%track`` line. Raises ``UsageError`` with one line of text for a bad one."""
    try:
        words = split_words(line)
        if not words:
            return _board()
        command, *rest = words
        if command in ("--help", "-h", "help"):
            say(overview())
            return None
        if command not in COMMANDS:
            meant = did_you_mean(command, COMMANDS, "see %track --help")
            raise UsageError(f"%track: there is no command {command!r}; {meant}")
        if {"--help", "-h"} & set(rest):
            say(parser(command).format_help())
            return None
        return COMMANDS[command](parser(command).parse(rest))
    except (ValueError, TypeError, RuntimeError, OSError) as error:
        raise UsageError(f"%track: {error}") from None


def _board() -> Any:
    run = process().current_run() or process().last_run
    if run is None:
        raise ValueError(
            "no run yet: %track init, a cell headed by %%track, or tb.init() begins one; %track show PROJECT"
        )
    if host.current().shell is None:
        return run
    project = process().last_project
    live = process().boards.of_cell(project.store.path) if project is not None else None
    return live or board(run.project, run.id)
