"""Series of bounded size: points gathered in buckets of a power of two of steps, aligned at 0 (M4).

Aligned buckets do not shift as a run grows, so nothing flickers, and they merge exactly. A bucket keeps its first, last,
smallest and largest point, which draw the same pixels as all of its points (Jugel et al., M4, VLDB 2014), and count,
mean and sum of squares (Chan et al., 1979) for smoothing and averages.

All series of a picture are processed at once, so the cost of a refresh hardly depends on their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..store.metric_stats import groups
from .bucket_rows import POINT, ROW, Floats, Rows, Steps, Taken, gather, joined, merged, of_points, points
from .ragged_array import Ids, RaggedArray, sizes

# The limit of buckets a series, by the largest number of series that it applies to. Buckets are not aligned with pixel columns, as
# M4's proof assumes, so six or more a column are needed to draw all but 2 % of the pixels (`tests/charts/test_pixels.py`). These
# limits fit into a keyframe of 1 MB.
LIMITS = {3: 4096, 7: 2048, 15: 1024, 1024: 512}
SMALLEST_LIMIT = 256
POINTS_A_BUCKET = 4  # a bucket takes as many bytes as four points


class Buckets:
    """Series by number: short ones as `points`, longer ones as `buckets` of ``2 ** shift`` steps."""

    def __init__(self, limit: int | None = None) -> None:
        """Keep at most `limit` buckets a series; by default the limit falls as series are added."""
        self.points = RaggedArray(POINT, "step")
        self.buckets = RaggedArray(ROW, "bucket")
        self.count = 0
        self.shift: Steps = np.zeros(0, np.int64)
        self.began: Floats = np.zeros(0)  # the time of the first point that was added
        self._low: Steps = np.zeros(0, np.int64)  # the first row that may have changed
        self._limit = limit

    def new(self) -> int:
        """Add a series and return its number."""
        self.count += 1
        if self.count > len(self.shift):
            blank = np.zeros(2 * self.count - len(self.shift), np.int64)
            self.shift, self._low = np.append(self.shift, blank), np.append(self._low, blank)
            self.began = np.append(self.began, blank * np.nan)
            self.points.reserve(len(self.shift))
            self.buckets.reserve(len(self.shift))
        return self.count - 1

    @property
    def sizes(self) -> Steps:
        """The number of rows of each series."""
        return np.where(self.shift == 0, self.points.size[: len(self.shift)], self.buckets.size[: len(self.shift)])

    def rows(self, series: int) -> Rows:
        """Return the rows of one series as buckets, even if they are points."""
        if self.shift[series]:
            return self.buckets.of(series).copy()
        return of_points(self.points.of(series))

    def ends(self, series: int) -> tuple[int, int]:
        """Return the first and the last step of a series; 0 and 0 if it is empty."""
        if self.shift[series]:
            rows = self.buckets.of(series)
            return int(rows["first_step"][0]), int(rows["last_step"][-1])
        steps = self.points.keys(series)
        return (int(steps[0]), int(steps[-1])) if len(steps) else (0, 0)

    def copy(self, series: int, source: Buckets, other: int, first: int, last: int) -> None:
        """Fill an empty series with another's rows from the step `first` to `last`, in buckets of at least the same width."""
        self.shift[series] = shift = source.shift[other]
        self.began[series] = source.began[other]
        here, there = (one.buckets if shift else one.points for one in (self, source))
        keys = there.keys(other)
        start, end = np.searchsorted(keys, first >> shift), np.searchsorted(keys, last >> shift, "right")
        rows = there.of(other)[start:end].copy()
        if not len(rows):
            return
        ids = np.array([series])
        self._put(here, np.full(len(rows), series), rows)
        while self.sizes[series] > self._most(ids)[0]:
            self._double(ids)

    def clear(self, series: Ids) -> None:
        """Remove all rows of some series."""
        self.points.clear(series)
        self.buckets.clear(series)
        self.shift[series], self._low[series], self.began[series] = 0, 0, np.nan

    def add(self, series: Ids, steps: Steps, times: Floats, values: Floats) -> None:
        """Add points of any series in any order. Their steps must be new to the series."""
        if not len(series):
            return
        series, steps, times, values = _sorted(series, steps, times, values)
        starts = groups(series)
        ids, counts = series[starts], sizes(starts, len(series))
        fresh = np.isnan(self.began[ids])
        self.began[ids[fresh]] = times[starts[fresh]]
        self._widen(series, steps)
        short, long = self.shift[ids] == 0, self.shift[ids] > 0
        if short.any():
            part = slice(None) if short.all() else np.repeat(short, counts)
            self._put(self.points, series[part], points(steps[part], times[part], values[part]))
        if long.any():
            part = slice(None) if long.all() else np.repeat(long, counts)
            self._put(
                self.buckets,
                *gather(series[part], steps[part], times[part], values[part], self.shift[series[part]]),
            )
        while len(over := ids[self._most(ids) < self.sizes[ids]]):
            self._double(over)

    def changed(self) -> Ids:
        """Return the series that have changed since the last `settle`."""
        return np.flatnonzero(self._low[: self.count] < self.sizes[: self.count])

    def take(self, series: Ids, shift: Steps, *, changed: bool = False) -> tuple[Taken, Taken]:
        """Return points and buckets of some series, given in ascending order, in buckets of ``2 ** shift`` steps.

        The buckets are at least as wide as those of the series. With `changed`, only buckets that changed since the last `settle` are
        returned, each complete.
        """
        more = shift - self.shift[series]
        start = np.maximum(self._low[series] - (1 << more) + 1, 0) if changed else np.zeros(len(series), np.int64)
        fine = self.shift[series] == 0
        exact = shift == 0
        single = self._read(self.points, series[exact], start[exact])
        numbers, rows = self._read(self.buckets, series[~fine], start[~fine])
        buckets = merged(numbers, rows, np.repeat(more[~fine], self.buckets.size[series[~fine]] - start[~fine]))
        if np.any(coarse := fine & ~exact):
            numbers, rows = self._read(self.points, series[coarse], start[coarse])
            wide = np.repeat(shift[coarse], self.points.size[series[coarse]] - start[coarse])
            made = gather(numbers, rows["step"], rows["time"], rows["value"], wide)
            made[1]["changed"] = np.maximum.reduceat(rows["changed"], groups(numbers, rows["step"] >> wide))
            buckets = _by_series(buckets, made)
        if changed:
            single, buckets = (
                (numbers[rows["changed"] > 0], rows[rows["changed"] > 0]) for numbers, rows in (single, buckets)
            )
        return single, buckets

    @staticmethod
    def _read(table: RaggedArray, series: Ids, start: Steps) -> Taken:
        return np.repeat(series, table.size[series] - start), table.table[table.places(series, start)]

    def narrowing(self, series: Ids, limits: Sequence[int]) -> Iterator[tuple[Steps, Steps]]:
        """Yield, for each of the descending `limits` of buckets, the shifts at which all series meet it, and their numbers of rows."""
        shift, rows = self.shift[series], self.sizes[series]
        which = np.repeat(np.arange(len(series)), rows)
        key = np.empty(len(which), np.int64)
        for table, of in ((self.points, shift == 0), (self.buckets, shift > 0)):
            places = table.places(series[of], np.zeros(np.count_nonzero(of), np.int64))
            key[np.repeat(of, rows)] = table.table[table.key][places]
        for most in limits:
            while (over := rows > np.where(shift == 0, POINTS_A_BUCKET * most, most)).any():
                shift = shift + over
                key = key >> over[which]
                starts = groups(which, key)
                which, key = which[starts], key[starts]
                rows = np.bincount(which, minlength=len(series))
            yield shift, rows

    def settle(self) -> None:
        """Mark all series as unchanged."""
        every = np.arange(self.count)
        for table in (self.points, self.buckets):
            low = np.minimum(self._low[: self.count], table.size[: self.count])
            table.table["changed"][table.places(every, low)] = 0
        self._low[: self.count] = self.sizes[: self.count]

    @property
    def limit(self) -> int:
        """The number of buckets that a series may have; it may have four times as many points."""
        if self._limit is not None:
            return self._limit
        return next((limit for most, limit in LIMITS.items() if self.count <= most), SMALLEST_LIMIT)

    def _most(self, series: Ids) -> Steps:
        limit = self.limit
        return np.where(self.shift[series] == 0, POINTS_A_BUCKET * limit, limit)

    def _widen(self, series: Ids, steps: Steps) -> None:
        """Double the bucket width of series whose new points alone would be too many rows."""
        first = groups(series)
        ids, counts = series[first], sizes(first, len(series))
        while len(over := ids[counts >> self.shift[ids] > self._most(ids)]):  # a bucket has no more points than steps
            self._double(over)
        if (counts <= self._most(ids)).all():
            return
        bucket = steps >> self.shift[series]
        while True:
            starts = groups(series, bucket)
            series, bucket = series[starts], bucket[starts]
            first = groups(series)
            ids = series[first]
            over = ids[sizes(first, len(series)) > self._most(ids)]
            if not len(over):
                return
            self._double(over)
            is_over = np.zeros(self.count, np.bool_)
            is_over[over] = True
            bucket = bucket >> is_over[series]

    def _put(self, table: RaggedArray, series: Ids, rows: Rows) -> None:
        """Add rows sorted by series and key. Rows with the same key are merged."""
        rows["changed"] = 1
        key = rows[table.key]
        first = groups(series)
        ids = series[first]
        tails = table.tails(ids, key[first])
        behind = table.size[ids] - tails
        if behind.any():
            series = np.concatenate([np.repeat(ids, behind), series])
            rows = np.concatenate([table.table[table.places(ids, tails)], rows])
            order = np.lexsort((rows[table.key], series))
            series, rows = series[order], rows[order]
            if table is self.buckets:
                series, rows = joined(series, rows)
            first = groups(series)
        table.replace(ids, tails, sizes(first, len(series)), rows)
        self._low[ids] = np.minimum(self._low[ids], tails)

    def _double(self, series: Ids) -> None:
        """Double the bucket width of some series."""
        none = np.zeros(len(series), np.int64)
        for table in (self.points, self.buckets):
            here = series[(self.shift[series] == 0) == (table is self.points)]
            if not len(here):
                continue
            numbers, rows = self._read(table, here, none[: len(here)])
            if table is self.points:
                rows = of_points(rows)
                table.clear(here)
            numbers, rows = merged(numbers, rows, np.ones(len(rows), np.int64))
            counts = np.bincount(np.searchsorted(here, numbers), minlength=len(here))
            self.buckets.replace(here, none[: len(here)], counts, rows)
            low = np.repeat(np.cumsum(counts) - counts, counts)
            self._low[here] = self._first_changed(counts, rows, low)
        self.shift[series] += 1

    @staticmethod
    def _first_changed(counts: Steps, rows: Rows, starts: Steps) -> Steps:
        """Return the first changed row of each series; its number of rows if none has changed."""
        low = counts.copy()
        changed = np.flatnonzero(rows["changed"])
        which = np.repeat(np.arange(len(counts)), counts)[changed]
        np.minimum.at(low, which, changed - starts[changed])
        return low


def _sorted(series: Ids, steps: Steps, times: Floats, values: Floats) -> tuple[Ids, Steps, Floats, Floats]:
    """Sort points by series and step."""
    if np.any(series[1:] < series[:-1]):
        narrow = series.astype(np.uint16) if int(series.max()) < 2**16 else series  # sorted four times as fast
        order = np.argsort(narrow, kind="stable")
        series, steps, times, values = series[order], steps[order], times[order], values[order]
    if not np.all((steps[1:] > steps[:-1]) | (series[1:] != series[:-1])):
        order = np.lexsort((steps, series))
        series, steps, times, values = series[order], steps[order], times[order], values[order]
    return series, steps, times, values


def _by_series(one: Taken, other: Taken) -> Taken:
    """Concatenate two tables sorted by series, keeping the order."""
    if not len(one[0]) or not len(other[0]):
        return one if len(one[0]) else other
    numbers = np.concatenate([one[0], other[0]])
    order = np.argsort(numbers, kind="stable")
    return numbers[order], np.concatenate([one[1], other[1]])[order]
