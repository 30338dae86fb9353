"""The points of a run that this process writes, until they are in the file.

Only one process opens a run for writing, but another one may still add points: it recovers the journal of an earlier writer, or it
resumed the run because it could not tell that the writer lives. So each transaction first compares the run with the file (`look`).
After a change by another process the run gets a new generation, and readers start again; no point is lost or duplicated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from numpy.typing import NDArray

from . import sqlite_queries as queries
from .chunk_codec import LARGEST
from .metric_stats import MetricStats
from .run_points import RunPoints, in_order
from .schema import PUT_ORDINALS
from .sqlite_queries import Ordinals, Part

if TYPE_CHECKING:
    from sqlite3 import Connection

    import polars as pl

RECENT: Final = 1 << 17  # points kept after they are in the file, for boards that will ask for them soon

Earlier = Callable[[int, int], NDArray[Any]]  # returns the steps of a metric (by number) in the file before an ordinal


class Written(NamedTuple):
    """The result of a transaction, to be passed to `RunBuffer.written` once it is durable."""

    rows: int
    end: int
    generation: int
    stats: MetricStats
    marks: dict[str, int]


class RunBuffer:
    """The points of one run that are not yet in the file, and the newest that are."""

    def __init__(self, run_id: str, ordinals: Ordinals | None, stats: MetricStats, earlier: Earlier) -> None:
        """`ordinals` and `stats` are those of the file; `ordinals` is None when the file could not be read."""
        self.run_id = run_id
        self.generation = self._file_generation = ordinals.generation if ordinals else 0
        self.late: list[str] = []  # metrics of points that turned out to be duplicates when they were written
        self.marks: dict[str, int] = {}
        self._compared = ordinals is not None  # whether this buffer was compared with the file
        self._numbered = (
            ordinals.next if ordinals else 0
        )  # up to this ordinal the file numbers metrics as `points` does
        self._earlier = lambda number: earlier(number, self._numbered)
        self._saved_stats = stats
        self._saved = 0
        self.points = RunPoints()
        self._start(ordinals.next if ordinals else 0)

    @property
    def pending(self) -> int:
        """The number of points that are not yet in the file."""
        return self.points.end - self._saved

    @property
    def is_ahead(self) -> bool:
        """Whether something is to be written: points, marks, or the generation that readers in this process have."""
        return bool(self.pending or self.marks) or self.generation != self._file_generation

    def append(self, points: pl.DataFrame, marks: Mapping[str, int]) -> list[str]:
        """Add points, then their marks; return the metrics of which points were discarded.

        In this order, because a journal is deleted once its marks are durable.
        """
        discarded = [*self.late, *self.points.append(points)]
        self.late.clear()
        self.marks.update(marks)
        return list(dict.fromkeys(discarded))

    def in_file(self, ordinal: int) -> tuple[int, int]:
        """Return start and end of the ordinals from `ordinal` on whose points are only in the file."""
        return ordinal, min(self.points.first, self._saved)

    def part(self) -> Part:
        """Return the next points to write."""
        return queries.part(self.points.columns(self._saved, LARGEST))

    def unsure(self) -> None:
        """Note that the file could not be read: the next transaction compares the run with it."""
        self._compared = False

    def write(self, db: Connection, part: Part) -> Written:
        """Write `part`, or a new part when another process has changed the run."""
        if self.look(db):
            part = self.part()
        ordinals = queries.ordinals(db, self.run_id)
        stats = self._saved_stats.copy()
        stats.name(self.points.stats.names)
        if part.rows:
            metric, step, value, _ = part.columns
            order = in_order(metric, step)
            stats.add(metric[order], step[order], value[order])
            queries.put_chunk(db, self.run_id, ordinals.next, part)
        queries.put_stats(db, self.run_id, stats)
        db.execute(PUT_ORDINALS, (self.run_id, self.generation, ordinals.next + part.rows))
        marks = dict(self.marks) if part.rows == self.pending else {}
        db.executemany("insert or replace into marks (mark, drained) values (?, ?)", marks.items())
        return Written(part.rows, ordinals.next + part.rows, self.generation, stats, marks)

    def written(self, done: Written) -> None:
        """Note that the transaction is durable."""
        self._file_generation = done.generation
        self._saved_stats = done.stats
        self._saved_stats.settle()
        self._saved = self._numbered = done.end
        for mark, drained in done.marks.items():
            if self.marks.get(mark) == drained:
                del self.marks[mark]
        self.points.forget(self._saved, RECENT)

    def look(self, db: Connection) -> bool:
        """Apply changes that other processes made to the run in the file, and return whether there were any."""
        ordinals = queries.ordinals(db, self.run_id)
        if self._compared and ordinals == (self._file_generation, self._saved):
            return False
        pending = self.points.since(self._saved)
        self._saved_stats = queries.stats(db, self.run_id)
        self._file_generation = ordinals.generation
        self.generation = max(self.generation + 1, ordinals.generation)
        self._compared = True
        self._numbered = ordinals.next
        self._start(ordinals.next)
        self.late += self.points.append(pending)
        return True

    def begin_anew(self) -> None:
        """Prepare to write all points in memory into a new file."""
        self._compared = False
        self._saved = self.points.first

    def _start(self, at: int) -> None:
        self._saved = at
        self.points = RunPoints(at, self._saved_stats.copy(), self._earlier)
