"""The interface of stores: `Store`, and the schema of points."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

import polars as pl

from ..types import Cursor, MetricSummary, RunRecord, Writer

# `metric` is categorical: 4 bytes a point, compared as an integer
POINTS = pl.Schema({"metric": pl.Categorical(), "step": pl.Int64(), "value": pl.Float64(), "time": pl.Float64()})
FIELDS: Final = ("step", "value", "time")
Names = Collection[str] | None  # None stands for all
NO_MARKS: Final[Mapping[str, int]] = MappingProxyType({})


class OwnFiles:
    """A store whose files are all in its `files_folder`."""

    def bring_file(self, name: str) -> None:
        """Do nothing: the file is there."""


class Points(Protocol):
    """The points of runs, for a board. `Store` says what its methods return."""

    def since(self, run_id: str, cursor: Cursor, most: int | None = None) -> tuple[pl.DataFrame, Cursor]: ...

    def window(
        self, run_id: str, metrics: Sequence[str], first: int, last: int, most: int | None = None
    ) -> pl.DataFrame | None: ...


class Store(Protocol):
    """The runs of one project. Safe to call from any thread.

    A read that fails raises ``OSError`` and never returns a part; `since` and `window` report a failure by their return value.

    Points are frames of the schema `POINTS`. Each appended point has an ordinal, counted from 0 in order of arrival, and a `Cursor`
    is a position among the ordinals. Frames that are read hold the points of a metric in order of arrival, the metrics in any order.
    """

    files_folder: Path | None  # where the files of the runs are, such as media; None: they have none

    @property
    def notices(self) -> list[str]:
        """Current problems, such as a full disk: a sentence each, which names the problem and the file. Empty without problems."""

    @property
    def failures(self) -> list[str]:
        """The `notices` about a disk that fails now. A journal on the same disk fails for the same reason."""

    def bring_file(self, name: str) -> None:
        """Bring a file into `files_folder` that is kept elsewhere. Raises ``ValueError`` for what is no name, and ``OSError``."""

    def put_run(self, run: RunRecord) -> None:
        """Add a run, or replace the record of the run with this id."""

    def runs(self) -> list[RunRecord]:
        """Return all runs, oldest first."""

    def run(self, run_id: str) -> RunRecord | None:
        """Return the run with this id, or None."""

    def revision(self) -> Hashable:
        """Return a value that changes with every record put or deleted, by this process or another. Reads no records."""

    def changed_runs(self, since: Hashable) -> list[RunRecord]:
        """Return the runs that were put after `revision` returned `since`, and perhaps others; deleted ones are not among them."""

    def latest(self, most: int) -> list[RunRecord]:
        """Return the newest `most` runs, oldest first."""

    def running(self) -> list[RunRecord]:
        """Return the runs whose state is ``running``, oldest first."""

    def named(self, name: str) -> list[RunRecord]:
        """Return the runs of this name, oldest first."""

    def next_number(self) -> int:
        """Return a number for the next run's name, larger than the number of runs. Reads no records."""

    def places(self, runs: Collection[str] = ()) -> tuple[int, dict[str, int]]:
        """Return the number of runs, and by id the places of `runs` among all that were ever recorded, from 0.

        A run keeps its place, whatever is deleted. Those of a project without a file have none yet.
        """

    def sign(self, run_id: str, writer: Writer) -> None:
        """Record which process writes a run. The store updates its ``seen`` until the run has ended."""

    def writers(self) -> dict[str, Writer]:
        """Return the writing processes by run id: of open runs, and of runs whose process died."""

    def append(self, run_id: str, points: pl.DataFrame, marks: Mapping[str, int] = NO_MARKS) -> list[str]:
        """Append points, and return the names of metrics of which points were discarded. The first point of a metric and step stays.

        `marks` say how far these points drain a journal (bytes by ``journal/segment``, or another file of the journal); they become
        durable in the same transaction as the points.
        """

    def marks(self, journal: str) -> dict[str, int]:
        """Return how far a journal is drained: marks that are durable, or will be with the next flush."""

    def clear_marks(self, journal: str) -> None:
        """Delete the marks of a journal that no longer exists."""

    def cut(self, run_id: str, step: int) -> None:
        """Delete every point after `step`, in all metrics: a rewind. The run's generation grows.

        Raises ``OSError`` when that fails; nothing has changed then.
        """

    def delete(self, run_id: str) -> None:
        """Delete a run and its points. Raises ``OSError`` when that fails; nothing has changed then."""

    def read(self, run_id: str, metrics: Sequence[str] | None = None, whole: bool = False) -> pl.DataFrame:
        """Return the points of a run, or of some of its metrics.

        Damaged points are left out, and a notice names them; with `whole` they raise ``OSError``.
        """

    def since(self, run_id: str, cursor: Cursor, most: int | None = None) -> tuple[pl.DataFrame, Cursor]:
        """Return the points after `cursor`, and the cursor for the next call. Of a long run, return the next `most` points or few more.

        When the file cannot be read now, return no points and the same cursor. When the returned cursor has another generation,
        the run was cut back, and the points are all points of the run.
        """

    def window(
        self, run_id: str, metrics: Sequence[str], first: int, last: int, most: int | None = None
    ) -> pl.DataFrame | None:
        """Return the points of some metrics with steps from `first` to `last`.

        Return None when that means to read more than `most` points of any metric, or when the file cannot be read now.
        """

    def summary(self, run_id: str) -> dict[str, MetricSummary]:
        """Return last, smallest and largest value of each metric, in order of first appearance."""

    def metric_names(self) -> list[str]:
        """Return the names of the metrics of all runs, found without reading those of each run."""

    def summary_table(self, runs: Names = None, columns: Sequence[str] = (), metrics: Names = None) -> pl.DataFrame:
        """Return a row for each metric, or each of `metrics`, of `runs` or of all runs, read by one statement.

        Metrics of a run are in order of appearance. The columns are ``run_id``, ``metric`` and ``last, min, max, count, step`` as in `MetricSummary`, or only `columns`.
        """

    def read_many(self, wanted: Mapping[str, Collection[str]], fields: Collection[str] = FIELDS) -> pl.DataFrame:
        """Return the points of some metrics of many runs, given by run id. Other metrics and fields than `fields` are not decoded.

        ``run`` is the position of the run in `wanted` (uint32); ``metric``, ``step``, ``value`` and ``time`` are as in `POINTS`.
        Raises ``OSError`` when the file cannot be read now.
        """

    def put_captured(self, run_id: str, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to a table of `CAPTURED`, each with all columns. A row replaces the row with the same key."""

    def drop_captured(self, run_id: str, table: str, first: Any, end: Any) -> None:
        """Delete the rows of a table with keys from `first` up to, and without, `end`."""

    def captured(self, run_id: str, table: str, after: Any = None, until: Any = None) -> list[tuple[Any, ...]]:
        """Return the rows of a run in a table of `CAPTURED`, or those with keys above `after` and up to `until`, ordered by key."""

    def reopened(self) -> AbstractContextManager[Store]:
        """Return the store as another process sees it: durable data only."""

    def flush(self) -> bool:
        """Make everything durable, and return whether that succeeded. A failure becomes a notice, not an exception."""

    def close(self) -> None:
        """Flush, and close the file."""
