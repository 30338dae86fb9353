"""Series bounded by pixels: points gathered in buckets of a power of two of steps, aligned at 0 (M4).

Aligned buckets never shift as a run grows, so nothing flickers, and they merge exactly: a bucket keeps its first, last,
smallest and largest point, which draw the same pixels as all of its points do (Jugel et al., M4, VLDB 2014), and count,
mean and sum of squares (Chan et al., 1979) for what smooths or averages.

All series of a picture are worked on at once: what a refresh costs hardly depends on how many there are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._protocol import BUCKET_COLUMNS, NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY
from ._stretches import Ids, Stretches, groups, sizes

# Buckets a series may have, by the number of series up to which they may. Buckets lie across the borders of pixel columns,
# which M4's proof excludes: it takes more than four a column to draw all but 2 % of the pixels (`tests/test_pixels.py`).
LIMITS = {8: 4096, 32: 2048, 128: 1024, 1024: 512}
SMALLEST_LIMIT = 256
POINTS_A_BUCKET = 4  # take as many bytes

# `changed`: since the last `settle`. Eight bytes each, so that rows are a matrix, too.
ROW = np.dtype([(name, "i8" if name == "bucket" else "f8") for name in BUCKET_COLUMNS] + [("changed", "i8")])
POINT = np.dtype([("step", "i8"), ("time", "f8"), ("value", "f8"), ("changed", "i8")])
CORNERS = {
    name: slice(BUCKET_COLUMNS.index(f"{name}_step"), BUCKET_COLUMNS.index(name) + 1)
    for name in ("first", "min", "max", "last")
}

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]
Rows = NDArray[np.void]
Taken = tuple[Ids, Rows]  # the series of each row, and the rows


class Buckets:
    """Series by number: short ones as `points`, longer ones as `buckets` of ``2 ** shift`` steps."""

    def __init__(self, limit: int | None = None) -> None:
        """With at most `limit` buckets a series, by default the fewer the more series there are."""
        self.points = Stretches(POINT, "step")
        self.buckets = Stretches(ROW, "bucket")
        self.count = 0
        self.shift: Steps = np.zeros(0, np.int64)
        self.began: Floats = np.zeros(0)  # the time of the first point that came
        self._low: Steps = np.zeros(0, np.int64)  # the first row that may have changed
        self._limit = limit

    def new(self) -> int:
        """The number of one more series."""
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
        """Rows by series."""
        return np.where(self.shift == 0, self.points.size[: len(self.shift)], self.buckets.size[: len(self.shift)])

    def rows(self, series: int) -> Rows:
        """The rows of one series, as buckets in either case."""
        if self.shift[series]:
            return self.buckets.of(series).copy()
        return of_points(self.points.of(series))

    def ends(self, series: int) -> tuple[int, int]:
        """The first and the last step of a series; 0 and 0 when it has none."""
        if self.shift[series]:
            rows = self.buckets.of(series)
            return int(rows["first_step"][0]), int(rows["last_step"][-1])
        steps = self.points.keys(series)
        return (int(steps[0]), int(steps[-1])) if len(steps) else (0, 0)

    def copy(self, series: int, source: Buckets, other: int, first: int, last: int) -> None:
        """Makes an empty series of another's rows from the step `first` to `last`, as wide as they are or wider."""
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
        """Forgets all rows of some series."""
        self.points.clear(series)
        self.buckets.clear(series)
        self.shift[series], self._low[series], self.began[series] = 0, 0, np.nan

    def add(self, series: Ids, steps: Steps, times: Floats, values: Floats) -> None:
        """Takes in points of any order and of any of the series; their steps are new to these."""
        if not len(series):
            return
        series, steps, times, values = _sorted(series, steps, times, values)
        with np.errstate(all="ignore"):  # sums of huge values overflow to infinity, as float arithmetic does
            starts = groups(series)
            ids, counts = series[starts], sizes(starts, len(series))
            fresh = np.isnan(self.began[ids])
            self.began[ids[fresh]] = times[starts[fresh]]
            self._widen(series, steps)
            short, long = self.shift[ids] == 0, self.shift[ids] > 0
            if short.any():
                part = slice(None) if short.all() else np.repeat(short, counts)
                self._put(self.points, series[part], _points(steps[part], times[part], values[part]))
            if long.any():
                part = slice(None) if long.all() else np.repeat(long, counts)
                self._put(self.buckets, *gather(series[part], steps[part], times[part], values[part], self.shift))
            while len(over := ids[self._most(ids) < self.sizes[ids]]):
                self._double(over)

    def changed(self) -> Ids:
        """The series that changed since the last `settle`."""
        return np.flatnonzero(self._low[: self.count] < self.sizes[: self.count])

    def take(self, series: Ids, shift: Steps, *, changed: bool = False) -> tuple[Taken, Taken]:
        """Points and buckets of some series (numbers that rise), each in buckets of ``2 ** shift`` steps, those it has or
        wider; of these all or only what changed since the last `settle`, always whole.
        """
        more = shift - self.shift[series]
        start = np.maximum(self._low[series] - (1 << more) + 1, 0) if changed else np.zeros(len(series), np.int64)
        short = self.shift[series] == 0
        exact = shift == 0
        points = self._read(self.points, series[exact], start[exact])
        fine = [self._read(self.buckets, series[~short], start[~short])]
        if np.any(coarse := short & ~exact):
            numbers, rows = self._read(self.points, series[coarse], start[coarse])
            fine.append((numbers, of_points(rows)))
            numbers, rows = (np.concatenate(parts) for parts in zip(*fine, strict=True))
            order = np.argsort(numbers, kind="stable")
            fine = [(numbers[order], rows[order])]
        buckets = _coarsened(*fine[0], series, more)
        if changed:
            points, buckets = (
                (numbers[rows["changed"] > 0], rows[rows["changed"] > 0]) for numbers, rows in (points, buckets)
            )
        return points, buckets

    @staticmethod
    def _read(table: Stretches, series: Ids, start: Steps) -> Taken:
        return np.repeat(series, table.size[series] - start), table.table[table.places(series, start)]

    def narrowed(self, series: Ids, most: int) -> tuple[Steps, Steps]:
        """Shifts at which no series has more than `most` buckets, or four times as many points; and the rows then."""
        shift, rows = self.shift[series].copy(), self.sizes[series].copy()
        over = rows > np.where(shift == 0, POINTS_A_BUCKET * most, most)
        for table in (self.points, self.buckets):
            here = np.flatnonzero(over & ((self.shift[series] == 0) == (table is self.points)))
            which = np.repeat(here, rows[here])
            key = table.table[table.key][table.places(series[here], np.zeros(len(here), np.int64))]
            while len(which):
                key = key >> 1
                starts = groups(which, key)
                which, key = which[starts], key[starts]
                first = groups(which)
                at, counts = which[first], sizes(first, len(which))
                shift[at] += 1
                rows[at] = counts
                left = np.repeat(counts > most, counts)
                which, key = which[left], key[left]
        return shift, rows

    def settle(self) -> None:
        """From here on, nothing has changed."""
        every = np.arange(self.count)
        for table in (self.points, self.buckets):
            low = np.minimum(self._low[: self.count], table.size[: self.count])
            table.table["changed"][table.places(every, low)] = 0
        self._low[: self.count] = self.sizes[: self.count]

    @property
    def limit(self) -> int:
        """Buckets that a series may have; of points four times as many."""
        if self._limit is not None:
            return self._limit
        return next((limit for most, limit in LIMITS.items() if self.count <= most), SMALLEST_LIMIT)

    def _most(self, series: Ids) -> Steps:
        limit = self.limit
        return np.where(self.shift[series] == 0, POINTS_A_BUCKET * limit, limit)

    def _widen(self, series: Ids, steps: Steps) -> None:
        """Doubles the series of which the new points alone would be too many rows."""
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
            bucket = bucket >> np.isin(series, over)

    def _put(self, table: Stretches, series: Ids, rows: Rows) -> None:
        """Takes in rows that are sorted by series and key; where there is a row of the same key, they become one."""
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
        """Makes the buckets of some series twice as wide."""
        none = np.zeros(len(series), np.int64)
        for table in (self.points, self.buckets):
            here = series[(self.shift[series] == 0) == (table is self.points)]
            if not len(here):
                continue
            rows = table.table[table.places(here, none[: len(here)])]
            numbers = np.repeat(here, table.size[here])
            if table is self.points:
                rows = of_points(rows)
                table.clear(here)
            rows["bucket"] >>= 1
            numbers, rows = joined(numbers, rows)
            counts = np.bincount(np.searchsorted(here, numbers), minlength=len(here))
            self.buckets.replace(here, none[: len(here)], counts, rows)
            low = np.repeat(np.cumsum(counts) - counts, counts)
            self._low[here] = self._first_changed(counts, rows, low)
        self.shift[series] += 1

    @staticmethod
    def _first_changed(counts: Steps, rows: Rows, starts: Steps) -> Steps:
        """The first changed row of each series, its number of rows when there is none."""
        low = counts.copy()
        changed = np.flatnonzero(rows["changed"])
        which = np.repeat(np.arange(len(counts)), counts)[changed]
        np.minimum.at(low, which, changed - starts[changed])
        return low


def _coarsened(numbers: Ids, rows: Rows, series: Ids, more: Steps) -> Taken:
    """Rows of `series`, of which each is doubled so many times `more`."""
    for level in range(int(more.max(initial=0))):
        left = series[more > level]
        rows["bucket"] >>= np.isin(numbers, left)
        numbers, rows = joined(numbers, rows)
    return numbers, rows


def gather(series: Ids, steps: Steps, times: Floats, values: Floats, shift: Steps) -> tuple[Ids, Rows]:
    """The buckets of points that are sorted by series and step, `shift` by series; with the series of each."""
    bucket = steps >> shift[series]
    starts = groups(series, bucket)
    counts = sizes(starts, len(series))
    rows = np.empty(len(starts), ROW)
    rows["bucket"] = bucket[starts]
    finite = np.isfinite(values)
    if whole := bool(finite.all()):
        rows["count"], rows["mask"] = counts, 0
        low = high = clean = values
    else:
        rows["count"] = np.add.reduceat(finite.astype(np.int64), starts)
        rows["mask"] = np.bitwise_or.reduceat(_mask(values), starts)
        low, high, clean = (np.where(finite, values, instead) for instead in (np.inf, -np.inf, 0.0))
    rows["mean"] = mean = np.add.reduceat(clean, starts) / rows["count"]
    apart = clean - np.repeat(mean, counts)
    if not whole:
        apart[~finite] = 0.0
    rows["m2"] = np.add.reduceat(apart * apart, starts)
    for name, at in (
        ("first", starts),
        ("last", starts + counts - 1),
        ("min", _place(low, np.minimum.reduceat(low, starts), starts, counts)),
        ("max", _place(high, np.maximum.reduceat(high, starts), starts, counts)),
    ):
        rows[name + "_step"], rows[name + "_time"], rows[name] = steps[at], times[at], values[at]
    _blank(rows)
    return series[starts], rows


def of_points(points: Rows) -> Rows:
    """A bucket for each point."""
    rows = np.empty(len(points), ROW)
    value, finite = points["value"], np.isfinite(points["value"])
    rows["bucket"], rows["count"], rows["mean"], rows["m2"] = points["step"], finite, value, 0.0
    rows["mask"] = _mask(value)
    rows["changed"] = points["changed"]
    for name in CORNERS:
        rows[name + "_step"], rows[name + "_time"], rows[name] = points["step"], points["time"], value
    _blank(rows)
    return rows


def joined(series: Ids, rows: Rows) -> tuple[Ids, Rows]:
    """Sorted rows, of which at most two neighbours share series and bucket -> one row a bucket."""
    bucket = rows["bucket"]
    same = (series[1:] == series[:-1]) & (bucket[1:] == bucket[:-1])
    if not same.any():
        return series, rows
    kept = np.concatenate([[True], ~same])
    into = np.flatnonzero(same)
    one, other = rows[into], rows[into + 1]
    rows = rows[kept]
    rows[np.cumsum(kept)[into] - 1] = _join(one, other)
    return series[kept], rows


def _join(one: Rows, other: Rows) -> Rows:
    """Pairs of buckets as one each; of equal extremes that of the smaller step."""
    result = one.copy()
    into, source = (rows.view(np.float64).reshape(len(rows), -1) for rows in (result, other))
    n, m = one["count"], other["count"]

    def beats(name: str, sign: float) -> NDArray[np.bool_]:
        ours, theirs = sign * one[name], sign * other[name]
        nearer = other[name + "_step"] < one[name + "_step"]
        better: NDArray[np.bool_] = (m > 0) & ((n == 0) | (theirs < ours) | ((theirs == ours) & nearer))
        return better

    with np.errstate(all="ignore"):
        for name, better in (
            ("first", other["first_step"] < one["first_step"]),
            ("min", beats("min", 1.0)),
            ("max", beats("max", -1.0)),
            ("last", other["last_step"] > one["last_step"]),
        ):
            into[better, CORNERS[name]] = source[better, CORNERS[name]]
        apart, share = other["mean"] - one["mean"], m / (n + m)
        both = (n > 0) & (m > 0)
        result["mean"] = np.where(both, one["mean"] + apart * share, np.where(n > 0, one["mean"], other["mean"]))
        result["m2"] = one["m2"] + other["m2"] + np.where(both, apart * apart * n * share, 0.0)
    result["count"] = n + m
    result["mask"] = one["mask"].astype(np.int64) | other["mask"].astype(np.int64)
    result["changed"] |= other["changed"]
    return result


def _points(steps: Steps, times: Floats, values: Floats) -> Rows:
    points = np.empty(len(steps), POINT)
    points["step"], points["time"], points["value"] = steps, times, values
    return points


def _blank(rows: Rows) -> None:
    """Where nothing is finite there is no mean and no extreme."""
    empty = rows["count"] == 0
    if empty.any():
        rows["mean"][empty] = np.nan
        for name in ("min", "max"):
            for column in (name + "_step", name + "_time", name):
                rows[column][empty] = np.nan


def _place(values: Floats, extremes: Floats, starts: NDArray[np.intp], counts: Steps) -> NDArray[np.intp]:
    """Where each group first has its extreme."""
    hits = np.flatnonzero(values == np.repeat(extremes, counts))
    places: NDArray[np.intp] = hits[np.searchsorted(hits, starts)]
    return places


def _mask(values: Floats) -> Steps:
    kinds = ((NAN, np.isnan), (POSITIVE_INFINITY, np.isposinf), (NEGATIVE_INFINITY, np.isneginf))
    mask: Steps = np.zeros(len(values), np.int64)
    for bit, is_kind in kinds:
        mask[is_kind(values)] = bit
    return mask


def _sorted(series: Ids, steps: Steps, times: Floats, values: Floats) -> tuple[Ids, Steps, Floats, Floats]:
    """Points by series and step."""
    if np.any(series[1:] < series[:-1]):
        narrow = series.astype(np.uint16) if int(series.max()) < 2**16 else series  # numpy sorts it four times as fast
        order = np.argsort(narrow, kind="stable")
        series, steps, times, values = series[order], steps[order], times[order], values[order]
    if not np.all((steps[1:] > steps[:-1]) | (series[1:] != series[:-1])):
        order = np.lexsort((steps, series))
        series, steps, times, values = series[order], steps[order], times[order], values[order]
    return series, steps, times, values
