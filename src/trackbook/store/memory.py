"""A store in memory, for runs that are not recorded, and for tests."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import polars as pl

from ..types import CAPTURED, ENDED, Cursor, MetricSummary, RunRecord, Writer
from . import bulk_reads, upload_marks
from .base import FIELDS, NO_MARKS, Names, OwnFiles
from .bulk_reads import SUMMARY
from .run_points import RunPoints, within
from .text_gate import RunGate, recorded_rows


class RunScan(OwnFiles):
    """Questions about runs that are answered from all records, for stores that hold them in memory."""

    def runs(self) -> list[RunRecord]:
        raise NotImplementedError

    def latest(self, most: int) -> list[RunRecord]:
        return self.runs()[-most:]

    def running(self) -> list[RunRecord]:
        return [run for run in self.runs() if run.state == "running"]

    def named(self, name: str) -> list[RunRecord]:
        return [run for run in self.runs() if run.name == name]


class MemoryStore(RunScan):
    """A store that lasts as long as its process."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.files_folder: Path | None = None
        self.failures: list[str] = []
        self._lock = threading.RLock()
        self._gate = RunGate()
        self._runs: dict[str, RunRecord] = {}
        self._changes = 0
        self._changed: dict[str, int] = {}  # the last change of each run
        self._places: dict[str, int] = {}  # of deleted runs too
        self._writers: dict[str, Writer] = {}
        self._points: dict[str, RunPoints] = {}
        self._generations: dict[str, int] = {}
        self._marks: dict[str, int] = {}
        self._captured: dict[tuple[str, str], dict[Any, tuple[Any, ...]]] = {}

    def put_run(self, run: RunRecord) -> None:
        with self._lock:
            run = self._gate(run)
            self._changes += 1
            self._changed[run.id] = self._changes
            self._places.setdefault(run.id, len(self._places))
            self._runs[run.id] = run
            if run.state in ENDED:
                self._writers.pop(run.id, None)

    def runs(self) -> list[RunRecord]:
        with self._lock:
            return sorted(self._runs.values(), key=lambda run: run.started)

    def run(self, run_id: str) -> RunRecord | None:
        with self._lock:
            return self._runs.get(run_id)

    def revision(self) -> int:
        return self._changes

    def changed_runs(self, since: Any) -> list[RunRecord]:
        return [run for run in self.runs() if self._changed[run.id] > since]

    def next_number(self) -> int:
        return len(self._places) + 1

    def places(self, runs: Collection[str] = ()) -> tuple[int, dict[str, int]]:
        return len(self._runs), {run: self._places[run] for run in runs if run in self._places}

    def sign(self, run_id: str, writer: Writer) -> None:
        with self._lock:
            self._writers[run_id] = writer

    def writers(self) -> dict[str, Writer]:
        with self._lock:
            return {**self._writers}

    def append(self, run_id: str, points: pl.DataFrame, marks: Mapping[str, int] = NO_MARKS) -> list[str]:
        with self._lock:
            discarded = self._points.setdefault(run_id, RunPoints()).append(points)
            self._marks.update(marks)
            return discarded

    def marks(self, journal: str) -> dict[str, int]:
        with self._lock:
            return {mark: drained for mark, drained in self._marks.items() if mark.startswith(f"{journal}/")}

    def clear_marks(self, journal: str) -> None:
        with self._lock:
            for mark in self.marks(journal):
                del self._marks[mark]

    def cut(self, run_id: str, step: int) -> None:
        with self._lock:
            kept = self.read(run_id).filter(pl.col("step") <= step)
            self._restart(run_id)
            self.append(run_id, kept)

    def delete(self, run_id: str) -> None:
        with self._lock:
            self._changes += 1
            self._runs.pop(run_id, None)
            self._writers.pop(run_id, None)
            for table in CAPTURED:
                self._captured.pop((run_id, table), None)
            self._restart(run_id)
            self.clear_marks(upload_marks.of_run(run_id))

    def read(self, run_id: str, metrics: Sequence[str] | None = None, whole: bool = False) -> pl.DataFrame:
        with self._lock:
            points = self._points.get(run_id, RunPoints()).since(0)
        return points if metrics is None else points.filter(pl.col("metric").cast(pl.String).is_in(list(metrics)))

    def since(self, run_id: str, cursor: Cursor, most: int | None = None) -> tuple[pl.DataFrame, Cursor]:
        with self._lock:
            points = self._points.get(run_id, RunPoints())
            generation = self._generations.get(run_id, 0)
            start = cursor.ordinal if cursor.generation == generation else 0
            rest = points.since(start)
            taken = rest if most is None else rest.head(most)
            return taken, Cursor(generation, points.end - len(rest) + len(taken))

    def window(
        self, run_id: str, metrics: Sequence[str], first: int, last: int, most: int | None = None
    ) -> pl.DataFrame | None:
        return within(self.read(run_id, metrics), first, last)

    def summary(self, run_id: str) -> dict[str, MetricSummary]:
        with self._lock:
            return self._points.get(run_id, RunPoints()).stats.summary()

    def metric_names(self) -> list[str]:
        return sorted(set(self.summary_table()["metric"]))

    def summary_table(self, runs: Names = None, columns: Sequence[str] = (), metrics: Names = None) -> pl.DataFrame:
        with self._lock:
            chosen = [run for run in self._points if runs is None or run in runs]
            rows = [
                (run, metric, each.last, each.min, each.max, each.count, each.step)
                for run in chosen
                for metric, each in self.summary(run).items()
                if metrics is None or metric in metrics
            ]
        return pl.DataFrame(rows, SUMMARY, orient="row").select(columns or [*SUMMARY])

    def read_many(self, wanted: Mapping[str, Collection[str]], fields: Collection[str] = FIELDS) -> pl.DataFrame:
        parts = [bulk_reads.empty(fields)]
        for place, (run, metrics) in enumerate(wanted.items()):
            labelled = self.read(run, [*metrics]).with_columns(pl.lit(place, pl.UInt32).alias("run"))
            parts.append(labelled.select(parts[0].columns))
        return pl.concat(parts)

    def put_captured(self, run_id: str, table: str, rows: Iterable[Sequence[Any]]) -> None:
        passed = recorded_rows(table, rows)
        with self._lock:
            self._captured.setdefault((run_id, table), {}).update((row[0], row) for row in passed)

    def drop_captured(self, run_id: str, table: str, first: Any, end: Any) -> None:
        with self._lock:
            rows = self._captured.get((run_id, table), {})
            for key in [key for key in rows if first <= key < end]:
                del rows[key]

    def captured(self, run_id: str, table: str, after: Any = None, until: Any = None) -> list[tuple[Any, ...]]:
        with self._lock:
            rows = sorted(self._captured.get((run_id, table), {}).items())
            return [row for key, row in rows if (after is None or key > after) and (until is None or key <= until)]

    def reopened(self) -> AbstractContextManager[MemoryStore]:
        return nullcontext(self)

    def flush(self) -> bool:
        return True

    def close(self) -> None:
        """Do nothing: no file is open."""

    def _restart(self, run_id: str) -> None:
        self._points.pop(run_id, None)
        self._generations[run_id] = self._generations.get(run_id, 0) + 1
