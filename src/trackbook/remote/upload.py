"""The upload of the runs of one project file to one target: which batch is next, and what the target has."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..store.base import POINTS
from ..store.media_files import TABLE as MEDIA
from ..store.media_files import names_of_rows
from ..store.sqlite import SqliteStore
from ..store.upload_ledger import UNKNOWN, Standing, UploadLedger
from ..types import ENDED, Cursor, RunRecord
from .leaving import rows as leaving_rows
from .leaving import tables
from .target import NOTHING, Batch, Target

MOST_POINTS: Final = 1 << 18  # of a batch, about 6 MB in memory
FEWEST_POINTS: Final = 1 << 11  # to which batches shrink while the network loses them
MOST_ROWS: Final = 2_000  # of a table in a batch
HEARTBEAT_SECONDS: Final = 30.0  # between two signs of life of a running run
NOTED_SECONDS: Final = 10.0  # between two notes in the file of how far a live run is: it costs a transaction
ROWS_SECONDS: Final = 5.0  # between two looks at the tables of a live run

if TYPE_CHECKING:
    import polars as pl

Opened = Callable[..., Target]


class _Sent:
    """What the target has of one run, as far as this process knows."""

    def __init__(self, standing: Standing) -> None:
        self.cursor = standing.sent
        # Whether the target said so. A cursor of the ledger may be behind, after a kill: the target then has the points of the next batch,
        # and takes nothing of it, not its record either. So it does after an answer that was lost.
        self.is_sure = False
        self.revision = standing.sent_revision
        self.rows: dict[str, dict[Any, int]] = {}  # hashes by table and key
        self.at = float("-inf")  # when something was sent last, monotonic
        self.rows_at = float("-inf")
        self.noted_at = float("-inf")


class Upload:
    """Reads a project file as any other process does, so that it delays nobody who writes, and only durable data leave.

    Used by one thread at a time, which holds `lock`.
    """

    def __init__(self, path: Path, project: str, where: str, open_target: Opened, token: str | None = None) -> None:
        """`open_target` is `target.open_target`; nothing is opened yet."""
        self.project = project
        self.path = path
        self.where = where
        self.lock = threading.Lock()
        self.ledger = UploadLedger(path, project)
        self.seconds: dict[str, float] = {}  # between two batches, by run that asked for it
        self._open = open_target
        self._token = token
        self._store = SqliteStore(path, project)
        self._target: Target | None = None
        self._sent: dict[str, _Sent] = {}
        self._most = MOST_POINTS

    @property
    def target(self) -> Target:
        """The target, opened at first use."""
        if self._target is None:
            source = self.ledger.source()
            self._target = self._open(self.where, project=self.project, source=source, token=self._token)
        return self._target

    @property
    def note(self) -> str | None:
        """What users should know of the target although it takes their runs, such as clocks that differ."""
        note: str | None = getattr(self._target, "note", None)
        return note

    def pending(self) -> list[Standing]:
        """Return how far those runs are that are not known to be at the target, and those that are still running."""
        return [self._newest(each) for each in self.ledger.pending(self.where)]

    def _newest(self, standing: Standing) -> Standing:
        sent = self._sent.get(standing.run_id)
        return standing if sent is None else standing._replace(sent=sent.cursor, sent_revision=sent.revision)

    def sent_at(self, run_id: str) -> float | None:
        """Return when the target last took something of a run, in seconds UTC; None if it took nothing yet."""
        sent = self._sent.get(run_id)
        return None if sent is None or sent.at == float("-inf") else time.time() - (time.monotonic() - sent.at)

    def send(self, standing: Standing, *, hurry: bool = False) -> bool:
        """Send the next batch of a run if it is due or the run has ended, or in a `hurry`; return whether more is left to send now.

        Raises what the target raises.
        """
        run = standing.run_id
        sent = self._sent.setdefault(run, _Sent(standing))
        if standing.revision is None:
            self.target.delete(run)
            self.ledger.forget(run, self.where)
            self._sent.pop(run, None)
            return False
        now = time.monotonic()
        waits = not hurry and standing.state not in ENDED
        if waits and now - sent.at < max(self.seconds.get(run, 0.0), self.target.seconds):
            return False
        is_news = sent.cursor != standing.here or sent.revision != standing.revision
        rests = ROWS_SECONDS if tables(standing.include) else HEARTBEAT_SECONDS
        if not is_news and (standing.state in ENDED or now - sent.at < rests):
            return False
        record = self._store.run(run)
        return record is None or self._send(record, standing, sent, now)

    def _send(self, record: RunRecord, standing: Standing, sent: _Sent, now: float) -> bool:
        if not sent.is_sure:
            sent.cursor, sent.is_sure = self.target.cursor(record.id) or NOTHING, True
        points, end, replaces = self._points(record.id, sent.cursor)
        is_whole = end.generation == standing.here.generation and end.ordinal >= standing.here.ordinal
        if end == sent.cursor and not is_whole:
            raise OSError(f"{self.path} cannot be read now")
        has_ended = record.state in ENDED
        changed, gone, is_all = self._rows(standing, sent, now, look=is_whole and has_ended)
        if has_ended and not (is_whole and is_all):
            record = dataclasses.replace(record, state="running", ended=None)  # until everything is there
        self._put_files(changed)
        batch = Batch(record, points, sent.cursor, end, replaces, changed, gone)
        try:
            kept = self.target.put(batch)
        except OSError:
            self._most = max(FEWEST_POINTS, self._most // 2)
            sent.is_sure = False
            raise
        self._most = min(MOST_POINTS, self._most * 2)
        if kept != end:  # another uploader was faster, or an answer was lost
            sent.cursor, sent.revision = kept, UNKNOWN
            return True
        self._note_rows(sent, changed, gone)
        sent.cursor, sent.at = kept, now
        is_done = is_whole and is_all
        sent.revision = standing.revision if is_done and standing.revision is not None else UNKNOWN
        if (is_done and has_ended) or now - sent.noted_at >= NOTED_SECONDS:
            sent.noted_at = now
            self.ledger.note(record.id, self.where, kept, sent.revision if has_ended else UNKNOWN)
        return not is_done

    def _points(self, run: str, start: Cursor) -> tuple[pl.DataFrame, Cursor, bool]:
        """Return the next points of a run, the cursor after them, and whether they replace what the target has."""
        points, end = self._store.since(run, start, self._most)
        if end.generation == start.generation and end.ordinal < start.ordinal:
            # the file lost points at a power failure, after they were sent: other points may have their ordinals
            points, end = self._store.since(run, Cursor(-1), self._most)
            return points, end, True
        is_other = end.generation != start.generation
        return points.match_to_schema(POINTS), end, is_other and start != NOTHING

    def _rows(
        self, standing: Standing, sent: _Sent, now: float, *, look: bool
    ) -> tuple[dict[str, list[tuple[Any, ...]]], dict[str, list[Any]], bool]:
        """Return rows to send, keys to delete, and whether that is all of them. Without `look` only now and then."""
        if not look and now - sent.rows_at < ROWS_SECONDS:
            return {}, {}, True
        sent.rows_at = now
        changed, gone, is_all = {}, {}, True
        for table, rows in leaving_rows(self._store, standing.run_id, standing.include).items():
            known = sent.rows.get(table, {})
            fresh = [row for row in rows if known.get(row[0]) != hash(row)]
            if fresh:
                changed[table] = fresh[:MOST_ROWS]
                is_all = is_all and len(fresh) <= MOST_ROWS
            if lost := known.keys() - {row[0] for row in rows}:
                gone[table] = sorted(lost)
        return changed, gone, is_all

    def _put_files(self, changed: Mapping[str, Sequence[tuple[Any, ...]]]) -> None:
        """Send the files that rows of media name, before the rows."""
        if names := names_of_rows(changed.get(MEDIA, ())):
            from ..store.content_files import ContentFiles
            from ..store.paths import files_folder

            files = ContentFiles(self.path.parent / files_folder(self.project))
            for name in sorted(self.target.missing_files(names)):
                if files.has(name):
                    self.target.put_file(name, files.path(name))

    def _note_rows(
        self, sent: _Sent, changed: Mapping[str, Sequence[tuple[Any, ...]]], gone: Mapping[str, Collection[Any]]
    ) -> None:
        for table, rows in changed.items():
            sent.rows.setdefault(table, {}).update((row[0], hash(row)) for row in rows)
        for table, keys in gone.items():
            for key in keys:
                sent.rows.get(table, {}).pop(key, None)

    def close(self) -> None:
        """Close the file and the target."""
        target, self._target = self._target, None
        if target is not None:
            target.close()
        self._store.close()
        self.ledger.close()
