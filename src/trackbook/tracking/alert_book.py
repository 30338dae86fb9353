"""The alerts of a run, as its project keeps them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ..alerting.levels import AlertLevel
from ..alerting.webhook import Webhook, to_webhook
from ..metrics import as_pairs
from .alert_rows import TABLE, WAITING, AlertRow, AlertRows, Raised, recorded
from .noted_alerts import NOT_THERE, Noted, NotedAlerts, keep, unread

if TYPE_CHECKING:
    import polars as pl

    from ..journal.reader import Remains
    from .run_writer import RunWriter


class Rule(Protocol):
    def check(self, book: AlertBook, points: pl.DataFrame, /) -> None:
        """Look at new points, in the order in which they were logged, and alert."""


class AlertBook:
    """The alerts of one run that this process writes, and the rules that make some."""

    def __init__(self, writer: RunWriter) -> None:
        self.on_new: list[Callable[[AlertRow, Webhook | None], None]] = []  # told of an alert and where it is sent
        self._writer = writer
        self._lock = threading.Lock()
        self._rows = AlertRows(writer.store, writer.id, lambda: writer.name, lambda: writer.earlier_rows(TABLE))
        self._noted = NotedAlerts(writer)
        self._read: dict[str, int] = {}  # how far the journals of other processes are read
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
        webhook = self._writer.options.webhook if webhook_url is None else to_webhook(webhook_url)
        is_sent = self._is_sent(webhook, level)
        with self._lock:
            row = self._rows.add(_raised(title, text, level, wait, step), WAITING if is_sent else None)
        if row is None:
            return False
        self._tell(row, webhook if is_sent else None)
        return True

    def note(self, title: str, text: str, level: AlertLevel, *, wait: float, webhook_url: str | None = None) -> bool:
        """Leave an alert to the process that writes the run, and return False when the run has ended."""
        return self._noted.add(_raised(title, text, level, wait), webhook_url)

    def take_up(self, left: Remains) -> None:
        """Keep and send the alerts that a process noted which logs to this run, and tell those who want to know.

        They are durable before they are sent, unless the disk fails: a process that is killed in between sends less, and never twice.
        """
        store = self._writer.store
        found = unread(left, store, self._read)
        if not found.noted:
            return
        with self._lock:
            new = keep(found, self._rows, self._webhook_of)
        self._read.update(found.marks)
        store.flush()
        for row in new:
            self._tell(row, self._writer.options.webhook if row.webhook == WAITING else None)

    def note_delivery(self, number: int, outcome: str) -> None:
        """Note what became of an alert that was sent, durably."""
        store, run = self._writer.store, self._writer.id
        with self._lock:
            found = [row for row in store.captured(run, TABLE, number - 1) if row[0] == number]
            if not found or store.run(run) is None:  # deleted, or moved to another project
                return
            self._rows.put(AlertRow(*found[0])._replace(webhook=outcome))
        store.flush()

    def _is_sent(self, webhook: Webhook | None, level: str) -> bool:
        return self._writer.journals is not None and webhook is not None and webhook.takes(level)

    def _webhook_of(self, noted: Noted) -> str | None:
        """Return what the row of an alert of another process says of its webhook."""
        if noted.target in ("other", "none") or noted.raised is None:
            return NOT_THERE if noted.target == "other" else None
        return WAITING if self._is_sent(self._writer.options.webhook, noted.raised.level) else None

    def _tell(self, row: AlertRow, webhook: Webhook | None) -> None:
        for tell in self.on_new:
            tell(row, webhook)


def _raised(title: str, text: str, level: AlertLevel, wait: float, step: int | None = None) -> Raised:
    """Return an alert that is raised now."""
    return Raised(recorded("title", title), time.time(), str(level), text, wait, step)
