"""The table ``uploads`` of a project file: where its runs are uploaded to, and what the targets are known to have.

The targets know better, so a row that is behind costs a question, and nothing is lost with it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..types import Cursor, State
from . import schema
from .sqlite_file import ProjectFile

if TYPE_CHECKING:
    from pathlib import Path
    from sqlite3 import Connection

UNKNOWN: Final = -1  # the revision of a record of which something is still to be sent
_PENDING: Final = """
select uploads.run_id, include, uploads.generation, ordinal, uploads.revision, coalesce(ordinals.generation, 0),
    coalesce(ordinals.next, 0), runs.revision, coalesce(runs.state, 'finished')
from uploads left join ordinals on ordinals.run_id = uploads.run_id left join runs on runs.id = uploads.run_id
where target = ? and not (uploads.revision is runs.revision and uploads.generation = coalesce(ordinals.generation, 0)
    and ordinal = coalesce(ordinals.next, 0)) order by uploads.rowid
"""
_FOLLOW: Final = (
    "insert into uploads (run_id, target, include, generation, ordinal, revision) values (?, ?, ?, 0, 0, ?) "
    "on conflict (run_id, target) do update set include = excluded.include, revision = excluded.revision"
)


class Standing(NamedTuple):
    """How far the upload of a run to one target is."""

    run_id: str
    include: tuple[str, ...]  # what is sent beside metrics, config and media
    sent: Cursor  # what the target is known to have
    sent_revision: int  # of the record that the target has, or `UNKNOWN`
    here: Cursor  # what the file has
    revision: int | None  # of the record in the file; None: the run was deleted
    state: State  # of the run in the file

    @property
    def left(self) -> int:
        """The number of points that are not known to be at the target."""
        same = self.sent.generation == self.here.generation
        return max(0, self.here.ordinal - self.sent.ordinal) if same else self.here.ordinal


class UploadLedger:
    """Reads and writes the table, by a connection of its own. Safe to call from any thread; methods raise ``OSError``."""

    def __init__(self, path: Path, project: str) -> None:
        self._file = ProjectFile(path, project)
        self._lock = threading.Lock()

    def follow(self, runs: Collection[str], target: str, include: Sequence[str]) -> None:
        """Note that runs are to be uploaded to a target. What it is known to have of them stays."""
        if not runs:
            return
        said = ",".join(include)

        def work(db: Connection) -> None:
            db.executemany(_FOLLOW, ((run, target, said, UNKNOWN) for run in runs))

        with self._lock:
            self._file.demand(work, "note uploads")

    def known(self) -> list[str]:
        """Return the targets of this file's runs, those used last first."""
        query = "select target from uploads group by target order by max(rowid) desc"
        with self._lock:
            return self._file.ask(lambda db: [name for (name,) in db.execute(query)], list[str]())

    def targets(self) -> list[str]:
        """Return those of `known` to which something is left to send."""
        return [name for name in self.known() if self.pending(name)]

    def pending(self, target: str) -> list[Standing]:
        """Return how far those runs are of which a target is not known to have everything."""
        with self._lock:
            return self._file.ask(
                lambda db: [_standing(row) for row in db.execute(_PENDING, (target,))], list[Standing]()
            )

    def note(self, run_id: str, target: str, sent: Cursor, revision: int) -> None:
        """Note what a target has of a run."""

        def work(db: Connection) -> None:
            db.execute(
                "update uploads set generation = ?, ordinal = ?, revision = ? where run_id = ? and target = ?",
                (*sent, revision, run_id, target),
            )

        with self._lock:
            self._file.demand(work, "note uploads")

    def forget(self, run_id: str, target: str) -> None:
        """Remove the row of a run that is deleted at the target, too."""

        def work(db: Connection) -> None:
            db.execute("delete from uploads where run_id = ? and target = ?", (run_id, target))

        with self._lock:
            self._file.demand(work, "note uploads")

    def forget_target(self, target: str) -> None:
        """Remove the rows of runs of which a target has nothing."""

        def work(db: Connection) -> None:
            db.execute(
                "delete from uploads where target = ? and generation = 0 and ordinal = 0 and revision = ?",
                (target, UNKNOWN),
            )

        with self._lock:
            self._file.demand(work, "note uploads")

    def source(self) -> str:
        """Return the random id of this file, given at the first call. A copy of the file has the same one."""
        found: list[str] = []

        def work(db: Connection) -> None:
            db.execute("insert or ignore into meta (key, value) values ('source', ?)", (secrets.token_hex(8),))
            found[:] = [schema.source(db)]

        with self._lock:
            known = self._file.ask(schema.source, "")
            if not known:
                self._file.demand(work, "give the project file an id")
        return known or found[0]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()


def _standing(row: Sequence[Any]) -> Standing:
    run, include, *numbers, revision, state = row
    generation, ordinal, sent, here, following = numbers
    chosen = tuple(include.split(",")) if include else ()
    return Standing(run, chosen, Cursor(generation, ordinal), sent, Cursor(here, following), revision, state)
