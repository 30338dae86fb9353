"""A ragged array: one table in which each series owns a range of rows, so that numpy can process all series at once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Table = NDArray[np.void]
SMALLEST_ROOM: Final = 4


class RaggedArray:
    """Rows of many series, sorted by `key` in each. Memory grows with the rows, not with their limit."""

    def __init__(self, dtype: np.dtype[np.void], key: str) -> None:
        self.table: Table = np.empty(0, dtype)
        self.size: Ids = np.zeros(0, np.int64)
        self.key = key
        self._start: Ids = np.zeros(0, np.int64)
        self._room: Ids = np.zeros(0, np.int64)
        self._used = 0

    def reserve(self, series: int) -> None:
        """Make room for series numbered below `series`."""
        more = series - len(self.size)
        if more > 0:
            blank = np.zeros(max(more, len(self.size)), np.int64)
            self.size, self._start, self._room = (
                np.append(column, blank) for column in (self.size, self._start, self._room)
            )

    def of(self, series: int) -> Table:
        """Return a view of the rows of one series."""
        return self.table[self._start[series] : self._start[series] + self.size[series]]

    def keys(self, series: int) -> NDArray[Any]:
        keys: NDArray[Any] = self.of(series)[self.key]
        return keys

    def places(self, series: Ids, start: Ids) -> Ids:
        """Return the positions of the rows of `series` in the table, from `start` on in each."""
        return spans(self._start[series] + start, self.size[series] - start)

    def tails(self, series: Ids, first: NDArray[np.int64]) -> Ids:
        """Return for each series the first row whose key is at least `first`. Fast if that is the last row or beyond it."""
        size = self.size[series]
        tails = size.copy()
        some = np.flatnonzero(size)
        last = self.table[self.key][self._start[series[some]] + size[some] - 1]
        reaches = last >= first[some]
        tails[some[reaches]] -= 1
        for at in some[last > first[some]].tolist():
            tails[at] = np.searchsorted(self.keys(int(series[at])), first[at])
        return tails

    def replace(self, series: Ids, start: Ids, counts: Ids, rows: Table) -> None:
        """Replace each series' rows from `start` on by the next `counts` of `rows`."""
        self._make_room(series, start + counts)
        self.table[spans(self._start[series] + start, counts)] = rows
        self.size[series] = start + counts

    def clear(self, series: Ids) -> None:
        self.size[series] = 0
        self._room[series] = 0

    def _make_room(self, series: Ids, needed: Ids) -> None:
        short = needed > self._room[series]
        if not short.any():
            return
        series = series[short]
        room = 2 ** np.ceil(np.log2(np.maximum(needed[short], SMALLEST_ROOM))).astype(np.int64)
        more = int(room.sum())
        if self._used + more > len(self.table):
            self._compact(more)
        start = self._used + np.cumsum(room) - room
        size = self.size[series]
        self.table[spans(start, size)] = self.table[spans(self._start[series], size)]
        self._start[series], self._room[series] = start, room
        self._used += more

    def _compact(self, more: int) -> None:
        """Copy the rows into a larger table, without ranges that are no longer used."""
        kept = int(self._room.sum())
        table = np.empty(kept + more + (kept + more) // 4, self.table.dtype)
        start = np.cumsum(self._room) - self._room
        table[spans(start, self.size)] = self.table[spans(self._start, self.size)]
        self.table, self._start, self._used = table, start, kept


def spans(starts: Ids, sizes: Ids) -> Ids:
    """Return the numbers ``starts[i] ... starts[i] + sizes[i] - 1`` of all i."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    numbers: Ids = np.repeat(starts - ends + sizes, sizes) + np.arange(total)
    return numbers


def sizes(starts: NDArray[np.intp], total: int) -> Ids:
    return np.diff(starts, append=total)
