"""A run that this process writes: what of it is in the file, and what is yet to come there.

The order in which this process sees the points is its own: what another process writes in between comes, for readers here, after
what was here by then. So cursors that were given out stay right, and `_extents` says where in the file each stretch is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from numpy.typing import NDArray

from . import queries
from .codec import LARGEST
from .metric_stats import Figures
from .points import RunPoints, in_order
from .queries import Part, State
from .schema import PUT_ORDINALS

if TYPE_CHECKING:
    from sqlite3 import Connection

    import polars as pl

RECENT: Final = 1 << 17  # points kept after they are in the file, for boards that are about to ask for them

Earlier = Callable[[int, int], NDArray[Any]]  # the steps of a metric, by its number, before an ordinal of the file


class Written(NamedTuple):
    """What a transaction has done, to be taken note of when it is durable."""

    rows: int
    before: int
    generation: int
    figures: Figures
    marks: dict[str, int]


class View:
    def __init__(self, run_id: str, state: State | None, figures: Figures, earlier: Earlier) -> None:
        self.run_id = run_id
        self.generation = state.generation if state else 0
        self.late: list[str] = []  # metrics of which a point was found, at writing, to be a second one
        self.marks: dict[str, int] = {}
        self._known = (
            state.next if state else None
        )  # how far the file was compared; None: not at all, it could not be read
        self._numbered = state.next if state else 0  # how far its metrics have the numbers that they have here
        self._earlier = lambda number: earlier(number, self._numbered)
        self._saved_figures = figures
        self._bump = False
        self._foreign: list[tuple[int, int]] = []
        self._saved = 0
        self._extents: list[tuple[int, int]] = []
        self.points = RunPoints()
        self._start(state.next if state else 0)

    @property
    def pending(self) -> int:
        """The points that are not in the file."""
        return self.points.end - self._saved

    @property
    def in_file_order(self) -> bool:
        return len(self._extents) <= 1 and not self._foreign

    def append(self, points: pl.DataFrame) -> list[str]:
        discarded = [*self.late, *self.points.append(points)]
        self.late.clear()
        return list(dict.fromkeys(discarded))

    def in_file(self, ordinal: int) -> list[tuple[int, int]]:
        """Where in the file the points are, from `ordinal` on, that are no longer here: first and end of each stretch."""
        found, at = [], 0
        for first, rows in self._extents:
            start, end = max(ordinal, at), min(self.points.first, at + rows)
            if start < end:
                found.append((first + start - at, first + end - at))
            at += rows
        return found

    def part(self) -> Part:
        """What is to be written next."""
        return queries.part(self.points.columns(self._saved, LARGEST))

    def unsure(self) -> None:
        """Some of the file could not be read: before writing, all must be compared."""
        self._known = None

    def write(self, db: Connection, part: Part) -> Written:
        """Writes `part`, or what is left of it when another process has written the run meanwhile."""
        if self.look(db):
            part = self.part()
        state = queries.state(db, self.run_id)
        figures = self._saved_figures.copy()
        figures.name(self.points.figures.names)
        if part.rows:
            metric, step, value, _ = part.columns
            order = in_order(metric, step)
            figures.add(metric[order], step[order], value[order])
            queries.put_chunk(db, self.run_id, state.next, part)
        queries.put_figures(db, self.run_id, figures)
        generation = state.generation + self._bump
        db.execute(PUT_ORDINALS, (self.run_id, generation, state.next + part.rows))
        marks = dict(self.marks) if part.rows == self.pending else {}
        db.executemany("insert or replace into marks (mark, drained) values (?, ?)", marks.items())
        return Written(part.rows, state.next, generation, figures, marks)

    def written(self, done: Written) -> None:
        self._bump = False
        self.generation = done.generation
        self._saved_figures = done.figures
        self._saved_figures.settle()
        self._saved += done.rows
        self._known = self._numbered = done.before + done.rows
        for mark, drained in done.marks.items():
            if self.marks.get(mark) == drained:
                del self.marks[mark]
        self._extend(done.before, done.rows)
        self._settle_foreign()
        self.points.forget(self._saved, RECENT)

    def look(self, db: Connection) -> bool:
        """Takes up what other processes have done to the run; True when there was something."""
        state = queries.state(db, self.run_id)
        if state == (self.generation, self._known):
            return False
        pending = self.points.since(self._saved)
        self._saved_figures = queries.figures(db, self.run_id)
        self._numbered = state.next
        points = RunPoints(self._saved, self._saved_figures.copy(), self._earlier)
        discarded = points.append(pending)
        self.late += discarded
        if state.generation == self.generation and self._known is not None and not discarded:
            self.points = points
            self._foreign.append((self._known, state.next - self._known))
            self._known = state.next
            self._settle_foreign()
        else:
            self._bump = state.generation == self.generation
            self.generation = state.generation
            self._known = state.next
            kept = points.since(points.first)
            self._start(state.next)
            self.points.append(kept)
        return True

    def begin_anew(self) -> None:
        """The file is another one, or none: what is here is to be written into it."""
        self._known = None
        self._saved = self.points.first

    def close_order(self) -> None:
        """From the next writing on, the order is the file's, and all cursors start again."""
        self._bump = True

    def _start(self, at: int) -> None:
        self._extents = [(0, at)] if at else []
        self._foreign = []
        self._saved = at
        self.points = RunPoints(at, self._saved_figures.copy(), self._earlier)

    def _extend(self, first: int, rows: int) -> None:
        if rows and self._extents and sum(self._extents[-1]) == first:
            self._extents[-1] = (self._extents[-1][0], self._extents[-1][1] + rows)
        elif rows:
            self._extents.append((first, rows))

    def _settle_foreign(self) -> None:
        """Others' points get their places when no point of ours waits for its own."""
        if self._foreign and not self.pending:
            for first, rows in self._foreign:
                self._extend(first, rows)
            self._foreign.clear()
            self._saved = sum(rows for _, rows in self._extents)
            self.points = RunPoints(self._saved, self._saved_figures.copy(), self._earlier)
