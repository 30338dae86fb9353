"""The alerts of a run, as its project keeps them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from ..alerting.levels import AlertLevel
from ..alerting.webhook import Message, Webhook, to_webhook
from ..metrics import as_pairs
from ..user_warnings import warn_once

if TYPE_CHECKING:
    import polars as pl

    from .run_writer import RunWriter

MOST_ALERTS: Final = 1_000  # titles of a run, in one process
WAITING: Final = "waiting"


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


class Rule(Protocol):
    def check(self, book: AlertBook, points: pl.DataFrame, /) -> None:
        """Look at new points, in the order in which they were logged, and alert."""


class AlertBook:
    """The alerts of one run that this process writes, and the rules that make some."""

    def __init__(self, writer: RunWriter) -> None:
        self.on_new: list[Callable[[AlertRow, Webhook | None], None]] = []  # told of an alert and where it is sent
        self._writer = writer
        self._lock = threading.Lock()
        self._latest: dict[str, AlertRow] = {}  # by title
        self._number: int | None = None  # of the newest alert
        self._rules: list[Rule] = []

    @property
    def goals(self) -> list[list[str]]:
        """The goals that the run defines, as `metrics.goal_of` takes them."""
        return as_pairs(self._writer.record.goals)

    def add_rule(self, rule: Rule) -> None:
        """Have new points looked at by a rule."""
        self._rules.append(rule)

    def look(self, points: pl.DataFrame) -> None:
        """Check the rules on new points."""
        for rule in list(self._rules):
            try:
                rule.check(self, points)
            except Exception as error:  # noqa: BLE001  # points must reach the store, whatever a rule does
                self._rules.remove(rule)
                self._writer.findings.note(
                    [f"alert_when() no longer looks at points, because that failed: {type(error).__name__}: {error}"]
                )

    def add(
        self,
        title: str,
        text: str,
        level: AlertLevel,
        *,
        wait: float,
        webhook_url: str | None = None,
        step: int | None = None,
    ) -> bool:
        """Keep an alert in the project, and tell those who want to know. A title that comes again within `wait` seconds only counts.

        It is sent to the run's webhook, or to that of `webhook_url`. Return whether it is a new one.
        """
        from ..store.text_gate import LONGEST_TEXTS, recorded_text

        webhook = self._writer.options.webhook if webhook_url is None else to_webhook(webhook_url)
        is_sent = self._writer.journals is not None and webhook is not None and webhook.takes(level)
        now, title = time.time(), recorded_text(title, LONGEST_TEXTS["title"])
        with self._lock:
            before = self._latest.get(title)
            if before is not None and 0 <= now - before.time < wait:
                self._put(before._replace(times=before.times + 1))
                return False
            if len(self._latest) >= MOST_ALERTS:
                warn_once(f"run {self._writer.name!r} has {MOST_ALERTS:,} alerts, and keeps and sends no more")
                return False
            self._number = number = self._next_number()
            shown = recorded_text(text, LONGEST_TEXTS["text"])
            row = AlertRow(number, now, str(level), title, shown, step, 1, WAITING if is_sent else None)
            self._put(row)
        for tell in self.on_new:
            tell(row, webhook if is_sent else None)
        return True

    def _next_number(self) -> int:
        if self._number is not None:
            return self._number + 1
        try:
            return max((row[0] for row in self._writer.earlier_rows("alerts")), default=-1) + 1
        except OSError:  # the file is busy: no run has so many alerts that this number is taken
            return int(time.time())

    def note_delivery(self, number: int, outcome: str) -> None:
        """Note what became of an alert that was sent, durably."""
        store, run = self._writer.store, self._writer.id
        with self._lock:
            found = [row for row in store.captured(run, "alerts", number - 1) if row[0] == number]
            if not found or store.run(run) is None:  # deleted, or moved to another project
                return
            self._put(AlertRow(*found[0])._replace(webhook=outcome))
        store.flush()

    def _put(self, row: AlertRow) -> None:
        known = self._latest.get(row.title)
        if known is None or known.number <= row.number:
            self._latest[row.title] = row
        self._writer.store.put_captured(self._writer.id, "alerts", [row])


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
