"""Commands that change stored runs: ``rm``, ``mv``, ``rename``, ``tag``, ``note`` and ``compact``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from . import finding
from .exit_codes import RefusedError, UsageError, usage
from .options import Dir, Json, Project, Run, complete_projects, complete_runs, examples
from .output import print_json, say, size, working

if TYPE_CHECKING:
    from ..tracking.run import Run as StoredRun

Force = Annotated[
    bool, typer.Option("--force", "-f", help="Do not ask, and take a run to be dead of which nobody can tell.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for name, command, lines in (
        ("rm", rm, ("trackbook rm brisk-otter-12", "trackbook rm --project digits --all --force")),
        ("mv", mv, ("trackbook mv brisk-otter-12 archive",)),
        ("rename", rename, ("trackbook rename brisk-otter-12 baseline",)),
        ("tag", tag, ("trackbook tag baseline good paper", "trackbook tag baseline good --remove")),
        ("note", note, ('trackbook note baseline "the one of the paper"', "trackbook note baseline --clear")),
        ("compact", compact, ("trackbook compact", "trackbook compact digits")),
    ):
        app.command(name, epilog=examples(*lines))(command)


def rm(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN...]", help="Ids or names of runs.", autocompletion=complete_runs),
    ] = None,
    project: Project = None,
    everything: Annotated[bool, typer.Option("--all", help="Delete --project with all its runs.")] = False,
    force: Force = False,
    dir: Dir = None,
) -> None:
    """Delete runs, or a whole project, for good."""
    if everything == bool(runs) or (everything and project is None):
        raise UsageError("give runs to delete, or --project PROJECT --all")
    if everything:
        source = finding.existing_project(project or "", dir)
        _confirm(f"Delete project {source.name!r} and its {len(source.runs())} runs for good?", force)
        source.delete_all(force=force)
        return
    found = [finding.find_run(run, project, dir) for run in runs or ()]
    for source, record in found:
        _confirm(f"Delete run {record.name!r} ({record.id}) of {source.name!r} for good?", force)
        source.delete(source.get(record.id), force=force)


def _confirm(question: str, force: bool) -> None:
    if force:
        return
    if not sys.stdin.isatty():
        raise RefusedError(f"{question} Nobody can answer here: pass --force")
    try:
        typer.confirm(question, abort=True)
    except typer.Abort as error:  # for Ctrl-C as for the answer no
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise


def mv(
    run: Run,
    to: Annotated[str, typer.Argument(metavar="PROJECT", autocompletion=complete_projects)],
    project: Project = None,
    dir: Dir = None,
) -> None:
    """Move a run to another project."""
    source, record = finding.find_run(run, project, dir)
    from ..tracking.logged_values import check_title

    with usage():
        target = finding.open_project(check_title("project", to), finding.home_of(dir))
    if target is source:
        raise UsageError(f"run {record.name!r} is in project {to!r} already")
    source.move(source.get(record.id), target)


def rename(
    run: Run, name: Annotated[str, typer.Argument(metavar="NAME")], project: Project = None, dir: Dir = None
) -> None:
    """Rename a run."""
    found = _to_edit(run, project, dir)
    with usage():
        found.name = name


def tag(
    run: Run,
    tags: Annotated[list[str], typer.Argument(metavar="TAG...")],
    remove: Annotated[bool, typer.Option("--remove", help="Remove them instead.")] = False,
    project: Project = None,
    dir: Dir = None,
) -> None:
    """Add tags to a run, or remove them."""
    found = _to_edit(run, project, dir)
    with usage():
        found.tags = [each for each in found.tags if each not in tags] if remove else [*found.tags, *tags]
    say(f"{found.name}: {', '.join(found.tags) or 'no tags'}")


def note(
    run: Run,
    words: Annotated[list[str] | None, typer.Argument(metavar="[TEXT...]")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Remove the note.")] = False,
    project: Project = None,
    dir: Dir = None,
) -> None:
    """Set the note of a run; without a text print it."""
    if clear and words:
        raise UsageError("give a text or --clear")
    if words or clear:
        _to_edit(run, project, dir).notes = " ".join(words or ()) or None
    else:
        say(finding.find_run(run, project, dir)[1].notes or "")


def _to_edit(run: str, project: str | None, dir: str | None) -> StoredRun:
    source, record = finding.find_run(run, project, dir)
    return source.get(record.id)


def compact(
    which: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROJECT...]", help="By default all.", autocompletion=complete_projects),
    ] = None,
    dir: Dir = None,
    as_json: Json = False,
) -> None:
    """Give the room of deleted runs back to the disk."""
    from ..store.project_files import compact as write_anew
    from ..store.project_list import ProjectList

    names = which or [found.name for found in ProjectList(finding.home_of(dir)).entries() if found.problem is None]
    done: dict[str, tuple[int, int]] = {}
    for name in names:
        source = finding.existing_project(name, dir)
        with working(f"compacting {name}"):
            source.store.close()
            sizes = write_anew(source.store.path)
        done[name] = sizes
    if as_json:
        print_json([{"project": name, "before": before, "after": after} for name, (before, after) in done.items()])
        return
    for name, (before, after) in done.items():
        say(f"{name}: {size(before)} -> {size(after)}")
