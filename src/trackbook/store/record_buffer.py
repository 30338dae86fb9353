"""Records of open runs, which of them are not yet in the file, and the processes that write the runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from ..types import ENDED, RunRecord, Writer
from . import schema
from .text_gate import RunGate
from .writer_process import UPLOADED

if TYPE_CHECKING:
    from sqlite3 import Connection

HEARTBEAT_SECONDS: Final = 30.0  # between two heartbeats of a process that writes nothing else


class RecordBuffer:
    """Records that this process has put, kept until their runs have ended; `unsaved` are not yet in the file."""

    def __init__(self) -> None:
        self.unsaved: set[str] = set()
        self.changes = 0  # the number of records put or deleted by this process
        self.writers: dict[str, Writer] = {}  # of the runs that this process writes
        self._records: dict[str, RunRecord] = {}
        self._gate = RunGate()
        self._next_heartbeat = float("-inf")

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def get(self, run_id: str) -> RunRecord | None:
        return self._records.get(run_id)

    def put(self, run: RunRecord) -> None:
        """Add a record, masked and bounded by the text gate. It replaces the record of the same run."""
        self.changes += 1
        self._records[run.id] = self._gate(run)
        self.unsaved.add(run.id)

    def sign(self, run_id: str, writer: Writer) -> None:
        """Record which process writes a run."""
        self.writers[run_id] = writer
        self._next_heartbeat = float("-inf")

    def over(self, runs: Iterable[RunRecord], wanted: Callable[[RunRecord], bool]) -> list[RunRecord]:
        """Return the file's `runs` with the records in this buffer applied: those that are `wanted`, oldest first."""
        found = {run.id: run for run in runs} | self._records
        return sorted(filter(wanted, found.values()), key=lambda run: run.started)

    def forget(self, run_id: str) -> None:
        """Drop a run that is deleted, or that has ended and is in the file."""
        self.changes += 1
        self._records.pop(run_id, None)
        self.writers.pop(run_id, None)
        self.unsaved.discard(run_id)

    def begin_anew(self) -> None:
        """Prepare to write all records into a new file."""
        self.unsaved.update(self._records)

    @property
    def heartbeat_due(self) -> bool:
        """Whether a heartbeat is to be written, even if nothing else is."""
        return bool(self.writers) and time.monotonic() >= self._next_heartbeat

    def write(self, db: Connection) -> list[RunRecord]:
        """Write unsaved records and a heartbeat. Return the records, to be passed to `written` once they are durable."""
        records = [record for run, record in self._records.items() if run in self.unsaved]  # in order: rows are places
        db.executemany(schema.PUT_RUN, map(schema.to_row, records))
        ended = {record.id for record in records if record.state in ENDED}
        now = time.time()
        living = {
            run: each if each.system == UPLOADED else each._replace(seen=now)
            for run, each in self.writers.items()
            if run not in ended
        }
        db.executemany(schema.PUT_WRITER, ((run, *each) for run, each in living.items()))
        db.executemany("delete from writers where run_id = ?", ((run,) for run in ended))
        self.writers.update(living)
        return records

    def written(self, records: Iterable[RunRecord]) -> list[str]:
        """Note that `records` are durable, and return the runs among them that have ended."""
        self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
        self.unsaved.clear()
        ended = [record.id for record in records if record.state in ENDED]
        for run in ended:
            self.writers.pop(run, None)
        return ended
