"""The index of media: a row of the table ``media`` for each logged value, numbered by the time at which it was logged."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ..store import check_stored
from ..store.media_files import names_of
from .values import Encoded

# steps that the process of the run assigns, since a forked child cannot count for it
LATER: Final = -1
WITH_POINTS: Final = -2  # that of the points of the same call, which have the same time
_RANDOM_BITS: Final = 12  # beside the microseconds, so that processes that log at once number their rows differently


class Row(NamedTuple):
    """A row of the table ``media`` of `types.CAPTURED`."""

    number: int
    metric: str
    step: int
    time: float
    item: int
    kind: str
    file: str | None
    size: int
    mime: str
    caption: str | None
    about: str

    @property
    def described(self) -> dict[str, Any]:
        """What `about` says; nothing when it is damaged."""
        try:
            found = json.loads(self.about)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def files(self) -> list[str]:
        """The names of all files that the row needs."""
        return [*names_of(self.file, self.described)]


class Numbers:
    """Numbers of rows, ascending in a process, and different in all. Without a lock, which a fork could find held."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, count: int) -> int:
        """Return the first of `count` numbers in a row. Called by one thread at a time."""
        now = (time.time_ns() // 1000 << _RANDOM_BITS) + secrets.randbits(_RANDOM_BITS)
        first = max(self._last + 1, now)
        self._last = first + count - 1
        return first


def number_at(seconds: float) -> int:
    """Return a number that no row logged at this time or later is below."""
    return int(seconds * 1e6) << _RANDOM_BITS


def rows(numbers: Numbers, metric: str, step: int, now: float, values: Sequence[Encoded]) -> list[Row]:
    """Return the rows of the values that one call logs under one name."""
    return rows_from(numbers.next(len(values)), metric, step, now, values)


def rows_from(first: int, metric: str, step: int, now: float, values: Sequence[Encoded]) -> list[Row]:
    """Return the rows of values, with numbers from `first` on."""
    return [
        Row(
            first + item,
            metric,
            step,
            now,
            item,
            value.kind,
            None if value.file is None else value.file.name,
            0 if value.file is None else value.file.size,
            "" if value.file is None else value.file.mime,
            value.caption,
            json.dumps(value.described(), separators=(",", ":")),
        )
        for item, value in enumerate(values)
    ]


def line(found: Sequence[Row]) -> bytes:
    """Return the rows of one call as a line of a journal."""
    return json.dumps(found, separators=(",", ":")).encode()


def parsed(text: Any) -> list[Row]:
    """Return the rows of a line's JSON value; none for what is no such line, as a torn or damaged one."""
    try:
        return [Row(*each) for each in check_stored.captured("media", [*Row._fields], text)]
    except ValueError:
        return []


def with_steps(
    calls: Iterable[Sequence[Row]],
    count: Callable[[], int | None],
    next_: dict[str, int],
    of_points: Mapping[float, list[int]],
) -> list[Row]:
    """Return the rows of calls in which the steps that were left to this process are assigned, and keep `next_`, the steps of names, up.

    A call has one step: that of its points, which is taken out of `of_points` (steps by time), else the one that `count` returns; None
    lets each name count for itself.
    """
    found: list[Row] = []
    for call in calls:
        if call and call[0].step < 0:
            known = of_points.get(call[0].time) if call[0].step == WITH_POINTS else None
            step = known.pop(0) if known else count()
            steps = {row.metric: next_.get(row.metric, 0) if step is None else step for row in call}
            call = [row._replace(step=steps[row.metric]) for row in call]  # noqa: PLW2901
        for row in call:
            next_[row.metric] = max(row.step + 1, next_.get(row.metric, 0))
        found += call
    return found
