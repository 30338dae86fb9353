"""The newest points of runs that other processes of this machine write: from their journals, seconds before they are in the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from ..journal.journal import SEGMENT
from ..journal.reader import ReadJournals, Remains
from ..store.base import POINTS, Store
from ..store.run_points import within
from ..types import Cursor

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_EARLY: Final = 1 << 20  # points of a run that are kept while its writer cannot write them into the file
_KEY: Final = ("metric", "step", "value")
_EARLY: Final = pl.Schema(POINTS | {"place": pl.Int64()})


@dataclass
class _Tail:
    """The end of a run that a process writes."""

    cursor: Cursor  # as it was returned
    stored: Cursor  # how far the store is read
    early: pl.DataFrame  # the points that were returned before the store had them
    read: dict[str, int] = field(default_factory=dict)  # how far the journal is read, as its marks say it
    largest: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))  # steps, by code of the metric

    def note(self, points: pl.DataFrame) -> None:
        """Note the steps of `points`."""
        codes = _codes(points)
        self.largest = _at_least(self.largest, codes)
        np.maximum.at(self.largest, codes, points["step"].to_numpy())

    def is_ahead(self, points: pl.DataFrame) -> bool:
        """Whether the steps of each metric rise from its largest on: the writer keeps such points, and discards none of them."""
        codes, steps = _codes(points), points["step"].to_numpy()
        order = np.argsort(codes, kind="stable")
        codes, steps = codes[order], steps[order]
        is_first = np.append(True, codes[1:] != codes[:-1])
        before = np.where(is_first, _at_least(self.largest, codes)[codes], np.roll(steps, 1))
        return bool((steps > before).all())


class LivePoints:
    """Reads the points of runs for one board. Not safe to call from several threads.

    A point of a journal is returned as soon as it is logged if it is certain that the writer keeps it, and is left out when the store
    has it later. Everything else comes from the store.
    """

    def __init__(self, store: Store, journals: Path, is_written_here: Callable[[str], bool]) -> None:
        """`is_written_here` says of a run's id whether this process writes the run: then the store has all its points."""
        self.store = store
        self._journals = ReadJournals(journals)
        self._is_written_here = is_written_here
        self._tails: dict[str, _Tail] = {}
        self._stored_only: set[str] = set()  # runs whose early points were not kept

    def since(self, run_id: str, cursor: Cursor, most: int | None = None) -> tuple[pl.DataFrame, Cursor]:
        """Return new points as `Store.since` does. `cursor` is the one returned last for this run, or a new one."""
        tail = self._tails.get(run_id)
        if tail is not None and tail.cursor == cursor:
            return self._after(run_id, tail, most)
        self._tails.pop(run_id, None)
        start = self._turned(run_id, cursor)
        points, stored = self.store.since(run_id, start, most)
        found = self._turned(run_id, stored)
        advanced = stored.ordinal - (start.ordinal if stored.generation == start.generation else 0)
        if (most is None or advanced < most) and run_id not in self._stored_only:
            with suppress(OSError):  # the next call tries again
                if self._living(run_id):
                    self._tails[run_id] = self._tail(run_id, found, stored)
        return points, found

    def window(
        self, run_id: str, metrics: Sequence[str], first: int, last: int, most: int | None = None
    ) -> pl.DataFrame | None:
        """Return the points of some metrics with steps from `first` to `last`, as `Store.window` does."""
        points, tail = self.store.window(run_id, metrics, first, last, most), self._tails.get(run_id)
        if points is None or tail is None:
            return points
        early = within(tail.early.select(points.columns), first, last)
        early = early.filter(pl.col("metric").cast(pl.String).is_in([*metrics]))
        return pl.concat([points, _without(early, points)])

    def _tail(self, run_id: str, cursor: Cursor, stored: Cursor) -> _Tail:
        tail = _Tail(cursor, stored, pl.DataFrame(schema=_EARLY))
        known = self.store.summary(run_id)
        steps = [figures.step for figures in known.values()]
        tail.note(pl.DataFrame([[*known], steps], {name: POINTS[name] for name in ("metric", "step")}))
        return tail

    def _after(self, run_id: str, tail: _Tail, most: int | None) -> tuple[pl.DataFrame, Cursor]:
        """Return what is new since the last call.

        Marks are read before the store, so that it has what they cover. Beside the journal of a forked child only the writer knows
        which point of a step was the first.
        """
        is_whole = True
        journals: list[Remains] = []
        marks: list[dict[str, int]] = []
        try:
            journals = self._living(run_id)
            marks = [self.store.marks(journal.folder.name) for journal in journals]
        except OSError:  # the next call may succeed
            is_whole = False
        points, stored = self.store.since(run_id, tail.stored, most)
        if stored.generation != tail.stored.generation:
            del self._tails[run_id]
            return points, stored
        is_whole &= (most is None or stored.ordinal - tail.stored.ordinal < most) and not self.store.failures
        tail.stored = stored
        new = [_without(points, tail.early)]
        tail.early = _without(tail.early, points)
        tail.note(points)
        if is_whole and self._is_wrong(tail, [_place(each) for each in marks]):
            del self._tails[run_id]
            self._stored_only.add(run_id)
            points, stored = self.store.since(run_id, Cursor(), most)
            return points, self._turned(run_id, stored)
        if not journals and is_whole:
            del self._tails[run_id]
        elif len(journals) == 1 and is_whole and len(tail.early) < MOST_EARLY:
            new += self._read(tail, journals[0], marks[0])
        tail.cursor = Cursor(stored.generation, stored.ordinal + len(tail.early))
        return pl.concat(new), tail.cursor

    def _is_wrong(self, tail: _Tail, places: Sequence[int]) -> bool:
        """Whether an early point is not in the store though the writer has written so far, to `places` of the run's journals."""
        if not places:
            return not tail.early.is_empty()
        return len(places) == 1 and bool((tail.early["place"] <= places[0]).any())

    def _read(self, tail: _Tail, journal: Remains, marks: Mapping[str, int]) -> list[pl.DataFrame]:
        """Return the points of a journal that are certain to be kept, up to the first that is not."""
        found: list[pl.DataFrame] = []
        if not journal.is_readable:
            return found
        for mark, drained in marks.items():
            tail.read[mark] = max(drained, tail.read.get(mark, 0))
        with suppress(OSError):  # the writer has just removed what is in the store now
            for batch in journal.batches(tail.read):
                if not tail.is_ahead(batch.points):
                    break
                tail.note(batch.points)
                tail.read |= batch.marks
                place = pl.lit(_place(batch.marks), pl.Int64).alias("place")
                tail.early = pl.concat([tail.early, batch.points.with_columns(place)])
                found.append(batch.points)
        return found

    def _living(self, run_id: str) -> list[Remains]:
        """Return the journals of a run that other processes write."""
        return [] if self._is_written_here(run_id) else self._journals.of_run(run_id)

    def _turned(self, run_id: str, cursor: Cursor) -> Cursor:
        """Return a cursor of the store for the board, or the reverse. A run whose early points were wrong has a generation of its own."""
        return Cursor(~cursor.generation, cursor.ordinal) if run_id in self._stored_only else cursor


def _codes(points: pl.DataFrame) -> NDArray[np.int64]:
    codes: NDArray[np.int64] = points["metric"].to_physical().cast(pl.Int64).to_numpy()
    return codes


def _at_least(largest: NDArray[np.int64], codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `largest` with a place for each of `codes`, -1 for new ones."""
    missing = int(codes.max(initial=-1)) + 1 - len(largest)
    return np.append(largest, np.full(missing, -1)) if missing > 0 else largest


def _without(points: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return those of `points` that are not in `others`."""
    if points.is_empty() or others.is_empty():
        return points
    return points.join(others, on=_KEY, how="anti", maintain_order="left")


def _place(marks: Mapping[str, int]) -> int:
    """Return the largest of `marks` of segments as a number that grows with each record of the journal."""
    places = ((Path(mark), drained) for mark, drained in marks.items())
    return max((int(path.stem) << 32 | drained for path, drained in places if path.suffix == SEGMENT), default=0)
