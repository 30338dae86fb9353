"""Find the project and the run that a command line names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .. import filesystem
from ..api.addresses import is_address
from ..settings import data_dir
from ..store.paths import journal_folder, project_file
from ..text import did_you_mean, listed
from .exit_codes import NotFoundError, RefusedError, UnusableError

if TYPE_CHECKING:
    from ..store.project_list import ProjectEntry
    from ..tracking.project import Project
    from ..tracking.recorded_project import RecordedProject
    from ..tracking.stored_project import StoredProject
    from ..types import RunRecord

    Recorded = StoredProject | RecordedProject


def home_of(folder: str | None) -> Path:
    """Return the folder of the projects. Raises `NotFoundError` and `UnusableError` for one that is named and is no folder."""
    home = data_dir(folder)
    if folder and filesystem.is_missing(home):
        raise NotFoundError(f"there is no folder {home}")
    if home.is_file():
        raise UnusableError(f"{home} is a file; give the folder of the projects")
    return home


def existing_project(name: str, folder: str | None) -> Project:
    """Return the project of this name, with runs of dead processes recovered.

    Raises `NotFoundError`, `UnusableError`, and `RefusedError` for an address.
    """
    if is_address(name):
        raise RefusedError(f"{name} is only read, by `ls`, `get`, `diff` and `query`; give the name of a project")
    home = home_of(folder)
    if all(filesystem.is_missing(home / file(name)) for file in (project_file, journal_folder)):
        names = [each.name for each in _usable(home)]
        others = did_you_mean(name, names, f"there are {listed(names)}" if names else "there is none at all")
        raise NotFoundError(f"there is no project {name!r} in {home}; {others}")
    project = open_project(name, home)
    project.store.revision()  # raises where the file cannot be read, before anything writes
    project.recover()
    return project


def read_project(name: str | None, folder: str | None) -> StoredProject:
    """Return what `chosen_project` does, or the project at an address, to read its points."""
    at = None if name is None else _at_address(name)
    return at or chosen_project(name, folder)


def _at_address(name: str) -> StoredProject | None:
    if not is_address(name):
        return None
    from ..api.addresses import project_at

    try:
        return project_at(name)
    except ValueError as error:
        raise NotFoundError(str(error)) from None


def recorded_project(name: str, folder: str | None) -> Recorded:
    """Return the project of this name or at this address, to read what is recorded beside points: without Polars where nothing is to be recovered.

    Raises as `existing_project`.
    """
    from ..api.process import process_if_made
    from ..tracking.recorded_project import RecordedProject

    if (at := _at_address(name)) is not None:
        return at
    here = process_if_made()
    if here is None or not here.runs:  # else the newest records are not in the file yet
        found = RecordedProject(name, home_of(folder))
        if found.is_whole:
            return found
    return existing_project(name, folder)


def open_project(name: str, home: Path) -> Project:
    """Return the project of this name, which need not exist."""
    from ..api.process import process

    return process().project(name, home)


def chosen_project(name: str | None, folder: str | None) -> Project:
    """Return the project of this name, by default the project of the newest activity. Raises `NotFoundError` without any project."""
    return existing_project(_newest(folder) if name is None else name, folder)


def chosen_records(name: str | None, folder: str | None) -> Recorded:
    """Return what `recorded_project` does of the project that `chosen_project` chooses."""
    return recorded_project(_newest(folder) if name is None else name, folder)


def find_run(run: str | None, project: str | None, folder: str | None) -> tuple[Project, RunRecord]:
    """Return the run with this id, else the latest of this name, and its project; without one the newest run.

    Raises `NotFoundError`, and `RefusedError` where several projects have such a run.
    """
    home = chosen_project(_project_of(run, project, folder), folder)
    return home, found(home, run)


def find_record(run: str | None, project: str | None, folder: str | None) -> tuple[Recorded, RunRecord]:
    """Return what `find_run` does, with what `recorded_project` returns of the project."""
    home = chosen_records(_project_of(run, project, folder), folder)
    return home, found(home, run)


def found(project: Recorded, run: str | None) -> RunRecord:
    """Return a run of a project, by id or name, by default the newest. Raises `NotFoundError`."""
    if run is None:
        newest = project.store.latest(1)
        if not newest:
            raise NotFoundError(f"project {project.name!r} has no runs yet")
        return newest[-1]
    try:
        return project.find(run)
    except ValueError as error:
        raise NotFoundError(str(error)) from None


def project_names(folder: str | None) -> list[str]:
    """Return the names of all projects that can be read."""
    return [each.name for each in _usable(home_of(folder))]


def _newest(folder: str | None) -> str:
    """Return the name of the project of the newest activity."""
    home = home_of(folder)
    used = [one for one in _usable(home) if one.active is not None]
    if not used:
        raise _no_projects(home)
    return used[0].name


def _project_of(run: str | None, project: str | None, folder: str | None) -> str | None:
    """Return the name of the only project that has such a run, unless `project` is given; None where no run is."""
    if run is None or project is not None:
        return project
    from ..store.project_files import run_names

    home = home_of(folder)
    projects = _usable(home)
    names = {each.name: run_names(each.path) for each in projects}
    matches = [project for project, runs in names.items() if any(run in pair for pair in runs)]
    if len(matches) > 1:
        raise RefusedError(f"run {run!r} is in the projects {listed(sorted(matches))}; say which by --project")
    if matches:
        return matches[0]
    if not projects:
        raise _no_projects(home)
    known = [name for runs in names.values() for _, name in runs]
    raise NotFoundError(f"there is no run {run!r} in {home}; {did_you_mean(run, known, 'see `trackbook ls runs`')}")


def _usable(home: Path) -> list[ProjectEntry]:
    from ..store.project_list import ProjectList

    return [each for each in ProjectList(home).entries() if each.problem is None]


def _no_projects(home: Path) -> NotFoundError | UnusableError:
    """Return the reason why no project can be chosen: none exists, or none can be read."""
    from ..store.project_list import ProjectList

    problems = [each.problem for each in ProjectList(home).entries() if each.problem is not None]
    return UnusableError(problems[0]) if problems else NotFoundError(f"there are no projects in {home} yet")
