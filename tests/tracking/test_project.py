from __future__ import annotations

import itertools
import math
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from journals import abandoned, points
from trackbook import TrackbookWarning
from trackbook.journal.records import RECORD_BYTES
from trackbook.pump import INTERVAL
from trackbook.tracking.project import (
    FLUSH_SECONDS,
    IDLE_SECONDS,
    LARGEST_BACKLOG,
    QUIET_SECONDS,
    SLOWEST_FLUSH_SECONDS,
    SLOWEST_SHOWN_SECONDS,
    Project,
)
from trackbook.tracking.run import Run, writer_of
from trackbook.tracking.run_options import RunOptions
from trackbook.types import RunRecord


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project("digits", tmp_path)
    yield project
    project.store.close()


def start(project: Project, run: str = "r1", name: str = "a", started: float = 0.0, **fields: Any) -> Run:
    return project.open_run(RunOptions(RunRecord(run, name, started, **fields)))


# --- finding and resuming runs ----------------------------------------------------------------------------------------


def test_a_run_is_found_by_id_or_by_name_the_latest_first(project: Project) -> None:
    for run, name, started in (("r1", "a", 1.0), ("r2", "a", 2.0), ("a2", "r1", 3.0)):
        start(project, run, name, started)
    assert [project.find(what).id for what in ("r1", "a", "a2")] == ["r1", "r2", "a2"]


def test_a_run_that_does_not_exist_is_a_value_error_that_names_the_latest(project: Project) -> None:
    with pytest.raises(ValueError, match="project 'digits' has no run 'x'; it has none"):
        project.find("x")
    start(project)
    with pytest.raises(ValueError, match="has no run 'x'; its latest are 'a'"):
        project.find("x")


def test_a_new_run_without_a_name_gets_one_with_its_number(project: Project) -> None:
    start(project)
    assert project.admit(RunOptions(RunRecord("r2", "", 0.0), resume="never", by_id=False)).name.endswith("-2")


def test_names_may_repeat(project: Project) -> None:
    start(project)
    assert project.admit(RunOptions(RunRecord("r2", "a", 0.0), resume="never", by_id=False)).id == "r2"


def test_an_id_that_is_taken_is_a_value_error_that_says_what_to_do(project: Project) -> None:
    start(project).finish()
    with pytest.raises(ValueError, match="has a run with id 'r1' already; choose another id, or resume='allow'"):
        project.admit(RunOptions(RunRecord("r1", "b", 0.0), resume="never", by_id=True))


@pytest.mark.parametrize("resume", ["allow", "must"])
def test_the_latest_run_of_the_name_is_resumed(project: Project, resume: Any) -> None:
    start(project, "r1", started=1.0).finish()
    start(project, "r2", started=2.0).finish("failed")
    record = project.admit(RunOptions(RunRecord("new", "a", 3.0), resume=resume, by_id=False))
    assert (record.id, record.state, record.started, record.ended, record.error) == ("r2", "running", 2.0, None, None)


@pytest.mark.parametrize("resume", ["allow", "must"])
def test_the_run_of_the_id_is_resumed_and_keeps_its_name(project: Project, resume: Any) -> None:
    start(project, "r1").finish()
    start(project, "r2", name="b").finish()
    assert project.admit(RunOptions(RunRecord("r1", "b", 3.0), resume=resume, by_id=True)).name == "a"


def test_allow_makes_a_run_where_there_is_none(project: Project) -> None:
    start(project).finish()
    assert project.admit(RunOptions(RunRecord("r2", "b", 0.0), resume="allow", by_id=False)).id == "r2"
    assert project.admit(RunOptions(RunRecord("r2", "", 0.0), resume="allow", by_id=False)).id == "r2"


@pytest.mark.parametrize(("by_id", "what"), [(False, "name 'b'"), (True, "id 'r2'")])
def test_must_demands_a_run(project: Project, by_id: bool, what: str) -> None:
    start(project).finish()
    with pytest.raises(ValueError, match=f"has no run with {what}; use resume='allow'"):
        project.admit(RunOptions(RunRecord("r2", "b", 0.0), resume="must", by_id=by_id))


def test_a_resumed_run_adds_to_what_it_was(project: Project) -> None:
    start(project, config={"lr": 0.1, "depth": 3}, tags=("x",), notes="first", total=5, step_by="run").finish()
    fresh = RunRecord("new", "a", 9.0, config={"lr": 0.2}, tags=("y", "x"), notes=None, total=9)
    record = project.admit(RunOptions(fresh, resume="must", by_id=False))
    assert (record.config, record.tags) == ({"lr": 0.2, "depth": 3}, ("x", "y"))
    assert (record.notes, record.total, record.step_by) == ("first", 9, "run")


def test_open_run_cannot_be_resumed(project: Project) -> None:
    start(project)
    with pytest.raises(ValueError, match=r"run 'a' is still open here and cannot be resumed; .* finish\(\) it first"):
        project.admit(RunOptions(RunRecord("new", "a", 0.0), resume="allow", by_id=False))


def test_a_run_that_has_ended_is_no_longer_open(project: Project) -> None:
    run = start(project)
    assert project.open_runs == [writer_of(run)]
    run.finish()
    assert project.open_runs == []


def test_new_run_leaves_other_runs_to_the_first_tick(project: Project) -> None:
    left = abandoned(project.journals, [(0, 0, 1.5)], id="dead", name="dead")
    broken = abandoned(project.journals, [(0, 0, 1.5)], id="broken", name="broken")
    (broken / "head.jsonl").write_bytes(b"{")
    run = start(project)
    assert left.exists()
    assert [record.id for record in project.store.runs()] == ["r1"]
    project.tick(0.0)
    assert not left.exists()
    assert {record.id: record.state for record in project.store.runs()} == {"r1": "running", "dead": "lost"}
    assert points(project.store.read("dead")) == [("a", 0, 1.5)]
    with pytest.warns(TrackbookWarning, match=broken.name):
        run.log({"loss": 1.0})
    project.recover()  # says nothing twice
    later = abandoned(project.journals, [(0, 0, 1.5)], id="later", name="later")
    project.tick(1.0)
    assert later.exists()
    start(project, "r2")
    project.tick(2.0)
    assert not later.exists()


@pytest.mark.parametrize("chosen", [{"by_id": True}, {"resume": "allow"}])
def test_journal_of_a_dead_process_is_recovered_at_once(project: Project, chosen: Any) -> None:
    abandoned(project.journals, [(0, 0, 1.5)], id="dead", name="dead")
    with pytest.raises(ValueError, match="already") if "by_id" in chosen else nullcontext():
        run = project.open_run(RunOptions(RunRecord("dead", "dead", 2.0), **chosen))
        assert run.summary["a"] == 1.5


@pytest.mark.parametrize("resume", ["must", "allow"])
def test_two_that_resume_one_run_at_once_get_it_once(
    project: Project, monkeypatch: pytest.MonkeyPatch, resume: Any
) -> None:
    start(project).finish()
    other, options = Project("digits", project.store.path.parent), RunOptions(RunRecord("r1", "a", 9.0), resume=resume)
    admitted, both, results = threading.Event(), threading.Event(), list[Any]()
    admit = project.admit

    def admit_slowly(options: RunOptions) -> RunRecord:
        record = admit(options)
        admitted.set()
        both.wait(0.2)  # never set while the second waits for the first
        return record

    def second() -> None:
        admitted.wait(10)
        try:
            results.append(other.open_run(options))
        except ValueError as error:
            results.append(str(error))
        both.set()

    thread = threading.Thread(target=second)
    thread.start()
    monkeypatch.setattr(project, "admit", admit_slowly)
    first = project.open_run(options)
    thread.join(10)
    assert results == ["run 'a' is being written by another process, and cannot be resumed"]
    first.finish()
    assert not list(project.store.path.parent.glob("*.resume"))
    other.store.close()


def test_a_run_that_another_process_has_just_resumed_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while its record is not in the file yet, which may be busy."""
    start(project).finish()
    other, options = Project("digits", project.store.path.parent), RunOptions(RunRecord("r1", "a", 9.0), resume="must")
    monkeypatch.setattr(project.store, "flush", lambda: False)
    resumed = project.open_run(options)
    assert other.store.runs()[0].state == "finished"
    with pytest.raises(ValueError, match="run 'a' is being written by another process, and cannot be resumed"):
        other.open_run(options)
    monkeypatch.undo()
    resumed.finish()
    other.open_run(options).finish()
    other.store.close()


def test_a_folder_without_locks_lets_runs_be_resumed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    start(project).finish()

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr("trackbook.tracking.project.filesystem.hold", refuse)
    run = project.open_run(RunOptions(RunRecord("r1", "a", 9.0), resume="must"))
    assert run.id == "r1"
    run.finish()


# --- ticks ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def flushes_taking(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the duration of a flush on the project's clock."""

    def take(seconds: float) -> None:
        times = itertools.count(step=seconds)
        monkeypatch.setattr("trackbook.tracking.project.monotonic", lambda: next(times))

    take(0.0)
    return take


@pytest.mark.parametrize(("took", "rest"), [(0.0, 1.0), (0.2, 4.0), (9.0, 5.0)])
def test_a_flush_that_took_long_is_followed_by_a_longer_rest(
    project: Project, flushes_taking: Callable[[float], None], took: float, rest: float
) -> None:
    flushes_taking(took)
    run = start(project)
    project.tick(10.0)
    for now, expected in ((10.0 + rest - 0.1, 0), (10.0 + rest, 2)):
        run.log({"loss": 1})
        project.tick(now)
        assert len(project.store.read("r1")) == expected


def test_a_large_backlog_is_flushed_each_second(
    project: Project, flushes_taking: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise points that are not in the file yet would fill the memory."""
    flushes_taking(5.0)
    monkeypatch.setattr("trackbook.tracking.project.LARGEST_BACKLOG", 0)
    flushes: list[float] = []
    run = start(project)
    monkeypatch.setattr(project, "flush", lambda _: flushes.append(now))
    for now in (10.0, 10.5, 11.0):
        run.log({"loss": 1})
        project.tick(now)
    assert flushes == [10.0, 11.0]


@pytest.mark.usefixtures("flushes_taking")
def test_project_wants_ticks_as_often_as_a_board_asks_while_points_come(project: Project) -> None:
    run = start(project)
    assert project.tick(10.0) == QUIET_SECONDS
    project.boards.add("a board")
    run.log({"loss": 1})
    assert [project.tick(now) for now in (10.0, 10.2, 11.0)] == [INTERVAL] * 3
    assert project.tick(14.0) == pytest.approx(0.2)
    assert project.tick(60.0) == SLOWEST_SHOWN_SECONDS
    run.log({"loss": 1})
    assert project.tick(61.0) == INTERVAL


@pytest.mark.usefixtures("flushes_taking")
def test_project_whose_runs_log_nothing_wakes_once_a_second(project: Project) -> None:
    run = start(project)
    run.log({"loss": 1})
    assert [project.tick(now) for now in (10.0, 12.0)] == [QUIET_SECONDS] * 2
    assert project.tick(15.0) == FLUSH_SECONDS
    run.log({"loss": 1})
    assert project.tick(16.0) == QUIET_SECONDS


def test_project_without_open_runs_hardly_wakes(project: Project) -> None:
    project.boards.add("a board")
    start(project).finish()
    assert project.tick(10.0) == SLOWEST_FLUSH_SECONDS


def test_the_file_is_closed_an_idle_while_after_the_last_run(
    project: Project, flushes_taking: Callable[[float], None]
) -> None:
    log = project.store.path.with_name(project.store.path.name + "-wal")
    flushes_taking(0.0)  # at second 0
    start(project).finish()
    assert [project.tick(now) for now in (1.0, 5.0, IDLE_SECONDS - 1.0)] == [SLOWEST_FLUSH_SECONDS] * 2 + [1.0]
    assert log.exists()
    assert project.tick(IDLE_SECONDS) == math.inf
    assert not log.exists()


@pytest.mark.usefixtures("flushes_taking")
def test_failing_flush_is_repeated_before_closing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    start(project).finish()
    with monkeypatch.context() as full_disk:
        full_disk.setattr(project.store, "flush", lambda: False)
        assert project.tick(IDLE_SECONDS) == SLOWEST_FLUSH_SECONDS
    assert project.tick(IDLE_SECONDS) == math.inf


@pytest.mark.usefixtures("flushes_taking")
def test_tick_hands_over_and_flushes_once_a_second(project: Project) -> None:
    def in_the_file() -> int:
        other = Project("digits", project.store.path.parent)
        points = len(other.store.read("r1"))
        other.store.close()
        return points

    run = start(project)
    for now, expected in ((10.0, 1), (10.5, 1), (11.0, 3)):
        run.log({"loss": 1})
        project.tick(now)
        assert in_the_file() == expected
    assert len(project.store.read("r1")) == 3


@pytest.mark.usefixtures("flushes_taking")
def test_without_a_board_points_stay_in_the_journal_until_the_next_flush(project: Project) -> None:
    run = start(project)
    for now, expected in ((10.0, 1), (10.5, 1), (11.0, 3)):
        run.log({"loss": 1})
        project.tick(now)
        assert len(project.store.read("r1")) == expected


def test_board_gets_points_as_often_as_it_asks(project: Project) -> None:
    run = start(project)
    project.boards.add("a board")
    for now, expected in ((10.0, 1), (10.05, 1), (10.15, 3), (10.2, 3), (10.3, 5)):
        run.log({"loss": 1})
        project.tick(now)
        assert len(project.store.read("r1")) == expected


def test_a_large_backlog_waits_for_no_flush(project: Project) -> None:
    run = start(project)
    project.tick(10.0)
    values = {f"m{number}": 0.5 for number in range(1000)}
    calls = LARGEST_BACKLOG // (1000 * RECORD_BYTES) + 1
    for _ in range(calls):
        run.log(values)
    project.tick(10.05)
    assert len(project.store.read("r1")) == calls * 1000


def test_readers_of_the_run_wait_for_no_flush(project: Project) -> None:
    run = start(project)
    project.tick(10.0)
    run.log({"loss": 0.25})
    assert run.history()["value"].to_list() == [0.25]
    run.log({"loss": 0.5})
    assert run.summary["loss"] == 0.5
    run.log({"loss": 0.75})
    assert project.table()["points"].to_list() == [3]


# --- the table of runs ------------------------------------------------------------------------------------------------


def test_the_table_has_a_row_a_run_oldest_first(project: Project) -> None:
    start(project, "r2", name="b", started=2.0, group="g", tags=("x", "y"), notes="n").finish("failed")
    start(project, "r1", name="a", started=1.5)
    table = project.table()
    assert table.columns[:11] == [
        "id",
        "name",
        "group",
        "state",
        "tags",
        "notes",
        "started",
        "ended",
        "seen",
        "duration",
        "points",
    ]
    first, second = table.to_dicts()
    assert first.pop("seen") >= first["started"]  # of a run that is open, its last sign of life
    assert second.pop("seen") is None
    assert first == {
        "id": "r1",
        "name": "a",
        "group": None,
        "state": "running",
        "tags": [],
        "notes": None,
        "started": datetime.fromtimestamp(1.5, UTC),
        "ended": None,
        "duration": None,
        "points": 0,
    }
    assert [second[name] for name in ("id", "group", "state", "tags", "notes")] == [
        "r2",
        "g",
        "failed",
        ["x", "y"],
        "n",
    ]
    assert second["duration"] == pytest.approx((second["ended"] - second["started"]).total_seconds())


def test_the_table_of_no_runs_has_the_same_columns(project: Project) -> None:
    empty = project.table()
    start(project)
    assert empty.schema == project.table().schema
    assert empty.is_empty()


def test_the_table_has_config_then_summary(project: Project) -> None:
    run = start(project, config={"lr": 0.1, "name": "x"})
    run.log({"loss": 0.5, "id": 1})
    run.summary["best"] = 0.4
    (row,) = project.table().drop(pl.nth(range(10))).to_dicts()
    assert row == {
        "points": 2,
        "config.lr": 0.1,
        "config.name": "x",
        "summary.loss": 0.5,
        "summary.id": 1.0,
        "summary.best": 0.4,
    }
    assert list(row)[1:] == ["config.lr", "config.name", "summary.loss", "summary.id", "summary.best"]


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ([1, 2], [1, 2]),
        ([1, 2.5], [1.0, 2.5]),
        ([0.5, math.inf], [0.5, math.inf]),
        ([True, False], [True, False]),
        (["a", None], ["a", None]),
        ([1, "a"], ["1", "a"]),
        ([True, 1], ["true", "1"]),
        ([2**63, 1], [str(2**63), "1"]),
        ([2**63, 0.5], [str(2**63), "0.5"]),
        ([-(2**63) + 1, 2**63 - 1], [-(2**63) + 1, 2**63 - 1]),
        ([[1, "é"], {"a": None}], ['[1, "é"]', '{"a": null}']),
        ([None, None], [None, None]),
        ([None, {}], [None, "{}"]),
        (["\ud800", "b"], ["\\ud800", "b"]),
    ],
)
def test_config_of_any_kinds_is_a_column(project: Project, values: list[Any], column: list[Any]) -> None:
    for position, value in enumerate(values):
        start(project, f"r{position}", started=float(position)).config["it"] = value
    assert project.table()["config.it"].to_list() == column


def test_a_run_without_a_value_has_null(project: Project) -> None:
    start(project, "r1", started=1.0, config={"lr": 0.1}).log({"loss": 1})
    start(project, "r2", started=2.0, config={"depth": 3}).log({"acc": 2})
    assert project.table().select("config.lr", "config.depth", "summary.loss", "summary.acc").rows() == [
        (0.1, None, 1.0, None),
        (None, 3, None, 2.0),
    ]


@pytest.mark.parametrize("name", ["^.*$", "*", "a.b", "é 📉", '"quoted"', "\0", "\udcff"])
def test_any_name_of_config_and_metrics_is_a_column(project: Project, name: str) -> None:
    run = start(project)
    run.config[name] = 1
    if name != "\udcff":
        run.log({name: 2})
    shown = "\\udcff" if name == "\udcff" else name
    assert project.table()[f"config.{shown}"].to_list() == [1]


def test_unreadable_file_is_an_os_error(project: Project) -> None:
    project.store.path.write_text("not a database" * 1000)
    with pytest.raises(OSError, match="Cannot read"):
        project.table()


def test_a_project_shows_its_name(project: Project) -> None:
    assert repr(project) == "<trackbook project 'digits'>"


# Computes for 2 ms, and gives up the GIL for a moment, as a print does: a thread that waits 5 ms for it waits for ever.
GIVES_UP_THE_GIL = """
import os, time
import trackbook as tb
run = tb.init("busy", capture=False)
nowhere = os.open(os.devnull, os.O_WRONLY)
while True:
    end = time.perf_counter() + 0.002
    while time.perf_counter() < end:
        pass
    os.write(nowhere, b"x")
    run.log({"loss": 1.0})
"""


def test_points_reach_the_file_while_a_loop_often_gives_up_the_gil(store_dir: Path) -> None:
    def stored() -> int:
        path = store_dir / "busy.trackbook.db"
        if not path.exists():
            return 0
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as file:
            try:
                return int(file.execute("select count(*) from chunks").fetchone()[0])
            except sqlite3.OperationalError:  # the tables are being made
                return 0

    with subprocess.Popen([sys.executable, "-c", GIVES_UP_THE_GIL]) as busy:
        try:
            end = time.monotonic() + 60
            while time.monotonic() < end and not stored():
                time.sleep(0.1)
            assert stored()
        finally:
            busy.kill()


# --- for boards -------------------------------------------------------------------------------------------------------


def test_runs_of_dead_processes_are_recovered_now_and_then_while_a_board_shows_one(project: Project) -> None:
    def die(run: str) -> None:
        project.store.put_run(RunRecord(run, run, 1.0))
        project.store.flush()
        abandoned(project.journals, [(0, 0, 0.5)], id=run)

    def states() -> list[str]:
        return [run.state for run in project.runs()]

    die("r1")
    assert project.recover_for_board(10.0) == []
    assert states() == ["lost"]
    die("r2")
    project.recover_for_board(10.5)
    assert states() == ["lost", "running"]
    project.recover_for_board(20.0)
    assert states() == ["lost", "lost"]


def test_board_of_own_runs_recovers_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    run = start(project)
    monkeypatch.delattr(Project, "_recover")
    assert project.recover_for_board(10.0) == []
    run.finish()
