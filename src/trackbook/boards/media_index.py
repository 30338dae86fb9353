"""Which media the runs of a board have: read as they come, and found by metric and step."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, Final

from ..media.index import Row, number_at
from ..store.base import Store

LOOK_SECONDS: Final = 1.0  # between two looks for new media
MOST_METRICS: Final = 500  # told to the front end
_LATE_SECONDS: Final = 60  # rows of other processes arrive so late at most, unless they are read anew
_TABLE: Final = "media"
_LATE: Final = number_at(_LATE_SECONDS)


class _Series:
    """The media of one name in one run: their steps, ascending, and the numbers of their rows."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.steps = array("q")
        self.numbers = array("q")
        self.count = 0  # of distinct steps

    def add(self, step: int, number: int) -> None:
        place = len(self.steps) if not self.steps or step >= self.steps[-1] else bisect_right(self.steps, step)
        self.count += not place or self.steps[place - 1] != step
        self.steps.insert(place, step)
        self.numbers.insert(place, number)

    def distinct(self) -> list[int]:
        return list(dict.fromkeys(self.steps))

    def at(self, step: int) -> list[int]:
        """Return the numbers of the rows at the largest step up to `step`."""
        end = bisect_right(self.steps, step)
        return self.exactly(self.steps[end - 1]) if end else []

    def exactly(self, step: int) -> list[int]:
        """Return the numbers of the rows at `step`."""
        return self.numbers[bisect_left(self.steps, step) : bisect_right(self.steps, step)].tolist()


class _Run:
    """The media of one run."""

    def __init__(self) -> None:
        self.series: dict[str, _Series] = {}
        self._newest = -1
        self._recent: set[int] = set()

    def read(self, store: Store, run_id: str) -> bool:
        """Read new rows, and return whether there are any."""
        since = self._newest - _LATE
        rows = store.captured(run_id, _TABLE, since if self._newest >= 0 else None)
        fresh = [Row(*row) for row in rows if row[0] not in self._recent]
        for row in fresh:
            self.series.setdefault(row.metric, _Series(row.kind)).add(row.step, row.number)
        self._newest = max([self._newest, *(row.number for row in fresh)])
        self._recent = {number for row in rows if (number := row[0]) > self._newest - _LATE}
        return bool(fresh)


class MediaIndex:
    """The media of runs of one store. The caller locks it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._runs: dict[str, _Run] = {}
        self._settled: set[str] = set()  # runs that have ended, and were read since
        self._due = 0.0
        self._summary: dict[str, Any] = {}
        self._of: list[str] = []

    def forget(self) -> None:
        """Read everything anew at the next look: runs were deleted, or cut back."""
        self._runs.clear()
        self._settled.clear()
        self._due = 0.0

    def news(self, now: float | None, runs: Sequence[str], running: Iterable[str]) -> dict[str, Any]:
        """Return the value of the trait ``media``: for each name its kind and the number of its steps.

        New rows are read at most once in `LOOK_SECONDS`, and when `now` is None.
        """
        if self._store.files_folder is None:  # a table of points
            return self.summary([])
        if now is not None and now < self._due and list(runs) == self._of:
            return self._summary
        runs_changed = list(runs) != self._of
        self._due, self._of = 0.0 if now is None else now + LOOK_SECONDS, list(runs)
        open_ = set(running)
        changed = [self._read(run) for run in runs if run not in self._settled]
        self._settled = {run for run in runs if run not in open_}
        if any(changed) or not self._summary or runs_changed:
            self._summary = self.summary(runs)
        return self._summary

    def summary(self, runs: Sequence[str]) -> dict[str, Any]:
        """Return the value of the trait ``media`` for some runs, as they were read last."""
        metrics: dict[str, dict[str, Any]] = {}
        for run in runs:
            for name, series in (self._runs[run].series if run in self._runs else {}).items():
                if name not in metrics and len(metrics) >= MOST_METRICS:
                    continue
                about = metrics.setdefault(name, {"kind": series.kind, "count": 0})
                about["count"] += series.count
        return {"metrics": metrics}

    def steps(self, run: str, metric: str) -> list[int]:
        """Return the steps of a name in a run, ascending."""
        series = self._series(run, metric)
        return [] if series is None else series.distinct()

    def rows(self, run: str, metric: str, step: int) -> list[Row]:
        """Return the rows at the largest step up to `step`, in order."""
        series = self._series(run, metric)
        return self._found(run, [] if series is None else series.at(step))

    def rows_of(self, run: str, metric: str, steps: Iterable[int]) -> list[Row]:
        """Return the rows at some steps, in order."""
        series = self._series(run, metric)
        return self._found(
            run, [] if series is None else [n for step in sorted(set(steps)) for n in series.exactly(step)]
        )

    def _found(self, run: str, numbers: Sequence[int]) -> list[Row]:
        if not numbers:
            return []
        found = self._store.captured(run, _TABLE, min(numbers) - 1, max(numbers))
        rows = {row[0]: Row(*row) for row in found}
        return [rows[number] for number in numbers if number in rows]

    def _series(self, run: str, metric: str) -> _Series | None:
        self._read(run)
        return self._runs[run].series.get(metric)

    def _read(self, run: str) -> bool:
        return self._runs.setdefault(run, _Run()).read(self._store, run)
