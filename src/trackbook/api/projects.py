"""Find, list, rename, move and delete runs and projects."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..notebook import host
from ..store.paths import project_names
from ..tracking.logged_values import check_text, check_title
from ..tracking.run import Run
from .addresses import is_address, project_at
from .process import process

if TYPE_CHECKING:
    import polars as pl

    from ..tracking.project import Project
    from ..tracking.stored_project import StoredProject


def home(project: str | None) -> Project:
    """Return the project of this name, by default that of the current or last run. Raises ``ValueError`` for an address."""
    if project is not None and is_address(project):
        raise ValueError(f"{project} is only read; give the name of a project on this machine")
    here = process()
    if project is None and here.last_project is not None:
        return here.last_project
    return here.project(project)


def existing(project: str | None) -> StoredProject:
    """Return the project of this name or at this address for reading. Raises ``ValueError`` when it has no runs."""
    return project_at(project) or existing_here(project)


def existing_here(project: str | None) -> Project:
    """Return the project of this machine. Raises ``ValueError`` for one without runs, unless it would be the first of all."""
    source = home(project)
    source.recover()
    is_meant = project is not None or (process().last_project is None and project_names(source.store.path.parent))
    if is_meant and not source.exists:
        raise ValueError(f"there is no project {source.name!r} in {source.store.path.parent}; {source.neighbours()}")
    return source


def runs(project: str | None = None) -> pl.DataFrame:
    """Return one row for each run of `project` (default: the current or last run's), oldest first.

    `project` may be the address of a lake, such as ``"s3://bucket/team"``.

    Columns: ``id``, ``name``, ``group``, ``state``, ``tags``, ``notes``, ``started`` and ``ended`` (UTC), ``seen`` (UTC; the last
    heartbeat of a run that has not ended), ``duration`` (seconds), ``points``, then ``config.*`` and ``summary.*`` (the last value
    of each metric).
    """
    return existing(project).table()


def get_run(id_or_name: str | Run | None = None, project: str | None = None) -> Run:
    """Return the run with this id, or the latest with this name; by default the current or last run.

    Parameters
    ----------
    id_or_name
        An id, a name, or a `Run`, which is read from the store again.
    project
        The project's name, by default that of the current or last run, or the address of a lake.

    Raises
    ------
    ValueError
        When there is no such run.
    OSError
        When the project was written by a later version of Trackbook.
    """
    elsewhere = project_at(project)
    if id_or_name is not None:
        return (elsewhere or home(project)).get(id_or_name)
    run = process().current_run() or process().last_run
    if run is not None and project is None:
        return run
    if elsewhere is None:
        home(project).recover()
    source = elsewhere or home(project)
    records = source.store.latest(1) or source.runs()
    if not records:
        raise ValueError(f"project {source.name!r} has no runs yet; give the name of another project")
    return source.get(records[-1].id)


def rename_run(run: str | Run, name: str, project: str | None = None) -> None:
    """Rename the `run` with this id or name to `name`. ``run.name = ...`` does the same.

    `project` is by default that of the current or last run.
    """
    get_run(run, project).name = name


def move_run(run: str | Run, to: str, project: str | None = None) -> None:
    """Move the `run` with this id or name from `project` (default: that of the current or last run) to the project `to`.

    Raises ``ValueError`` while the run is being written.
    """
    home(project).move(get_run(run, project), home(check_title("project", to)))


def delete_run(run: str | Run, project: str | None = None, *, force: bool = False) -> bool:
    """Delete the `run` with this id or name, and its points, and return whether it was deleted.

    `project` is by default that of the current or last run. Asks for confirmation, unless `force`. Raises ``ValueError`` while the run
    is being written, or when nobody can answer. When it is unknown whether the run's process is alive, `force` assumes that it is dead.
    """
    found = get_run(run, project)
    if not force and not _confirmed(f"Delete run {found.name!r} ({found.id}) of {found.project!r} for ever?"):
        return False
    home(project).delete(found, force=force)
    process().boards.forget_run(found.id)
    return True


def delete_project(project: str, *, force: bool = False) -> bool:
    """Delete a `project` with all its runs, and return whether it was deleted. Asks for confirmation, unless `force`.

    Raises ``ValueError`` when there is no such project, and as `delete_run` does.
    """
    found = existing_here(check_text("project", project))
    count = len(found.runs())
    if not force and not _confirmed(f"Delete project {found.name!r} and its {count} runs for ever?"):
        return False
    found.delete_all(force=force)
    process().forget_project(found)
    return True


def _confirmed(question: str) -> bool:
    readable = sys.stdin is not None and sys.stdin.isatty()
    if not readable and (host.current().shell is None or host.current().has_no_reader()):
        raise ValueError(f"{question} Nobody can answer here: pass force=True")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
