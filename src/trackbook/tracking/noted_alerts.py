"""Alerts of processes that can only log to a run: they note them in their journals, and the process that writes the run keeps and sends them.

A line of such a journal holds an alert, or only its title when that came again within its wait. The store has a mark of how far the lines
are taken up, which becomes durable with the rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, cast

from ..alerting.levels import LEVELS, AlertLevel
from ..journal.journal import CALLS
from ..store.check_stored import is_name, is_text, is_time
from ..user_warnings import warn, warn_once
from .alert_rows import TABLE, AlertRow, AlertRows, Raised, has_too_many, recorded

if TYPE_CHECKING:
    from ..journal.reader import Remains
    from ..store.base import Store
    from .run_writer import RunWriter

NOT_THERE: Final = "not sent: the process could only log to the run, and webhook_url= is not recorded"
TOO_LATE: Final = "not sent: the run's process had ended"
_KEY: Final = "alert"
_LONGEST_WAIT: Final = 1e9  # seconds; longer ones are as good as for ever

# Where an alert is to be sent: to the run's webhook, which is known to take it; elsewhere; nowhere. None: as the run's process says.
Target: TypeAlias = Literal["run", "other", "none"] | None
_TARGETS: Final = ("run", "other", "none")


class Noted(NamedTuple):
    """What a line says: an alert, or without `raised` that `title` came again."""

    title: str
    raised: Raised | None = None
    target: Target = None


class NotedAlerts:
    """The alerts of one run that this process raises and cannot keep itself."""

    def __init__(self, writer: RunWriter) -> None:
        self._writer = writer
        self._latest: dict[str, float] = {}  # when each title came

    def add(self, raised: Raised, webhook_url: str | None) -> bool:
        """Note an alert durably, and return False when the run has ended. A title that comes again within its wait only counts."""
        writer, title = self._writer, raised.title
        writer.leave_to_rank_0()
        recorder = writer.recorder
        is_written = True
        with recorder.lock:
            if recorder.closed:
                return False
            before = self._latest.get(title)
            comes_again = before is not None and abs(raised.time - before) < raised.wait
            if not comes_again and has_too_many(self._latest, writer.name):
                return True
            target = self._target(raised, webhook_url)
            noted = Noted(title) if comes_again else Noted(title, raised, target)
            is_written = recorder.journal.note(line(noted))
            if is_written and not comes_again:
                self._latest[title] = raised.time
        if not is_written:
            warn(f"alert {title!r} is not kept or sent. {' '.join(recorder.journal.notices)}")
        elif not comes_again:
            self._say_if_not_sent(target)
        return True

    def _target(self, raised: Raised, webhook_url: str | None) -> Target:
        if webhook_url is not None:
            return "other" if webhook_url else "none"
        webhook = self._writer.options.webhook
        return "run" if webhook is not None and webhook.takes(raised.level) else None

    def _say_if_not_sent(self, target: Target) -> None:
        writer = self._writer
        if target == "other":
            warn_once(
                f"alert(webhook_url=...) is kept, but not sent: this process can only log to run {writer.name!r}, whose own webhook its "
                "parent uses; name that in init(webhook_url=...)"
            )
        elif target == "run" and not writer.in_child:
            warn_once(
                f"alerts of run {writer.name!r} are kept, but not sent, in a process forked from one that uses Polars; start the process "
                "with multiprocessing.get_context('spawn')"
            )


def line(noted: Noted) -> bytes:
    """Return a line of a journal, with the text as a store keeps it."""
    about: dict[str, Any] = {"title": noted.title}
    if noted.raised is not None:
        raised, text = noted.raised, recorded("text", noted.raised.text)
        about |= {
            "time": raised.time,
            "level": raised.level,
            "text": text,
            "wait": raised.wait,
            "webhook": noted.target,
        }
    return json.dumps({_KEY: about}, separators=(",", ":")).encode()


def parsed(value: Any) -> Noted | None:
    """Return what the JSON value of a line says; None for any other line, and for a damaged one."""
    about = value.get(_KEY) if isinstance(value, dict) else None
    if not isinstance(about, dict) or not is_name(about.get("title")):
        return None
    title = about["title"]
    if "time" not in about:
        return Noted(title)
    if not is_time(about["time"]) or not is_text(about.get("text")):
        return None
    level, wait, target = about.get("level"), about.get("wait"), about.get("webhook")
    raised = Raised(
        title,
        float(about["time"]),
        str(level if level in LEVELS else AlertLevel.WARN),
        about["text"],
        float(min(wait, _LONGEST_WAIT)) if isinstance(wait, int | float) and wait >= 0 else 0.0,
    )
    return Noted(title, raised, cast("Target", target) if target in _TARGETS else None)


class Unread(NamedTuple):
    """What a journal notes of alerts that are not taken up yet, and the mark after it."""

    noted: list[Noted]
    marks: Mapping[str, int]


def unread(left: Remains, store: Store, read: Mapping[str, int]) -> Unread:
    """Return what is to be taken up, which may be nothing. `read` says how far this process has read, by marks.

    Raises ``OSError`` when the journal or the store cannot be read.
    """
    mark = f"{left.folder.name}/{CALLS}"
    start = read[mark] if mark in read else store.marks(left.folder.name).get(mark, 0)
    lines, end = left.calls(start)
    return Unread([noted for each in lines if (noted := parsed(each)) is not None], {mark: end})


def keep(found: Unread, rows: AlertRows, webhook_of: Callable[[Noted], str | None]) -> list[AlertRow]:
    """Put what is `found` into the store of `rows`, together with its mark, and return the rows of new alerts.

    `webhook_of` returns what the row of an alert says of its webhook.
    """
    import polars as pl

    from ..store.base import POINTS

    rows.store.flush()  # else the rows may be durable before the mark, which waits for all points
    new = []
    for noted in found.noted:
        if noted.raised is None:
            rows.count(noted.title)
        elif row := rows.add(noted.raised, webhook_of(noted)):
            new.append(row)
    rows.store.append(rows.run_id, pl.DataFrame(schema=POINTS), found.marks)
    return new


def recover(store: Store, left: Remains, name: str) -> None:
    """Move the alerts of a dead process's journal into the store, once. They are not sent. `name` is that of the run."""
    run_id = left.head["id"]
    found = unread(left, store, {})
    if found.noted:
        there = [AlertRow(*row) for row in store.captured(run_id, TABLE)]
        rows = AlertRows(store, run_id, lambda: name, lambda: there)
        rows.know(there)
        keep(found, rows, lambda noted: _LATE.get(noted.target))


_LATE: Final[Mapping[Target, str]] = {"run": TOO_LATE, "other": NOT_THERE}
