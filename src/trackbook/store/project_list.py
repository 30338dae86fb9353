"""The projects of a folder with their number of runs and last activity, without opening a store for each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from . import schema
from .paths import SUFFIX

if TYPE_CHECKING:
    from sqlite3 import Connection


class ProjectEntry(NamedTuple):
    """A project in a list. Times are seconds UTC."""

    name: str
    runs: int
    running: int
    active: float | None  # when something was last begun, ended or written; None without runs
    problem: str | None = None  # why the file cannot be read
    path: Path = Path()
    size: int = 0  # bytes


class ProjectList:
    """The projects of one folder. A file is read again only when it has changed. Safe to use from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, tuple[object, ProjectEntry]] = {}

    def entries(self) -> list[ProjectEntry]:
        """Return the projects, the last active one first."""
        before, known = self._known, dict[Path, tuple[object, ProjectEntry]]()
        for path in self._folder.glob(f"*{SUFFIX}"):
            stamp = (_stamp(path), _stamp(path.with_name(path.name + "-wal")))
            found = before.get(path)
            if found is None or found[0] != stamp:
                found = stamp, _entry(path)
            known[path] = found
        self._known = known
        entries = [entry for _, entry in known.values()]
        return sorted(entries, key=lambda entry: (-(entry.active or 0.0), entry.name))


def _entry(path: Path) -> ProjectEntry:
    from .project_files import read

    stamp = _stamp(path)
    size = 0 if stamp is None else stamp[1]
    try:
        return read(path, _read)._replace(path=path, size=size)
    except OSError as error:
        return ProjectEntry(path.name.removesuffix(SUFFIX), 0, 0, None, str(error), path, size)


def _read(db: Connection) -> ProjectEntry:
    name = schema.project(db)
    if name is None:
        raise OSError("it holds no project")
    query = (
        "select count(*), coalesce(sum(state = 'running'), 0), max(max(coalesce(ended, 0), started)), "
        "(select max(seen) from writers) from runs"
    )
    runs, running, active, seen = db.execute(query).fetchone()
    times = [time for time in (active, seen) if time is not None]
    return ProjectEntry(name, runs, running, max(times) if times else None)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
