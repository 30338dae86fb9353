"""The rows of a run's alerts, and when a title that comes again is no new alert."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..alerting.levels import AlertLevel
from ..alerting.webhook import Message
from ..user_warnings import warn_once

if TYPE_CHECKING:
    from ..store.base import Store
    from .run_writer import RunWriter

MOST_ALERTS: Final = 1_000  # titles of a run, in one process
WAITING: Final = "waiting"
TABLE: Final = "alerts"


class Raised(NamedTuple):
    """An alert as the program raises it, with the title as a store keeps it."""

    title: str
    time: float
    level: str
    text: str
    wait: float  # seconds in which the title only counts when it comes again
    step: int | None = None


class AlertRow(NamedTuple):
    """An alert, with the columns of the table ``alerts``."""

    number: int
    time: float
    level: str
    title: str
    text: str
    step: int | None
    times: int  # how often it came within its wait
    webhook: str | None  # None when there is none for it, else `WAITING` or what became of it


class AlertRows:
    """The rows of one run's alerts. Called by one thread at a time."""

    def __init__(
        self, store: Store, run_id: str, name: Callable[[], str], earlier: Callable[[], Iterable[tuple[Any, ...]]]
    ) -> None:
        """`name` returns the run's name, and `earlier` the rows that are there, or raises ``OSError`` when they cannot be read now."""
        self.store = store
        self.run_id = run_id
        self._name = name
        self._earlier = earlier
        self._latest: dict[str, AlertRow] = {}  # by title
        self._number: int | None = None  # of the newest alert

    def know(self, rows: Iterable[AlertRow]) -> None:
        """Let `rows` of another process count when their titles come again."""
        self._latest.update((row.title, row) for row in rows)

    def add(self, raised: Raised, webhook: str | None) -> AlertRow | None:
        """Keep an alert, and return its row; None when it only counts, or when there are too many.

        Alerts of several processes do not come in the order of their times.
        """
        before = self._latest.get(raised.title)
        if before is not None and abs(raised.time - before.time) < raised.wait:
            self.count(raised.title)
            return None
        if has_too_many(self._latest, self._name()):
            return None
        self._number = number = self._next_number()
        text = recorded("text", raised.text)
        row = AlertRow(number, raised.time, raised.level, raised.title, text, raised.step, 1, webhook)
        self.put(row)
        return row

    def count(self, title: str) -> None:
        """Count a title that came again. One that this process does not know is nothing to count."""
        before = self._latest.get(title)
        if before is not None:
            self.put(before._replace(times=before.times + 1))

    def put(self, row: AlertRow) -> None:
        """Add a row, or replace the one of its number."""
        known = self._latest.get(row.title)
        if known is None or known.number <= row.number:
            self._latest[row.title] = row
        self.store.put_captured(self.run_id, TABLE, [row])

    def _next_number(self) -> int:
        if self._number is not None:
            return self._number + 1
        try:
            return max((row[0] for row in self._earlier()), default=-1) + 1
        except OSError:  # the file is busy: no run has so many alerts that this number is taken
            return int(time.time())


def recorded(column: str, text: str) -> str:
    """Return the title or text of an alert as a store keeps it."""
    from ..store.text_gate import LONGEST_TEXTS, recorded_text

    return recorded_text(text, LONGEST_TEXTS[column])


def has_too_many(titles: Collection[str], run: str) -> bool:
    """Whether a run has as many titles as it may have; then this is said once."""
    if len(titles) < MOST_ALERTS:
        return False
    warn_once(f"run {run!r} has {MOST_ALERTS:,} alerts, and keeps and sends no more")
    return True


def message_of(writer: RunWriter, row: AlertRow) -> Message:
    """Return an alert as it is sent."""
    return Message(
        writer.project,
        writer.name,
        writer.id,
        row.number,
        row.time,
        AlertLevel(row.level),
        row.title,
        row.text,
        row.step,
    )
