"""Curves of a run's metrics as one line of text each: ``▇▅▃▂▁▁``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from ..metrics import is_system
from ..types import Cursor

if TYPE_CHECKING:
    from ..store.base import Store

_BARS: Final = "▁▂▃▄▅▆▇█"
_NO_NUMBER: Final = "?"  # where there are only NaN and infinities
_AT_ONCE: Final = 1_000_000  # points read of a long run, to bound memory
_MOST_BUCKETS: Final = 1024  # of a curve: more than a terminal has columns


def bars(means: Sequence[float]) -> str:
    """Return a bar for each number, between the smallest and the largest."""
    finite = [mean for mean in means if math.isfinite(mean)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    span = high - low

    def bar(mean: float) -> str:
        if not math.isfinite(mean):
            return _NO_NUMBER
        share = 0.0 if not span else (mean / 2 - low / 2) / (high / 2 - low / 2)  # halves, as a span may be infinite
        return _BARS[min(int(share * len(_BARS)), len(_BARS) - 1)]

    return "".join(map(bar, means))


class _Bucket(NamedTuple):
    total: float  # of the finite values
    finite: int
    points: int

    def joined(self, other: _Bucket) -> _Bucket:
        return _Bucket(self.total + other.total, self.finite + other.finite, self.points + other.points)


class _Curve:
    """Neighbouring points in buckets of about the same size."""

    def __init__(self) -> None:
        self._size = 1  # points of a full bucket
        self._points = 0
        self._buckets: list[_Bucket] = []

    def add(self, values: pl.Series) -> None:
        self._points += len(values)
        while self._points > self._size * _MOST_BUCKETS:
            self._size *= 2
            pairs = zip_longest(self._buckets[::2], self._buckets[1::2])
            self._buckets = [one if other is None else one.joined(other) for one, other in pairs]
        finite = pl.when(pl.col("value").is_finite()).then(pl.col("value"))
        table = values.alias("value").to_frame().with_row_index()
        groups = table.group_by(pl.col("index") // self._size, maintain_order=True)
        figures = groups.agg(finite.sum().alias("total"), finite.count().alias("finite"), pl.len().alias("points"))
        for new in map(_Bucket._make, figures.drop("index").iter_rows()):
            if self._buckets and self._buckets[-1].points + new.points <= self._size:
                self._buckets[-1] = self._buckets[-1].joined(new)
            else:
                self._buckets.append(new)

    def means(self, most: int) -> list[float]:
        """Return the mean of the finite values in each of at most so many columns, NaN where there is none."""
        columns = min(most, len(self._buckets))
        edges = [place * len(self._buckets) // columns for place in range(columns + 1)] if columns else [0]
        parts = [reduce(_Bucket.joined, self._buckets[first:end]) for first, end in pairwise(edges)]
        return [part.total / part.finite if part.finite else math.nan for part in parts]


class Sparklines:
    """Follows the metrics of a run. What it keeps does not grow with the run."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._cursor = Cursor()
        self._curves: dict[str, _Curve] = {}

    def pull(self) -> None:
        """Take in the points that are new in the store."""
        while True:
            points, cursor = self._store.since(self._run_id, self._cursor, _AT_ONCE)
            if cursor.generation != self._cursor.generation:
                self._curves = {}  # the run was cut back, and these are all of its points
            at_end = cursor == self._cursor
            self._cursor = cursor
            for (name,), part in points.partition_by("metric", as_dict=True).items():
                if not is_system(str(name)):
                    self._curves.setdefault(str(name), _Curve()).add(part["value"])
            if at_end or points.is_empty():
                return

    def line(self, metric: str, width: int) -> str:
        """Return the curve of a metric in at most `width` characters, empty where it has no points."""
        curve = self._curves.get(metric)
        return "" if curve is None else bars(curve.means(width))
