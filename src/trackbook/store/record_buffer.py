"""Records of runs on their way into the file, and the processes that write the runs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from ..types import ENDED, RunRecord, Writer
from . import schema
from .text_gate import RunGate

if TYPE_CHECKING:
    from sqlite3 import Connection

HEARTBEAT_SECONDS: Final = 30.0  # between two signs of life of a process that writes nothing else


class RecordBuffer:
    """Records as this process put them, until their run has ended, and which of them the file lacks."""

    def __init__(self) -> None:
        self.unsaved: set[str] = set()
        self.changes = 0  # of records, here
        self.writers: dict[str, Writer] = {}  # of the runs that this process writes
        self._records: dict[str, RunRecord] = {}
        self._gate = RunGate()
        self._next_heartbeat = float("-inf")

    def __len__(self) -> int:
        return len(self._records)

    def get(self, run_id: str) -> RunRecord | None:
        return self._records.get(run_id)

    def put(self, run: RunRecord) -> None:
        """Take in a record through the gate; it replaces the one of the same run."""
        self.changes += 1
        self._records[run.id] = self._gate(run)
        self.unsaved.add(run.id)

    def sign(self, run_id: str, writer: Writer) -> None:
        """Note which process writes a run."""
        self.writers[run_id] = writer
        self._next_heartbeat = float("-inf")

    def over(self, runs: Iterable[RunRecord], wanted: Callable[[RunRecord], bool]) -> list[RunRecord]:
        """Return the file's `runs` as they will be, with those that are only here: the `wanted`, oldest first."""
        found = {run.id: run for run in runs} | self._records
        return sorted(filter(wanted, found.values()), key=lambda run: run.started)

    def forget(self, run_id: str) -> None:
        """Let go of a run that is deleted, or that has ended and is in the file."""
        self.changes += 1
        self._records.pop(run_id, None)
        self.writers.pop(run_id, None)
        self.unsaved.discard(run_id)

    def begin_anew(self) -> None:
        """Prepare for another file at the path: it lacks everything."""
        self.unsaved.update(self._records)

    @property
    def heartbeat_due(self) -> bool:
        """Whether it is time for a sign of life, where nothing else is to be written."""
        return bool(self.writers) and time.monotonic() >= self._next_heartbeat

    def write(self, db: Connection) -> list[RunRecord]:
        """Write what the file lacks, and a sign of life; return the records, for `written` once they are durable."""
        records = [self._records[run] for run in self.unsaved]
        db.executemany(schema.PUT_RUN, map(schema.to_row, records))
        ended = {record.id for record in records if record.state in ENDED}
        now = time.time()
        living = {run: dataclasses.replace(each, seen=now) for run, each in self.writers.items() if run not in ended}
        db.executemany(schema.PUT_WRITER, ((run, *dataclasses.astuple(each)) for run, each in living.items()))
        db.executemany("delete from writers where run_id = ?", ((run,) for run in ended))
        self.writers.update(living)
        return records

    def written(self, records: Iterable[RunRecord]) -> list[str]:
        """Note what is durable; return the runs that have ended."""
        self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
        self.unsaved.clear()
        ended = [record.id for record in records if record.state in ENDED]
        for run in ended:
            self.writers.pop(run, None)
        return ended
