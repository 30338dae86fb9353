"""A project file for reading what was recorded of runs beside their points. Loads neither Polars nor NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..types import MetricSummary, RunRecord, Writer
from . import project_files, schema
from . import record_queries as queries

if TYPE_CHECKING:
    from sqlite3 import Connection

T = TypeVar("T")


class RecordedFile:
    """Answers as `SqliteStore` does where this process writes no run of the project.

    Every method raises ``OSError`` where the file cannot be read as it is: it is missing, damaged, or not of this version. A record
    that cannot be read hides no other, and is one of the `notices`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notices: list[str] = []

    def runs(self) -> list[RunRecord]:
        return self._select("order by rowid")

    def run(self, run_id: str) -> RunRecord | None:
        return next(iter(self._select("where id = ?", run_id)), None)

    def latest(self, most: int) -> list[RunRecord]:
        return self._select(schema.NEWEST, most)

    def running(self) -> list[RunRecord]:
        return self._select("where state = ? order by rowid", "running")

    def named(self, name: str) -> list[RunRecord]:
        return self._select("where name = ? order by rowid", name)

    def writers(self) -> dict[str, Writer]:
        return self._ask(queries.writers)

    def summary(self, run_id: str) -> dict[str, MetricSummary]:
        return self._ask(partial(queries.summary, run=run_id))

    def last_values(self) -> list[queries.LastValue]:
        return self._ask(lambda db: [*queries.last_values(db)])

    def captured(self, run_id: str, table: str, after: Any = None, until: Any = None) -> list[tuple[Any, ...]]:
        return self._ask(partial(queries.captured, run=run_id, table=table, after=after, until=until))

    def _select(self, rows: str, *given: Any) -> list[RunRecord]:
        query = f"select {schema.RUN_COLUMNS} from runs {rows}"
        found: Sequence[Sequence[Any]] = self._ask(lambda db: db.execute(query, given).fetchall())
        return sorted(schema.to_records(found, self._note_bad_record), key=lambda run: run.started)

    def _ask(self, query: Callable[[Connection], T]) -> T:
        return project_files.read(self.path, lambda db: query(self._of_this_version(db)))

    def _of_this_version(self, db: Connection) -> Connection:
        if schema.file_version(db) != schema.current():
            raise OSError(f"{self.path} is of an earlier version")
        return db

    def _note_bad_record(self, run_id: str, error: Exception) -> None:
        self.notices.append(schema.bad_record(self.path, run_id, error))
