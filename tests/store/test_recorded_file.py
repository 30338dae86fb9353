from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackbook.store.base import POINTS
from trackbook.store.documents import document, put_document
from trackbook.store.record_queries import LastValue
from trackbook.store.recorded_file import RecordedFile
from trackbook.store.sqlite import SqliteStore
from trackbook.store.writer_process import this_process
from trackbook.types import CAPTURED, RunRecord

READS: list[Callable[[Any], Any]] = [
    lambda store: store.runs(),
    lambda store: store.run("r1"),
    lambda store: store.run("none"),
    lambda store: store.latest(2),
    lambda store: store.running(),
    lambda store: store.named("same"),
    lambda store: store.writers(),
    lambda store: repr([store.summary(run) for run in ("r0", "r1", "none")]),
    lambda store: [store.captured("r1", table) for table in CAPTURED],
    lambda store: store.captured("r1", "console", 0),
    lambda store: document(store, "r1", "environment"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A project file of three runs, with points that are not finite, and captured rows."""
    store = SqliteStore(tmp_path / "p.trackbook.db", "p")
    for number in range(3):
        state = "running" if number == 2 else "finished"
        run = RunRecord(f"r{number}", "same" if number else "other", 3.0 - number, state, config={"lr": number})
        store.put_run(run)
    rows = [("b", 0, math.nan, 1.0), ("a", 0, -math.inf, 1.0), ("a", 1, 0.5, 2.0)]
    store.append("r1", pl.DataFrame(rows, schema=POINTS, orient="row"))
    store.sign("r2", this_process())
    store.put_captured("r1", "console", [(0, "stdout", "é", 1.0, None), (1, "stderr", "x", 2, 0)])
    put_document(store, "r1", "environment", {"python": {"version": "3"}})
    store.close()
    return store.path


@pytest.mark.parametrize("read", READS)
def test_answers_are_those_of_the_store(path: Path, read: Callable[[Any], Any]) -> None:
    with closing(SqliteStore(path, "p")) as store:
        assert read(RecordedFile(path)) == read(store)


def test_last_values_are_in_order_of_first_appearance(path: Path) -> None:
    first, second = RecordedFile(path).last_values()
    assert (first.run_id, first.metric, first.points, math.isnan(first.last)) == ("r1", "b", 1, True)
    assert second == LastValue("r1", "a", 0.5, 2)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update meta set value = '1' where key = 'schema_version'", "earlier version"),
        ("update meta set value = '99' where key = 'schema_version'", "upgrade"),
        ("drop table runs", "no such table"),
    ],
)
def test_file_that_is_not_as_it_should_be_raises(path: Path, change: str, reason: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(change)
    with pytest.raises(OSError, match=reason):
        RecordedFile(path).runs()


def test_damaged_record_hides_no_other(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("update runs set tags = '3' where id = 'r1'")
    file = RecordedFile(path)
    assert [run.id for run in file.runs()] == ["r2", "r0"]
    assert "the record of run 'r1' cannot be read" in file.notices[0]


def test_missing_file_raises(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot read"):
        RecordedFile(tmp_path / "none.trackbook.db").latest(1)
