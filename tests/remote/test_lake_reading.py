"""Reading a lake: tables, SQL, single runs and boards, which follow it."""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from processes import own_process
from remote.lakes import fill
from remote.target_contract import OTHER, RUN, batch
from trackbook.api import addresses
from trackbook.remote import lake_follower
from trackbook.remote.lake_store import open_lake
from trackbook.remote.lake_tables import Lake
from trackbook.remote.lake_target import LakeTarget
from trackbook.types import MetricSummary


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    fill(tmp_path / "lake")
    return tmp_path / "lake"


def test_runs_are_listed_with_config_and_last_values(lake: Path) -> None:
    table = tb.runs(lake.as_uri())
    assert table.select("id", "name", "state", "points", "config.lr", "summary.loss").rows() == [
        ("r1", RUN.name, "running", 5, 0.1, 4.0),
        ("r2", OTHER.name, "finished", 3, None, 2.0),
    ]


def test_a_lake_is_found_by_its_address_and_that_of_its_project(lake: Path) -> None:
    for where in (lake.as_uri(), f"{lake.as_uri()}/digits", lake, lake / "digits"):
        found = addresses.project_at(where)
        assert found is not None
        assert found.name == "digits"


def test_a_lake_of_several_projects_wants_one_to_be_named(lake: Path) -> None:
    fill(lake, "other/one")
    with pytest.raises(ValueError, match=r"has 'digits', 'other/one'; name one: .*/digits"):
        tb.runs(lake.as_uri())
    assert len(tb.runs(f"{lake.as_uri()}/digits")) == 2
    assert len(tb.runs(f"{lake.as_uri()}/other%2Fone")) == 2


def test_an_address_without_a_lake_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no lake at .*sync"):
        tb.runs((tmp_path / "nothing").as_uri())


@pytest.mark.parametrize("where", ["gcs://bucket/team", "s3a://bucket/team", "abfss://box/team"])
def test_an_address_of_another_program_says_how_it_is_written_here(where: str) -> None:
    with pytest.raises(ValueError, match="cannot be read: give s3://BUCKET/PATH, gs://BUCKET/PATH"):
        tb.runs(where)


def test_history_and_single_runs_are_read_by_name(lake: Path) -> None:
    run = tb.get_run(RUN.name, lake.as_uri())
    assert run.history("loss").rows() == [("loss", step, float(step), 1_000.0 + step) for step in range(5)]
    assert tb.get_run(project=lake.as_uri()).id == "r2"


def test_sql_reads_only_what_its_conditions_select(lake: Path) -> None:
    query = "select run, max(value) as best from points where metric = 'loss' and run_id = 'r1' group by run"
    assert tb.sql(query, lake.as_uri()).rows() == [(RUN.name, 4.0)]
    assert tb.sql("select count(*) from points", lake.as_uri()).item() == 8


def test_runs_of_a_lake_cannot_be_changed(lake: Path) -> None:
    with pytest.raises(OSError, match="is only read here"):
        tb.get_run("r2", lake.as_uri()).name = "other"
    with pytest.raises(ValueError, match="is only read"):
        tb.delete_run("r1", lake.as_uri(), force=True)


def wait_for(board: tb.Board, points: int) -> None:
    until = time.monotonic() + 30
    while board.source.logged < points:
        assert time.monotonic() < until, "the board does not follow"
        board.source.pull()
        time.sleep(0.02)


def test_a_board_shows_a_lake_and_follows_it(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_follower, "LOOK_SECONDS", 0.05)
    board = tb.board(lake.as_uri())
    assert board.source.logged == 8
    assert list(board.source.picture.runs) == ["r1", "r2"]
    target = LakeTarget(str(lake), project="digits", source="one")
    target.put(batch(5, 9))
    target.put(batch(0, 2, dataclasses.replace(OTHER, id="r3")))
    wait_for(board, 14)
    assert set(board.source.picture.runs) == {"r1", "r2", "r3"}
    assert board.source.picture.runs["r1"]["done"] == 9


def test_a_board_follows_a_rewind(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_follower, "LOOK_SECONDS", 0.05)
    board = tb.board(lake.as_uri(), runs="r1")
    target = LakeTarget(str(lake), project="digits", source="one")
    cut = batch(0, 2, generation=1)
    target.put(dataclasses.replace(cut, start=target.cursor("r1"), replaces=True))
    wait_for(board, 7)
    assert board.source.picture.runs["r1"]["done"] == 2


def test_end_of_the_process_waits_for_the_thread_that_reads_a_lake(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python would end the thread within a call of the library, which crashes."""
    began, ended = threading.Event(), threading.Event()

    def refresh() -> None:
        began.set()
        time.sleep(0.3)
        ended.set()

    with own_process(monkeypatch) as process:
        board = tb.board(lake.as_uri())
        monkeypatch.setattr(board.source.store, "refresh", refresh)
        board.source.pull()
        assert began.wait(30)
        process.close()
        assert ended.is_set()
        ended.clear()
        board.source.pull()  # a closed board starts no other thread
        assert not ended.wait(0.5)


def summary(lake: Path, run_id: str) -> MetricSummary:
    found = open_lake(str(lake))
    assert found.summary_table([run_id]).rows() == found.summary_table(metrics=["loss"]).filter(run_id=run_id).rows()
    return found.summary(run_id)["loss"]


def test_the_summary_of_a_live_run_is_that_of_its_points(lake: Path) -> None:
    """Rows of live runs are written less often than points."""
    target = LakeTarget(str(lake), project="digits", source="one")
    running = dataclasses.replace(RUN, state="running", started=time.time())
    target.put(batch(5, 6, running))
    target.put(batch(6, 8, running))
    assert open_lake(str(lake)).summary("r1")["loss"] == MetricSummary(7.0, 0.0, 7.0, 8, 7)
    store = open_lake(str(lake))
    store.runs()
    target.put(batch(8, 9, running))
    assert store.refresh()
    assert summary(lake, "r1") == store.summary("r1")["loss"] == MetricSummary(8.0, 0.0, 8.0, 9, 8)


def test_the_summary_of_an_interrupted_put_is_that_of_its_points(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = LakeTarget(str(lake), project="digits", source="one")
    commit = Lake.commit

    def killed(self: Lake, name: str, make: Any) -> int:
        if name == "points":
            raise ConnectionResetError("killed before the points")
        return commit(self, name, make)

    monkeypatch.setattr(Lake, "commit", killed)
    with pytest.raises(ConnectionResetError):
        target.put(batch(3, 6, dataclasses.replace(OTHER, state="finished", ended=2_020.0)))
    assert summary(lake, "r2") == MetricSummary(2.0, 0.0, 2.0, 3, 2)
