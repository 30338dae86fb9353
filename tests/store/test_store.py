from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from journals import by_metric
from journals import points as rows
from trackbook.store.base import POINTS, Store
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore
from trackbook.store.sqlite_file import project_name
from trackbook.types import Cursor, MetricSummary, RunRecord

NAN = math.nan
ODD = 'it\'s "odd"; drop table runs -- [x] <b> ../\\ \0 損失 📉 __proto__'
Open = Callable[[], SqliteStore]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, open_store: Open) -> Store:
    return MemoryStore() if request.param == "memory" else open_store()


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens the same file again, as another process would."""
    stores: list[SqliteStore] = []

    def open_store() -> SqliteStore:
        stores.append(SqliteStore(tmp_path / "digits.trackbook.db", "digits"))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


def points(*rows: tuple[str, int, float]) -> pl.DataFrame:
    return pl.DataFrame([(*row, 0.5) for row in rows], schema=POINTS, orient="row")


# --- runs -------------------------------------------------------------------------------------------------------------


def test_place_of_a_run_survives_deletions(store: Store) -> None:
    assert store.places(["a"]) == (0, {})
    for name in ("a", "b", "c"):
        store.put_run(RunRecord(name, name, started=1.0))
    store.flush()
    assert store.places(["c", "a", "unknown"]) == (3, {"a": 0, "c": 2})
    store.delete("a")
    store.put_run(RunRecord("d", "d", started=2.0))
    assert store.places(["c", "d"]) == (3, {"c": 2, "d": 3}), "before it is in the file, too"
    store.flush()
    store.put_run(RunRecord("b", "renamed", started=1.0))
    store.flush()
    assert store.places("bcd") == (3, {"b": 1, "c": 2, "d": 3})


def test_run_is_read_back_equal(store: Store) -> None:
    run = RunRecord(
        id=ODD,
        name=ODD,
        started=1.25,
        state="failed",
        group=ODD,
        tags=("a", ODD),
        notes=ODD,
        config={"lr": 0.1, ODD: [1, None, {"deep": True}], "big": 2**70, "inf": math.inf},
        summary={"best": 0.9},
        step_by="run",
        defined={"val/*": "epoch", "b": "a"},
        goals={"val/*": "min"},
        ended=2.5,
        done=3,
        total=2**62,
        error=ODD,
    )
    store.put_run(run)
    store.flush()
    assert store.run(ODD) == run
    assert store.runs() == [run]


def test_a_run_that_is_put_again_is_replaced(store: Store) -> None:
    store.put_run(RunRecord("r1", "a", 1.0))
    store.flush()
    store.put_run(RunRecord("r1", "a", 1.0, state="finished", ended=2.0))
    assert store.runs() == [RunRecord("r1", "a", 1.0, state="finished", ended=2.0)]


def test_revision_changes_with_every_record_and_with_nothing_else(store: Store) -> None:
    seen = [store.revision()]
    for act in (
        lambda: store.put_run(RunRecord("r1", "a", 1.0)),
        lambda: store.put_run(RunRecord("r2", "b", 2.0)),
        lambda: store.put_run(RunRecord("r1", "renamed", 1.0)),
        lambda: store.delete("r2"),
        lambda: store.delete("r1"),
    ):
        act()
        seen.append(store.revision())
    assert len(set(seen)) == len(seen)
    store.append("r3", points(("loss", 0, 1.0)))
    assert store.revision() == seen[-1]


def test_revision_tells_what_another_process_did(open_store: Open) -> None:
    store, other = open_store(), open_store()
    store.put_run(RunRecord("r1", "a", 1.0))
    store.flush()
    before = store.revision()
    other.put_run(RunRecord("r1", "renamed", 1.0))
    other.flush()
    assert store.revision() != before


def test_an_unknown_run_is_none_and_has_no_points(store: Store) -> None:
    assert store.run("r1") is None
    assert store.runs() == []
    assert store.summary("r1") == {}
    assert store.read("r1").schema == POINTS
    assert store.since("r1", Cursor())[0].is_empty()


def test_runs_come_oldest_first(store: Store) -> None:
    for run, started in (("b", 2.0), ("a", 3.0), ("c", 1.0)):
        store.put_run(RunRecord(run, run, started))
    store.flush()
    assert [run.id for run in store.runs()] == ["c", "b", "a"]


def test_runs_of_one_moment_stay_in_the_order_they_came(store: Store) -> None:
    for run in ("b", "a", "c"):
        store.put_run(RunRecord(run, run, 1.0))
        store.flush()
    store.put_run(RunRecord("b", "b", 1.0, state="finished"))
    store.flush()
    assert [run.id for run in store.runs()] == ["b", "a", "c"]


# --- points -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reopened", [False, True])
def test_points_of_a_metric_keep_their_order(open_store: Open, *, reopened: bool) -> None:
    store = open_store()
    store.append("r1", points(("loss", 3, 0.3), ("acc", 0, 0.9)))
    store.append("r1", points(("loss", 1, 0.1), ("loss", 4, 0.4)))
    if reopened:
        store.close()
        store = open_store()
    assert by_metric(store.read("r1")) == [("acc", 0, 0.9), ("loss", 3, 0.3), ("loss", 1, 0.1), ("loss", 4, 0.4)]
    assert store.read("r1")["time"].to_list() == [0.5] * 4


def test_points_of_some_metrics_can_be_read_alone(store: Store) -> None:
    store.append("r1", points(("loss", 0, 0.3), ("acc", 0, 0.9), ("lr", 0, 0.1)))
    assert rows(store.read("r1", ["lr", "loss"])) == [("loss", 0, 0.3), ("lr", 0, 0.1)]
    assert store.read("r1", []).is_empty()


@pytest.mark.parametrize("reopened", [False, True])
@pytest.mark.parametrize(
    ("metrics", "first", "last"), [(["a"], 20, 30), (["b", "a"], 0, 5), (["c"], 0, 2**62), (["a"], 900, 990)]
)
def test_a_window_has_the_points_of_some_metrics_and_steps(
    open_store: Open, metrics: list[str], first: int, last: int, *, reopened: bool
) -> None:
    store = open_store()
    every = [("ab"[step % 2], step * 7 % 100, float(step)) for step in range(100)]  # late steps among them
    for part in range(0, 100, 10):
        store.append("r", points(*every[part : part + 10]))
        if part < 80:
            store.flush()
    if reopened:
        store.flush()
        store = open_store()
    found = store.window("r", metrics, first, last)
    assert found is not None
    assert by_metric(found) == [
        row for name in "ab" for row in every if row[0] == name in metrics and first <= row[1] <= last
    ]


def test_window_with_too_many_points_is_not_read(open_store: Open) -> None:
    store = open_store()
    store.append("r", points(*(("a", step, 0.0) for step in range(100))))
    store.flush()
    store = open_store()
    assert store.window("r", ["a"], 10, 12, 99) is None
    found = store.window("r", ["a"], 10, 12, 100)
    assert found is not None
    assert len(found) == 3


def test_runs_do_not_mix(store: Store) -> None:
    store.append("r1", points(("loss", 0, 1.0)))
    assert store.append("r2", points(("loss", 0, 2.0))) == []
    assert rows(store.read("r1")) == [("loss", 0, 1.0)]
    assert rows(store.read("r2")) == [("loss", 0, 2.0)]


def test_first_point_of_a_step_stays_and_others_are_reported(store: Store) -> None:
    assert store.append("r1", points(("loss", 5, 1.0), ("loss", 5, 2.0), ("loss", 5, 3.0), ("acc", 5, 4.0))) == ["loss"]
    assert store.append("r1", points(("acc", 5, 5.0), ("loss", 2, 6.0), ("loss", 5, 7.0))) == ["acc", "loss"]
    assert store.append("r1", points(("loss", 2, 8.0), ("loss", 6, 9.0))) == ["loss"]
    assert rows(store.read("r1")) == [("loss", 5, 1.0), ("acc", 5, 4.0), ("loss", 2, 6.0), ("loss", 6, 9.0)]


def test_appending_no_points_changes_nothing(store: Store) -> None:
    assert store.append("r1", points()) == []
    assert store.read("r1").is_empty()


@pytest.mark.parametrize("step", [0, 2**53 + 1, 2**63 - 1])
@pytest.mark.parametrize("value", [0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, NAN])
def test_steps_and_values_are_exact(store: Store, step: int, value: float) -> None:
    store.append("r1", points(("loss", step, value)))
    ((_, same_step, same_value),) = rows(store.read("r1"))
    assert same_step == step
    assert repr(same_value) == repr(value)


@pytest.mark.parametrize("name", [ODD, "x" * 500, "/", "step", "A", "a"])
def test_any_text_names_a_metric(store: Store, name: str) -> None:
    store.append("r1", points((name, 0, 1.0), ("b", 0, 2.0)))
    store.flush()
    assert rows(store.read("r1", [name])) == [(name, 0, 1.0)]
    assert list(store.summary("r1")) == [name, "b"]


# --- cursors ----------------------------------------------------------------------------------------------------------


def test_cursor_returns_newer_points(store: Store) -> None:
    store.append("r1", points(("loss", 0, 0.0), ("loss", 1, 1.0)))
    first, cursor = store.since("r1", Cursor())
    assert rows(first) == [("loss", 0, 0.0), ("loss", 1, 1.0)]
    store.append("r1", points(("loss", 1, 9.0), ("acc", 0, 2.0)))
    second, cursor = store.since("r1", cursor)
    assert rows(second) == [("acc", 0, 2.0)]
    assert store.since("r1", cursor)[0].is_empty()


def test_cursor_stays_valid_over_flushes_and_the_end(store: Store) -> None:
    store.put_run(RunRecord("r1", "a", 1.0))
    store.append("r1", points(("loss", 0, 0.0), ("loss", 1, 1.0)))
    store.flush()
    _, cursor = store.since("r1", Cursor())
    store.append("r1", points(("loss", 2, 2.0)))
    store.put_run(RunRecord("r1", "a", 1.0, state="finished"))
    store.flush()
    fresh, cursor = store.since("r1", cursor)
    assert rows(fresh) == [("loss", 2, 2.0)]
    assert store.since("r1", cursor)[0].is_empty()


def test_a_cursor_that_fell_far_behind_catches_up(store: Store) -> None:
    _, start = store.since("r1", Cursor())
    for step in range(100):
        store.append("r1", points(("loss", step, float(step))))
    middle, cursor = store.since("r1", Cursor(start.generation, 90))
    assert middle["step"].to_list() == list(range(90, 100))
    assert store.since("r1", start)[0]["step"].to_list() == list(range(100))
    assert store.since("r1", cursor)[0].is_empty()


# --- summary ----------------------------------------------------------------------------------------------------------


def test_the_summary_has_the_value_at_the_largest_step_and_the_extremes(store: Store) -> None:
    store.append("r1", points(("loss", 5, 0.5), ("loss", 1, 0.9)))
    store.append("r1", points(("loss", 3, 0.1), ("loss", 5, 7.0)))
    assert store.summary("r1") == {"loss": MetricSummary(last=0.5, min=0.1, max=0.9, count=3, step=5)}


def test_extremes_ignore_nan_but_the_last_value_does_not(store: Store) -> None:
    store.append("r1", points(("loss", 0, NAN), ("loss", 1, 2.0)))
    store.append("r1", points(("loss", 2, math.inf), ("loss", 3, NAN)))
    store.flush()
    figures = store.summary("r1")["loss"]
    assert (figures.min, figures.max, figures.count) == (2.0, math.inf, 4)
    assert math.isnan(figures.last)


def test_a_metric_that_is_always_nan_has_nan_extremes(store: Store) -> None:
    store.append("r1", points(("loss", 0, NAN)))
    store.append("r1", points(("loss", 1, NAN)))
    figures = store.summary("r1")["loss"]
    assert math.isnan(figures.min)
    assert math.isnan(figures.max)


def test_many_runs_are_summed_up_at_once_as_each_by_itself(store: Store) -> None:
    runs = [f"{number}'" for number in range(120)]
    for run in runs:
        store.put_run(RunRecord(run, "run", 0.0))
        store.append(run, points(("loss", 0, NAN), ("b", 1, 2.0), ("loss", 1, float(len(run)))))
    store.flush()
    store.append(runs[3], points(("b", 2, 9.0)))
    for asked in (runs, runs[:5], [*runs[:2], "nobody"], []):
        found: dict[str, dict[str, MetricSummary]] = {run: {} for run in asked}
        for run, metric, *numbers in store.summary_table(asked).iter_rows():
            found[run][metric] = MetricSummary(*numbers)
        assert repr(found) == repr({run: store.summary(run) for run in asked})  # of which some are NaN
        counts = store.summary_table(asked, ("metric", "run_id", "count"))
        assert sorted(counts.rows()) == sorted(
            (metric, run, each.count) for run in asked for metric, each in store.summary(run).items()
        )
        one = store.summary_table(asked, ("run_id", "metric", "step"), ["b", "not there"])
        assert sorted(one.rows()) == sorted((run, "b", store.summary(run)["b"].step) for run in asked if run in runs)
    assert set(store.summary_table()["run_id"]) == set(runs)
    assert set(store.summary_table(metrics=["b"])["metric"]) == {"b"}
    assert len(store.summary_table(metrics=[f"metric {number}" for number in range(1_000)])) == 0


def test_metric_names_are_those_that_have_points(store: Store) -> None:
    assert store.metric_names() == []
    store.append("r1", points(("loss", 0, 1.0), ("late", 5, 1.0)))
    store.append("r2", points(("loss", 0, 1.0), ("a\0b", 0, 1.0)))
    assert store.metric_names() == ["a\0b", "late", "loss"]
    store.flush()
    store.cut("r1", 1)
    store.append("r3", points(("new", 0, 1.0)))
    assert store.metric_names() == ["a\0b", "loss", "new"]


@pytest.mark.parametrize("fields", [("value",), ("step", "value", "time"), ("time",)])
def test_points_of_many_runs_are_read_at_once_as_each_by_itself(store: Store, fields: tuple[str, ...]) -> None:
    runs = [f"{number}'" for number in range(30)]
    for number, run in enumerate(runs):
        store.put_run(RunRecord(run, "run", 0.0))
        logged = [(metric, step, step / (number + 1)) for metric in ("b", "loss", "'\\0,") for step in range(number)]
        store.append(run, points(*logged))
        if number % 3:
            store.put_run(RunRecord(run, "run", 0.0, state="finished"))
    store.flush()
    store.append(runs[3], points(("loss", 100, 9.0)))
    wanted = {run: ["loss"] if number % 2 else ["loss", "'\\0,", "nobody"] for number, run in enumerate(runs[::-1])}
    wanted["nobody"] = ["loss"]
    found = store.read_many(wanted, fields)
    expected = [
        store.read(run, metrics).select(pl.lit(place, pl.UInt32).alias("run"), "metric", *fields)
        for place, (run, metrics) in enumerate(wanted.items())
    ]
    whole = pl.concat(expected)
    assert found.schema == whole.schema
    assert by_run_and_metric(found) == by_run_and_metric(whole)


def by_run_and_metric(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    return frame.with_columns(pl.col("metric").cast(pl.String)).sort("run", "metric", maintain_order=True).rows()


def test_garbage_chunk_in_bulk_reads_is_reported(open_store: Open) -> None:
    store = open_store()
    if not isinstance(store, SqliteStore):
        pytest.skip("memory has no chunks")
    for run in ("r1", "r2", "r3"):
        store.put_run(RunRecord(run, run, 0.0))
        store.append(run, points(("loss", 0, 1.0)))
        store.put_run(RunRecord(run, run, 0.0, state="finished"))
    store.flush()
    assert store._file.write(lambda db: db.execute("update chunks set data = x'00' where run_id = 'r2'"))
    found = store.read_many({run: ["loss"] for run in ("r1", "r2", "r3")})
    assert found["run"].to_list() == [0, 2]
    assert "run 'r2' cannot be read" in store.notices[0]


def test_metrics_are_summed_up_in_the_order_they_appeared(store: Store) -> None:
    store.append("r1", points(("c", 0, 1.0), ("a", 0, 1.0)))
    store.append("r1", points(("b", 0, 1.0), ("a", 1, 1.0)))
    assert list(store.summary("r1")) == ["c", "a", "b"]


# --- threads ----------------------------------------------------------------------------------------------------------


def test_threads_append_and_read_at_once(store: Store) -> None:
    def write(metric: str) -> None:
        for step in range(50):
            store.append("r1", points((metric, step, 1.0)))
            store.flush()

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    seen, cursor = 0, Cursor()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        fresh, cursor = store.since("r1", cursor)
        seen += len(fresh)
    for thread in threads:
        thread.join()
    assert seen + len(store.since("r1", cursor)[0]) == 150
    assert {name: figures.count for name, figures in store.summary("r1").items()} == {"a": 50, "b": 50, "c": 50}


# --- the file ---------------------------------------------------------------------------------------------------------


def test_a_store_that_is_only_read_makes_no_file(open_store: Open) -> None:
    store = open_store()
    assert store.runs() == []
    store.close()
    assert not store.path.exists()


def test_flushed_data_is_seen_by_a_new_store(open_store: Open) -> None:
    first = open_store()
    first.put_run(RunRecord("r1", "a", 1.0))
    first.append("r1", points(("loss", 0, 0.5), ("loss", 1, NAN)))
    first.flush()
    second = open_store()
    assert second.runs() == first.runs()
    assert repr(rows(second.read("r1"))) == repr(rows(first.read("r1")))
    assert repr(second.summary("r1")) == repr(first.summary("r1"))


def test_unflushed_data_is_seen_only_by_its_store(open_store: Open) -> None:
    first, second = open_store(), open_store()
    first.put_run(RunRecord("r1", "a", 1.0))
    first.append("r1", points(("loss", 0, 0.5)))
    assert len(first.read("r1")) == 1
    assert second.read("r1").is_empty()


def test_closing_flushes_and_a_closed_store_opens_again_when_asked(open_store: Open) -> None:
    store = open_store()
    store.append("r1", points(("loss", 0, 0.5)))
    store.close()
    assert len(open_store().read("r1")) == 1
    assert len(store.read("r1")) == 1


def test_a_reopened_run_still_has_its_first_points(open_store: Open) -> None:
    first = open_store()
    first.append("r1", points(("loss", 0, 0.5), ("loss", 1, 0.4)))
    first.close()
    second = open_store()
    assert second.append("r1", points(("loss", 1, 9.0), ("loss", 2, 0.3))) == ["loss"]
    second.close()
    third = open_store()
    assert rows(third.read("r1")) == [("loss", 0, 0.5), ("loss", 1, 0.4), ("loss", 2, 0.3)]
    assert third.summary("r1") == {"loss": MetricSummary(0.3, 0.3, 0.5, 3, 2)}
    assert rows(third.since("r1", Cursor(0, 1))[0]) == [("loss", 1, 0.4), ("loss", 2, 0.3)]


def test_run_continued_elsewhere_can_be_continued_here(open_store: Open) -> None:
    here, there = open_store(), open_store()
    for turn, store in enumerate((here, there, here)):
        store.put_run(RunRecord("r1", "a", 1.0))
        store.append("r1", points(("loss", turn, float(turn))))
        store.put_run(RunRecord("r1", "a", 1.0, state="finished", ended=float(turn)))
        store.flush()
    assert here.run("r1") == there.run("r1") == RunRecord("r1", "a", 1.0, state="finished", ended=2.0)
    for store in (here, there):
        assert rows(store.read("r1")) == [("loss", 0, 0.0), ("loss", 1, 1.0), ("loss", 2, 2.0)]
        assert store.summary("r1") == {"loss": MetricSummary(2.0, 0.0, 2.0, 3, 2)}


def test_two_stores_writing_one_run_lose_nothing(open_store: Open) -> None:
    here, there = open_store(), open_store()
    here.append("r1", points(("a", 0, 1.0)))
    there.append("r1", points(("b", 0, 2.0)))
    here.flush()
    there.flush()
    assert there.notices == []
    assert rows(open_store().read("r1")) == [("a", 0, 1.0), ("b", 0, 2.0)]


def test_runs_of_several_processes_share_the_file(open_store: Open) -> None:
    here, there = open_store(), open_store()
    for store, run in ((here, "r1"), (there, "r2")):
        store.put_run(RunRecord(run, run, 1.0))
        store.append(run, points(("loss", 0, 1.0)))
        store.flush()
    assert [run.id for run in here.runs()] == ["r1", "r2"]
    assert len(here.read("r2")) == len(there.read("r1")) == 1


# --- failing disks ----------------------------------------------------------------------------------------------------


@pytest.fixture
def blocked(tmp_path: Path) -> SqliteStore:
    """A store whose folder cannot be made, because a file has its name."""
    (tmp_path / "folder").write_text("in the way")
    return SqliteStore(tmp_path / "folder" / "digits.trackbook.db", "digits")


def test_a_folder_that_cannot_be_made_is_a_notice_and_points_stay(blocked: SqliteStore) -> None:
    blocked.put_run(RunRecord("r1", "a", 1.0, state="finished"))
    blocked.append("r1", points(("loss", 0, 0.5)))
    blocked.flush()
    (notice,) = blocked.notices
    assert str(blocked.path) in notice
    assert "points stay in memory" in notice
    assert rows(blocked.read("r1")) == [("loss", 0, 0.5)]
    assert [run.id for run in blocked.runs()] == ["r1"]


def test_notice_disappears_when_writing_succeeds(blocked: SqliteStore) -> None:
    blocked.put_run(RunRecord("r1", "a", 1.0))
    blocked.append("r1", points(("loss", 0, 0.5)))
    blocked.flush()
    blocked.path.parent.unlink()
    blocked.append("r1", points(("loss", 1, 0.4)))
    blocked.close()
    assert blocked.notices == []
    other = SqliteStore(blocked.path, "digits")
    assert rows(other.read("r1")) == [("loss", 0, 0.5), ("loss", 1, 0.4)]
    other.close()


def test_reading_a_file_that_is_not_a_database_raises(open_store: Open) -> None:
    store = open_store()
    store.path.write_text("precious" * 1000)
    for read in (store.runs, lambda: store.run("r1"), lambda: store.read("r1"), lambda: store.summary("r1")):
        with pytest.raises(OSError, match=f"Cannot read {store.path} .* sets it aside and keeps what can be read"):
            read()
    assert store.since("r1", Cursor(0, 7))[1] == Cursor(0, 7)
    (notice,) = store.notices
    assert str(store.path) in notice
    assert store.path.read_text() == "precious" * 1000


def test_a_locked_file_is_a_notice_until_it_is_free(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trackbook.store.sqlite_file.BUSY_SECONDS", 0.01)
    monkeypatch.setattr("trackbook.store.sqlite_file._PATIENCE_SECONDS", 0)
    store = open_store()
    store.append("r1", points(("loss", 0, 0.5)))
    store.flush()
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("begin immediate")
    store.append("r1", points(("loss", 1, 0.4)))
    store.flush()
    assert "locked" in store.notices[0]
    other.execute("rollback")
    other.close()
    store.flush()
    assert store.notices == []
    assert len(open_store().read("r1")) == 2


# --- names ------------------------------------------------------------------------------------------------------------


def test_file_names_its_project(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "any.db", ODD)
    store.put_run(RunRecord("r1", "a", 1.0))
    store.close()
    assert project_name(store.path) == ODD


@pytest.mark.parametrize("content", [None, b"", b"no database", b"SQLite format 3\0" + bytes(100)])
def test_other_file_has_no_project_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "any.db"
    if content is not None:
        path.write_bytes(content)
    assert project_name(path) is None
    assert path.exists() == (content is not None)


def test_a_database_of_another_program_has_no_project_name(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "any.db")
    other.execute("create table meta (key text, value text)")
    other.close()
    assert project_name(tmp_path / "any.db") is None


# --- journals' marks, rewinds, deletions ------------------------------------------------------------------------------


def test_marks_are_kept_until_their_journal_is_gone(store: Store) -> None:
    store.append("r1", points(("loss", 0, 0.5)), {"j1/000000.seg": 32, "j10/000000.seg": 64})
    store.append("r1", points(("loss", 0, 0.5)), {"j1/000000.seg": 96, "j1/000001.seg": 32})
    store.append("r1", points(), {"j2/000000.seg": 32})
    assert store.flush()
    assert store.marks("j1") == {"j1/000000.seg": 96, "j1/000001.seg": 32}
    assert store.marks("j2") == {"j2/000000.seg": 32}
    store.clear_marks("j1")
    store.flush()
    assert store.marks("j1") == {}
    assert store.marks("j10") == {"j10/000000.seg": 64}
    assert store.marks("j") == {}


def test_cut_deletes_points_after_the_step(store: Store) -> None:
    store.append("r1", points(("loss", 0, 0.5), ("loss", 9, 0.1), ("acc", 3, 0.7), ("lr", 4, 1.0), ("loss", 3, 0.4)))
    _, cursor = store.since("r1", Cursor())
    store.cut("r1", 3)
    kept = [("loss", 0, 0.5), ("acc", 3, 0.7), ("loss", 3, 0.4)]
    assert by_metric(store.read("r1")) == [kept[1], kept[0], kept[2]]
    assert store.summary("r1") == {
        "loss": MetricSummary(last=0.4, min=0.4, max=0.5, count=2, step=3),
        "acc": MetricSummary(last=0.7, min=0.7, max=0.7, count=1, step=3),
    }
    again, after = store.since("r1", cursor)
    assert after.generation != cursor.generation
    assert by_metric(again) == [kept[1], kept[0], kept[2]]
    assert store.append("r1", points(("loss", 3, 0.0), ("loss", 9, 0.2))) == ["loss"]
    fresh, _ = store.since("r1", after)
    assert rows(fresh) == [("loss", 9, 0.2)]


def test_a_run_that_is_deleted_is_gone_and_its_id_is_free(store: Store) -> None:
    for run in ("r1", "r2"):
        store.put_run(RunRecord(run, run, 1.0))
        store.append(run, points(("loss", 0, 0.5)))
    store.flush()
    _, cursor = store.since("r1", Cursor())
    store.delete("r1")
    assert [run.id for run in store.runs()] == ["r2"]
    assert store.read("r1").is_empty()
    assert store.summary("r1") == {}
    store.append("r1", points(("loss", 0, 0.7)))
    store.flush()
    fresh, after = store.since("r1", cursor)
    assert after.generation != cursor.generation
    assert rows(fresh) == [("loss", 0, 0.7)]
    assert rows(store.read("r2")) == [("loss", 0, 0.5)]


# --- captured ---------------------------------------------------------------------------------------------------------


def line(number: int, text: str) -> tuple[int, str, str, float, None]:
    return (number, "stdout", text, 1.5, None)


def test_captured_rows_come_back_in_order_and_a_later_one_replaces(store: Store) -> None:
    store.put_captured("r1", "console", [line(10, "ten"), line(2, "two")])
    store.flush()
    store.put_captured("r1", "console", [line(2, ODD)])
    store.put_captured("r2", "console", [line(0, "other")])
    expected = [line(2, ODD), line(10, "ten")]
    assert store.captured("r1", "console") == expected
    store.flush()
    assert store.captured("r1", "console") == expected
    assert store.captured("r1", "cells") == []
    store.delete("r1")
    assert (store.captured("r1", "console"), store.captured("r2", "console")) == ([], [line(0, "other")])


def test_captured_lone_surrogates_do_not_stop_points(store: Store) -> None:
    store.put_run(RunRecord("r1", "a", 1.0))
    store.put_captured("r1", "facts", [("name", "half \udcff")])
    assert store.flush()
    assert store.captured("r1", "facts") == [("name", r"half \udcff")]


def test_captured_rows_after_a_key(store: Store) -> None:
    store.put_captured("r1", "console", [line(2, "two"), line(10, "ten")])
    store.put_captured("r1", "facts", [("a", "1"), ("b", "2")])
    store.flush()
    store.put_captured("r1", "console", [line(3, "three"), line(1, "one")])
    assert [row[0] for row in store.captured("r1", "console", 2)] == [3, 10]
    assert store.captured("r1", "facts", "a") == [("b", "2")]


def test_captured_times_and_texts_come_back_exactly(store: Store) -> None:
    times = (1763780000.1234567, None)
    cell = (0, "id", 1, "x = '\0\\\n\"é'", *times, "running", None, None, "[]", 3)
    store.put_captured("r1", "cells", [cell])
    store.flush()
    assert store.captured("r1", "cells") == [cell]


def test_captured_rows_are_dropped_by_keys(store: Store) -> None:
    store.put_captured("r1", "console", [line(i, "old") for i in range(6)])
    store.put_captured("r2", "console", [line(2, "other")])
    store.flush()
    store.put_captured("r1", "console", [line(3, "newer")])
    store.drop_captured("r1", "console", 2, 5)
    store.put_captured("r1", "console", [line(4, "back")])
    expected = [line(0, "old"), line(1, "old"), line(4, "back"), line(5, "old")]
    assert store.captured("r1", "console") == expected
    store.flush()
    assert store.captured("r1", "console") == expected
    assert store.captured("r2", "console") == [line(2, "other")]
    store.drop_captured("r1", "console", 0, 9)
    store.delete("r1")
    store.put_captured("r1", "console", expected)
    store.flush()
    assert store.captured("r1", "console") == expected


def test_captured_rows_are_in_the_file(open_store: Open) -> None:
    writer = open_store()
    writer.put_captured("r1", "facts", [("environment", '{"python": "3.13"}')])
    assert writer.flush()
    assert open_store().captured("r1", "facts") == [("environment", '{"python": "3.13"}')]
