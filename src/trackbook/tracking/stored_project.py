"""The runs of a project, whatever store has them, for reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..types import RunRecord
from ..user_warnings import warn
from .recorded_project import find_in
from .run import Run
from .run_writer import RunWriter

if TYPE_CHECKING:
    import polars as pl

    from ..store.base import Store


class StoredProject:
    """A project that this process only reads, such as one of a team's lake."""

    def __init__(self, name: str, store: Store) -> None:
        self.name = name
        self.store = store

    def refresh(self) -> None:
        """See to it that `store` has what was logged up to now."""

    def runs(self) -> list[RunRecord]:
        """Return all runs, oldest first. Raises ``OSError`` when they cannot be read now."""
        return self.store.runs()

    def find(self, id_or_name: str | Run) -> RunRecord:
        """Return the run with this id, else the latest with this name. Raises ``ValueError`` when there is none."""
        id_or_name = id_or_name.id if isinstance(id_or_name, Run) else id_or_name
        return find_in(self.store, id_or_name, self.name)

    def get(self, id_or_name: str | Run) -> Run:
        """Return the run for reading. Raises ``ValueError`` when there is no such run."""
        return Run(RunWriter(self.name, self.find(id_or_name), self.store))

    def table(self) -> pl.DataFrame:
        """Return one row per run. See `trackbook.runs`."""
        from ..data.dataframes import runs_table

        self.refresh()
        table = runs_table(self.runs(), self.store)
        for notice in self.store.notices:
            warn(notice)
        return table

    def __repr__(self) -> str:
        return f"<trackbook project {self.name!r}>"
