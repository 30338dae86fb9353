"""The records of all runs, kept for tables that are asked for again and again."""

from __future__ import annotations

from collections.abc import Hashable

from ..types import RunRecord
from .base import Store


class RecordCache:
    """Reads all records once, and from then on only those that changed."""

    def __init__(self) -> None:
        self._records: list[RunRecord] = []
        self._revision: Hashable = None

    def read(self, store: Store) -> list[RunRecord]:
        """Return all runs, oldest first; the same list until a record changes. Raises ``OSError``."""
        revision = store.revision()
        if revision != self._revision:
            self._records = self._changed(store) if self._records else store.runs()
            self._revision = revision
        return self._records

    def _changed(self, store: Store) -> list[RunRecord]:
        known = {run.id: run for run in self._records}
        known |= {run.id: run for run in store.changed_runs(self._revision)}
        if len(known) != store.places()[0]:  # some were deleted
            return store.runs()
        return sorted(known.values(), key=lambda run: run.started)
