"""The receiving side of uploads, of a server: batches go into the store of a project, with their cursors in the same transaction.

A cursor is a mark of the store, as the offset of a drained journal is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ..store import upload_marks
from ..store.content_files import ContentFiles
from ..store.writer_process import UPLOADED
from ..types import Cursor, Writer
from .target import NOTHING, Batch

if TYPE_CHECKING:
    from ..store.base import Store


class Receiver:
    """Takes batches for one project. Safe to call from any thread."""

    def __init__(self, store: Store, folder: Path) -> None:
        """`folder` is that of the project's files."""
        self._store = store
        self._files = ContentFiles(folder)
        self._lock = threading.Lock()
        self._is_durable = True

    def cursors(self, source: str) -> dict[str, Cursor]:
        """Return what is durably here of a source, by run id. Raises ``OSError``."""
        with self._lock:
            self._settle()
            return upload_marks.cursors(self._store.marks(upload_marks.ALL), source)

    def put(self, batch: Batch, source: str, host: str) -> Cursor:
        """Take a batch as `Target.put` does. `host` is what the run's page says about where it runs. Raises ``OSError``."""
        run, store = batch.run, self._store
        with self._lock:
            self._settle()
            kept = self._cursor(run.id, source)
            if kept != batch.start:
                return kept
            if batch.replaces:
                store.cut(run.id, -1)
                store.clear_marks(upload_marks.of_run(run.id))
                self._flush()
            self._is_durable = False
            store.put_run(run)
            if run.state == "running":
                store.sign(run.id, Writer(host, UPLOADED, 0, "", time.time()))
            for table, rows in batch.documents.items():
                store.put_captured(run.id, table, rows)
            for table, keys in batch.dropped.items():
                for key in keys:
                    store.drop_captured(run.id, table, key, key + 1 if isinstance(key, int) else key + "\0")
            store.append(run.id, batch.points, upload_marks.mark(run.id, source, batch.end))
            self._flush()
            return batch.end

    def delete(self, run_id: str) -> None:
        """Delete a run and its cursors. Raises ``OSError``."""
        with self._lock:
            if self._store.run(run_id) is not None:
                self._store.delete(run_id)
            self._store.clear_marks(upload_marks.of_run(run_id))
            self._flush()

    def missing_files(self, names: Collection[str]) -> list[str]:
        """Return the names of files that are not here. Raises ``ValueError`` for what is no name."""
        return sorted({name for name in names if not self._files.has(name)})

    def put_file(self, name: str, source: Path) -> None:
        """Take the file at `source`. Raises ``ValueError`` when its content is not what its name says."""
        self._files.path(name)
        if not self._files.has(name) and self._files.add(source, name[64:], durable=True).name != name:
            raise ValueError(f"the content of {name[:80]} is another one")

    def _cursor(self, run_id: str, source: str) -> Cursor:
        marks = self._store.marks(upload_marks.of_run(run_id))
        return upload_marks.cursors(marks, source).get(run_id, NOTHING)

    def _settle(self) -> None:
        """Make durable what an earlier call could not: its cursor must not be told before."""
        if not self._is_durable:
            self._flush()

    def _flush(self) -> None:
        if not self._store.flush():
            self._is_durable = False
            raise OSError(" ".join(self._store.notices) or "the store is busy")
        self._is_durable = True
