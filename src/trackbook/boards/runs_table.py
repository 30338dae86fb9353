"""The table of a project's runs for the runs panel and compare, including runs that the board does not draw."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from ..frames.protocol import VERSION, Table, TableRun
from ..store.base import Store
from ..store.record_cache import RecordCache
from ..store.summary_cache import SummaryCache
from ..text import shorten
from ..tracking.liveness import is_fresh
from ..types import RunRecord, State
from . import drawn_runs

TABLE_SECONDS: Final = 1.0  # between two tables
FIGURES_SECONDS: Final = (
    5.0  # between two tables that differ only in summaries; those of drawn runs are in the picture, too
)
CLOSED_BYTES: Final = 20_000  # of a table that is not shown, but kept in the notebook
KEPT_BYTES: Final = 150_000  # of a table that is shown, in a notebook that a program executes and saves
LONGEST_TEXT: Final = 200  # characters of a value of the config
MOST_KEYS: Final = 200  # keys of a run's config

_NOTHING: Final = (float("nan"), float("inf"), float("-inf"))  # last, min and max of a metric that was never logged
_SMALLEST_ENTRY: Final = 100  # bytes of a run in the table
_STATISTICS: Final = {"summary": "last", "min": "min", "max": "max"}  # by kind of column
_RUNNING: Final[State] = "running"


class RunsTable:
    """Follows the records and summaries of a project's runs, and makes the table from them."""

    def __init__(self, session: str, store: Store) -> None:
        self._session = session
        self._store = store
        self._seq = 0
        self._due = self._figures_due = float("-inf")
        self._sent: list[str] | None = None
        self._shortened = False  # whether the last table lacked runs for want of space
        self._records: dict[str, RunRecord] = {}
        self._entries: dict[str, TableRun] = {}
        self._summaries = SummaryCache()
        self._all = RecordCache()
        self._total = 0  # runs of the project

    def hurry(self) -> None:
        """Let the next `news` read the store at once."""
        self._due = self._figures_due = float("-inf")

    def news(self, now: float, own: Sequence[str] | None) -> Table | None:
        """Return the table to send at `now` (seconds, monotonic), of all runs or only of the board's `own` ones.

        Return None when nothing changed, or when the last table was sent a moment ago.
        """
        if now < self._due:
            return None
        self._due = now + TABLE_SECONDS
        records = self._read(own)
        shown = [record.id for record in records]
        total, self._total = self._total, self._count(own, records)
        changed = (
            self._take(records) or shown != self._sent or total != self._total or (own is None and self._shortened)
        )
        if changed or now >= self._figures_due:
            self._figures_due = now + FIGURES_SECONDS
            changed |= self._take_signs_of_life(records)
            if own is None:
                changed |= self._take_figures(records)
        return self._table(shown, own) if changed else None

    def table(self, own: Sequence[str] | None, most: int | None = None) -> Table:
        """Return the table as it is now, in about `most` bytes."""
        records = self._read(own)
        self._take(records)
        self._take_figures(records)
        self._take_signs_of_life(records)
        self._total = self._count(own, records)
        return self._table([record.id for record in records], own, most)

    def ranked(self, sort: str) -> list[str]:
        """Return the project's runs that have a value in a column, sorted by it; `sort` is as the setting ``run_sort``.

        Of equal ones the newest comes first.
        """
        records = self._read(None)
        self._take(records)
        self._take_figures(records)
        newest_first = [record.id for record in reversed(records)]
        return drawn_runs.first(self.column(sort.removeprefix("-"), newest_first), descending=sort.startswith("-"))

    def values(self, column: str) -> dict[str, Any]:
        """Return the value of a column for every run of the project, oldest first; None for a run without one."""
        records = self._read(None)
        self._take(records)
        self._take_figures(records)
        runs = [record.id for record in records]
        found = self.column(column, runs)
        return {run: found.get(run) for run in runs}

    def column(self, column: str, runs: Sequence[str]) -> dict[str, Any]:
        """Return the values of a column of the runs panel for those of `runs` that have one."""
        kind, _, name = column.partition(".")
        entries = {run: self._entries[run] for run in runs if run in self._entries}
        if kind == "config":
            return {run: entry["config"][name] for run, entry in entries.items() if name in entry["config"]}
        if kind in _STATISTICS:
            logged = self._summaries.column(name, _STATISTICS[kind])
            given = {run: entry["summary"].get(name) for run, entry in entries.items()} if kind == "summary" else {}
            values = {run: logged.get(run) if given.get(run) is None else given[run] for run in entries}
            return {run: value for run, value in values.items() if value is not None}
        return {run: _field(entry, column) for run, entry in entries.items()}

    def whole(self, runs: Sequence[str]) -> Table:
        """Return the table of these runs as it is now, whatever its size."""
        records = self._read(runs)
        self._take(records)
        self._take_figures(records)
        self._total = len(records)
        return self._table([record.id for record in records], None)

    def _read(self, own: Sequence[str] | None) -> list[RunRecord]:
        try:
            if own is None:
                return self._all.read(self._store)
            return [record for run in own if (record := self._store.run(run)) is not None]
        except OSError:  # the store has a notice; the records read before stay
            return [record for record in self._records.values() if own is None or record.id in own]

    def _count(self, own: Sequence[str] | None, records: Sequence[RunRecord]) -> int:
        """Return how many runs the project has."""
        if own is None:
            return len(records)
        with suppress(OSError):  # the store's notices say so
            return self._store.places()[0]
        return max(self._total, len(records))

    def _take(self, records: Sequence[RunRecord]) -> bool:
        changed = False
        for record in records:
            before = self._records.get(record.id)
            if record is not before and record != before:
                known, entry = self._entries.get(record.id), _entry(record)
                if known is not None and record.state == _RUNNING:
                    entry["seen"] = known["seen"]
                changed |= entry != known
                self._records[record.id], self._entries[record.id] = record, entry
                if record.state != _RUNNING:
                    self._summaries.forget(record.id)
        return changed

    def _take_figures(self, records: Sequence[RunRecord]) -> bool:
        """Read the summaries of open runs, and of runs not read yet. Return whether any changed."""
        wanted = [run.id for run in records if run.state == _RUNNING or run.id not in self._summaries]
        try:
            return self._summaries.read(self._store, wanted)
        except OSError:
            return False

    def _take_signs_of_life(self, records: Sequence[RunRecord]) -> bool:
        """Note when the processes of running runs were last seen, where that is too long ago. Return whether any changed."""
        running = [self._entries[run.id] for run in records if run.state == _RUNNING]
        try:
            writers = self._store.writers() if running else {}
        except OSError:
            return False
        changed = False
        for entry in running:
            writer = writers.get(entry["id"])
            seen = None if writer is None or is_fresh(writer) else writer.seen
            changed |= seen != entry["seen"]
            entry["seen"] = seen
        return changed

    def _table(self, runs: list[str], own: Sequence[str] | None, most: int | None = None) -> Table:
        self._sent = known = runs
        self._seq += 1
        if own is not None:
            self._take_figures([self._records[run] for run in runs])
            most = CLOSED_BYTES
        if most is not None:
            runs = self._fitting(runs, most)
        self._shortened = own is not None and len(runs) < len(known)
        metrics, columns = self._summaries.matrix(runs, _NOTHING)
        return {
            "header": {
                "version": VERSION,
                "session": self._session,
                "seq": self._seq,
                "metrics": metrics,
                "runs": [self._entries[run] for run in runs],
                "omitted": len(known) - len(runs),
                "total": self._total,
            },
            "data": columns.astype("<f8").tobytes(),
        }

    def _fitting(self, runs: Sequence[str], most: int) -> list[str]:
        """Return the newest runs that fit into `most` bytes, in their order."""
        columns: set[str] = set()
        entries = fit = 0
        newest = runs[-(most // _SMALLEST_ENTRY) :]
        metrics = self._summaries.metrics(newest)
        for run in reversed(newest):
            columns.update(metrics.get(run, ()))
            entries += len(json.dumps(self._entries[run]))
            if entries + sum(map(len, columns)) + 3 * 8 * len(columns) * (fit + 1) > most:
                break
            fit += 1
        return list(runs[len(runs) - fit :])


def _field(entry: TableRun, column: str) -> Any:
    if column == "duration":
        return (time.time() if entry["ended"] is None else entry["ended"]) - entry["started"]
    value: Any = entry.get(column)
    return ", ".join(value) if isinstance(value, list) else value


def _entry(run: RunRecord) -> TableRun:
    return {
        "id": run.id,
        "name": run.name,
        "group": run.group,
        "state": run.state,
        "tags": list(run.tags),
        "notes": run.notes,
        "started": run.started,
        "ended": run.ended,
        "seen": None,
        "config": flat(run.config),
        "summary": flat(run.summary),
    }


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten a config for the table: dotted keys, scalars as they are, lists as JSON, long text shortened."""
    found: dict[str, Any] = {}
    for key, value in _leaves(values, ""):
        if len(found) == MOST_KEYS:
            break
        found.setdefault(shorten(key, LONGEST_TEXT), value)
    return found


def _leaves(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        elif value is None or _is_number(value):
            yield prefix + key, value
        else:
            text = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)
            yield prefix + key, shorten(text, LONGEST_TEXT)


def _is_number(value: Any) -> bool:
    """Whether JSON and JavaScript can represent this number."""
    return (isinstance(value, float) and math.isfinite(value)) or (isinstance(value, int) and abs(value) <= 2**53)
