from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journals import by_metric
from journals import points as rows
from trackbook.store import run_buffer, sqlite, sqlite_queries
from trackbook.store.base import POINTS
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore
from trackbook.types import Cursor, MetricSummary, RunRecord

pytestmark = pytest.mark.slow

TIMEOUT = 60

# --- what several that write one run see --------------------------------------------------------------------------------


class Reader:
    """Follow a run as a board does."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.cursor = Cursor()
        self.seen: list[tuple[str, int, float]] = []

    def pull(self) -> None:
        fresh, cursor = self.store.since("r1", self.cursor)
        if cursor.generation != self.cursor.generation:
            self.seen.clear()
        self.cursor = cursor
        self.seen += rows(fresh)


def points(logged: list[tuple[str, int]], value: float) -> pl.DataFrame:
    return pl.DataFrame([(metric, step, value, 0.5) for metric, step in logged], schema=POINTS, orient="row")


LOGGED = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 30)), max_size=12)
RISING = st.integers(1, 8)
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 1), LOGGED),
        st.tuples(st.just("rise"), st.integers(0, 1), RISING),
        st.tuples(st.just("flush"), st.integers(0, 1), st.none()),
        st.tuples(st.just("pull"), st.integers(0, 2), st.none()),
        st.tuples(st.just("end"), st.integers(0, 1), st.none()),
    ),
    max_size=40,
)


@contextmanager
def stores(count: int) -> Iterator[list[SqliteStore]]:
    with tempfile.TemporaryDirectory() as folder:
        opened = [SqliteStore(Path(folder) / "digits.db", "digits") for _ in range(count)]
        yield opened
        for store in opened:
            store.close()


@contextmanager
def small_chunks() -> Iterator[None]:
    """Use small chunks, so that small runs behave as large ones."""
    with (
        mock.patch.object(run_buffer, "LARGEST", 7),
        mock.patch.object(run_buffer, "RECENT", 9),
        mock.patch.object(sqlite, "LARGEST", 16),
        mock.patch.object(sqlite, "_MERGED_AT", 3),
        mock.patch.object(sqlite_queries, "_AT_ONCE", 2),
    ):
        yield


def check(deeds: list[tuple[str, int, Any]], *, disjoint: bool) -> None:
    with small_chunks(), stores(3) as opened:
        readers = [Reader(store) for store in opened]
        logged: dict[tuple[str, int], set[float]] = {}
        value, top = 0.0, 100
        for deed, who, what in deeds:
            store = opened[who]
            if deed in ("append", "rise"):
                value += 1
                mine = [("r", top + n) for n in range(what)] if deed == "rise" else what
                top += what if deed == "rise" else 0
                mine = [(f"{metric}{who}" if disjoint else metric, step) for metric, step in mine]
                store.append("r1", points(mine, value))
                for key in mine:
                    logged.setdefault(key, set()).add(value)
            elif deed == "flush":
                assert store.flush()
            elif deed == "pull":
                readers[who].pull()
            else:
                store.put_run(RunRecord("r1", "a", 1.0, state="finished"))
                assert store.flush()
        for store in [*opened, *opened]:
            assert store.flush()
        for reader in readers:
            reader.pull()
            assert sorted(reader.seen) == sorted(rows(reader.store.read("r1")))
            found = {(metric, step): value for metric, step, value in reader.seen}
            assert len(found) == len(reader.seen)
            assert found.keys() == logged.keys()
            assert all(value in logged[key] for key, value in found.items())
            assert reader.store.summary("r1") == summary(found)
            assert reader.store.notices == []
            assert sorted(rows(reader.store.read("r1", ["a", "r1", "b0"]))) == sorted(
                row for row in reader.seen if row[0] in ("a", "r1", "b0")
            )
        assert sorted(readers[0].seen) == sorted(readers[1].seen) == sorted(readers[2].seen)


def summary(found: dict[tuple[str, int], float]) -> dict[str, MetricSummary]:
    figures = {}
    for name in {metric for metric, _ in found}:
        of_metric = {step: value for (metric, step), value in found.items() if metric == name}
        values = of_metric.values()
        figures[name] = MetricSummary(
            of_metric[max(of_metric)], min(values), max(values), len(of_metric), max(of_metric)
        )
    return figures


@given(DEEDS)
@settings(max_examples=150)
def test_two_writers_of_a_run_agree_on_each_point(deeds: list[tuple[str, int, Any]]) -> None:
    check(deeds, disjoint=False)


@given(DEEDS)
@settings(max_examples=100)
def test_two_writers_with_own_metrics_lose_nothing(deeds: list[tuple[str, int, Any]]) -> None:
    check(deeds, disjoint=True)


CUTS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["append", "append", "rise"]), st.integers(0, 1), LOGGED),
        st.tuples(st.sampled_from(["flush", "pull", "end", "delete"]), st.integers(0, 1), st.none()),
        st.tuples(st.just("cut"), st.integers(0, 1), st.integers(0, 30)),
    ),
    max_size=40,
)


@given(CUTS)
@settings(max_examples=150)
def test_readers_agree_after_cuts_and_deletions(deeds: list[tuple[str, int, Any]]) -> None:
    with small_chunks(), stores(3) as opened:
        readers = [Reader(store) for store in opened]
        for value, (deed, who, what) in enumerate(deeds):
            store = opened[who]
            if deed == "cut":
                store.cut("r1", what)
                assert all(step <= what for _, step, _ in rows(store.read("r1")))
            elif deed == "delete":
                store.delete("r1")
                assert store.read("r1").is_empty()
            elif deed == "end":
                store.put_run(RunRecord("r1", "a", 1.0, state="finished"))
                assert store.flush()
            elif deed == "flush":
                assert store.flush()
            elif deed == "pull":
                readers[who].pull()
            else:
                store.append("r1", points(what, float(value)))
        for store in [*opened, *opened]:
            assert store.flush()
        for reader in readers:
            reader.pull()
            assert sorted(reader.seen) == sorted(rows(reader.store.read("r1"))) == sorted(rows(opened[0].read("r1")))
            found = {(metric, step): value for metric, step, value in reader.seen}
            assert len(found) == len(reader.seen)
            assert reader.store.summary("r1") == summary(found)
            assert reader.store.notices == []


@given(st.lists(st.one_of(LOGGED, st.sampled_from(["flush", "reopen", "end"])), max_size=25))
@settings(max_examples=150)
def test_file_and_memory_stores_agree(deeds: list[Any]) -> None:
    memory = MemoryStore()
    with small_chunks(), stores(1) as opened:
        file = opened[0]
        for value, deed in enumerate(deeds):
            if deed == "reopen":
                file.close()
                file = SqliteStore(file.path, "digits")
            elif deed in ("flush", "end"):
                if deed == "end":
                    file.put_run(RunRecord("r1", "a", 1.0, state="finished"))
                file.flush()
            else:
                assert file.append("r1", points(deed, value)) == memory.append("r1", points(deed, value))
        assert by_metric(file.read("r1")) == by_metric(memory.read("r1"))
        assert list(file.summary("r1").items()) == list(memory.summary("r1").items())
        file.close()


# --- merges -------------------------------------------------------------------------------------------------------------


def chunk_count(store: SqliteStore) -> int:
    found: int = store._file.read(lambda db: db.execute("select count(*) from chunks").fetchone()[0], -1)
    return found


def test_cursors_stay_valid_when_chunks_are_joined() -> None:
    with stores(2) as (store, other):
        reader, foreign = Reader(store), Reader(other)
        for step in range(300):
            store.append("r1", points([("loss", step)], float(step)))
            store.flush()
            if step % 7 == 0:
                reader.pull()
                foreign.pull()
        assert chunk_count(store) < 40
        for one in (reader, foreign):
            one.pull()
            assert [step for _, step, _ in one.seen] == list(range(300))
            assert one.cursor.generation == 0


def test_a_run_that_has_ended_is_in_few_chunks() -> None:
    with stores(1) as (store,):
        store.put_run(RunRecord("r1", "a", 1.0))
        for step in range(30):
            store.append("r1", points([("loss", step)], float(step)))
            store.flush()
        store.put_run(RunRecord("r1", "a", 1.0, state="finished"))
        store.flush()
        assert chunk_count(store) <= 2
        assert [step for _, step, _ in rows(store.read("r1"))] == list(range(30))


def test_chunks_changed_meanwhile_are_not_replaced() -> None:
    with stores(2) as (store, other):
        for step in range(5):
            store.append("r1", points([("loss", step)], float(step)))
            store.flush()
        heads = [(step, 1) for step in range(5)]
        merged = sqlite_queries.part(store._columns("r1", 0, 5, None)[0])
        other.cut("r1", 3)
        assert store._file.write(lambda db: sqlite_queries.replace(db, "r1", 0, heads, merged))
        assert [step for _, step, _ in rows(other.read("r1"))] == [0, 1, 2, 3]


# --- rewinds and deletions by others ------------------------------------------------------------------------------------


def test_run_cut_by_another_process_keeps_new_points() -> None:
    with stores(2) as (store, other):
        reader = Reader(store)
        store.append("r1", points([("loss", step) for step in range(10)], 1.0))
        store.flush()
        reader.pull()
        other.cut("r1", 4)
        store.append("r1", points([("loss", 10)], 2.0))
        store.flush()
        reader.pull()
        assert [step for _, step, _ in reader.seen] == [0, 1, 2, 3, 4, 10]
        assert rows(other.read("r1")) == reader.seen
        assert store.summary("r1") == other.summary("r1") == {"loss": MetricSummary(2.0, 1.0, 2.0, 6, 10)}


def test_run_deleted_by_another_process_starts_again() -> None:
    with stores(2) as (store, other):
        store.append("r1", points([("loss", 0), ("acc", 0)], 1.0))
        store.flush()
        other.delete("r1")
        store.append("r1", points([("lr", 0)], 2.0))
        store.flush()
        assert rows(store.read("r1")) == rows(other.read("r1")) == [("lr", 0, 2.0)]


def test_duplicate_of_another_process_is_reported_later() -> None:
    with stores(2) as (store, other):
        assert store.append("r1", points([("loss", 0)], 1.0)) == []
        assert other.append("r1", points([("loss", 0)], 2.0)) == []
        store.flush()
        other.flush()
        assert other.append("r1", points([("acc", 0)], 2.0)) == ["loss"]
        assert rows(store.read("r1")) == [("loss", 0, 1.0)]


def test_read_is_consistent_while_chunks_are_joined() -> None:
    with stores(2) as (store, other):
        for step in range(4):
            store.append("r1", points([("loss", step)], 1.0))
            store.flush()
        whole, joined = sqlite_queries.data, 0

        def join_first(db: Any, rowid: int) -> bytes | None:
            nonlocal joined
            if not joined:
                joined += 1
                store._merge("r1", 2)
            return whole(db, rowid)

        with mock.patch.object(sqlite_queries, "data", join_first):
            found = other._columns("r1", 0, 4, None)
        assert joined == 1
        assert found is not None
        assert [len(columns.step) for columns in found] == [1, 1, 1, 1]
        assert rows(other.read("r1")) == [("loss", step, 1.0) for step in range(4)]


# --- many processes -----------------------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
import numpy as np, polars as pl
from trackbook.types import RunRecord
from trackbook.store.base import POINTS
from trackbook.store.sqlite import SqliteStore

path, run, metric, count, batch = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
store = SqliteStore(path, "digits")
store.put_run(RunRecord(run, run, 1.0))
notices = set()
for start in range(0, count, batch):
    step = np.arange(start, start + batch)
    store.append(run, pl.DataFrame({"metric": [metric] * batch, "step": step, "value": step * 0.5, "time": step * 0.1}, schema=POINTS))
    store.flush()
    notices.update(store.notices)
store.put_run(RunRecord(run, run, 1.0, state="finished"))
for _ in range(30):
    if store.flush():
        break
store.close()
print(*notices, *store.notices)
"""


def write_at_once(path: Path, writers: list[tuple[str, str, int, int]]) -> None:
    programs = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, *map(str, writer)], stdout=subprocess.PIPE, text=True)
        for writer in writers
    ]
    said = [program.communicate(timeout=TIMEOUT)[0].strip() for program in programs]
    assert [program.returncode for program in programs] == [0] * len(writers)
    assert said == [""] * len(writers)


def test_eight_processes_write_a_hundred_thousand_points_each(tmp_path: Path) -> None:
    path = tmp_path / "digits.db"
    write_at_once(path, [(f"r{n}", "loss", 100_000, 1000) for n in range(8)])
    store = SqliteStore(path, "digits")
    assert sorted(run.id for run in store.runs()) == [f"r{n}" for n in range(8)]
    for n in range(8):
        assert store.read(f"r{n}")["step"].to_list() == list(range(100_000))
        assert store.summary(f"r{n}")["loss"].count == 100_000
    assert store.notices == []
    store.close()


@pytest.mark.parametrize("metrics", [["loss"] * 4, ["a", "b", "c", "d"]])
def test_four_processes_write_one_run(tmp_path: Path, metrics: list[str]) -> None:
    path = tmp_path / "digits.db"
    write_at_once(path, [("r1", metric, 20_000, 500) for metric in metrics])
    store = SqliteStore(path, "digits")
    found = store.read("r1").with_columns(pl.col("metric").cast(pl.String)).sort("metric", "step")
    assert found["metric"].unique().sort().to_list() == sorted(set(metrics))
    for metric in set(metrics):
        assert found.filter(pl.col("metric") == metric)["step"].to_list() == list(range(20_000))
        assert store.summary("r1")[metric].count == 20_000
    store.close()


AT_EXIT = """
import atexit, sys
from pathlib import Path
import polars as pl
from trackbook.types import RunRecord
from trackbook.store import run_buffer
from trackbook.store.base import POINTS
from trackbook.store.sqlite import SqliteStore

store = SqliteStore(Path(sys.argv[1]), "digits")
for step in range(20):
    store.append("r1", pl.DataFrame({"metric": ["a"], "step": [step], "value": [1.0], "time": [0.0]}, schema=POINTS))
    if step < 19:
        store.flush()

@atexit.register
def end():
    store.put_run(RunRecord("r1", "a", 1.0, state="finished"))
    store.close()
    print(len(store.read("r1")), store.notices)
"""


def test_a_store_is_closed_at_the_end_of_the_interpreter(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_EXIT, tmp_path / "digits.db"],
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT,
    )
    assert (done.stdout, done.stderr) == ("20 []\n", "")
