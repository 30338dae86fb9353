"""The cost of a call does not grow with the runs of the project. SQLite's work is counted, not time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import unquote

import polars as pl
import pytest

import trackbook as tb
from trackbook.store import bulk_reads, chunk_codec
from trackbook.store.base import POINTS
from trackbook.store.paths import project_file
from trackbook.store.sqlite import SqliteStore
from trackbook.types import RunRecord

METRICS = ["loss", "acc", "lr"]
STEPS = 5


class Work:
    """The work of SQLite: statements, and hundreds of steps of its virtual machine."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.steps = 0

    def watch(self, db: sqlite3.Connection) -> None:
        db.set_trace_callback(self.statements.append)
        db.set_progress_handler(self._step, 100)

    def _step(self) -> int:
        self.steps += 1
        return 0


@contextmanager
def counted(folder: Path) -> Iterator[Work]:
    """Count the work of all connections to files in `folder` that are opened in this context."""
    work, connect = Work(), sqlite3.connect

    def watched(*given: Any, **named: Any) -> sqlite3.Connection:
        db = connect(*given, **named)
        if str(folder) in unquote(str(given[0])):
            work.watch(db)
        return db

    with mock.patch.object(sqlite3, "connect", watched):
        yield work


def fill(folder: Path, runs: int) -> Path:
    store = SqliteStore(folder / project_file("p"), "p")
    for number in range(runs):
        run = RunRecord(
            f"r{number:04}", f"run {number}", float(number), "finished", config={"lr": 0.1}, ended=number + 1.0
        )
        store.put_run(run)
        rows = [(metric, step, float(number), 0.5) for metric in METRICS for step in range(STEPS)]
        store.append(run.id, pl.DataFrame(rows, schema=POINTS, orient="row"))
        if number % 50 == 49:
            store.flush()
    store.close()
    return folder


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folders of a project of 20 runs, and of one of 1,000."""
    return fill(tmp_path_factory.mktemp("few"), 20), fill(tmp_path_factory.mktemp("many"), 1_000)


def work_of(act: Callable[[Path], Any], folders: tuple[Path, Path]) -> tuple[Work, Work]:
    """Return SQLite's work for `act` in a project of few runs, and in one of many."""
    with counted(folders[0]) as few:
        act(folders[0])
    with counted(folders[1]) as many:
        act(folders[1])
    return few, many


def begin_and_end(folder: Path) -> None:
    run = tb.init("p", dir=folder, capture=False, display=False)
    run.log({"loss": 1.0})
    run.finish()


def test_init_and_finish_read_nothing_of_other_runs(projects: tuple[Path, Path]) -> None:
    few, many = work_of(begin_and_end, projects)
    assert few.statements
    assert many.steps <= few.steps + 5


def test_name_of_a_new_run_has_its_number(projects: tuple[Path, Path]) -> None:
    for folder, least in zip(projects, (20, 1_000), strict=True):
        run = tb.init("p", dir=folder, capture=False, display=False)
        run.finish()
        assert least < int(run.name.rpartition("-")[2]) <= least + 5


def test_table_of_runs_is_read_by_the_same_statements(projects: tuple[Path, Path]) -> None:
    few, many = work_of(lambda folder: SqliteStore(folder / project_file("p"), "p").summary_table(), projects)
    assert len(many.statements) == len(few.statements)


def test_points_of_many_runs_are_read_by_two_statements_for_hundreds(projects: tuple[Path, Path]) -> None:
    def read(folder: Path) -> None:
        store = SqliteStore(folder / project_file("p"), "p")
        found = store.read_many({run.id: ["loss"] for run in store.runs() if run.name.startswith("run ")}, ("value",))
        assert len(found) == STEPS * sum(run.name.startswith("run ") for run in store.runs())
        store.close()

    few, many = work_of(read, projects)
    batches = -(-1_000 // bulk_reads.RUNS_AT_ONCE)
    assert len(many.statements) - len(few.statements) <= 4 * batches


def test_sql_decodes_only_the_metric_and_the_columns_asked_for(
    projects: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, Any]] = []
    whole = bulk_reads.decode_many

    def watched(chunks: Any, rows: Any, only: Any, fields: Any) -> Any:
        asked.extend((tuple(numbers), frozenset(fields)) for numbers in only)
        return whole(chunks, rows, only, fields)

    monkeypatch.setattr(bulk_reads, "decode_many", watched)
    monkeypatch.setenv("TRACKBOOK_DIR", str(projects[1]))
    query = "select run, max(value) as best from points where metric = 'acc' and run like 'run 1%' group by run"
    answer = tb.sql(query, "p")
    expected = [number for number in range(1_000) if str(number).startswith("1")]
    assert sorted(answer["best"].to_list()) == expected
    assert set(asked) == {((METRICS.index("acc"),), frozenset({"value"}))}
    assert len(asked) == len(expected)


def test_summaries_can_be_filtered_and_sorted_by_an_index(projects: tuple[Path, Path]) -> None:
    db = sqlite3.connect(projects[1] / project_file("p"))
    query = "explain query plan select run_id from metrics where name = 'loss' and last < 3 order by last"
    plan = " ".join(str(row[-1]) for row in db.execute(query))
    db.close()
    assert "metrics_by_name" in plan
    assert "TEMP B-TREE" not in plan


def test_chunks_of_equal_runs_are_decoded_together_as_each_alone() -> None:
    import numpy as np

    chunks = []
    for seed in range(7):
        chance = np.random.default_rng(seed)
        metric = np.repeat(np.arange(3, dtype=np.int32), 20)
        value = chance.random(60) if seed % 2 else np.round(chance.random(60), 2)
        chunks.append(
            chunk_codec.encode(chunk_codec.Columns(metric, np.tile(np.arange(20), 3), value, 1.7e9 + chance.random(60)))
        )
    for only in ([1], [0, 2], None, [9]):
        together = chunk_codec.decode_many(chunks, [60] * 7, [only] * 7)
        for chunk, found in zip(chunks, together, strict=True):
            alone = chunk_codec.decode(chunk, 60, only, by_metric=True)
            assert all((one == other).all() for one, other in zip(found, alone, strict=True))
