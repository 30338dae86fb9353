"""Numbers and summaries of a run's metrics, and the steps that they have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..types import MetricSummary
from .base import POINTS

Array = NDArray[Any]
_COLUMNS: Final = (
    ("last", np.float64),
    ("min", np.float64),
    ("max", np.float64),
    ("count", np.int64),
    ("step", np.int64),
)
_NOTHING: Final = {"last": np.nan, "min": np.nan, "max": np.nan, "count": 0, "step": -1}
# Polars forgets the codes of categories when no series uses them any more. This series keeps them.
_CODES_STAY: Final = pl.Series(dtype=POINTS["metric"])


class MetricStats:
    """The metrics of a run, numbered in order of first appearance, and their summaries."""

    def __init__(self, rows: Iterable[Sequence[Any]] = ()) -> None:
        """Each of `rows` is a name with last, min, max, count and largest step."""
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._by_code = np.empty(0, np.int32)
        self._size = 0
        self._columns = {name: np.empty(0, dtype) for name, dtype in _COLUMNS}
        self._changed = np.empty(0, np.bool_)
        for name, *numbers in rows:
            number = self._add(name)
            for (column, _), value in zip(_COLUMNS, numbers, strict=True):
                self._columns[column][number] = value
        self.settle()

    @property
    def step(self) -> Array:
        """The largest step by number, -1 without points."""
        steps: Array = self._columns["step"]
        return steps

    def numbers(self, metric: pl.Series) -> Array:
        """Return the numbers (int32) of a column of metrics. New metrics get the next numbers."""
        codes = metric.to_physical().to_numpy()
        if len(codes) and (largest := int(codes.max())) >= len(self._by_code):
            self._by_code = np.append(self._by_code, np.full(largest + 1 + len(codes), -1, np.int32))
        numbers: Array = self._by_code[codes]
        if len(numbers) and numbers.min() < 0:
            unknown = np.flatnonzero(numbers < 0)
            new, where = np.unique(codes[unknown], return_index=True)
            order = np.argsort(where)
            names = metric.gather(unknown[where[order]]).cast(pl.String).to_list()
            self._by_code[new[order]] = [self._add(name) for name in names]
            numbers = self._by_code[codes]
        return numbers

    def name(self, names: Iterable[str]) -> None:
        """Give the next numbers to the names that are new."""
        for name in names:
            self._add(name)

    def copy(self) -> MetricStats:
        twin = MetricStats()
        twin.names, twin._numbers, twin._size = [*self.names], {**self._numbers}, self._size
        twin._by_code, twin._changed = self._by_code.copy(), self._changed.copy()
        twin._columns = {name: column.copy() for name, column in self._columns.items()}
        return twin

    def add(self, number: Array, step: Array, value: Array) -> None:
        """Add new points, sorted by number and step: all of them, or none when an error is raised."""
        starts = groups(number)
        ends = np.append(starts[1:], len(number)) - 1
        which = number[starts]
        before = {name: column[which] for name, column in self._columns.items()}
        try:
            self._add_groups(which, starts, ends, step, value)
        except BaseException:
            for name, column in self._columns.items():
                column[which] = before[name]
            raise
        self._changed[which] = True

    def _add_groups(self, which: Array, starts: Array, ends: Array, step: Array, value: Array) -> None:
        columns = self._columns
        latest = step[ends] > columns["step"][which]
        columns["last"][which[latest]] = value[ends[latest]]
        columns["step"][which] = np.maximum(columns["step"][which], step[ends])
        columns["min"][which] = np.fmin(columns["min"][which], np.fmin.reduceat(value, starts))
        columns["max"][which] = np.fmax(columns["max"][which], np.fmax.reduceat(value, starts))
        columns["count"][which] += ends - starts + 1

    def summary(self) -> dict[str, MetricSummary]:
        return {name: MetricSummary(*numbers) for name, *numbers in self._rows(range(self._size)) if numbers[3]}

    def all(self) -> list[tuple[int, list[Any]]]:
        """Return number and row of each metric."""
        return list(enumerate(self._rows(range(self._size))))

    def changed(self) -> list[tuple[int, list[Any]]]:
        """Return number and row of each metric that changed since `settle`."""
        numbers = np.flatnonzero(self._changed[: self._size]).tolist()
        return list(zip(numbers, self._rows(numbers), strict=True))

    def settle(self) -> None:
        self._changed[:] = False

    def _rows(self, numbers: Sequence[int]) -> list[list[Any]]:
        chosen = [self._columns[column][numbers].tolist() for column, _ in _COLUMNS] if len(numbers) else []
        return (
            [[self.names[number], *numbers] for number, *numbers in zip(numbers, *chosen, strict=True)]
            if chosen
            else []
        )

    def _add(self, name: str) -> int:
        if name in self._numbers:
            return self._numbers[name]
        number = self._size
        if number == len(self._changed):
            more = number + 16
            for column, dtype in _COLUMNS:
                self._columns[column] = np.append(self._columns[column], np.full(more, _NOTHING[column], dtype))
            self._changed = np.append(self._changed, np.zeros(more, np.bool_))
        self.names.append(name)
        self._numbers[name] = number
        self._changed[number] = True
        self._size += 1
        return number


class Taken:
    """The steps that a metric has, kept in sorted parts for fast look-ups. A new part absorbs parts of at most twice its size."""

    def __init__(self, steps: Array) -> None:
        self._parts = [np.unique(steps)]

    def add(self, steps: Array) -> None:
        part = np.sort(steps)
        while self._parts and len(self._parts[-1]) <= 2 * len(part):
            part = np.sort(np.append(self._parts.pop(), part), kind="stable")
        self._parts.append(part)

    def has(self, steps: Array) -> Array:
        found = np.zeros(len(steps), np.bool_)
        for part in self._parts:
            if len(part):
                places = np.searchsorted(part, steps)
                found |= part[np.minimum(places, len(part) - 1)] == steps
        return found


def groups(*keys: NDArray[Any]) -> NDArray[np.intp]:
    """Return the start of each group of equal `keys`, which are columns of a sorted table."""
    if not len(keys[0]):
        return np.empty(0, np.intp)
    differs = keys[0][1:] != keys[0][:-1]
    for key in keys[1:]:
        differs |= key[1:] != key[:-1]
    return np.concatenate([[0], np.flatnonzero(differs) + 1])
