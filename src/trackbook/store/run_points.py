"""The points of one run in memory: all of them, or the newest. Each metric and step is there once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .base import POINTS
from .chunk_codec import Columns
from .metric_stats import MetricStats, Taken, groups

Array = NDArray[Any]
_MOST_FRAMES: Final = 64
_NONE: Final = pl.DataFrame(schema=POINTS)  # made once: boards often read when nothing is new


class RunPoints:
    """The points with ordinals from `first` on. `earlier` returns the steps of a metric (by number) before `first`."""

    def __init__(
        self, first: int = 0, stats: MetricStats | None = None, earlier: Callable[[int], Array] | None = None
    ) -> None:
        self.first = first
        self.end = first
        self.stats = stats or MetricStats()
        self._earlier = earlier
        self._frames: list[pl.DataFrame] = []
        self._taken: dict[int, Taken] = {}

    def append(self, points: pl.DataFrame) -> list[str]:
        """Add points, and return the metrics of which points were discarded because their steps had a value."""
        if not len(points):
            return []
        number = self.stats.numbers(points.get_column("metric"))
        step = points.get_column("step").to_numpy()
        discarded: list[str] = []
        order = by_number(number)
        if not self._all_ahead(number[order], step[order]):
            fresh = self._fresh(number, step)
            names = self.stats.names
            discarded = list(dict.fromkeys(names[one] for one in number[~fresh].tolist()))
            points, number, step = points.filter(pl.Series(fresh)), number[fresh], step[fresh]
            order = np.lexsort((step, number))
        if len(points):
            number, step, value = number[order], step[order], points.get_column("value").to_numpy()[order]
            try:
                self._note_taken(number, step)
                self.stats.add(number, step, value)
            except BaseException:
                self._taken.clear()  # rebuilt from the points: a step without its point would discard that point later
                raise
            self._frames.append(points)
            self.end += len(points)
            if len(self._frames) > _MOST_FRAMES:
                with contextlib.suppress(MemoryError):  # the points are added; they are joined another time
                    self._join()
        return discarded

    def since(self, ordinal: int) -> pl.DataFrame:
        """Return the points from `ordinal` on that are in memory."""
        fresh: list[pl.DataFrame] = []
        missing = self.end - ordinal
        for frame in reversed(self._frames):
            if missing <= 0:
                break
            fresh.append(frame.tail(missing))
            missing -= len(frame)
        return pl.concat(fresh[::-1], rechunk=False) if fresh else _NONE

    def columns(self, ordinal: int, rows: int) -> Columns:
        """Return at most `rows` points from `ordinal` on, as columns of a chunk."""
        points = self.since(ordinal).head(rows)
        step, value, time = (points.get_column(name).to_numpy() for name in ("step", "value", "time"))
        return Columns(self.stats.numbers(points.get_column("metric")), step, value, time)

    def forget(self, before: int, keep: int) -> None:
        """Drop frames before the ordinal `before`; keep about the newest `keep` rows, in at most half of `_MOST_FRAMES` frames."""
        while self._frames and self.first + len(self._frames[0]) <= before:
            if self.end - self.first <= keep and len(self._frames) <= _MOST_FRAMES // 2:
                break
            self.first += len(self._frames.pop(0))

    def _all_ahead(self, number: Array, step: Array) -> bool:
        """Whether all points, sorted, are above the largest step of their metric and differ: then none is a duplicate."""
        starts = groups(number)
        rises = step[1:] > step[:-1]
        rises[starts[1:] - 1] = True
        return bool(rises.all() and (step[starts] > self.stats.step[number[starts]]).all())

    def _fresh(self, number: Array, step: Array) -> Array:
        """Return a mask of the points that are the first of their metric and step."""
        order = np.lexsort((step, number))
        number, step = number[order], step[order]
        fresh = np.ones(len(order), np.bool_)
        fresh[1:] = (number[1:] != number[:-1]) | (step[1:] != step[:-1])
        late = np.flatnonzero(step <= self.stats.step[number])
        for where in np.split(late, groups(number[late])[1:]) if len(late) else ():
            known = int(number[where[0]])
            if known not in self._taken:
                self._taken[known] = Taken(self._steps(known))
            fresh[where] &= ~self._taken[known].has(step[where])
        unsorted = np.empty_like(fresh)
        unsorted[order] = fresh
        return unsorted

    def _note_taken(self, number: Array, step: Array) -> None:
        for known, taken in self._taken.items():
            start, end = np.searchsorted(number, [known, known + 1])
            if start < end:
                taken.add(step[start:end])

    def _steps(self, number: int) -> Array:
        found = [np.empty(0, np.int64) if self._earlier is None else self._earlier(number)]
        for frame in self._frames:
            of_metric = self.stats.numbers(frame.get_column("metric")) == number
            found.append(frame.get_column("step").to_numpy()[of_metric])
        return np.concatenate(found)

    def _join(self) -> None:
        count = len(tail([len(frame) for frame in self._frames]))
        self._frames[-count:] = [pl.concat(self._frames[-count:], rechunk=True)]


def within(points: pl.DataFrame, first: int, last: int) -> pl.DataFrame:
    """Return the points with steps from `first` to `last`."""
    return points.filter(pl.col("step").is_between(first, last))


def tail(sizes: Sequence[int], most: float = float("inf")) -> Sequence[int]:
    """Return the last sizes that are best joined into one: none is larger than twice the sum of those after it.

    So a joined part grows by at least half each time, and a row is rewritten a logarithmic number of times.
    """
    total, count = 0, 0
    for size in reversed(sizes):
        if (count and size > 2 * total) or total + size > most:
            break
        total += size
        count += 1
    return sizes[len(sizes) - count :]


def in_order(number: Array, step: Array) -> Array:
    """Return the indices that sort by number and step."""
    order = by_number(number)
    rises = (step[order][1:] > step[order][:-1]) | (number[order][1:] != number[order][:-1])
    return order if rises.all() else np.lexsort((step, number))


def by_number(number: Array) -> Array:
    if number.max() < 2**16:
        number = number.astype(np.uint16)  # which numpy sorts four times as fast
    return np.argsort(number, kind="stable")
