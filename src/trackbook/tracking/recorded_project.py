"""A project that is read as it stands in its file, without Polars, and the search of its runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from ..data.run_rows import run_rows
from ..store.paths import ProjectPaths
from ..store.recorded_file import RecordedFile
from ..text import did_you_mean, listed
from ..types import RunRecord
from ..user_warnings import warn
from .liveness import is_settled


class Records(Protocol):
    """The part of a store that a search of runs needs."""

    def runs(self) -> list[RunRecord]: ...

    def run(self, run_id: str) -> RunRecord | None: ...

    def named(self, name: str) -> list[RunRecord]: ...


class RecordedProject:
    """One project of one folder, of which records, summaries and captured rows are read."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        paths = ProjectPaths(folder, name)
        self.store = RecordedFile(paths.file)
        self._journals = paths.journals

    @property
    def is_whole(self) -> bool:
        """Whether the file has what `Project` would read: it can be read, and nothing is to be recovered."""
        try:
            return is_settled(self.store, self._journals)
        except OSError:
            return False

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of `Project.table`."""
        rows = run_rows(self.store)
        for notice in self.store.notices:
            warn(notice)
        return rows

    def find(self, id_or_name: str) -> RunRecord:
        """Return a run as `Project.find` does."""
        return find_in(self.store, id_or_name, self.name)


def find_in(store: Records, id_or_name: str, project: str) -> RunRecord:
    """Return the run with this id, else the latest with this name. Raises ``ValueError`` when there is none."""
    found = store.run(id_or_name)
    matches = store.named(id_or_name) if found is None else [found]
    return matches[-1] if matches else find(id_or_name, store.runs(), f"project {project!r}")


def find(id_or_name: str, runs: Sequence[RunRecord], where: str) -> RunRecord:
    """Return the run of this id, or the latest of this name. Raises ``ValueError`` when there is none."""
    matches = [r for r in runs if r.id == id_or_name] or [r for r in runs if r.name == id_or_name]
    if matches:
        return matches[-1]
    names = list(dict.fromkeys(run.name for run in runs))
    others = did_you_mean(id_or_name, names, f"its latest are {listed(names[-5:])}" if names else "it has none")
    raise ValueError(f"{where} has no run {id_or_name!r}; {others}")
