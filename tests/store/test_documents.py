from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from trackbook.store.documents import document, put_document
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore
from trackbook.types import CAPTURED, RunRecord


def test_document_is_found_by_name() -> None:
    store = MemoryStore()
    put_document(store, "r", "notebook", {"dirty": []})
    put_document(store, "r", "environment", {"os": {"system": "Linux"}})
    assert document(store, "r", "environment") == {"os": {"system": "Linux"}}
    assert document(store, "r", "code") is document(store, "another", "environment") is None


def test_newer_document_replaces_an_older_one() -> None:
    store = MemoryStore()
    put_document(store, "r", "code", {"path": "a.py"})
    put_document(store, "r", "code", {"path": "b.py"})
    assert document(store, "r", "code") == {"path": "b.py"}


def test_lone_surrogates_in_documents_are_stored(tmp_path: Path) -> None:
    path = os.fsdecode(b"/data/caf\xe9")
    store = SqliteStore(tmp_path / "p.db", "p")
    store.put_run(RunRecord("r", "run", 0.0))
    put_document(store, "r", "code", {"path": path})
    assert store.flush()
    store.close()
    again = SqliteStore(tmp_path / "p.db", "p")
    assert document(again, "r", "code") == {"path": r"/data/caf\udce9"}
    again.close()


def test_the_file_has_the_columns_that_captured_declares(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "p.db", "p")
    store.put_run(RunRecord("r1", "a", 0.0))
    assert store.flush()
    store.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "p.db")) as db:
        for table, columns in CAPTURED.items():
            found = db.execute('select name, type, "notnull" from pragma_table_info(?)', (table,)).fetchall()
            declared = {name: f"{kind} not null" if required else kind for name, kind, required in found}
            assert {name: kind.lower() for name, kind in declared.items()} == {"run_id": "text not null", **columns}
