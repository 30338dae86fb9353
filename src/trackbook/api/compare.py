"""Comparisons of runs: `diff`, and `compare` for ``%track compare``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..data.run_differences import ABSENT, Differences, as_html, as_text, differences, label_of, recorded
from ..notebook import host
from ..tracking.run import Run
from ..types import RunRecord
from . import boards
from .process import process
from .projects import existing

if TYPE_CHECKING:
    import polars as pl

    from ..boards.widget import Board
    from ..tracking.stored_project import StoredProject


class RunDiff:
    """Differences of two runs: text in a terminal; in a notebook a table, a diff of the code and a board of both.

    ``config`` and ``environment`` hold the values that differ, ``metrics`` the last value of each metric, all as
    ``{name: (first, second)}``, with `RunDiff.ABSENT` for a missing value. ``code`` is a unified diff of the executed cells.
    """

    ABSENT = ABSENT

    def __init__(self, found: Differences, project: str, runs: Sequence[str]) -> None:
        self._found = found
        self._project = project
        self._runs = runs
        self.labels = found.labels
        self.config = found.config
        self.environment = found.environment
        self.metrics = found.metrics
        self.code = found.code

    def board(self) -> Board:
        """Return a board of both runs, for their curves."""
        return boards.board(self._project, self._runs)

    def __repr__(self) -> str:
        return as_text(self._found)

    def _repr_html_(self) -> str:
        return as_html(self._found)

    def _ipython_display_(self) -> None:
        """Show the table, and the board below it in a separate output, as a widget needs."""
        if host.current().shell is None:
            raise NotImplementedError("IPython then shows the text, as it shows any")
        bundle = {"text/plain": repr(self), "text/html": self._repr_html_()}
        host.current().show(bundle, raw=True)
        process().boards.show(self.board())


def diff(first: str | Run, second: str | Run, project: str | None = None) -> RunDiff:
    """Compare the runs `first` and `second`, by id or name: config, environment, code and results.

    `project` is by default that of the current or last run. Raises ``ValueError`` for a run that does not exist, or when both are
    the same.
    """
    source, records = _different(project, [first, second])
    one, other = (recorded(source.store, record, label_of(record, records)) for record in records)
    return RunDiff(differences(one, other), source.name, [record.id for record in records])


def compare(runs: Sequence[str], project: str | None = None) -> Board | pl.DataFrame:
    """Return a board of two or more runs with "compare" open; without a notebook, the columns of `trackbook.runs` that differ.

    Raises ``ValueError`` for a run that does not exist or is given twice, and for fewer than two runs.
    """
    source, records = _different(project, runs)
    ids = [record.id for record in records]
    if not host.current().is_notebook:
        from ..data.dataframes import differing

        return differing(source.table(), ids)
    board = boards.board(source.name, ids)
    board.panel = "compare"
    return board


def _different(project: str | None, runs: Sequence[str | Run]) -> tuple[StoredProject, list[RunRecord]]:
    source = existing(project)
    source.refresh()
    records = [source.find(run) for run in runs]
    for record in records:
        if [other.id for other in records].count(record.id) > 1:
            raise ValueError(
                f"run {record.name!r} is given twice; give different runs, by id if they have the same name"
            )
    if len(records) < 2:
        raise ValueError(f"give the run to compare {records[0].name!r} with")
    return source, records
