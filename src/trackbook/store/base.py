"""What every store does."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any, Final, Protocol

import polars as pl

from ..types import Cursor, MetricSummary, RunRecord, Writer

# `metric` is categorical: 4 bytes a point, compared as an integer
POINTS = pl.Schema({"metric": pl.Categorical(), "step": pl.Int64(), "value": pl.Float64(), "time": pl.Float64()})
FIELDS: Final = ("step", "value", "time")
NO_MARKS: Final[Mapping[str, int]] = MappingProxyType({})


class Store(Protocol):
    """The runs of one project. Safe to call from any thread.

    A read that cannot be done now raises ``OSError``, and never gives less; `since` and `window` say so by what they return.

    Points travel as frames of the schema `POINTS`. What is appended has ordinals, from 0 in order of arrival, and a `Cursor` is
    a place among them. In what is read, those of one metric are in order of arrival, the metrics in any order.
    """

    @property
    def notices(self) -> list[str]:
        """Standing problems, such as a full disk: each a sentence that says what and where. Empty when all is well."""

    @property
    def failures(self) -> list[str]:
        """Those of the `notices` that say that the disk fails now: for a journal on it a failure of the same cause."""

    def put_run(self, run: RunRecord) -> None:
        """Adds a run, or replaces what was known of the run with this id."""

    def runs(self) -> list[RunRecord]:
        """All runs, oldest first."""

    def run(self, run_id: str) -> RunRecord | None:
        """One run, None when there is none of this id."""

    def revision(self) -> Hashable:
        """Return what differs whenever a record was put or deleted since, in this process or another; found without reading them."""

    def latest(self, most: int) -> list[RunRecord]:
        """The newest `most` runs, oldest first."""

    def running(self) -> list[RunRecord]:
        """The runs whose state is ``running``, oldest first."""

    def named(self, name: str) -> list[RunRecord]:
        """The runs of this name, oldest first."""

    def next_number(self) -> int:
        """A number for the next run's name: larger than the number of runs, found without reading them."""

    def sign(self, run_id: str, writer: Writer) -> None:
        """Record which process writes a run. The store keeps its ``seen`` up to date until the run has ended."""

    def writers(self) -> dict[str, Writer]:
        """The processes that write runs, by run: of those that are open, and of those whose process died."""

    def append(self, run_id: str, points: pl.DataFrame, marks: Mapping[str, int] = NO_MARKS) -> list[str]:
        """Takes in points. Of several with one metric and step the first ever stays.

        `marks` say how far a journal is drained by these points (bytes by ``journal/segment``); they become durable in
        the same transaction as the points. Returns the names of the metrics of which a point was discarded.
        """

    def marks(self, journal: str) -> dict[str, int]:
        """How far a journal is drained: the marks that are durable, or will be with the next flush."""

    def clear_marks(self, journal: str) -> None:
        """Forgets the marks of a journal that is gone."""

    def cut(self, run_id: str, step: int) -> None:
        """Takes back every point after `step`, in all metrics: a rewind. The run's generation grows.

        Raises ``OSError`` when it cannot be done now; nothing has changed then.
        """

    def delete(self, run_id: str) -> None:
        """Removes a run and its points. Raises ``OSError`` when it cannot be done now; nothing has changed then."""

    def read(self, run_id: str, metrics: Sequence[str] | None = None, whole: bool = False) -> pl.DataFrame:
        """The points of a run, or of some of its metrics.

        Points that are damaged for good are left out, and a notice says so; with `whole` they raise ``OSError``.
        """

    def since(self, run_id: str, cursor: Cursor, most: int | None = None) -> tuple[pl.DataFrame, Cursor]:
        """What came after `cursor`, and the cursor to go on from; of a long past, the next `most` points or few more. Nothing and
        the same cursor where the file cannot be read now.

        When the generation of the returned cursor differs from `cursor`'s, the run was cut back: the points are then all
        of the run's points.
        """

    def window(
        self, run_id: str, metrics: Sequence[str], first: int, last: int, most: int | None = None
    ) -> pl.DataFrame | None:
        """The points of some metrics with steps from `first` to `last`; None where more than `most`
        points, of any metric, would have to be read for it, or where the file cannot be read now.
        """

    def summary(self, run_id: str) -> dict[str, MetricSummary]:
        """Last, smallest and largest value per metric, in order of first appearance."""

    def summary_table(self, runs: Collection[str] | None = None, columns: Sequence[str] = ()) -> pl.DataFrame:
        """Return one row a metric of `runs`, or of all, those of a run in order of first appearance; read by one statement.

        ``run_id``, ``metric`` and ``last, min, max, count, step`` as in `MetricSummary`, or the `columns` asked for alone.
        """

    def read_many(self, wanted: Mapping[str, Collection[str]], fields: Collection[str] = FIELDS) -> pl.DataFrame:
        """Return the points of some metrics of many runs, by run id; of other metrics and `fields` nothing is decoded.

        ``run`` is the place of the run in `wanted` (uint32); ``metric``, ``step``, ``value`` and ``time`` are as in `POINTS`. Raises
        ``OSError`` when the file cannot be read now.
        """

    def put_captured(self, run_id: str, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Adds rows to a table of `CAPTURED`, each with all its columns; a row replaces the one with its key."""

    def drop_captured(self, run_id: str, table: str, first: int, end: int) -> None:
        """Removes the rows of a table with keys from `first` up to `end`, which stays."""

    def captured(self, run_id: str, table: str, after: Any = None) -> list[tuple[Any, ...]]:
        """The rows of a run in a table of `CAPTURED`, or those with a key after `after`, in the order of their keys."""

    def reopened(self) -> AbstractContextManager[Store]:
        """The store as another process sees it: what is durable, without what only memory has."""

    def flush(self) -> bool:
        """Makes durable what is not yet; True when all of it is. A failure is a notice, never an exception."""

    def close(self) -> None:
        """Flushes and lets go of the file."""
