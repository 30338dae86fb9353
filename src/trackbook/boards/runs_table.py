"""The table of a project's runs, for the runs panel and compare: also of runs that the board does not draw."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from ..frames.protocol import VERSION, Table, TableRun
from ..metrics import is_system
from ..store.base import Store
from ..store.bulk import no_summary
from ..text import shorten
from ..types import MetricSummary, RunRecord, State

TABLE_SECONDS: Final = 1.0  # between two tables
FIGURES_SECONDS: Final = (
    5.0  # between two tables in which only summaries changed: drawn runs bring theirs with the picture
)
CLOSED_BYTES: Final = 20_000  # of a table that is not shown: the notebook keeps it
KEPT_BYTES: Final = 150_000  # of a table that is shown, in a notebook that a program executes and saves
LONGEST_TEXT: Final = 200  # of a value of config
MOST_KEYS: Final = 200  # of a run's config

_NOTHING: Final = MetricSummary(float("nan"), float("inf"), float("-inf"), 0, -1)  # of a metric that was never logged
_RUNNING: Final[State] = "running"


class RunsTable:
    """Follows the records and summaries of a project's runs, and makes the table from them."""

    def __init__(self, session: str, store: Store) -> None:
        self._session = session
        self._store = store
        self._seq = 0
        self._due = self._figures_due = float("-inf")
        self._sent: list[str] | None = None
        self._shortened = False  # not all runs fitted into the last table
        self._records: dict[str, RunRecord] = {}
        self._entries: dict[str, TableRun] = {}
        self._figures: dict[str, dict[str, MetricSummary]] = {}

    def hurry(self) -> None:
        """Have the next `news` look at once."""
        self._due = self._figures_due = float("-inf")

    def news(self, now: float, own: Sequence[str] | None) -> Table | None:
        """Return the table to send at `now` (seconds, monotonic): of all runs, or of the board's `own` only.

        None when the last was sent a moment ago, or nothing changed.
        """
        if now < self._due:
            return None
        self._due = now + TABLE_SECONDS
        records = self._read(own)
        shown = [record.id for record in records]
        changed = self._take(records) or shown != self._sent or (own is None and self._shortened)
        if own is None and (changed or now >= self._figures_due):
            self._figures_due = now + FIGURES_SECONDS
            changed |= self._take_figures(records)
        return self._table(shown, own) if changed else None

    def table(self, own: Sequence[str] | None, most: int | None = None) -> Table:
        """Return the table as it is now, in about `most` bytes."""
        records = self._read(own)
        self._take(records)
        self._take_figures(records)
        return self._table([record.id for record in records], own, most)

    def _read(self, own: Sequence[str] | None) -> list[RunRecord]:
        try:
            if own is None:
                return self._store.runs()
            return [record for run in own if (record := self._store.run(run)) is not None]
        except OSError:  # the store's notices say so; what was read before stays
            return [record for record in self._records.values() if own is None or record.id in own]

    def _take(self, records: Sequence[RunRecord]) -> bool:
        changed = False
        for record in records:
            before = self._records.get(record.id)
            if record is not before and record != before:
                entry = _entry(record)
                changed |= entry != self._entries.get(record.id)
                self._records[record.id], self._entries[record.id] = record, entry
                if record.state != _RUNNING:
                    self._figures.pop(record.id, None)
        return changed

    def _take_figures(self, records: Sequence[RunRecord]) -> bool:
        """Read the summaries of open runs; those of ended runs stay. Return whether some changed."""
        wanted = [run.id for run in records if run.state == _RUNNING or run.id not in self._figures]
        try:
            found = self._store.summary_table(wanted) if wanted else no_summary()
        except OSError:
            return False
        fresh: dict[str, dict[str, MetricSummary]] = {run: {} for run in wanted}
        for run, metric, *numbers in found.iter_rows():
            if not is_system(metric):
                fresh[run][metric] = MetricSummary(*numbers)
        changed = any(_counts(figures) != _counts(self._figures.get(run, {})) for run, figures in fresh.items())
        self._figures.update(fresh)
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
        metrics = {name: column for column, name in enumerate(self._metrics(runs))}
        columns = np.empty((3, len(runs), len(metrics)))
        columns[:] = np.array([_NOTHING.last, _NOTHING.min, _NOTHING.max])[:, None, None]
        for row, run in enumerate(runs):
            figures = self._figures.get(run)
            if figures:
                places = [metrics[name] for name in figures]
                columns[:, row, places] = np.array([(f.last, f.min, f.max) for f in figures.values()]).T
        return {
            "header": {
                "version": VERSION,
                "session": self._session,
                "seq": self._seq,
                "metrics": list(metrics),
                "runs": [self._entries[run] for run in runs],
                "omitted": len(known) - len(runs),
            },
            "data": columns.astype("<f8").tobytes(),
        }

    def _metrics(self, runs: Sequence[str]) -> dict[str, None]:
        return dict.fromkeys(name for run in runs for name in self._figures.get(run, ()))

    def _fitting(self, runs: Sequence[str], most: int) -> list[str]:
        """Return the newest runs that fit into `most` bytes, in their order."""
        columns: set[str] = set()
        entries = fit = 0
        for run in reversed(runs):
            columns |= self._figures.get(run, {}).keys()
            entries += len(json.dumps(self._entries[run]))
            if entries + sum(map(len, columns)) + 3 * 8 * len(columns) * (fit + 1) > most:
                break
            fit += 1
        return list(runs[len(runs) - fit :])


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
        "config": flat(run.config),
        "summary": flat(run.summary),
    }


def _counts(figures: Mapping[str, MetricSummary]) -> list[tuple[str, int, int]]:
    """Return what changes with every point, and compares equal where summaries are NaN."""
    return [(name, each.count, each.step) for name, each in figures.items()]


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
    """Return whether JSON and the numbers of a browser can hold it."""
    return (isinstance(value, float) and math.isfinite(value)) or (isinstance(value, int) and abs(value) <= 2**53)
