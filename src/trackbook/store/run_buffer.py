"""A run that this process writes: its newest points, and which of them are in the file.

Only one process opens a run to write it, but another one may still add to it: it recovers the journal of an earlier writer, or the run
was resumed while nobody could tell that its writer lives. So each transaction first compares the run with the file (`look`). What
another process has done starts a new generation, so that readers begin again; nothing is lost or there twice.
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

RECENT: Final = 1 << 17  # points kept after they are in the file, for boards that are about to ask for them

Earlier = Callable[[int, int], NDArray[Any]]  # the steps of a metric, by its number, before an ordinal of the file


class Written(NamedTuple):
    """What a transaction did, to be noted once it is durable."""

    rows: int
    end: int
    generation: int
    stats: MetricStats
    marks: dict[str, int]


class RunBuffer:
    """The points of one run on their way into the file."""

    def __init__(self, run_id: str, ordinals: Ordinals | None, stats: MetricStats, earlier: Earlier) -> None:
        """`ordinals` and `stats` are the file's; without `ordinals` it could not be read."""
        self.run_id = run_id
        self.generation = self._file_generation = ordinals.generation if ordinals else 0
        self.late: list[str] = []  # metrics of which a point turned out, at writing, to be a duplicate
        self.marks: dict[str, int] = {}
        self._compared = ordinals is not None  # whether the run is known to be as the file has it
        self._numbered = ordinals.next if ordinals else 0  # up to here the file numbers its metrics as `points` does
        self._earlier = lambda number: earlier(number, self._numbered)
        self._saved_stats = stats
        self._saved = 0
        self.points = RunPoints()
        self._start(ordinals.next if ordinals else 0)

    @property
    def pending(self) -> int:
        """The number of points that are not in the file."""
        return self.points.end - self._saved

    @property
    def is_ahead(self) -> bool:
        """Whether the file lacks something: points, marks, or the generation that readers here were given."""
        return bool(self.pending or self.marks) or self.generation != self._file_generation

    def append(self, points: pl.DataFrame, marks: Mapping[str, int]) -> list[str]:
        """Take in points and then the marks that say so; return the metrics of which a point was discarded.

        Marks of points that were not taken in would have the journal thrown away.
        """
        discarded = [*self.late, *self.points.append(points)]
        self.late.clear()
        self.marks.update(marks)
        return list(dict.fromkeys(discarded))

    def in_file(self, ordinal: int) -> tuple[int, int]:
        """Return first and end of the ordinals from `ordinal` on that are only in the file."""
        return ordinal, min(self.points.first, self._saved)

    def part(self) -> Part:
        """Return the next points to write."""
        return queries.part(self.points.columns(self._saved, LARGEST))

    def unsure(self) -> None:
        """Note that the file could not be read: the next transaction compares everything."""
        self._compared = False

    def write(self, db: Connection, part: Part) -> Written:
        """Write `part`, or what is left of it when another process has written the run meanwhile."""
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
        """Note what is durable now."""
        self._file_generation = done.generation
        self._saved_stats = done.stats
        self._saved_stats.settle()
        self._saved = self._numbered = done.end
        for mark, drained in done.marks.items():
            if self.marks.get(mark) == drained:
                del self.marks[mark]
        self.points.forget(self._saved, RECENT)

    def look(self, db: Connection) -> bool:
        """Take in what other processes have done to the run; return whether there was something."""
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
        """Prepare for another file at the path, or none: all points in memory are to be written into it."""
        self._compared = False
        self._saved = self.points.first

    def _start(self, at: int) -> None:
        self._saved = at
        self.points = RunPoints(at, self._saved_stats.copy(), self._earlier)
